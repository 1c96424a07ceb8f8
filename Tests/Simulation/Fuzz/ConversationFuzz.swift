// Whole conversations with the gateway under its oracles: spoilt requests among sound ones, in whatever pieces, over some seconds.
package import Values
internal import Venues

/// Judges `IBKRGateway.receive`: it never traps, says whole frames or nothing, answers an honest question at the end, and what it wants to keep
/// can be taken up again.
package struct ConversationFuzz: FuzzedCodec {
    /// How bytes reach a gateway; a test puts a bad way in.
    package typealias Door = @Sendable (inout IBKRGateway, GatewayConnection, [UInt8], Instant) -> [GatewayOutput]
    private let door: Door
    /// Of the frames around the one that is judged.
    private let mutator: FrameMutator
    /// Frames that were understood.
    package private(set) var read = 0
    /// Conversations in which the gateway answered to the end, as opposed to hanging up.
    package private(set) var returned = 0
    /// Frames that were sent.
    package private(set) var frames: Int? = 0
    /// A gateway with one client for each version and kind of weather, made when it is first wanted.
    private var openings: [[IBKRGateway?]] = Array(repeating: Array(repeating: nil, count: 22), count: ConversationFuzz.weather.count)

    /// A Friday, 15:00 UTC.
    private static let start = Instant(seconds: 1_795_186_800)
    private static let line = GatewayConnection(1)
    private static let framesMax = 6
    private static let weather: [[GatewaySwitch]] = [
        [], [.execution(.reorder), .status(.duplicate), .correction(1), .fillAfterCancel], [.fillBeforeAck, .commission(.sentinel), .twinPerm(1)],
        [.link(code: 1_101, every: .seconds(3)), .competingSession(.seconds(2))], [.slowReader(2_000), .endless(nil)],
    ]

    /// - Parameter seeds: frames of clients, at least one.
    package init(seeds: [FuzzSeed], _ door: @escaping Door = { $0.receive($1, $2, at: $3) }) {
        mutator = FrameMutator(seeds)
        self.door = door
    }

    package mutating func judge(_ payload: [UInt8], version: Int, isWhole: Bool, _ chance: inout SeededRandom) throws(FuzzFault) {
        // Good weather half of the time.
        let weather = max(0, chance.int(-4...ConversationFuzz.weather.count - 1))
        var talk = Talk(gateway: opening(version, weather), now: ConversationFuzz.start, line: ConversationFuzz.line)
        let count = chance.int(1...ConversationFuzz.framesMax)
        var stream: [UInt8] = []
        for _ in 1..<count { stream += GatewayFrames.prefixed(mutator.next(&chance).payload) }
        stream += GatewayFrames.prefixed(payload)
        try say(stream, &talk, &chance)
        frames = (frames ?? 0) + count
        read += max(0, count - talk.gateway.unknownMessages - talk.gateway.malformedMessages)
        // Whatever came before: an honest question is answered, at once or when a slow reader gets there.
        try say(GatewayFrames.prefixed(Array("49\u{0}1\u{0}".utf8)), &talk, &chance)
        for _ in 0..<20 where !talk.isClosed && !talk.hasTime {
            talk.now = talk.now + .seconds(1)
            let told = talk.gateway.advance(to: talk.now)
            try talk.hear(told)
        }
        if !talk.isClosed, !talk.hasTime { throw FuzzFault("the gateway answers no more") }
        if !talk.isClosed { returned += 1 }
        try talk.hear(talk.gateway.disconnect(ConversationFuzz.line, at: talk.now))
        try judgeMemory(talk)
    }

    /// In pieces, with time between some of them.
    private func say(_ stream: [UInt8], _ talk: inout Talk, _ chance: inout SeededRandom) throws(FuzzFault) {
        var at = 0
        while at < stream.count, !talk.isClosed {
            let end = chance.chance(1, in: 2) ? stream.count : min(stream.count, at + chance.int(1...stream.count))
            if chance.chance(1, in: 4) { talk.now = talk.now + .milliseconds(Int64(chance.int(1...2_500))) }
            try talk.hear(door(&talk.gateway, talk.line, Array(stream[at..<end]), talk.now))
            at = end
        }
    }

    /// What a gateway would write to disk can be read, and another one begins with it.
    private func judgeMemory(_ talk: Talk) throws(FuzzFault) {
        var records: [GatewayRecord] = [.born(at: ConversationFuzz.start, account: talk.gateway.settings.account)]
        let fills = talk.gateway.exchange.fillSerial
        guard !talk.records.isEmpty || fills > 0 else { return }
        for turn in talk.records {
            guard let line = try? GatewayRecord.line(turn), let again = GatewayRecord.records(line: line), (try? GatewayRecord.line(again)) == line
            else {
                throw FuzzFault("\(turn.count) records cannot be read back")
            }
            records += again
        }
        let exchange = ConversationFuzz.exchange(talk.now)
        guard let again = try? IBKRGateway(settings: GatewaySettings(), exchange: exchange, records: records, at: talk.now) else {
            throw FuzzFault("no gateway begins with \(records.count) records")
        }
        guard again.exchange.fillSerial == fills else {
            throw FuzzFault("of \(fills) fills a gateway that begins again knows \(again.exchange.fillSerial)")
        }
    }

    // MARK: The beginning

    private static let listings = PaperCatalogue.everything(asOf: USZone.central.local(start).date)
    private static func exchange(_ now: Instant) -> PaperExchange {
        PaperExchange(rules: PaperRules(seed: 1, step: .seconds(1)), listings: listings, start: now)
    }

    private mutating func opening(_ version: Int, _ weather: Int) -> IBKRGateway {
        if let known = openings[weather][version - 157] { return known }
        var gateway = IBKRGateway(
            settings: GatewaySettings(switches: ConversationFuzz.weather[weather], rate: 0),
            exchange: ConversationFuzz.exchange(ConversationFuzz.start),
            at: ConversationFuzz.start)
        _ = gateway.connect(ConversationFuzz.line, at: ConversationFuzz.start)
        let hello = Array("API\u{0}".utf8) + GatewayFrames.prefixed(Array("v157..\(version)".utf8))
        _ = gateway.receive(ConversationFuzz.line, hello + GatewayFrames.prefixed(Array("71\u{0}2\u{0}1\u{0}\u{0}".utf8)), at: ConversationFuzz.start)
        // A slow reader has it when it has read.
        _ = gateway.advance(to: ConversationFuzz.start + .milliseconds(500))
        _ = gateway.takeRecords()
        openings[weather][version - 157] = gateway
        return gateway
    }
}

/// One conversation and what was heard in it.
private struct Talk {
    var gateway: IBKRGateway
    var now: Instant
    let line: GatewayConnection
    var isClosed = false
    /// The time was told.
    var hasTime = false
    var records: [[GatewayRecord]] = []

    mutating func hear(_ outputs: [GatewayOutput]) throws(FuzzFault) {
        let kept = gateway.takeRecords()
        if !kept.isEmpty { records.append(kept) }
        for output in outputs {
            guard !isClosed else { throw FuzzFault("something follows the end of a connection") }
            switch output {
            case .close(let connection) where connection == line: isClosed = true
            case .send(let connection, let bytes) where connection == line: try look(bytes)
            default: throw FuzzFault("somebody else is told something")
            }
        }
    }

    private mutating func look(_ bytes: [UInt8]) throws(FuzzFault) {
        var at = 0
        while at < bytes.count {
            guard bytes.count - at >= 4 else { throw FuzzFault("\(bytes.count - at) bytes are left over") }
            let count = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            guard count > 0, bytes.count - at - 4 >= count, bytes[at + 3 + count] == 0, (0x31...0x39).contains(bytes[at + 4]) else {
                throw FuzzFault("a frame of \(count) bytes is none")
            }
            if bytes[at + 4..<at + 4 + count].starts(with: [0x34, 0x39, 0]) { hasTime = true }
            at += 4 + count
        }
    }
}

extension GatewayFrames {
    /// A payload behind its length.
    static func prefixed(_ payload: [UInt8]) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + payload }
}

extension FuzzCorpus {
    /// What a client asks for in an ordinary minute, of contracts that the gateway lists.
    package static let asked: [FuzzSeed] = {
        let stock = ["0", "AAPL", "STK", "", "", "", "", "SMART", "", "USD", "", ""]
        let future = ["0", "MBT", "FUT", "", "", "", "", "CME", "", "USD", "MBTZ6", ""]
        var frames: [[String]] = [
            ["61", "1"], ["62", "1", "7", "All", "NetLiquidation,TotalCashValue"], ["6", "2", "1", ""], ["5", "1"], ["16", "1"], ["99", "0"],
            ["7", "3", "9", "0", "", "", "", "", "", ""], ["58", "1"], ["4", "1", "1", ""], ["4", "1", "2", ""], ["15", "1", "0"], ["49", "1"],
        ]
        for contract in [stock, future] {
            frames += [
                ["9", "8", "7"] + contract + ["0", "", "", ""], ["1", "11", "11"] + contract + ["0", "233,375", "0", "0", ""],
                ["2", "2", "11"], ["20", "12"] + contract + ["0", "", "1 min", "1800 S", "0", "TRADES", "2", "1", ""], ["25", "1", "12"],
                ["50", "3", "13"] + contract + ["5", "TRADES", "0", ""], ["97", "14"] + contract + ["BidAsk", "10", "0"],
                ["10", "5", "15"] + contract + ["5", "0", ""],
                ["96", "16"] + contract + ["0", "", "20261120 09:30:00 US/Eastern", "100", "TRADES", "0", "0", ""],
            ]
            for (id, type, price) in [("1", "MKT", ""), ("2", "LMT", "100"), ("3", "STP", ""), ("4", "TRAIL", ""), ("1", "LMT", "90")] {
                var order = Array(repeating: "", count: 114)
                order.replaceSubrange(2..<14, with: contract)
                for (place, value) in [
                    0: "3", 1: id, 16: "BUY", 17: "3", 18: type, 19: price, 20: type == "MKT" ? "" : "50", 21: "DAY", 22: "g", 25: "0", 26: "ref",
                    27: "1",
                    28: "0", 45: "-1", 46: "1", 84: "0", 89: "0",
                ] { order[place] = value }
                frames.append(order)
            }
        }
        return frames.map { FuzzSeed(version: 178, fields: $0) }
    }()
}
