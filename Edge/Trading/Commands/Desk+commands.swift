// Commands: known ids do nothing, late ones are refused, the rest take the one road every order takes.
internal import Ledger
internal import Values

extension Desk {
    /// A command that came. What is known, decided or waiting, changes nothing.
    mutating func handle(_ command: Command, deadline: Instant?, at now: Instant, into out: inout Outcome) {
        guard !isKnown(command.id), !gate.isWaiting(command.id) else { return }
        do throws(CommandVeto) {
            try admit(command, deadline: deadline, at: now)
            if let old = command.supersedes { try replace(old, by: command, into: &out) }
        } catch {
            // A command of another run stands in that run's order.
            if command.boundBoot == book.bootID { gate.decide(command) }
            return refuse(command, error.code, error.text, into: &out)
        }
        switch gate.turn(of: command, deadline: deadline, at: now, settings.commandRules) {
        case .now: execute(command, deadline: deadline, at: now, into: &out)
        case .wait: break
        case .passed:
            refuse(command, "outOfOrder", "A later command came first and was decided; this one is too late. Look, then ask again.", into: &out)
        case .full: refuse(command, "tooManyCommands", "Too many commands wait for earlier ones. Wait some seconds, then ask again.", into: &out)
        }
    }

    /// Time passed: at most one waiting command is executed in a call, since it cannot see what another has just drafted.
    /// - Returns: true when one was.
    mutating func advanceCommands(at now: Instant, into out: inout Outcome) -> Bool {
        if !settings.commandRules.ignoresDeadline {
            for late in gate.takeExpired(at: now) {
                refuse(late.command, "expired", "Its time was up while it waited for an earlier command; nothing was done.", into: &out)
            }
        }
        for stuck in gate.takeStuck(at: now, settings.commandRules) {
            refuse(
                stuck.command, "gap",
                "A command asked before it did not arrive within \(settings.commandRules.gapWait.nanoseconds / 1_000_000_000) s. Look, then ask again.",
                into: &out)
        }
        guard let ready = gate.takeReady() else { return false }
        execute(ready.command, deadline: ready.deadline, at: now, into: &out)
        return true
    }

    private func isKnown(_ id: CommandID) -> Bool {
        (book.commands[id] != nil || book.commandOrders[id] != nil) && !settings.commandRules.noDedup
    }

    /// Its turn has come: judged by what is now, then done.
    private mutating func execute(_ command: Command, deadline: Instant?, at now: Instant, into out: inout Outcome) {
        gate.decide(command)
        do throws(CommandVeto) { try judge(command, deadline: deadline, at: now) } catch {
            return refuse(command, error.code, error.text, into: &out)
        }
        switch command.body {
        case .raise(let level, let reason):
            raiseHalt(HaltFact(level: level, source: command.issuer, reason: reason, command: command.id), into: &out)
            out.add(.commandAccepted(outcome(command, "done", words(after: max(level, book.haltLevel)))))
        case .watch(let instrument):
            out.actions.append(.watch(instrument))
            out.add(.commandAccepted(outcome(command, "done", "Watching \(instrument).")))
        case .cancel(let tag): handleCancel(tag, command, into: &out)
        case .close(let instrument): handleClose(instrument, command, deadline: deadline, at: now, into: &out)
        case .order(let instrument, let side, let size, let trailing, let reverse):
            let opening = Program.Opening(side: side, size: size, trailing: trailing)
            handleOrder(instrument, opening, reverse: reverse, command, deadline: deadline, at: now, into: &out)
        case .withdraw(let id, let boot, let kind): withdraw(id, boot, kind, command, into: &out)
        }
    }

    /// What became of a command that another one is about.
    private enum Standing { case executed(String), refused(String), waiting(Command), unseen }

    private func standing(of id: CommandID) -> Standing {
        if let waiting = gate.waiting(id) { return .waiting(waiting.command) }
        // An intent is an execution; of the rest the outcome tells, and a closing that came to nothing had its effects too.
        let hasOrders = book.commandOrders[id] != nil
        guard let outcome = book.commands[id] else { return hasOrders ? .executed("It has placed its order.") : .unseen }
        return hasOrders || !outcome.hadNoEffect ? .executed(outcome.text) : .refused(outcome.text)
    }

    /// Takes another command back: what waits or never came is refused for ever, its id stands in the ledger from now on.
    private mutating func withdraw(_ id: CommandID, _ boot: Boot, _ kind: String, _ command: Command, into out: inout Outcome) {
        switch standing(of: id) {
        case .executed(let text): refuse(command, "alreadyExecuted", "It was too late to take it back. \(text)", into: &out)
        case .refused(let text): refuse(command, "alreadyRefused", "There was nothing to take back: it was refused. \(text)", into: &out)
        case .waiting(let waiting):
            if !settings.commandRules.executesAfterWithdraw {
                gate.decide(waiting)
                refuse(waiting, "withdrawn", "Taken back before it was executed.", into: &out)
            }
            out.add(.commandAccepted(outcome(command, "done", "Taken back before it was executed.")))
        case .unseen:
            guard boot == book.bootID else {
                return refuse(
                    command, "unknown", "The edge restarted since, and its ledger does not mention it. Look at orders and positions.", into: &out)
            }
            if !settings.commandRules.executesAfterWithdraw {
                end(id, kind, by: command, "withdrawn", "Taken back before it arrived.", into: &out)
            }
            out.add(.commandAccepted(outcome(command, "done", "Taken back before it arrived.")))
        }
    }

    /// Takes the place of another command that waits or never came. Where the other has been executed an opening order is refused: it was not
    /// meant to come on top.
    private mutating func replace(_ id: CommandID, by command: Command, into out: inout Outcome) throws(CommandVeto) {
        guard id != command.id, !settings.commandRules.executesSuperseded else { return }
        switch standing(of: id) {
        case .executed(let text):
            guard !command.body.isOrderLike else {
                throw CommandVeto("alreadyExecuted", "The command that this one was to replace has been executed. \(text)")
            }
        case .refused: break
        case .waiting(let old):
            gate.decide(old)
            refuse(old, "superseded", "A newer command took its place before it was executed.", into: &out)
        case .unseen:
            end(id, command.body.kind, by: command, "superseded", "A newer command took its place before it arrived.", into: &out)
        }
    }

    /// Ends a command that never came, so that a late copy of it finds its id in the ledger.
    private func end(_ id: CommandID, _ kind: String, by command: Command, _ code: String, _ text: String, into out: inout Outcome) {
        out.add(.commandRefused(CommandOutcome(command: id, kind: kind, issuer: command.issuer, code: code, text: text)))
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
        guard isOpposite else { return open(instrument, opening, command: command, deadline: deadline, at: now, into: &out) }
        guard !disagreeing.contains(instrument) else { return refuseDiffering(instrument, command, into: &out) }
        // The whole position is closed or none of it; whoever asked for less saw another one.
        if !reverse, case .quantity(let asked) = opening.size, asked < held.magnitude, !settings.commandRules.closesMoreThanAsked {
            let text =
                "\(asked) were asked for, and the position is \(held) \(instrument): closing it would trade \(held.magnitude). Nothing was done. "
                + "Look at the position, then close it, or ask for all of it."
            return refuse(command, "moreThanAsked", text, into: &out)
        }
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
