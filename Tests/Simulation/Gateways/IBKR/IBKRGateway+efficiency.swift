// What IBKR thinks of clients that send much and trade little: twenty active orders a side, and the order efficiency ratio.
internal import Values
internal import Venues

/// A day's count of what was asked and what came of it.
struct OrderEfficiency: Sendable {
    var day: CivilDate
    /// Orders, changes and cancels.
    var requests = 0
    /// Orders that traded.
    var executed = 0
    var hasWarned = false
    /// Excessive above this.
    static let ratioMax = 20
    var isExcessive: Bool { requests > Self.ratioMax * (executed + 1) }
}

extension IBKRGateway {
    /// Active orders of one contract and side that an account may have.
    private static var activeMax: Int { 20 }

    /// Counts a request about an order, and warns once a day when there are too many for what is traded.
    mutating func countRequest(_ connection: GatewayConnection, _ orderId: Int64) {
        startEfficiencyDay()
        efficiency.requests += 1
        guard efficiency.isExcessive, !efficiency.hasWarned else { return }
        efficiency.hasWarned = true
        let text =
            "Order Message:\\nWarning: the order efficiency ratio of this account is \(efficiency.requests / (efficiency.executed + 1)): "
            + "(orders + changes + cancels) / (executed orders + 1) should not be above \(OrderEfficiency.ratioMax)."
        error(connection, orderId, 399, text)
    }
    mutating func countExecuted(_ fill: PaperFill) {
        startEfficiencyDay()
        if fill.cumulative == fill.quantity { efficiency.executed += 1 }
    }
    private mutating func startEfficiencyDay() {
        let today = settings.zone.local(now).date
        if efficiency.day != today { efficiency = OrderEfficiency(day: today) }
    }

    /// True when one more order of this contract and side is too many. What waits, here or at the exchange for its parent, is not active.
    func hasTooManyActive(besides order: GatewayOrder) -> Bool {
        if let parent = order.ticket.parent, orders[parent.raw]?.paper?.filled == .zero { return false }
        let active = orders.live.count {
            ($0.paper?.state == .working || $0.paper?.state == .armed) && $0.permId != order.permId
                && $0.ticket.instrument == order.ticket.instrument && $0.ticket.side == order.ticket.side
        }
        return active >= Self.activeMax
    }
    static var tooManyActive: GatewayComplaint {
        GatewayComplaint(
            code: 201,
            text: "Order rejected - reason:The maximum number of active orders of one contract and side is \(activeMax) for an account.")
    }
}
