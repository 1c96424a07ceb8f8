// Every order and execution the gateway knows, by the numbers clients and the exchange give them.
internal import Values
package import Venues

/// How a client names an order: its id is unique per client id only.
package struct OrderKey: Hashable, Sendable {
    package var clientId: Int
    package var orderId: Int64
}

/// One order as the gateway holds it.
package struct GatewayOrder: Hashable, Sendable {
    package var key: OrderKey
    /// The only number that is unique across clients and restarts; the exchange knows the order by it.
    package var permId: Int64
    package var fields: OrderFields
    package var ticket: PaperTicket
    /// False while it waits in the gateway for a sibling to transmit it.
    package var isTransmitted: Bool
    /// True when IBKR refused it: Inactive for good.
    package var isRefused: Bool
    /// As the exchange last told it; nil before transmission and after a refusal.
    package var paper: PaperOrder?
    var isLive: Bool { !isRefused && (paper.map { !$0.state.isFinal } ?? true) }
    var parentId: Int64 { Int64(fields["parentId"]) ?? 0 }
}

/// Orders by number, executions in order.
package struct GatewayOrders: Sendable {
    /// Orders that are over and still known; of more the oldest are forgotten, and what ended more than a day ago too.
    private let finishedMax: Int
    /// What is forgotten goes in lots of this size: a list is not rewritten for every order.
    private var forgottenAtOnce: Int { finishedMax / 20 + 1 }

    private var orders: [Int64: GatewayOrder] = [:]
    /// Keys of `orders`, rising.
    private var perms: [Int64] = []
    /// Those of them that are not over, rising.
    private var livePerms: [Int64] = []
    /// Orders that are over and when they ended, in the order in which they ended.
    private var finished: [(perm: Int64, at: Instant)] = []
    /// The latest time any order has told.
    private var latest = Instant(seconds: 0)
    /// Newest last; more than one only when an order works twice.
    private var permsOf: [OrderKey: [Int64]] = [:]
    private var highestId: [Int: Int64] = [:]
    /// Negative ids name orders that were made by hand and bound to client 0.
    private var lowestId: Int64 = 0
    private var nextPerm: Int64 = 0
    private var prefix = ""
    /// Of the last week, and no more than five times `finishedMax` and a lot, in the order they happened.
    private(set) var executions: [PaperFill] = []
    /// Serials of executions that were told with a wrong price, and of those that have been corrected.
    private(set) var misprinted: Set<UInt64> = []
    private(set) var corrected: Set<UInt64> = []

    init(finishedMax: Int) { self.finishedMax = finishedMax }

    /// Fixes where numbers begin: later births begin higher, so that two gateways without a common journal do not share numbers either.
    mutating func begin(at instant: Instant) {
        // 10^7 s apart at most, a hundred orders a second: below 2^31.
        nextPerm = max(nextPerm, 1_000_000_000 + instant.seconds % 10_000_000 * 100)
        let digits = String(UInt32(truncatingIfNeeded: instant.seconds), radix: 16)
        prefix = String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    }

    /// The newest order of that name, or the newest of them that lives.
    subscript(key: OrderKey) -> GatewayOrder? {
        guard let perms = permsOf[key] else { return nil }
        return (perms.count == 1 ? nil : perms.last { orders[$0]?.isLive == true }.flatMap { orders[$0] }) ?? perms.last.flatMap { orders[$0] }
    }
    subscript(perm: Int64) -> GatewayOrder? { orders[perm] }
    /// All orders that are known, oldest first.
    package var all: [GatewayOrder] { perms.compactMap { orders[$0] } }
    /// Those that are not over, oldest first.
    package var live: [GatewayOrder] { livePerms.compactMap { orders[$0] } }

    /// The smallest id that this client id may use next.
    func nextId(for clientId: Int) -> Int64 { (highestId[clientId] ?? 0) + 1 }
    /// The highest id seen from this client id.
    mutating func burn(_ key: OrderKey) { highestId[key.clientId] = max(highestId[key.clientId] ?? 0, key.orderId) }
    mutating func takePerm() -> Int64 { nextPerm += 1; return nextPerm }

    mutating func store(_ order: GatewayOrder) {
        let old = orders.updateValue(order, forKey: order.permId)
        if let old {
            if old.key != order.key {
                permsOf[old.key]?.removeAll { $0 == order.permId }
                permsOf[order.key, default: []].append(order.permId)
            }
        } else {
            // Numbers rise, also when a journal is read back.
            perms.append(order.permId)
            permsOf[order.key, default: []].append(order.permId)
        }
        lowestId = min(lowestId, order.key.orderId)
        nextPerm = max(nextPerm, order.permId)
        burn(order.key)
        keepCount(of: order, wasOver: old.map { !$0.isLive } ?? false)
    }
    /// Gives an order that was made by hand to client 0, under the next negative id.
    mutating func bind(_ order: GatewayOrder) -> GatewayOrder {
        var order = order
        order.key = OrderKey(clientId: 0, orderId: lowestId - 1)
        store(order)
        return order
    }
    mutating func update(_ paper: PaperOrder) {
        guard var order = orders[paper.ticket.id.raw] else { return }
        let wasOver = !order.isLive
        order.paper = paper
        orders[order.permId] = order
        keepCount(of: order, wasOver: wasOver)
    }

    // MARK: What is over

    /// Puts an order on the list of those that live or of those that are over, where it may stand already.
    private mutating func keepCount(of order: GatewayOrder, wasOver: Bool) {
        if let at = order.paper?.changedAt { latest = max(latest, at) }
        let place = livePerms.firstIndex { $0 >= order.permId } ?? livePerms.count
        let isListed = place < livePerms.count && livePerms[place] == order.permId
        if order.isLive {
            if !isListed { livePerms.insert(order.permId, at: place) }
            return
        }
        if isListed { livePerms.remove(at: place) }
        if wasOver { return }
        // What a client left empty says nothing any more.
        orders[order.permId]?.fields.dropEmpty()
        finished.append((order.permId, order.paper?.changedAt ?? latest))
        forget()
    }

    private mutating func forget() {
        let old = latest - .hours(24)
        let surplus = finished.count - finishedMax
        let isStale = finished.count > forgottenAtOnce && finished[forgottenAtOnce].at < old
        guard surplus >= forgottenAtOnce || isStale else { return }
        let count = max(surplus, finished.prefix { $0.at < old }.count)
        for (perm, _) in finished.prefix(count) {
            guard let order = orders.removeValue(forKey: perm) else { continue }
            permsOf[order.key]?.removeAll { $0 == perm }
            if permsOf[order.key]?.isEmpty == true { permsOf[order.key] = nil }
        }
        finished.removeFirst(count)
        perms.removeAll { orders[$0] == nil }
    }

    // MARK: Executions

    mutating func append(_ fill: PaperFill) {
        executions.append(fill)
        let old = fill.at - .hours(168)
        let surplus = executions.count - finishedMax * 5
        let isStale = executions.count > forgottenAtOnce && executions[forgottenAtOnce].at < old
        guard surplus >= forgottenAtOnce || isStale else { return }
        executions.removeFirst(max(surplus, executions.prefix { $0.at < old }.count))
        guard let first = executions.first?.serial else { return }
        misprinted = misprinted.filter { $0 >= first }
        corrected = corrected.filter { $0 >= first }
    }
    mutating func misprint(_ serial: UInt64) { misprinted.insert(serial) }
    mutating func correct(_ serial: UInt64) {
        misprinted.remove(serial)
        corrected.insert(serial)
    }
    /// The id of an execution: never the same twice, a corrected one differs in the last part.
    func execId(_ fill: PaperFill) -> String {
        let digits = String(fill.serial, radix: 16)
        return "\(prefix).\(String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits).01.0\(corrected.contains(fill.serial) ? 2 : 1)"
    }
}
