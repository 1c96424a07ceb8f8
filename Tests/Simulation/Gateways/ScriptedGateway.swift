// A gateway written out by hand: the test says each byte, and sees each frame the session sent.
package import Ledger
package import Values
package import Venues

/// 2026-11-20 15:00 UTC, when the scripts begin.
package let noon = Instant(seconds: 1_795_186_800)

/// A session with a wire whose other end is the test.
package struct ScriptedGateway: Sendable {
    /// The session under test.
    package var session: IBKRSession
    /// The virtual clock.
    package private(set) var now = noon
    private var output = SessionOutput()
    /// What the session told since the last look.
    private var told: [VenueEvent] = []
    /// Frames the session sent since the last look; the greeting's raw bytes apart.
    private var frames: [[String]] = []
    /// Greetings seen.
    package private(set) var greetings = 0
    /// All wishes of the session for its transport, in order.
    package private(set) var wishes: [TransportWish] = []
    private var awaitsGreeting = false

    /// Eastern time without its summer: the scripts' day is in November.
    package static let zones: ZoneResolver = {
        let eastern = Zone(name: "US/Eastern", fixedOffset: -5 * 3_600)
        return ZoneResolver(standard: eastern) { $0 == "US/Eastern" ? eastern : nil }
    }()

    /// A session that has just wished to connect. `change` sets what a test needs otherwise.
    package init(
        _ change: (inout IBKRSettings) -> Void = { _ in }, instruments: [InstrumentWish] = [], nextOrderID: Int64 = 1, known: [Instrument] = [],
        seed: UInt64 = 1
    ) {
        var settings = IBKRSettings(clientID: 7, mode: .paper, zones: ScriptedGateway.zones)
        change(&settings)
        session = IBKRSession(
            settings: settings, instruments: instruments, nextOrderID: nextOrderID, random: SeededRandom(seed: seed), known: known)
        session.start(at: now, into: &output)
        flush()
    }

    /// One that is logged in: version, account, next id.
    package static func up(
        version: Int = 178, account: String = "DU1", next: Int = 1, instruments: [InstrumentWish] = [], known: [Instrument] = [],
        _ change: (inout IBKRSettings) -> Void = { _ in }
    ) -> ScriptedGateway {
        var gateway = ScriptedGateway(change, instruments: instruments, known: known)
        gateway.connect()
        gateway.say([String(version), "20261120 10:00:00 US/Eastern"])
        gateway.say(["15", "1", account])
        gateway.say(["9", "1", String(next)])
        return gateway
    }

    /// The socket connects.
    package mutating func connect() {
        awaitsGreeting = true
        session.transport(.connected, at: now, into: &output)
        flush()
    }
    /// The socket ends.
    package mutating func drop(_ words: String = "reset") {
        session.transport(.disconnected(words), at: now, into: &output)
        flush()
    }
    /// One frame from the gateway, by its fields.
    package mutating func say(_ fields: [String]) { say(bytes: ScriptedGateway.frame(fields)) }
    /// Bytes from the gateway as they stand.
    package mutating func say(bytes: [UInt8]) {
        session.receive(bytes.span.bytes, at: now, into: &output)
        flush()
    }
    /// An error message: id, code, text.
    package mutating func complain(_ id: Int64, _ code: Int, _ text: String) { say(["4", "2", String(id), String(code), text, ""]) }
    /// Lets time pass, tick by tick.
    package mutating func pass(_ span: Span, step: Span = .milliseconds(100)) {
        let end = now + span
        while now < end {
            now = min(end, now + step)
            session.tick(at: now, into: &output)
            flush()
        }
    }
    /// Asks the session, as the agent does.
    package mutating func ask(_ request: VenueRequest) {
        session.request(request, at: now, into: &output)
        flush()
    }
    /// Hands the session an intent that is on disk.
    package mutating func place(_ intent: consuming DurableIntent) {
        session.place(intent, at: now, into: &output)
        flush()
    }

    /// What the session told since the last look.
    package mutating func hear() -> [VenueEvent] {
        defer { told = [] }
        return told
    }
    /// The frames sent since the last look, of one message when given; those of others are forgotten too.
    package mutating func sent(_ message: String? = nil) -> [[String]] {
        defer { frames = [] }
        return message.map { wanted in frames.filter { $0.first == wanted } } ?? frames
    }

    /// A frame of these fields, length and NULs included.
    package static func frame(_ fields: [String]) -> [UInt8] {
        let payload: [UInt8] = fields.flatMap { Array($0.utf8) + [0] }
        let length: [UInt8] = [24, 16, 8, 0].map { UInt8(payload.count >> $0 & 0xFF) }
        return length + payload
    }

    private mutating func flush() {
        told += output.events
        if let wish = output.transport { wishes.append(wish) }
        var bytes = output.bytes[...]
        output.clear()
        if awaitsGreeting, bytes.starts(with: Array("API\0".utf8)) {
            awaitsGreeting = false
            greetings += 1
            bytes = bytes.dropFirst(4 + 4 + Int(bytes[bytes.startIndex + 7]))
        }
        while bytes.count >= 4 {
            let length = bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let payload = bytes.dropFirst(4).prefix(length)
            frames.append(payload.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) })
            bytes = bytes.dropFirst(4 + length)
        }
    }
}
