// A broker on the paper exchange: what outlives a client's crash, as a real broker's books do.
package import Ledger
internal import Values

/// The exchange with the references of its orders and all executions.
package struct PaperBroker: Sendable {
    package var exchange: PaperExchange
    package let account: String
    /// Executions of the session day, oldest first; a broker serves no older ones.
    package private(set) var executions: [BrokerFill] = []
    private var references: [PaperOrderID: String] = [:]
    /// Upper bound of executions kept: a day of one every second.
    package static let executionsMax = 86_400

    package init(exchange: PaperExchange, account: String) { self.exchange = exchange; self.account = account }

    package func reference(of id: PaperOrderID) -> String { references[id] ?? "" }
    /// Remembers under which tag an order was placed.
    package mutating func remember(_ reference: String, for id: PaperOrderID) { references[id] = reference }

    /// The broker's record of a fill, kept for later snapshots.
    package mutating func record(_ fill: PaperFill) -> BrokerFill {
        let record = BrokerFill(
            fill: Fill(
                execID: "P\(fill.serial)", tag: nil, account: account, instrument: fill.instrument, side: fill.side, lastQty: fill.quantity,
                lastPx: fill.price, cumQty: fill.cumulative, permID: fill.order.raw, transactTime: fill.at),
            reference: reference(of: fill.order), brokerOrderID: fill.order.raw)
        executions.append(record)
        executions.removeFirst(max(0, executions.count - PaperBroker.executionsMax))
        return record
    }

    /// The order in the ledger's words.
    package func record(_ order: PaperOrder) -> BrokerOrder {
        BrokerOrder(
            reference: reference(of: order.ticket.id), brokerOrderID: order.ticket.id.raw, permID: order.ticket.id.raw, clientID: 1, account: account,
            instrument: order.ticket.instrument, side: order.ticket.side, quantity: order.ticket.quantity, cumQty: order.filled,
            status: order.ordStatus, stopPrice: order.ticket.type == .trailingStop ? order.stop : nil)
    }

    package var positions: [BrokerPosition] {
        exchange.account.positions.filter { $0.quantity != .zero }
            .map { BrokerPosition(account: account, instrument: $0.instrument, quantity: $0.quantity) }
    }
}

extension PaperOrder {
    /// FIX OrdStatus of the exchange's state.
    fileprivate var ordStatus: OrdStatus {
        switch state {
        case .held, .armed, .working: filled > .zero ? .partiallyFilled : .new
        case .filled: .filled
        case .cancelled: .canceled
        case .expired: .expired
        }
    }
}
