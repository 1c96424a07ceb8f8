// Closing and reversing: cancel the protection, close what is left, then open the other side when asked.
internal import Ledger
internal import Values

/// A closing under way on one instrument. Its steps are read from the book, so nothing is lost that matters.
struct Program: Hashable, Sendable {
    /// What to open once flat.
    struct Opening: Hashable, Sendable {
        var side: Side
        var size: OrderSize
        var trailing: TrailingOffset?
    }
    var command: Command?
    var origin: OrderOrigin
    var deadline: Instant
    var opening: Opening?
    /// Set once the closing order is an intent.
    var hasClosed = false
    /// Why the closing order could not be placed when that was tried last.
    var hindrance: String?
    /// Earlier closings whose protection is still to be placed again, should this one come to nothing too.
    var inherited: [CommandID] = []
}

extension Desk {
    /// Starts a closing. Everything that still works goes first: stop and closing order can never both fill, and no entry goes on filling
    /// after its protection is gone.
    mutating func startClosing(_ instrument: InstrumentID, _ program: Program, at now: Instant, into out: inout Outcome) {
        var program = program
        program.inherited = restorations.removeValue(forKey: instrument) ?? []
        programs[instrument] = program
        if let command = program.command {
            out.add(.commandAccepted(outcome(command, "closing", "Cancelling the protection, then closing the position.")))
        }
        // A cancel that was asked for before may have been refused or lost: asked again, it harms nobody.
        if isTrading { clear(instrument, program, into: &out) { $0.status == .pendingCancel } }
        advance(instrument, at: now, into: &out)
    }

    /// Asks for the end of what works on the instrument, entries first. The children of an entry that has not filled go with it at the broker.
    private func clear(_ id: InstrumentID, _ program: Program, into out: inout Outcome, where isMeant: (OrderRecord) -> Bool) {
        let orders = working(on: id)
        let ending = Set(orders.filter { $0.leg.role == .open && $0.cumQty.raw == 0 && $0.status != .unknown }.map(\.intent))
        for order in orders.filter({ $0.leg.role == .open }) + orders.filter({ $0.leg.role != .open }) {
            if !isMeant(order) || order.status == .unknown || (order.leg.role == .protect && ending.contains(order.intent)) { continue }
            let reason = order.leg.role == .protect ? "protection goes before its position" : "the position is being closed"
            cancel(order, origin: program.origin, command: program.command?.id, reason: reason, into: &out)
        }
    }
    /// How long a refused cancel rests before it is tried again.
    private static var cancelAgain: Span { .seconds(5) }
    /// True while a position is being closed.
    package var isClosing: Bool { !programs.isEmpty }

    /// Moves every program as far as the book allows; called after events and by the timer.
    mutating func advancePrograms(at now: Instant, into out: inout Outcome) {
        for instrument in programs.keys.sorted() { advance(instrument, at: now, into: &out) }
    }

    private mutating func advance(_ instrument: InstrumentID, at now: Instant, into out: inout Outcome) {
        guard var program = programs[instrument] else { return }
        // Nothing is begun that the broker cannot hear: a protection cancelled into a dead line would be neither there nor gone.
        guard isTrading else {
            if now >= program.deadline { give(up: instrument, program, "The broker was not connected and compared in time.", at: now, into: &out) }
            return
        }
        if !working(on: instrument).isEmpty {
            guard now < program.deadline else {
                return give(up: instrument, program, "The broker did not confirm in time; see the working orders.", at: now, into: &out)
            }
            // Also what filled meanwhile, and whose cancel was lost with its connection: the broker listed it again.
            // A cancel that the broker did not carry out is asked for again after a while.
            if !program.hasClosed {
                clear(instrument, program, into: &out) { order in
                    order.status != .pendingCancel && order.cancelRefusedAt.map { now < $0 || now - $0 >= Desk.cancelAgain } ?? true
                }
            }
            return
        }
        let held = book.netQuantity(instrument)
        if held.raw != 0, !program.hasClosed {
            // What was asked for in time is not done afterwards: the price is another by then.
            guard now < program.deadline else {
                let words = program.hindrance ?? "Its time was up before the closing order could leave."
                return give(up: instrument, program, words, at: now, into: &out)
            }
            let wish = OrderWish(
                instrument: instrument, side: held.raw > 0 ? .sell : .buy, quantity: held.magnitude, role: .close, origin: program.origin,
                command: program.command?.id, deadline: program.deadline)
            if let refusal = place(wish, reason: "close the position", at: now, into: &out) {
                // Tried again until its time is up.
                out.drafts.removeLast()
                programs[instrument]?.hindrance = refusal.text
                return
            }
            program.hasClosed = true
            programs[instrument] = program
            return
        }
        programs[instrument] = nil
        guard held.raw == 0 else {
            return give(up: instrument, program, "The closing order ended before the position was flat.", at: now, into: &out)
        }
        if let opening = program.opening, let command = program.command {
            guard now < program.deadline else {
                return give(up: instrument, program, "Flat, but too late to open the other side.", at: now, into: &out)
            }
            open(instrument, opening, command: command, deadline: program.deadline, at: now, into: &out)
        } else if let command = program.command {
            out.add(.commandAccepted(outcome(command, "done", "The position is closed.")))
        }
    }

    /// Ends a closing that came to nothing. Its position must not stay without the protection that was taken away for it.
    mutating func give(up instrument: InstrumentID, _ program: Program, _ text: String, at now: Instant, into out: inout Outcome) {
        programs[instrument] = nil
        guard let command = program.command else { return }
        let commands = program.inherited + [command.id]
        var words = text
        switch restore(instrument, of: commands, at: now, into: &out) {
        case .notNeeded: break
        case .told(let more): words += " " + more
        case .mustWait:
            restorations[instrument] = commands
            words += " Protection that was taken away is placed again as soon as the broker has told the fate of its orders."
        }
        out.add(.commandRefused(outcome(command, "notCompleted", words)))
    }

    // MARK: - Closings of an earlier run

    /// Closings that an earlier run began and did not end. Their steps lived in that run alone: they are ended by what became of them, never
    /// taken up again.
    mutating func findInterrupted() {
        let running = Set(programs.values.compactMap { $0.command?.id })
        interrupted = book.commands.values.filter { $0.code == "closing" && !running.contains($0.command) }.map(\.command).sorted()
    }

    /// Ends them in the ledger as soon as the broker has told the fate of their orders. The position is not closed by itself, the price may be
    /// another by now; the protection that was taken away is placed again. Until then the command stays open, so a further restart tries it too.
    mutating func endInterrupted(at now: Instant, into out: inout Outcome) {
        let pending = interrupted
        interrupted = []
        for id in pending where !endInterrupted(id, at: now, into: &out) { interrupted.append(id) }
    }

    /// False while it is too early.
    private mutating func endInterrupted(_ id: CommandID, at now: Instant, into out: inout Outcome) -> Bool {
        guard var last = book.commands[id], last.code == "closing" else { return true }
        let orders = (book.commandOrders[id] ?? []).compactMap { book.order($0) }
        // A reversal that got as far as its opening order is told by that order.
        if orders.contains(where: { $0.leg.role == .open && $0.legIndex == 0 && $0.command == id }) { return true }
        // The protection it meant to cancel may rest on for ever: only the closing order counts.
        let closing = orders.filter { $0.leg.role == .close }
        if closing.contains(where: \.isWorking) { return false }
        if last.kind == "close", closing.contains(where: { $0.status == .filled }) {
            last.code = "done"; last.text = "The position is closed; the edge restarted meanwhile."
            out.add(.commandAccepted(last))
            return true
        }
        last.code = "notCompleted"
        last.text =
            "The edge restarted during the closing, and does not go on with it by itself. Look at the position and its protection, and ask again."
        if let instrument = orders.first?.leg.instrument {
            if programs[instrument] != nil {
                programs[instrument]?.inherited.append(id)
            } else {
                switch restore(instrument, of: [id], at: now, into: &out) {
                case .notNeeded: break
                case .mustWait: return false
                case .told(let more): last.text += " " + more
                }
            }
        }
        out.add(.commandRefused(last))
        return true
    }

    /// Sizes and places an opening market order for a command.
    mutating func open(
        _ instrument: InstrumentID, _ opening: Program.Opening, command: Command, deadline: Instant?, at now: Instant, into out: inout Outcome
    ) {
        do throws(RiskRefusal) {
            let size = try quantity(opening.size, opening.side, of: instrument, at: now)
            let wish = OrderWish(
                instrument: instrument, side: opening.side, quantity: size, role: .open, origin: .manual, command: command.id, deadline: deadline)
            if let refusal = place(wish, trailing: opening.trailing, reason: "asked by \(command.issuer)", at: now, into: &out) { throw refusal }
        } catch {
            out.add(.commandRefused(outcome(command, error.name, error.text)))
        }
    }

    /// The number, or as many as the account affords.
    private func quantity(_ size: OrderSize, _ side: Side, of id: InstrumentID, at now: Instant) throws(RiskRefusal) -> Quantity {
        switch size {
        case .quantity(let quantity): return quantity
        case .max:
            guard let instrument = book.instruments[id] else { throw .unknownInstrument(id) }
            let mark = try freshPrice(of: id, side, at: now).price
            let funds = try freeFunds(for: instrument, at: now)
            let perUnit =
                instrument.securityType == .future
                ? try freshMargin(of: id, at: now) : Money.value(mark, Quantity(whole: 1), multiplier: instrument.multiplier)
            guard let perUnit,
                let maximum = Sizing.maximum(of: instrument, price: mark, margin: perUnit, availableFunds: funds, limits: settings.limits)
            else { throw missingMargin(of: id) }
            guard maximum.quantity.raw > 0 else { throw .insufficientFunds(needed: perUnit, available: funds) }
            return maximum.quantity
        }
    }

    func outcome(_ command: Command, _ code: String, _ text: String) -> CommandOutcome {
        CommandOutcome(command: command.id, kind: command.body.kind, issuer: command.issuer, code: code, text: text)
    }
}
