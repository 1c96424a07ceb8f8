// A gateway that plays prices and takes the time until an order answers them: what `rig bench t2o` uses when it is given no other.
import Platform
import Values

/// Speaks just enough of the text protocol for one client that watches one stock. It belongs to its loop's thread.
final class TickPlayer: TCPOwner {
    /// Latencies from the write of a trigger to the read of its order.
    private(set) var latencies: [Span] = []
    private(set) var doubled = 0
    private(set) var triggers = 0
    private(set) var isOver = false
    private var sentAt: [Span?] = []
    private var connection: TCPConnection?
    private var bytes: [UInt8] = []
    private var hasGreeted = false
    /// The number under which the client asked for quotes.
    private(set) var request: String?
    /// Nothing is played but what is poured and triggered.
    var isManual = false
    private var hasRead = false
    private var nextTickAt: Span?
    private var ticks = 0
    private var nextOrder: Int64 = 1

    private static let tick = Span.milliseconds(1)
    /// Every fifth tick is a trigger.
    private static let triggerEvery = 5
    private static let account = "DU0000001"

    /// Triggers from the first one on that was answered: on a busy machine the client may still be comparing itself with the broker before that,
    /// and an edge that compares opens nothing.
    var counted: Int { triggers - early }
    /// Of these, those that no order has answered.
    var unanswered: Int { sentAt.dropFirst(early).count { $0 != nil } }
    private var early: Int { sentAt.firstIndex { $0 == nil } ?? 0 }

    func accept(_ connection: TCPConnection) -> (any TCPOwner)? {
        guard self.connection == nil else { return nil }
        self.connection = connection
        return self
    }

    func closed(_ connection: TCPConnection, _ reason: TCPClose) { isOver = true }

    /// Plays until `end`; to be called after each turn of the loop. Answers how long the next turn may wait.
    func advance(until end: Span) -> Int {
        guard !isManual, let due = nextTickAt else { return 50 }
        let now = SystemClock.monotonic()
        guard now < end else { return 10 }
        guard now >= due else { return 1 }
        nextTickAt = due + TickPlayer.tick
        ticks += 1
        if ticks % TickPlayer.triggerEvery == 0 {
            trigger()
        } else {
            tell(price: 500 * 4 + ticks % 100)
        }
        return 0
    }

    /// The client has read everything and a second has passed.
    var isReady: Bool { nextTickAt.map { SystemClock.monotonic() >= $0 } ?? false }
    /// Tells a traded price that is answered by an order.
    func trigger() {
        let price = 1_000 * 4 + triggers
        triggers += 1
        sentAt.append(SystemClock.monotonic())
        tell(price: price)
    }
    /// The newest trigger has its order.
    var isLastAnswered: Bool { sentAt.last.map { $0 == nil } ?? false }
    /// Frames as they stand.
    func pour(_ bytes: [UInt8]) { _ = connection?.send(bytes) }

    /// Prices are told in quarters.
    private func tell(price: Int) {
        guard let request else { return }
        let text = "\(price / 4).\(["00", "25", "50", "75"][price % 4])"
        say([["1", "6", request, "4", text, "100", "0"], ["2", "6", request, "5", "100"]])
    }

    private func say(_ messages: [[String]]) {
        var out: [UInt8] = []
        for fields in messages { TickPlayer.append(fields, to: &out) }
        _ = connection?.send(out)
    }

    /// A frame of these fields.
    static func append(_ fields: [String], to out: inout [UInt8]) {
        let length = fields.reduce(0) { $0 + $1.utf8.count + 1 }
        for shift in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: length >> shift)) }
        for field in fields { out += Array(field.utf8); out.append(0) }
    }

    // MARK: What the client says

    func received(_ more: RawSpan, on connection: TCPConnection) {
        let now = SystemClock.monotonic()
        bytes += more.withUnsafeBytes { Array($0) }
        if !hasGreeted {
            guard bytes.count >= 8, bytes.count >= 8 + length(at: 4) else { return }
            bytes.removeFirst(8 + length(at: 4))
            hasGreeted = true
            say([["176", "20261120 12:00:00 EST"]])
        }
        var at = 0
        while bytes.count >= at + 4, bytes.count >= at + 4 + length(at: at) {
            let payload = bytes[(at + 4)..<(at + 4 + length(at: at))]
            at += 4 + payload.count
            take(payload.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }, at: now)
        }
        bytes.removeFirst(at)
    }

    private func length(at place: Int) -> Int { bytes[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) } }

    private func take(_ fields: [String], at now: Span) {
        func field(_ index: Int) -> String { index < fields.count ? fields[index] : "" }
        let me = TickPlayer.account
        switch field(0) {
        case "71": say([["15", "1", me], ["9", "1", "\(nextOrder)"]])
        case "8": say([["9", "1", "\(nextOrder)"]])
        case "61": say([["62", "1"]])
        case "5", "15", "16": say([["53", "1"]])
        case "99": say([["102"]])
        case "6": say([["54", "1", me]])
        case "7": say([["55", "1", field(2)]])
        case "49": say([["49", "1", "\(SystemClock.now().seconds)"]])
        case "62":
            let tags = ["NetLiquidation", "AvailableFunds", "InitMarginReq", "MaintMarginReq"]
            say(tags.map { ["63", "1", field(2), me, $0, "100000.00", "USD"] } + [["64", "1", field(2)]])
        case "9": say([TickPlayer.details(field(2)), ["52", "1", field(2)]])
        case "1":
            say([["58", "1", field(2), "1"]])
            request = field(2)
            beginIfReady(at: now)
        case "64":
            hasRead = true
            beginIfReady(at: now)
        case "3": take(order: Int64(field(1)) ?? 0, quantity: field(17), stop: field(20), at: now)
        default: break
        }
    }

    /// The client watches the stock and has read its positions, which it does last: a second later it has compared everything.
    private func beginIfReady(at now: Span) {
        if request != nil, hasRead, nextTickAt == nil { nextTickAt = now + .seconds(1) }
    }

    private func take(order id: Int64, quantity: String, stop: String, at now: Span) {
        nextOrder = max(nextOrder, id + 1)
        if let price = try? Price(stop), price >= Price(whole: 1_000) {
            let place = Int((price.raw - Price(whole: 1_000).raw) / 25_000_000)
            if sentAt.indices.contains(place), let sent = sentAt[place] {
                latencies.append(now - sent)
                sentAt[place] = nil
            } else {
                doubled += 1
            }
        }
        say([["3", "\(id)", "PreSubmitted", "0", quantity, "0.0", "\(900_000_000 + id)", "0", "0.0", "7", "", "0.0"]])
    }

    /// One stock, in the layout of server versions 164 to 181.
    private static func details(_ request: String) -> [String] {
        [
            "10", request, "AAPL", "STK", "", "0", "", "SMART", "USD", "AAPL", "NMS", "NMS", "265598", "0.01", "", "LMT,MKT,STP", "SMART,NASDAQ", "1",
            "0", "APPLE INC", "NASDAQ", "", "Technology", "Computers", "Computers", "US/Eastern", "", "", "", "", "1", "ISIN", "US0378331005", "1",
            "", "", "26,26", "", "COMMON", "1", "1", "1",
        ]
    }
}
