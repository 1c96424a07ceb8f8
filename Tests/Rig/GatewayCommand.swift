// `rig gateway`: the simulated IB Gateway on a port, until SIGTERM or SIGINT.
import Glibc
import Platform
import Simulation
import Values
import Venues
import Wire

enum GatewayCommand {
    static let command = RigCommand(
        spec: CommandSpec(
            "gateway",
            options: [
                CommandOption("port", value: "N", "listens here; 0 (the default) lets the system choose"),
                CommandOption("host", value: "ADDRESS", "the address to listen on (127.0.0.1)"),
                CommandOption("seed", value: "N", "of prices and sizes; the same seed at the same time is the same market (1)"),
                CommandOption("bars", value: "FILE.csv", "MBT follows these recorded bars: time,open,high,low,close[,volume]"),
                CommandOption("speed", value: "N", "prices move as if time ran N times as fast (1)"),
                CommandOption("account", value: "DU…", "the account; live ones begin with U (DU1234567)"),
                CommandOption("cash", value: "DOLLARS", "what the account begins with (1000000)"),
                CommandOption("data", value: "DIR", "keeps orders, executions and the account here through its own death"),
                CommandOption("hours", value: "always|real", "when instruments trade: around the clock, or as at the exchange (always)"),
                CommandOption("max-version", value: "N", "the newest protocol it speaks, 157 to 178 (178)"),
                CommandOption("instruments", value: "N", "lists so many made-up stocks besides, S001 and on (0)"),
                CommandOption("ticks", value: "N", "steps of the market in a second (4)"),
                CommandOption("rate", value: "N", "messages a client may send in a second; each one more gets error 100 (50; 0 = no limit)"),
                CommandOption("lines", value: "N", "instruments that all clients together may watch (100)"),
                CommandOption("slippage", value: "RULE", "takers pay more: ticks:N, spread:PERCENT or lots:N:TICKS (none)"),
                CommandOption("fees", value: "RULE", "all orders cost: unit:MONEY:MINIMUM, value:PERCENT:MINIMUM (as the broker charges)"),
                CommandOption("halt", value: "ID@AFTER+FOR", isRepeatable: true, "trading in MBTZ6.CME, say, stops then for so many seconds"),
                CommandOption("fault", value: "NAME", isRepeatable: true, "misbehaves on purpose; see below"),
                CommandOption("master", value: "N", "the client with this id hears of every client's orders and executions"),
                CommandOption("manual", "somebody trades by hand at the TWS, too: orders without a client"),
                CommandOption("fault-seed", value: "N", "of the chance in faults (1)"),
            ],
            "Plays an IB Gateway for TWS API clients; prints 'listening on ADDRESS:PORT' when it is ready.\n\nFaults:\n"
                + (["live-account           the account is a live one (U1234567)"] + GatewaySwitch.usage.split(separator: "\n").map(String.init))
                .map { "  " + $0 }.joined(separator: "\n")),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        let loop = EventLoop()
        var stopped = false
        loop.signals { _ in stopped = true }
        let settings = try settings(options)
        let server = try server(loop, settings, options)
        var halts = try GatewayMarket.halts(options, from: SystemClock.now())
        let host = options.text("host") ?? "127.0.0.1"
        let port = try server.listen(host: host, port: try options.number("port", in: 0...65_535, default: 0))
        let address = RelayAddress(host: host, port: port)
        if options.isJSON {
            let line: JSONValue = ["listening": .string(address.description), "account": .string(settings.account)]
            Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        } else {
            Console.out("listening on \(address)")
        }
        while !stopped, server.failure == nil {
            loop.turn(milliseconds: server.millisecondsToWait)
            server.advance()
            while let due = halts.last, due.at <= SystemClock.now() {
                server.suffer(due.incident)
                halts.removeLast()
            }
        }
        server.stop()
        if let failure = server.failure {
            Console.fail("\(failure)")
            return 1
        }
        return 0
    }

    private static func settings(_ options: RigOptions) throws -> GatewaySettings {
        var account = options.text("account") ?? "DU1234567"
        var switches: [GatewaySwitch] = []
        for name in options.list("fault") {
            if name == "live-account" {
                if options.text("account") == nil { account = "U1234567" }
                guard account.hasPrefix("U") else { throw UsageError(text: "the fault live-account wants an --account that begins with U") }
            } else if let item = GatewaySwitch(name) {
                switches.append(item)
            } else {
                throw UsageError(text: "there is no fault '\(name)'; see rig gateway --help")
            }
        }
        let isPlausible =
            (2...16).contains(account.utf8.count) && account.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }
        guard isPlausible else { throw UsageError(text: "--account wants capital letters and digits, like DU1234567, not '\(account)'") }
        let version = try options.number("max-version", in: 157...178, default: 178)
        let lines = try options.number("lines", in: 1...100_000, default: 100)
        return GatewaySettings(
            account: account, maximumVersion: version, switches: switches, rate: try options.number("rate", in: 0...1_000_000, default: 50),
            lines: lines,
            faultSeed: try options.number("fault-seed", in: 0...UInt64.max, default: 1),
            master: options.text("master") == nil ? nil : try options.number("master", in: 0...Int(Int32.max), default: 0),
            isManual: options.text("manual") != nil)
    }

    private static func server(_ loop: EventLoop, _ settings: GatewaySettings, _ options: RigOptions) throws -> GatewayServer {
        let now = SystemClock.now()
        let tape = try options.text("bars").map(tape)
        let isReal = try options.choice("hours", of: ["always", "real"]) == "real"
        let rules = PaperRules(
            seed: try options.number("seed", in: 0...UInt64.max, default: 1), step: try GatewayMarket.step(options),
            speed: try options.number("speed", in: 1...10_000, default: 1),
            startingCash: Money(whole: try options.number("cash", in: 1...1_000_000_000, default: 1_000_000)),
            slippage: try GatewayMarket.slippage(options))
        let today = USZone.central.local(now).date
        let exchange = PaperExchange(rules: rules, listings: try GatewayMarket.listings(options, today, isReal, tape), start: now)
        guard let folder = options.text("data") else {
            return try GatewayServer(loop, gateway: IBKRGateway(settings: settings, exchange: exchange, at: now), journal: nil, now: SystemClock.now)
        }
        let journal = try GatewayJournal(folder: folder)
        if journal.records.isEmpty {
            let gateway = IBKRGateway(settings: settings, exchange: exchange, at: now)
            return try GatewayServer(loop, gateway: gateway, journal: journal, now: SystemClock.now)
        }
        do {
            let gateway = try IBKRGateway(settings: settings, exchange: exchange, records: journal.records, at: now)
            return try GatewayServer(loop, gateway: gateway, journal: journal, now: SystemClock.now)
        } catch let error as GatewayRestoreError {
            throw UsageError(text: "\(folder) cannot be taken up again: \(error.sentence)")
        }
    }
}

extension GatewayCommand {
    /// Longest file of bars that is read.
    private static let tapeBytesMax = 64 << 20

    private static func tape(_ path: String) throws -> PriceTape {
        guard let file = fopen(path, "re") else { throw UsageError(text: "cannot open \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= tapeBytesMax {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { break }
            bytes += block[..<count]
        }
        guard bytes.count <= tapeBytesMax else { throw UsageError(text: "\(path) is longer than \(tapeBytesMax >> 20) MiB") }
        do { return try TapeText.tape(String(decoding: bytes, as: UTF8.self)) } catch { throw UsageError(text: "\(path): \(error)") }
    }
}

extension GatewayRestoreError {
    fileprivate var sentence: String {
        switch self {
        case .noBirth: "its journal has no beginning"
        case .otherAccount(let account): "it was kept for the account \(account); name that one by --account, or another folder"
        case .unlisted(let id): "it holds executions of \(id), which is not listed any more; begin with an empty folder"
        }
    }
}
