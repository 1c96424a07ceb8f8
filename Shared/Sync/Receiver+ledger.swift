// Entries into the store: contiguous, verified, committed, and only then acknowledged; commands on their way down.
internal import Ledger
internal import Values

extension Receiver {
    /// A frame inside an open session.
    mutating func receive(_ message: Message, number: UInt64, of edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        switch message {
        case .batch(let body): take(body, of: edge, at: now, into: &out)
        case .beat(let beat): take(beat, of: edge, at: now, into: &out)
        case .state(_, let items):
            // An older frame that was overtaken would show the past as the present.
            guard let session = edges[edge]?.session, number > session.stateNumber else { return }
            edges[edge]?.session?.stateNumber = number
            out.append(.live(edge, items))
        case .market(let bars): out.append(.market(edge, bars))
        case .commandAck(let id, let refusal): acknowledged(id, refusal, of: edge, into: &out)
        case .rangeHash(let answer): answered(answer, of: edge, at: now, into: &out)
        case .heal(let body): takeFetched(body, of: edge, at: now, into: &out)
        case .bye(let reason): close(edge, "the edge said goodbye: \(reason)", into: &out)
        case .error(let trouble): if trouble.ends { close(edge, "the edge ended the session: \(trouble.text)", into: &out) }
        case .hello, .welcome, .prove, .proof, .behind, .settle, .range, .fetch, .countersigned, .ack, .nack, .credit, .command: break
        }
    }

    private mutating func take(_ beat: Beat, of edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        edges[edge]?.session?.clock.heard(beat.stamp, at: now.monotonic, wall: now.wall)
        if let roundTrip = beat.roundTrip { edges[edge]?.roundTrip = roundTrip }
        if let head = beat.head {
            announce(edge, head, into: &out)
            // Before the first echo came back nothing is known of how long the beat was on its way.
            if let sent = edges[edge]?.session?.clock.earliest(beat.stamp.sentAt) { edges[edge]?.toldAt = now.wall - (now.monotonic - sent) }
        }
        if beat.wantsAnswer, let stamp = edges[edge]?.session?.clock.stamp(at: now.monotonic, wall: now.wall) {
            send(.beat(Beat(stamp: stamp, wantsAnswer: false, backup: edges[edge]?.backup)), to: edge, into: &out)
        }
        if let opening = oldAnswered(beat, of: edge) { settle(opening, at: now, into: &out) }
    }

    /// Remembers the highest head the edge ever told.
    mutating func announce(_ edge: EdgeID, _ head: Head, into out: inout [Action]) {
        guard let state = edges[edge], head.seq > state.memory.announced.seq else { return }
        edges[edge]?.memory.announced = head
        out.append(.announced(edge, head))
    }

    // MARK: - Batches

    private mutating func take(_ body: [UInt8], of edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let state = edges[edge], let session = state.session else { return }
        var batch: Batch
        do throws(BatchError) { batch = try Batch(body) } catch {
            out.append(.malformed(edge, .batch(error)))
            fail(
                edge, Trouble(code: "BATCH", text: "a batch could not be read: \(error)", cure: "The link is opened again by itself.", ends: true),
                into: &out)
            return
        }
        let tail = state.tail.head
        let hole = hole(before: batch, after: tail, session)
        guard batch.previous.seq <= tail.seq || hole != nil || rules.acceptGaps else {
            // Said once per place and second: every batch behind a lost one would ask for the same rewind again.
            if session.nacked.map({ $0.have != tail.seq || now.monotonic - $0.at >= rules.nackEvery }) ?? true {
                edges[edge]?.session?.nacked = (tail.seq, now.monotonic)
                send(.nack(tail), to: edge, into: &out)
            }
            return
        }
        do throws(BatchError) {
            if let hole {
                // Nothing of this chain leads across: it goes on from the hash that the edge's own ledger names.
                var verifier = ChainVerifier(edge: edge, after: hole.last)
                try batch.verify(with: &verifier)
                accept(batch.entries, verifier, over: hole, bytes: batch.rawBytes, of: edge, into: &out)
                return
            }
            guard let (fresh, verifier) = try verified(&batch, onto: state.tail, edge: edge) else {
                // All of it was here before. It must be the same; the store knows.
                if batch.last.seq == tail.seq {
                    compared(edge, batch.last, batch.last == tail, into: &out)
                } else {
                    out.append(.compare(edge, batch.last))
                }
                return
            }
            accept(fresh, verifier, bytes: batch.rawBytes, of: edge, into: &out)
        } catch {
            refuse(
                Refusal(.fork, edge: edge, text: "a batch after entry \(batch.previous.seq) does not follow the cloud's ledger: \(error)"), into: &out
            )
        }
    }

    /// What lies between the last entry here and a batch, when the edge has said that it lost just that; a batch ahead of its time otherwise.
    private func hole(before batch: Batch, after tail: Head, _ session: Session) -> LedgerHole? {
        guard batch.previous.seq > tail.seq, !rules.noGapIsTaken else { return nil }
        let hole = LedgerHole(after: tail, last: batch.previous)
        return hole.isTold(by: session.gaps) || rules.unspokenGapsAreTaken ? hole : nil
    }

    /// The part of a batch that is new, with the chain after it; nil when all of it was here before.
    private func verified(_ batch: inout Batch, onto tail: ChainVerifier, edge: EdgeID) throws(BatchError) -> ([Entry], ChainVerifier)? {
        if rules.skipHashCheck || (rules.acceptGaps && batch.previous.seq > tail.head.seq) {
            // Without the check the entries are hashed onto whatever stands there.
            var loose = ChainVerifier(edge: edge, after: Head(seq: batch.previous.seq, hash: batch.previous.hash))
            do { try batch.verify(with: &loose) } catch { if !rules.skipHashCheck { throw error } }
            let fresh = batch.entries.filter { $0.seq > tail.head.seq }
            return fresh.isEmpty ? nil : (fresh, ChainVerifier(edge: edge, after: batch.last))
        }
        if batch.previous.seq == tail.head.seq {
            guard batch.previous == tail.head else { throw .lastHash(at: batch.previous.seq) }
            var verifier = tail
            try batch.verify(with: &verifier)
            return (batch.entries, verifier)
        }
        var verifier = ChainVerifier(edge: edge, after: batch.previous)
        try batch.verify(with: &verifier)
        guard batch.last.seq > tail.head.seq else { return nil }
        // The overlap ends where the cloud's chain ends; the same hash there means that all before it is the same.
        let met = batch.entries[Int(tail.head.seq.raw - batch.previous.seq.raw) - 1]
        guard met.head == tail.head else { throw .lastHash(at: met.seq) }
        return (Array(batch.entries[Int(tail.head.seq.raw - batch.previous.seq.raw)...]), verifier)
    }

    private mutating func accept(
        _ entries: [Entry], _ verifier: ChainVerifier, over hole: LedgerHole? = nil, bytes: Int, of edge: EdgeID, into out: inout [Action]
    ) {
        guard let session = edges[edge]?.session else { return }
        let waiting = session.pending.reduce(Credit(entries: entries.count, bytes: bytes)) {
            Credit(entries: $0.entries + $1.entries, bytes: $0.bytes + $1.bytes)
        }
        // One batch may be larger than a small credit; two may not. Twice the credit allows for a credit that has just shrunk.
        guard session.pending.isEmpty || (waiting.entries <= 2 * session.credit.entries && waiting.bytes <= 2 * session.credit.bytes) else {
            fail(
                edge,
                Trouble(
                    code: "CREDIT", text: "\(waiting.entries) entries and \(waiting.bytes) bytes are under way, over twice the credit",
                    cure: "The link is opened again by itself.", ends: true),
                into: &out)
            return
        }
        edges[edge]?.tail = verifier
        if let last = entries.last, last.epoch > edges[edge]?.raises.last?.epoch ?? edges[edge]?.memory.epoch ?? 0 {
            edges[edge]?.raises.append((last.seq, last.epoch))
        }
        edges[edge]?.session?.pending.append(Pending(last: verifier.head, entries: entries.count, bytes: bytes))
        if let hole {
            edges[edge]?.memory.holes.append(hole)
            out.append(.hole(edge, hole))
        }
        if rules.ackBeforeCommit { send(.ack(verifier.head), to: edge, into: &out) }
        out.append(.commit(edge, entries))
    }

    /// The entries are on the disk: now they may be acknowledged.
    mutating func committed(_ edge: EdgeID, _ head: Head, at now: ClockReading, into out: inout [Action]) {
        guard let state = edges[edge], head.seq > state.memory.have.seq else { return }
        precondition(head.seq <= state.tail.head.seq, "the store committed entry \(head.seq), verified is \(state.tail.head.seq)")
        edges[edge]?.memory.have = head
        while let raise = edges[edge]?.raises.first, raise.seq <= head.seq {
            edges[edge]?.memory.epoch = raise.epoch
            edges[edge]?.raises.removeFirst()
        }
        finishSettlement(of: edge, into: &out)
        while let first = edges[edge]?.session?.pending.first, first.last.seq <= head.seq { edges[edge]?.session?.pending.removeFirst() }
        send(.ack(head), to: edge, into: &out)
        resumeOpening(edge, at: now, into: &out)
    }

    /// The store took nothing: what was verified is forgotten and comes again with the next session.
    mutating func commitFailed(_ edge: EdgeID, _ reason: String, into out: inout [Action]) {
        guard let state = edges[edge] else { return }
        edges[edge]?.tail = ChainVerifier(edge: edge, after: state.memory.have)
        edges[edge]?.memory.holes.removeAll { $0.last.seq > state.memory.have.seq }
        edges[edge]?.raises = []
        edges[edge]?.opening = nil
        fail(edge, .store(reason), into: &out)
    }

    // MARK: - Commands

    /// Sends a command into the session it is bound to, and says so when that cannot be.
    mutating func dispatch(_ command: Command, at now: ClockReading, into out: inout [Action]) {
        func not(_ why: Undelivered) -> Action { .commandNotDelivered(command.id, command.edge, why) }
        guard let session = edges[command.edge]?.session else { out.append(not(.noSession)); return }
        guard command.boundBoot == session.boot || rules.anyBootExecutes else { out.append(not(.wrongRun)); return }
        var command = command
        command.body = Receiver.inWords(of: session.commandKinds, command.body)
        guard session.commandKinds.contains(command.body.wanted) || rules.anyKindIsSent else { out.append(not(.unknownToEdge)); return }
        guard session.commands.count < Session.commandsMax else { out.append(not(.tooMany)); return }
        guard !session.commands.contains(where: { $0.command.id == command.id }) else { return }
        // Whatever was done to the wall clock since it was asked, it lives no longer than its kind may.
        let remaining = command.expiresAt.map { expiry in min(expiry - now.wall, command.body.lifetimeMax ?? expiry - now.wall) }
        if let remaining, remaining <= .zero { out.append(not(.expired)); return }
        let deadline = remaining.map { now.monotonic + $0 }
        edges[command.edge]?.session?.commands.append(OnTheWay(command: command, sentAt: now.monotonic, deadline: deadline))
        send(.command(CommandOrder(command: command, remaining: remaining, sentAt: now.monotonic)), to: command.edge, into: &out)
    }

    /// The kill switch must not fail for a word: an edge that knows HALT alone is told HALT, whichever level was asked for.
    static func inWords(of kinds: Set<String>, _ body: CommandBody) -> CommandBody {
        guard case .raise(let level, let reason) = body, !kinds.contains(body.wanted) else { return body }
        let halt = CommandBody.halt(reason: "\(level.apiWord) was asked, which this release does not know: \(reason)")
        return kinds.contains(halt.wanted) ? halt : body
    }

    /// Sends again what the edge has not acknowledged, with what is left of its life.
    mutating func retryCommands(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        guard let session = edges[edge]?.session else { return }
        var kept: [OnTheWay] = []
        for waiting in session.commands {
            if let deadline = waiting.deadline, deadline <= now.monotonic {
                out.append(.commandNotDelivered(waiting.command.id, edge, .inDoubt))
                continue
            }
            var next = waiting
            if now.monotonic - waiting.sentAt >= rules.commandRetry {
                next.sentAt = now.monotonic
                let order = CommandOrder(command: waiting.command, remaining: waiting.deadline.map { $0 - now.monotonic }, sentAt: now.monotonic)
                send(.command(order), to: edge, into: &out)
            }
            kept.append(next)
        }
        edges[edge]?.session?.commands = kept
    }

    private mutating func acknowledged(_ id: CommandID, _ refusal: String?, of edge: EdgeID, into out: inout [Action]) {
        guard let index = edges[edge]?.session?.commands.firstIndex(where: { $0.command.id == id }) else { return }
        edges[edge]?.session?.commands.remove(at: index)
        out.append(refusal == nil ? .commandReceived(id, edge) : .commandNotDelivered(id, edge, .refusedByEdge))
    }
}
