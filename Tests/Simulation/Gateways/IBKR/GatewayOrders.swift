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
    private var orders: [Int64: GatewayOrder] = [:]
    /// Keys of `orders`, rising.
    private var perms: [Int64] = []
    /// Newest last; more than one only when an order works twice.
    private var permsOf: [OrderKey: [Int64]] = [:]
    private var highestId: [Int: Int64] = [:]
    /// Negative ids name orders that were made by hand and bound to client 0.
    private var lowestId: Int64 = 0
    private var nextPerm: Int64 = 0
    private var prefix = ""
    /// Of the last week, in the order they happened.
    private(set) var executions: [PaperFill] = []
    /// Serials of executions that were told with a wrong price, and of those that have been corrected.
    var misprinted: Set<UInt64> = []
    private(set) var corrected: Set<UInt64> = []

    init() {}

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
    /// All orders, oldest first.
    var all: [GatewayOrder] { perms.compactMap { orders[$0] } }

    /// The smallest id that this client id may use next.
    func nextId(for clientId: Int) -> Int64 { (highestId[clientId] ?? 0) + 1 }
    /// The highest id seen from this client id.
    mutating func burn(_ key: OrderKey) { highestId[key.clientId] = max(highestId[key.clientId] ?? 0, key.orderId) }
    mutating func takePerm() -> Int64 { nextPerm += 1; return nextPerm }

    mutating func store(_ order: GatewayOrder) {
        if let old = orders.updateValue(order, forKey: order.permId) {
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
    }
    /// Gives an order that was made by hand to client 0, under the next negative id.
    mutating func bind(_ order: GatewayOrder) -> GatewayOrder {
        var order = order
        order.key = OrderKey(clientId: 0, orderId: lowestId - 1)
        store(order)
        return order
    }
    mutating func update(_ paper: PaperOrder) { orders[paper.ticket.id.raw]?.paper = paper }

    mutating func append(_ fill: PaperFill) {
        executions.append(fill)
        let old = fill.at - .hours(168)
        if let first = executions.first, first.at < old { executions.removeAll { $0.at < old } }
    }
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
