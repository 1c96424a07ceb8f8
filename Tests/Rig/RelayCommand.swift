// `rig relay`: the pump between edge and cloud, and `rig relay cut|mend|status`, which act on a running one.
import Platform
import Simulation
import Wire

enum RelayCommand {
    private static let control = CommandOption("control", value: "FILE", "where the running relay says how to reach it")

    static let command = RigCommand(
        spec: CommandSpec(
            "relay",
            options: [
                CommandOption("listen", value: "HOST:PORT", isRepeatable: true, "accepts here; port 0 lets the system choose"),
                CommandOption("to", value: "HOST:PORT", isRepeatable: true, "passes on to here; one for each --listen, in the same order"), control,
                CommandOption("weather", value: "WORDS", isRepeatable: true, "what happens to the bytes: \(RelayWeather.help)"),
                CommandOption("seed", value: "N", "where bits turn and connections break (1)"),
            ],
            "Pumps TCP bytes both ways between each pair of addresses, until SIGTERM or SIGINT.\n"
                + "Prints 'listening on ADDRESS to ADDRESS' for each pair when all are ready."),
        run: run)

    /// The subcommand that asks a running relay for one thing.
    static func act(_ verb: String, _ help: String) -> RigCommand {
        RigCommand(spec: CommandSpec("relay \(verb)", options: [control], help)) { options in
            let path = try options.required("control")
            switch RelayControl.ask(verb, path) {
            case .answer(let answer):
                Console.out(options.isJSON ? String(decoding: JSONWriter.plain(answer), as: UTF8.self) : sentence(answer))
                return answer["error"] == nil ? 0 : 1
            case .silent(let why):
                Console.fail(why)
                return Rig.unreachable
            }
        }
    }

    private static func run(_ options: RigOptions) throws -> Int32 {
        let routes = try routes(options)
        let loop = EventLoop()
        var stopped = false
        loop.signals { _ in stopped = true }
        let weather = try weather(options)
        let relay = try TCPRelay(loop, routes: routes, weather: weather, seed: try options.number("seed", in: 0...UInt64.max, default: 1))
        let control = try options.text("control").map { try RelayControl(loop, relay, path: $0) }
        for route in relay.routes {
            let line: JSONValue = ["listening": .string(route.listen.description), "to": .string(route.to.description)]
            Console.out(
                options.isJSON ? String(decoding: JSONWriter.plain(line), as: UTF8.self) : "listening on \(route.listen) to \(route.to)")
        }
        while !stopped { loop.turn() }
        control?.close()
        relay.cut()
        return 0
    }

    /// The subcommand that changes the weather of a running relay.
    static let weather = RigCommand(
        spec: CommandSpec(
            "relay weather", operands: ["WORDS"], options: [control], "what happens to the bytes from now on: \(RelayWeather.help)")
    ) { options in try act("weather:\(options.operands[0])", "").run(options) }

    private static func weather(_ options: RigOptions) throws -> RelayWeather {
        let words = options.list("weather").joined(separator: ",")
        guard let weather = RelayWeather(words) else { throw UsageError(text: "--weather wants \(RelayWeather.help), not '\(words)'") }
        return weather
    }

    private static func routes(_ options: RigOptions) throws -> [(listen: RelayAddress, to: RelayAddress)] {
        func addresses(_ name: String) throws -> [RelayAddress] {
            try options.list(name).map {
                guard let address = RelayAddress($0) else { throw UsageError(text: "--\(name) wants HOST:PORT, like 127.0.0.1:5570, not '\($0)'") }
                return address
            }
        }
        let (from, to) = (try addresses("listen"), try addresses("to"))
        guard !from.isEmpty, from.count == to.count else {
            throw UsageError(text: "a relay wants one --to for each --listen, and at least one pair; see --help")
        }
        return Array(zip(from, to)).map { (listen: $0.0, to: $0.1) }
    }

    private static func sentence(_ answer: JSONValue) -> String {
        if let error = answer["error"]?.text { return error }
        func number(_ key: String) -> Int64 { answer[key]?.integerValue ?? 0 }
        let state = answer["cut"]?.boolValue == true ? "cut" : "whole"
        return
            "\(state): \(number("connections")) connections, \(number("bytes_forth")) bytes forth, \(number("bytes_back")) back, \(number("cuts")) cuts, "
            + "\(number("resets")) resets, \(number("corrupted")) bits turned"
    }
}
