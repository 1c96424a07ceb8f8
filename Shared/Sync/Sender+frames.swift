// Frames from the cloud, as the sender takes them.
internal import Ledger
internal import Values
internal import Wire

extension Sender {
    /// One frame. What cannot be read is named and dropped; what belongs to another session is dropped in silence.
    mutating func receive(_ bytes: [UInt8], at now: ClockReading, into out: inout [Action]) {
        let frame: Frame, message: Message
        do throws(FrameError) {
            frame = try Frame(bytes)
            message = try Message(frame)
        } catch {
            out.append(.malformed(error))
            return
        }
        hasHeard = true
        learn(from: message, frame, at: now.monotonic)
        switch phase {
        case .down, .stopped, .refused: return
        case .healing: receiveWhileHealing(message, frame, at: now, into: &out)
        case .opening: receiveWhileOpening(message, frame, at: now, into: &out)
        case .open:
            guard frame.session == session else { return }
            heardAt = now.monotonic
            isUnheard = false
            receiveWhileOpen(message, at: now, into: &out)
        }
    }

    private mutating func receiveWhileOpening(_ message: Message, _ frame: Frame, at now: ClockReading, into out: inout [Action]) {
        switch message {
        case .welcome(let welcome) where welcome.attempt == attempt && frame.session != 0: begin(welcome, session: frame.session, at: now, into: &out)
        case .fetch(let attempt, let after, let upTo) where attempt == self.attempt: show(after: after, upTo: upTo, at: now, into: &out)
        case .settle(let attempt, let settlement) where attempt == self.attempt: take(settlement, at: now, into: &out)
        case .behind(let attempt, let have) where attempt == self.attempt: beginHealing(have, at: now, into: &out)
        case .prove(let attempt, let seqs) where attempt == self.attempt:
            // A search goes on for several round trips: each question is a sign of life.
            openedAt = now.monotonic
            out.append(.readHeads(attempt: attempt, seqs))
        case .beat(let theirs):
            clock.heard(theirs.stamp, at: now.monotonic, wall: now.wall)
            if theirs.wantsAnswer { beat(wantsAnswer: false, at: now, into: &out) }
        // Of a session that was another run's the number means something else.
        case .error(let trouble) where trouble.ends && frame.session == 0 && frame.number == UInt64(attempt): close(trouble, at: now, into: &out)
        default: break
        }
    }

    private mutating func receiveWhileHealing(_ message: Message, _ frame: Frame, at now: ClockReading, into out: inout [Action]) {
        switch message {
        case .heal(let body): heal(body, at: now, into: &out)
        case .error(let trouble) where trouble.ends && frame.session == 0 && frame.number == UInt64(attempt): close(trouble, at: now, into: &out)
        default: break
        }
    }

    private mutating func receiveWhileOpen(_ message: Message, at now: ClockReading, into out: inout [Action]) {
        switch message {
        case .ack(let have): acknowledge(have, at: now, into: &out)
        case .nack(let have): rewind(to: have.seq)
        case .credit(let credit): self.credit = credit; isFull = false
        case .beat(let theirs):
            clock.heard(theirs.stamp, at: now.monotonic, wall: now.wall)
            note(backup: theirs.backup, into: &out)
            if theirs.wantsAnswer { beat(wantsAnswer: false, at: now, into: &out) }
        case .command(let order): take(order, at: now, into: &out)
        case .error(let trouble) where trouble.ends: close(trouble, at: now, into: &out)
        case .error(let trouble):
            guard trouble.code == RefusalCase.twin.rawValue else { break }
            out.append(.copied(JSONValue.string(trouble.text).cut(to: Sender.wordsMax).text ?? ""))
        case .countersigned(let fact): out.append(.countersigned(fact))
        case .range(let question): digest(question, into: &out)
        case .fetch(let audit, _, let upTo): give(audit, upTo, into: &out)
        case .heal(let body): mend(body, into: &out)
        case .bye: reopen(into: &out)
        case .hello, .welcome, .prove, .proof, .behind, .settle, .rangeHash, .batch, .state, .market, .commandAck: break
        }
    }

    /// The cloud ends the session: what ended with it is tried again on a new connection, anything else is kept, shown, and asked again after a
    /// while. A cloud without room would otherwise be asked as fast as the line allows.
    private mutating func close(_ trouble: Trouble, at now: ClockReading, into out: inout [Action]) {
        guard !trouble.endedWithTheSession else { reopen(into: &out); return }
        openedAt = now.monotonic
        fall(to: .refused(trouble), into: &out)
    }

    /// A command: for this edge and this run, handed on once, with a deadline that is never later than the cloud meant.
    private mutating func take(_ order: CommandOrder, at now: ClockReading, into out: inout [Action]) {
        let command = order.command
        guard command.edge == identity.edge, command.boundBoot == identity.boot || rules.anyBootExecutes else {
            send(.commandAck(command.id, refusal: "wrongRun"), into: &out)
            return
        }
        // Who sits at the edge speaks through its own socket, never through the cloud.
        guard command.issuer != "console" else {
            send(.commandAck(command.id, refusal: "badIssuer"), into: &out)
            return
        }
        send(.commandAck(command.id, refusal: nil), into: &out)
        if !rules.noCommandDedup {
            guard delivered.insert(command.id).inserted else { return }
            deliveredOrder.append(command.id)
            if deliveredOrder.count > Sender.deliveredMax { delivered.remove(deliveredOrder.removeFirst()) }
        }
        var noted = command
        noted.skew = clock.offset
        out.append(.deliver(noted, deadline: order.remaining.map { life(of: command, $0, sentAt: order.sentAt, at: now) }))
    }

    /// When its time is up by this machine's boot clock.
    private func life(of command: Command, _ remaining: Span, sentAt: Span, at now: ClockReading) -> Span {
        if rules.ttlByWallClock, let expiry = command.expiresAt { return now.monotonic + (expiry - now.wall) }
        return deadline(remaining, sentAt: sentAt, at: now.monotonic)
    }

    /// Counted from the earliest moment at which the cloud can have sent it: a frame that was held up on the way lives no longer for it.
    private func deadline(_ remaining: Span, sentAt: Span, at now: Span) -> Span {
        if rules.deadlineFromReceipt { return now + remaining }
        let fromReceipt = now - (clock.shortestRoundTrip ?? .zero)
        return min(clock.earliest(sentAt) ?? fromReceipt, fromReceipt) + remaining
    }
}
