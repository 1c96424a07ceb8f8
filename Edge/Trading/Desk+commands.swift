// Commands: known ids do nothing, late ones are refused, the rest take the one road every order takes.
internal import Ledger
internal import Values

extension Desk {
    mutating func handle(_ command: Command, deadline: Instant?, at now: Instant, into out: inout Outcome) {
        guard book.commands[command.id] == nil, book.commandOrders[command.id] == nil else { return }
        guard command.edge == book.edge || book.edge == nil else {
            return refuse(command, "wrongEdge", "The command is for another edge.", into: &out)
        }
        if command.issuer != "console" {
            guard let bound = command.boundBoot, bound == book.bootID else {
                return refuse(command, "wrongBoot", "The edge restarted after the command was sent. Look at the orders and ask again.", into: &out)
            }
        }
        if let deadline, now >= deadline {
            return refuse(command, "expired", "The command arrived after its time was up; nothing was done.", into: &out)
        }
        switch command.body {
        case .halt(let reason):
            raiseHalt(HaltFact(level: .halt, source: command.issuer, reason: reason, command: command.id), into: &out)
            out.add(.commandAccepted(outcome(command, "done", "Trading is halted. Working orders and stops stay.")))
        case .watch(let instrument):
            out.actions.append(.watch(instrument))
            out.add(.commandAccepted(outcome(command, "done", "Watching \(instrument).")))
        case .cancel(let tag): handleCancel(tag, command, into: &out)
        case .close(let instrument): handleClose(instrument, command, deadline: deadline, at: now, into: &out)
        case .order(let instrument, let side, let size, let trailing, let reverse):
            guard settings.acceptsRemoteOpenings || command.issuer == "console" else {
                return refuse(command, "remoteOrders", "This edge takes no opening orders from afar (its setting remote_orders).", into: &out)
            }
            let opening = Program.Opening(side: side, size: size, trailing: trailing)
            handleOrder(instrument, opening, reverse: reverse, command, deadline: deadline, at: now, into: &out)
        }
    }

    /// Lowers the halt level and acknowledges the halts of instruments. The broker is compared with anew: what still differs halts again.
    mutating func resume(_ reason: String, at now: Instant, into out: inout Outcome) {
        if book.haltLevel != .normal { out.add(.resume(HaltFact(level: .normal, source: "console", reason: reason))) }
        guard !book.haltedInstruments.isEmpty else { return }
        for id in book.haltedInstruments.keys.sorted() {
            out.add(.instrumentHalt(instrument: id, halted: false, reason: "resumed at the console: \(reason)"))
        }
        compareAgain(at: now, into: &out)
    }

    private func refuse(_ command: Command, _ code: String, _ text: String, into out: inout Outcome) {
        out.add(.commandRefused(outcome(command, code, text)))
    }

    private mutating func handleCancel(_ tag: ClOrdID, _ command: Command, into out: inout Outcome) {
        guard let order = book.order(tag) else { return refuse(command, "unknownOrder", "There is no order \(tag).", into: &out) }
        guard order.isWorking else { return refuse(command, "notWorking", "The order is \(order.status.rawValue) already.", into: &out) }
        if let refusal = unreachable { return refuse(command, refusal.name, refusal.text, into: &out) }
        cancel(order, origin: .manual, command: command.id, reason: "asked by \(command.issuer)", into: &out)
        out.add(.commandAccepted(outcome(command, "done", "The cancel is on its way to the broker.")))
    }

    private mutating func handleClose(_ instrument: InstrumentID, _ command: Command, deadline: Instant?, at now: Instant, into out: inout Outcome) {
        guard book.netQuantity(instrument).raw != 0 else { return refuse(command, "nothingToClose", RiskRefusal.nothingToClose.text, into: &out) }
        guard programs[instrument] == nil else { return refuse(command, "alreadyClosing", "The position is being closed already.", into: &out) }
        // A closing begins by taking the protection away: not while the order that follows could not be written.
        if let trouble = ledgerTrouble, trouble.kind.stopsAll {
            let refusal = RiskRefusal.ledgerUnsound(text: trouble.text, cure: trouble.cure)
            return refuse(command, refusal.name, refusal.text, into: &out)
        }
        guard !disagreeing.contains(instrument) else { return refuseDiffering(instrument, command, into: &out) }
        let program = Program(command: command, origin: .manual, deadline: deadline ?? now + .seconds(60), opening: nil)
        startClosing(instrument, program, at: now, into: &out)
    }

    /// Closing what the ledger holds would turn the position round where the broker holds less.
    private func refuseDiffering(_ instrument: InstrumentID, _ command: Command, into out: inout Outcome) {
        let text =
            "The broker holds another position of \(instrument) than this ledger. Close it at the broker's own screen, then run "
            + "`tidewire-edge resume` at the edge's console: the two are compared anew."
        refuse(command, "positionDiffers", text, into: &out)
    }

    private mutating func handleOrder(
        _ instrument: InstrumentID, _ opening: Program.Opening, reverse: Bool, _ command: Command, deadline: Instant?, at now: Instant,
        into out: inout Outcome
    ) {
        guard programs[instrument] == nil else {
            return refuse(command, "alreadyClosing", "The position is being closed; wait until it is flat.", into: &out)
        }
        let held = book.netQuantity(instrument)
        let isOpposite = held.raw != 0 && (held.raw > 0) != (opening.side == .buy)
        guard isOpposite else { return open(instrument, opening, command: command, at: now, into: &out) }
        guard !disagreeing.contains(instrument) else { return refuseDiffering(instrument, command, into: &out) }
        // The other side is never netted into: first flat, and further only when asked for.
        if book.haltLevel >= .reducing, reverse {
            let refusal = RiskRefusal.halted(level: book.haltLevel, source: book.haltFact?.source ?? "ledger")
            return refuse(command, refusal.name, refusal.text, into: &out)
        }
        let program = Program(
            command: command, origin: .manual, deadline: deadline ?? now + .seconds(10), opening: reverse ? opening : nil)
        startClosing(instrument, program, at: now, into: &out)
    }
}
