// How fast frames leave: at most so many in any second, orders before requests, a few kept for what lowers risk.
internal import Values

/// The queue in front of the socket.
struct Pacer: Sendable {
    /// Which frames go first: the login before all else, which waits for it. Cancels and closing orders also use the reserve.
    enum Lane: Int, CaseIterable, Sendable { case login, urgent, order, request }

    /// Frames that leave together or not at all.
    struct Unit: Sendable {
        var bytes: [UInt8]
        var frames: Int
        /// The orders that these frames place; empty for all else.
        var orderIDs: [Int64] = []
        /// The order that this frame changes; nil for all else.
        var change: Int64?
    }

    private let perSecond: Int
    private let reserve: Int
    private var queues: [[Unit]] = Lane.allCases.map { _ in [] }
    /// When each frame of the last second left, oldest first.
    private var left: [Instant] = []
    /// Until then at half speed: the gateway complained.
    private var slowUntil: Instant?

    /// Requests are smoothed to this many in 100 ms: bursts hang small gateways.
    private static let requestsPerTenth = 5
    /// More waiting requests than this are refused; every watched instrument needs three.
    static let queueMax = 2_000

    init(perSecond: Int, reserve: Int) { self.perSecond = perSecond; self.reserve = reserve }

    /// Frames that wait.
    var waiting: Int { queues.reduce(0) { $0 + $1.count } }

    /// False when the queue is full; nothing was taken then.
    mutating func offer(_ unit: Unit, _ lane: Lane) -> Bool {
        guard queues[lane.rawValue].count < Pacer.queueMax else { return false }
        queues[lane.rawValue].append(unit)
        return true
    }

    /// Moves what may leave now to `bytes`, of the lanes up to `last`; gives the orders among it.
    mutating func drain(upTo last: Lane, at now: Instant, into bytes: inout [UInt8]) -> [Int64] {
        guard waiting > 0 else { return [] }
        // A clock that was set back forgets, rather than never sending again.
        left.removeAll { now - $0 >= .seconds(1) || now < $0 }
        var sent: [Int64] = []
        for lane in Lane.allCases where lane.rawValue <= last.rawValue {
            // A unit that is larger than all the room there is goes alone.
            while let unit = queues[lane.rawValue].first, left.isEmpty || unit.frames <= room(lane, at: now) {
                queues[lane.rawValue].removeFirst()
                bytes += unit.bytes
                left += Array(repeating: now, count: unit.frames)
                sent += unit.orderIDs
            }
            // What waits for room keeps it: a bracket would never leave beside requests that take each place as it comes free.
            if lane != .request, !queues[lane.rawValue].isEmpty { break }
        }
        return sent
    }

    private func room(_ lane: Lane, at now: Instant) -> Int {
        let isSlow = slowUntil.map { now < $0 } ?? false
        let limit = isSlow ? perSecond / 2 : perSecond
        switch lane {
        case .login, .urgent: return limit + reserve - left.count
        case .order: return limit - left.count
        case .request:
            let justNow = left.reversed().prefix { now - $0 < .milliseconds(100) }.count
            return min(limit - left.count, Pacer.requestsPerTenth - justNow)
        }
    }

    /// The gateway said that it was too much: half speed for a minute.
    mutating func slowDown(at now: Instant) { slowUntil = now + .seconds(60) }

    /// Takes an order back that has not left; true when it was still here.
    mutating func withdraw(_ orderID: Int64) -> Unit? {
        for lane in Lane.allCases {
            if let index = queues[lane.rawValue].firstIndex(where: { $0.orderIDs.contains(orderID) }) {
                return queues[lane.rawValue].remove(at: index)
            }
        }
        return nil
    }

    /// The lane in which an order waits to be placed. A change of it must not overtake it: it would be taken for the order itself.
    func lane(placing orderID: Int64) -> Lane? { Lane.allCases.first { queues[$0.rawValue].contains { $0.orderIDs.contains(orderID) } } }
    /// True while a change of an order waits.
    func holdsChange(of orderID: Int64) -> Bool { queues.contains { $0.contains { $0.change == orderID } } }

    /// Takes back the changes of one order that have not left; true when there were any.
    mutating func withdrawChanges(of orderID: Int64) -> Bool {
        guard holdsChange(of: orderID) else { return false }
        for lane in queues.indices { queues[lane].removeAll { $0.change == orderID } }
        return true
    }

    /// What was taken back before it left.
    struct Unsent: Hashable, Sendable {
        /// Numbers of orders that were never placed.
        var orders: [Int64]
        /// Numbers of orders that are not changed.
        var changes: [Int64]
    }
    private var unsent: Unsent {
        Unsent(orders: queues.flatMap { $0.flatMap(\.orderIDs) }, changes: queues.flatMap { $0.compactMap(\.change) })
    }

    /// Takes back every order that has not left and every change of one, and leaves all else.
    mutating func withdrawOrders() -> Unsent {
        let unsent = unsent
        for lane in queues.indices { queues[lane].removeAll { !$0.orderIDs.isEmpty || $0.change != nil } }
        return unsent
    }

    /// Empties the queue at the end of a connection; gives what never left.
    mutating func reset() -> Unsent {
        let unsent = unsent
        queues = Lane.allCases.map { _ in [] }
        left = []
        slowUntil = nil
        return unsent
    }
}
