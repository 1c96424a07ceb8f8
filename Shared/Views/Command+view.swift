// A command as the API shows it: its walk, its orders, and one line that says what was asked.
package import Ledger
package import Values
package import Wire

/// What the outbox knows of a command, in the words of the API.
package struct CommandPicture: Hashable, Sendable {
    package var command: Command
    package var user: String
    package var title: String
    /// Stage and time, oldest first; the stages are the API's words.
    package var walk: [(stage: String, at: Instant)] { didSet { precondition(!walk.isEmpty, "a command without a walk") } }
    package var isFinal: Bool
    package var reason: String?
    package var cure: String?
    package init(command: Command, user: String, title: String, walk: [(stage: String, at: Instant)], isFinal: Bool, reason: String?, cure: String?) {
        precondition(!walk.isEmpty, "a command without a walk")
        self.command = command; self.user = user; self.title = title; self.walk = walk; self.isFinal = isFinal; self.reason = reason; self.cure = cure
    }
    package static func == (a: CommandPicture, b: CommandPicture) -> Bool {
        a.command == b.command && a.isFinal == b.isFinal && a.walk.map(\.stage) == b.walk.map(\.stage)
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(command.id) }
}

extension EdgePicture {
    /// One row of the commands.
    package func commandRow(_ picture: CommandPicture) -> JSONValue {
        let command = picture.command
        let orders = (book.commandOrders[command.id] ?? []).compactMap { book.order($0) }
        // What it cancelled is listed with its orders; what that had filled before is not its fill.
        let filling = command.isFilling ? orders.filter { $0.leg.role != .protect && $0.command == command.id } : []
        let filled = filling.reduce(Quantity.zero) { $0.adding($1.cumQty) ?? $0 }
        var row = Row()
        row.put("id", command.id.description); row.put("edge", command.edge.description);
        row.put("kind", command.body.isKill ? "kill" : command.body.kind)
        row.put("title", picture.title); row.put("issuer", picture.user); row.put("state", picture.walk[picture.walk.count - 1].stage)
        row.put("final", picture.isFinal)
        row.put("walk", picture.walk.map { ["state": .string($0.stage), "at": .string($0.at.description)] as JSONValue })
        row.put("reason", picture.reason); row.put("cure", picture.cure); row.put("instrument", instrument(of: command))
        row.put("orders", orders.map { OrderName.text($0) } + denials(of: command.id))
        if filled.raw > 0 {
            row.put("filled", filled)
            row.put("averagePrice", EdgePicture.averagePrice(of: filling))
        }
        row.put("supersedes", command.supersedes?.description)
        if case .withdraw(let target, _, _) = command.body { row.put("target", target.description) }
        row.put("expiresAt", command.expiresAt); row.put("createdAt", command.issuedAt)
        return row.value
    }

    /// What orders filled at together; nil without a fill, and where a sum leaves its range: an edge may have written any number.
    private static func averagePrice(of orders: [OrderRecord]) -> Price? {
        var paid: Int128 = 0, filled: Int128 = 0
        for order in orders {
            let (sum, over) = paid.addingReportingOverflow(order.filledValue)
            guard !over else { return nil }
            paid = sum
            filled += Int128(order.cumQty.raw)
        }
        return filled > 0 ? Decimals.divide(paid, by: filled).map { Price(raw: $0) } : nil
    }

    /// The line for people, made when the command is.
    package func title(_ body: CommandBody, preview: Preview?) -> String {
        switch body {
        case .order(let instrument, let side, let size, let trailing, let reverse):
            let word = side == .buy ? "Long" : "Short"
            let number =
                switch size {
                case .quantity(let quantity): quantity.description;
                case .max: "max"
                }
            var text = "\(word) \(number) \(shortName(instrument))"
            if let preview, preview.closing.raw > 0 {
                let held = side == .buy ? "short" : "long"
                text =
                    reverse
                    ? "Close \(preview.closing), then \(word.lowercased()) \(number) \(shortName(instrument))"
                    : "Close \(held) \(preview.closing) \(shortName(instrument))"
            }
            switch trailing {
            case .percent(let percent): text += ", trailing stop \(Plain.percent(percent)) %"
            case .amount(let amount): text += ", trailing stop \(amount)"
            case nil: break
            }
            return text
        case .close(let instrument):
            let held = book.netQuantity(instrument).magnitude
            return held.raw == 0 ? "Close \(shortName(instrument))" : "Close \(held) \(shortName(instrument))"
        case .cancel(let tag):
            guard let order = book.order(tag) else { return "Cancel an order" }
            return "Cancel \(order.leg.side == .buy ? "buy" : "sell") \(order.leavesQty) \(shortName(order.leg.instrument))"
        case .raise(let level, _): return "Kill switch: \(level.apiWord)"
        case .watch(let instrument): return "Watch \(shortName(instrument))"
        case .withdraw(_, _, let kind): return "Take back: \(kind)"
        }
    }

    private func instrument(of command: Command) -> InstrumentID? {
        switch command.body {
        case .order(let instrument, _, _, _, _), .close(let instrument), .watch(let instrument): instrument
        case .cancel(let tag): book.order(tag)?.leg.instrument
        case .raise, .withdraw: nil
        }
    }

    private func denials(of command: CommandID) -> [String] { milestones.denials.filter { $0.denial.command == command }.map(\.id.description) }
}

extension Command {
    fileprivate var isFilling: Bool {
        switch body {
        case .order, .close: true;
        case .cancel, .raise, .watch, .withdraw: false
        }
    }
}
