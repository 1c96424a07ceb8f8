// Command lines, YAML and settings: precedence, and every refusal with its words.
import Platform
import Testing

struct SettingsTests {
    let parser = ArgumentParser(
        program: "tool", about: "does",
        commands: [
            CommandSpec("run", options: [CommandOption("port", value: "N", "where")], "runs"),
            CommandSpec("pump", options: [CommandOption("to", value: "ADDRESS", isRepeatable: true, "where")], "pumps\nMore words."),
            CommandSpec("ledger verify", "checks"), CommandSpec("edge invite", operands: ["NAME"], "invites"),
        ], common: [CommandOption("json", "as JSON"), CommandOption("data", value: "DIR", "folder")])

    @Test func commandLinesAreRead() throws {
        #expect(try parser.parse(["run", "--port", "8", "--json"]) == .run(command: "run", operands: [], options: ["port": "8", "json": "yes"]))
        #expect(
            try parser.parse(["edge", "invite", "home", "--data=/x"]) == .run(command: "edge invite", operands: ["home"], options: ["data": "/x"]))
        #expect(try parser.parse(["ledger", "verify", "--version"]) == .version)
        guard case .help(let text) = try parser.parse(["run", "--help"]) else { Issue.record("no help"); return }
        #expect(text.contains("--port N") && text.contains("--data DIR"))
        #expect(try parser.parse(["pump", "--to", "a", "--to=b"]) == .run(command: "pump", operands: [], options: ["to": "a,b"]))
        #expect(parser.help.contains("pumps\n") && !parser.help.contains("More words"))
    }

    @Test(arguments: [
        ([], ArgumentError.noCommand), (["fly"], .unknownCommand("fly")), (["run", "--prot", "1"], .unknownOption("--prot")),
        (["run", "--port"], .missingValue("port")), (["run", "--port", "--json"], .missingValue("port")),
        (["run", "--json=1"], .unexpectedValue("json")),
        (["run", "--json", "--json"], .repeated("json")), (["edge", "invite"], .missingOperand("NAME")), (["run", "x"], .unexpectedOperand("x")),
    ])
    func badCommandLinesAreNamed(words: [String], error: ArgumentError) { #expect(throws: error) { try parser.parse(words) } }

    let keys = [
        SettingKey("port", variables: ["PORT"], default: "8000", "where"), SettingKey("gateway.host", default: "127.0.0.1", "host"),
        SettingKey("gateway.port", "port"), SettingKey("watch", default: "", "symbols"),
    ]

    func settings(_ yaml: String = "", flags: [String: String] = [:], environment: [String: String] = [:]) throws(SettingsError) -> Settings {
        try Settings(keys: keys, flags: flags, environment: environment, file: ("edge.yaml", Array(yaml.utf8)))
    }

    @Test func theNearerSourceWins() throws {
        let yaml = "port: 1\ngateway:\n  port: 4002 # paper\nwatch: [A, B]\n"
        let file = try settings(yaml)
        #expect(try file.integer("port", in: 1...9_999) == 1 && file.text("watch") == "A,B" && file.value("gateway.port")?.source == "edge.yaml:3")
        #expect(try settings(yaml, environment: ["PORT": "2"]).text("port") == "2")
        #expect(try settings(yaml, environment: ["PORT": "2", "TIDEWIRE_PORT": "3"]).text("port") == "3")
        #expect(try settings(yaml, flags: ["port": "4"], environment: ["TIDEWIRE_PORT": "3"]).text("port") == "4")
        #expect(try settings(flags: ["gateway-port": "7"]).text("gateway.port") == "7")
        #expect(try settings().text("gateway.host") == "127.0.0.1")
    }

    @Test func badSettingsAreNamedWithTheirLine() throws {
        #expect(throws: SettingsError.unknownKey("prot", file: "edge.yaml", line: 2)) { try settings("port: 1\nprot: 2") }
        #expect(throws: SettingsError.unknownKey("gateway.hots", file: "edge.yaml", line: 2)) { try settings("gateway:\n  hots: 2") }
        #expect(throws: SettingsError.notAScalar("port", file: "edge.yaml", line: 2)) { try settings("port:\n  a: 1") }
        #expect(throws: SettingsError.missing("gateway.port")) { try settings().text("gateway.port") }
        #expect(throws: SettingsError.badValue(key: "port", value: "x", source: "edge.yaml:1", wanted: "a whole number from 1 to 9")) {
            try settings("port: x").integer("port", in: 1...9)
        }
        #expect(throws: SettingsError.self) { try settings("port: [1") }
        #expect(throws: SettingsError.self) { try settings("port: 1\nport: 2") }
        #expect(throws: SettingsError.self) { try settings("a: &x 1\nb: *x") }
        #expect(throws: SettingsError.self) { try settings("just words") }
    }
}

struct DataFolderTests {
    @Test func theFirstThatIsSetNamesTheFolder() {
        func path(_ option: String?, _ variables: [String: String]) -> String { DataFolder.path(option, wing: "edge") { variables[$0] } }
        let all = ["STATE_DIRECTORY": "/s", "XDG_STATE_HOME": "/x", "HOME": "/h"]
        #expect(path("/o", all) == "/o")
        #expect(path(nil, all) == "/s")
        #expect(path(nil, ["XDG_STATE_HOME": "/x", "HOME": "/h"]) == "/x/tidewire/edge")
        #expect(path(nil, ["STATE_DIRECTORY": "", "XDG_STATE_HOME": "", "HOME": "/h"]) == "/h/.local/state/tidewire/edge", "empty is not set")
    }
}
