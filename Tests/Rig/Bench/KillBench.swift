// `rig bench kill`: a person's halt, asked of the cloud while a full backlog goes up, until the edge has it in hand.
import EdgeAgent
import Ledger
import Platform
import Sync
import Synchronization
import Values
import Wire

enum KillBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench kill",
            options: [
                CommandOption("entries", value: "N", "how long the backlog is (1000000)"),
                CommandOption("every-ms", value: "MS", "a halt is asked for this often while the backlog goes up (250)"),
                CommandOption("rtt-ms", value: "MS", "the round trip of the relay between the two (0)"),
            ],
            "From the request to the cloud's API until the edge has the command: under a full backlog, and then with nothing else on the link."),
        run: run)

    /// What the plan allows.
    private static let limit = 1_000.0
    private static let secondsMax: Int64 = 300

    private static func run(_ options: RigOptions) throws -> Int32 {
        let count = try options.number("entries", in: 1...10_000_000, default: 1_000_000)
        let every = Span.milliseconds(Int64(try options.number("every-ms", in: 1...60_000, default: 250)))
        let roundTrip = try options.number("rtt-ms", in: 0...10_000, default: 0)
        Log.setThreshold(.warning)
        let load = Machine.load
        let data = try BenchFolder()
        let folder = try EdgeFolder(data.path + "/edge")
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        try DayLedger.write(count, to: journal)
        let keys = try folder.linkKeys()
        let far = try BenchCloud(data.path + "/cloud", edge: journal.edge, keys: keys, delay: roundTrip / 2)
        let person = try Person(far)
        let link = try BenchUplink(journal, to: far, keys)
        try link.settle(at: Seq(0), within: 60)
        let started = SystemClock.monotonic()
        person.halt()
        var (asked, least) = (1, UInt64.max)
        while link.uplink.acked.seq < journal.head.seq {
            let now = try link.turn(milliseconds: 50).monotonic
            if person.take(link.uplink.takeDelivered(), at: SystemClock.monotonic()) {
                least = min(least, journal.head.seq.raw - link.uplink.acked.seq.raw)
            }
            if now - started >= Span(nanoseconds: every.nanoseconds * Int64(asked)) { person.halt(); asked += 1 }
            guard now - started < .seconds(secondsMax) else { throw UsageError(text: "the backlog did not go up within \(secondsMax) s") }
        }
        // The last ones were asked for while there was a backlog, and may arrive behind its end.
        try arrive(person, link, asked)
        let loaded = person.times
        for number in 1...10 {
            person.halt()
            try arrive(person, link, asked + number)
        }
        let alone = Array(person.times.dropFirst(loaded.count))
        link.stop()
        let missing = asked + 10 - person.times.count
        far.stop()
        let report: JSONValue = [
            "bench": "kill", "entries": .integer(Int64(count)), "rtt_ms": .integer(Int64(roundTrip)), "halts": .integer(Int64(loaded.count)),
            "p50_ms": .decimal(Measured(loaded).part(0.5), 1), "max_ms": .decimal(Measured(loaded).most, 1),
            "part_of_limit": .decimal(Measured(loaded).most / limit, 3), "alone_p50_ms": .decimal(Measured(alone).part(0.5), 1),
            "alone_max_ms": .decimal(Measured(alone).most, 1), "least_backlog": .integer(Int64(clamping: least == .max ? 0 : least)),
            "undelivered": .integer(Int64(missing)), "load": .decimal(load, 2),
        ]
        BenchReport.print(report, isJSON: options.isJSON)
        return missing == 0 ? 0 : 5
    }

    /// Turns until so many have arrived, ten seconds at most.
    private static func arrive(_ person: Person, _ link: BenchUplink, _ count: Int) throws {
        let started = SystemClock.monotonic()
        while person.times.count < count, SystemClock.monotonic() - started < .seconds(10) {
            try link.turn(milliseconds: 50)
            _ = person.take(link.uplink.takeDelivered(), at: SystemClock.monotonic())
        }
    }
}

/// Somebody at the cloud's page. Each wish is asked for on a thread of its own, so that the edge's loop never waits for the answer.
private final class Person {
    private let url: String
    private let token: String
    /// When each command was asked for, until it arrives.
    private let asked = Asked()
    /// Milliseconds until the edge had it, in order of arrival.
    private(set) var times: [Double] = []

    private final class Asked: Sendable { let at = Mutex<[String: Span]>([:]) }

    init(_ cloud: BenchCloud) throws {
        url = "http://127.0.0.1:\(cloud.web)/api/v1/"
        var call = HTTPCall(.post, url: url + "auth/login", headers: [WebField("content-type", "application/json")])
        call.body = JSONWriter.plain(["username": .string(BenchCloud.user), "password": .string(BenchCloud.password), "token": true])
        let answer = try HTTPClient.send(call)
        guard answer.status == 200, let token = try JSONReader.read(answer.body, limits: .frame)["token"]?.text else {
            throw UsageError(text: "sign-in: \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        self.token = token
    }

    func halt() {
        let id = (0..<16).map { _ in UInt8.random(in: 0...255) }
        let key = Hex.text(id)
        var call = HTTPCall(
            .post, url: url + "kill",
            headers: [
                WebField("authorization", "Bearer " + token), WebField("content-type", "application/json"), WebField("idempotency-key", key),
            ])
        call.body = JSONWriter.plain(["level": "HALT", "reason": "the bench asks"])
        let wish = call
        SystemThread.detached(name: "halt") { [asked] in
            asked.at.withLock { $0[key] = SystemClock.monotonic() }
            let answer = try? HTTPClient.send(wish)
            if answer?.status != 202 { Console.fail("the cloud answers \(answer?.status ?? 0) to a halt") }
        }
    }

    /// - Returns: true when one of the commands was asked for here.
    func take(_ delivered: [(Command, Span?)], at now: Span) -> Bool {
        let before = times.count
        for (command, _) in delivered {
            guard let at = asked.at.withLock({ $0.removeValue(forKey: command.id.description) }) else { continue }
            times.append((now - at).inMilliseconds)
        }
        return times.count > before
    }
}
