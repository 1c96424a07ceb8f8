// The level CANCEL: no order that could open stays at the broker, and none is forgotten while the broker cannot be reached.
internal import Ledger
internal import Values

extension Desk {
    /// How long an order rests whose cancel the broker refused, before it is asked for again.
    private static var cancelAgain: Span { .seconds(10) }
    /// The same where the broker says that it has no such order: a comparison tells what became of it.
    private static var unknownAgain: Span { .minutes(10) }
    /// IBKR: "OrderId that needs to be cancelled is not found."
    private static let notFound: Int64 = 10_147

    /// Asks for the end of every working order that could open, for as long as the level stands: what could not be said for want of a connection, what
    /// an earlier run did not come to and what the broker refused once is said later. Stops that protect a position stay.
    mutating func cancelOpenings(at now: Instant, into out: inout Outcome) {
        guard book.haltLevel >= .cancel, unreachable == nil else { return }
        // A closing under way cancels for itself what stands in its way.
        for order in openings where order.status != .unknown && programs[order.leg.instrument] == nil {
            let rest = order.code == Desk.notFound ? Desk.unknownAgain : Desk.cancelAgain
            // A time ahead of now is that of a clock that was set back since.
            if let refused = order.cancelRefusedAt, now >= refused, now - refused < rest { continue }
            let fact = book.haltFact
            cancel(order, origin: .manual, command: nil, reason: "CANCEL by \(fact?.source ?? "ledger"): \(fact?.reason ?? "")", into: &out)
        }
    }

    /// Working orders that could open or add and whose cancel is not on its way.
    private var openings: [OrderRecord] { book.workingOrders.filter { $0.leg.role == .open && $0.status != .pendingCancel } }

    /// What the asker of a level is told once it stands in the ledger.
    func words(after level: HaltLevel) -> String {
        switch level {
        case .normal, .halt: return "Trading is halted. Working orders and stops stay."
        case .reducing: return "Nothing opens any more. Closing and cancelling go on; working orders and stops stay."
        case .cancel:
            let count = openings.count
            let some = count == 1 ? "One working order that could open is" : "\(count == 0 ? "No" : "\(count)") working orders that could open are"
            let when = unreachable == nil || count == 0 ? "" : " As soon as the broker can be reached."
            return "Trading is halted. \(some) to be cancelled.\(when) Stops that protect positions stay."
        }
    }
}
