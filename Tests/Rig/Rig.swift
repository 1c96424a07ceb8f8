// The tool `rig`: one line a subcommand. To add one, write its file and its line here.
import Glibc
import Platform
import Values

/// One subcommand: what it is called with, and what it does.
struct RigCommand: Sendable {
    let spec: CommandSpec
    /// - Returns: the exit code.
    let run: @Sendable (RigOptions) throws -> Int32
}

@main enum Rig {
    static let commands: [RigCommand] = [
        GatewayCommand.command,
        RelayCommand.command,
        RelayCommand.act("cut", "drops every connection of a running relay and refuses new ones"),
        RelayCommand.act("mend", "lets a running relay work again"),
        RelayCommand.act("status", "tells what a running relay does"),
        RelayCommand.weather,
        WorldCommand.command,
        CommandsCommand.command,
        ImagesCommand.command,
        RotCommand.command,
        T2OClient.command,
        DecodeBench.command,
        FuzzCommand.command,
        GatewayLoad.command,
        CatchUpBench.command,
        CatchUpCloud.command,
        DurableBench.command,
        KillBench.command,
        FaultsCommand.command,
        T2OBench.command,
        TickFlood.command,
        FootprintBench.command,
        StartBench.command,
        StepsBench.command,
    ]
    /// Exit codes, as of every program of the house.
    static let usage: Int32 = 2
    static let unreachable: Int32 = 4
    static let different: Int32 = 5

    static func main() {
        let parser = ArgumentParser(
            program: "rig", about: "the test rig: a simulated gateway, a relay to cut, worlds of one seed", commands: commands.map(\.spec),
            common: [
                CommandOption("json", "answer as one JSON object a line"), CommandOption("help", "this text"),
                CommandOption("version", "the version"),
            ])
        do {
            switch try parser.parse(Array(CommandLine.arguments.dropFirst())) {
            case .help(let text): Console.out(text, terminator: "")
            case .version: Console.out("rig \(Version.product)")
            case .run(let name, let operands, let options): exit(perform(name, RigOptions(options, operands)))
            }
        } catch {
            Console.fail("\(error)")
            exit(usage)
        }
    }

    private static func perform(_ name: String, _ options: RigOptions) -> Int32 {
        // The parser knows the commands of this same table.
        guard let command = commands.first(where: { $0.spec.words.joined(separator: " ") == name }) else { return usage }
        do {
            return try command.run(options)
        } catch let error as UsageError {
            Console.fail(error.text)
            return usage
        } catch {
            Console.fail("\(error)")
            return 1
        }
    }
}

/// A command line that asks for something senseless.
struct UsageError: Error { let text: String }

/// The options of one call, read by type; a value of the wrong type is a `UsageError` that names the option.
struct RigOptions {
    private let values: [String: String]
    /// The words that are no options, in order; the parser has counted them.
    let operands: [String]
    init(_ values: [String: String], _ operands: [String] = []) { self.values = values; self.operands = operands }

    var isJSON: Bool { values["json"] != nil }
    func text(_ name: String) -> String? { values[name] }
    /// All values of a repeatable option.
    func list(_ name: String) -> [String] { values[name].map { $0.split(separator: ",").map(String.init) } ?? [] }
    func required(_ name: String) throws -> String {
        guard let text = values[name] else { throw UsageError(text: "the option --\(name) is missing; see --help") }
        return text
    }
    func number<Number: FixedWidthInteger>(_ name: String, in range: ClosedRange<Number>, default standard: Number) throws -> Number {
        guard let text = values[name] else { return standard }
        guard let number = Number(text), range.contains(number) else {
            throw UsageError(text: "--\(name) wants a whole number of \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }
    func choice(_ name: String, of words: [String]) throws -> String {
        let text = values[name] ?? words[0]
        guard words.contains(text) else { throw UsageError(text: "--\(name) wants one of \(words.joined(separator: ", ")), not '\(text)'") }
        return text
    }
}

/// What the tool says, beside the terminal's own words.
extension Console {
    static func out(_ text: String, terminator: String = "\n") { write(text + terminator) }
    static func fail(_ text: String) { error("rig: \(text)") }
}
