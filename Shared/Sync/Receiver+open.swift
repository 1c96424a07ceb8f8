// Opening a session: who speaks, whether a twin lives, and the verdict.
internal import Ledger
internal import Values

extension Receiver {
    /// One frame of an enrolled edge. What cannot be read is named; what belongs to no session of now is dropped.
    mutating func receive(_ bytes: [UInt8], from peer: Peer, at now: ClockReading, into out: inout [Action]) {
        guard edges[peer.edge] != nil else { return }
        let frame: Frame
        do throws(FrameError) { frame = try Frame(bytes) } catch {
            out.append(.malformed(peer.edge, error))
            return
        }
        let message: Message
        do throws(FrameError) { message = try Message(frame) } catch {
            out.append(.malformed(peer.edge, error))
            return
        }
        if case .hello(let hello) = message { greet(hello, from: peer, at: now, into: &out); return }
        if let session = edges[peer.edge]?.session, frame.session == session.id {
            edges[peer.edge]?.session?.heardAt = now.monotonic
            edges[peer.edge]?.session?.isUnheard = false
            edges[peer.edge]?.heard = now
            show(peer.edge, .live, into: &out)
            receive(message, number: frame.number, of: peer.edge, at: now, into: &out)
        } else if let opening = edges[peer.edge]?.opening, opening.peer == peer, frame.session == 0 {
            receive(message, for: opening, at: now, into: &out)
        }
    }

    /// A HELLO: an old copy is dropped, a reconnect of the same run replaces its session, another run has to prove that it is alone.
    private mutating func greet(_ hello: Hello, from peer: Peer, at now: ClockReading, into out: inout [Action]) {
        let edge = peer.edge
        guard hello.edge == edge else {
            refuse(
                hello, Refusal(.identity, edge: edge, text: "the key of edge \(edge) was used to speak for edge \(hello.edge)"), to: peer, into: &out)
            return
        }
        let isNew = edges[edge]?.isNew(hello) ?? false
        guard isNew || rules.oldHellosAreNews else { return }
        var opening = Opening(hello: hello, peer: peer, since: now.monotonic, stage: .draining)
        opening.clock.heard(hello.stamp, at: now.monotonic, wall: now.wall)
        if let shown = edges[edge]?.shown, shown.boot == hello.boot { opening.evidence = shown.evidence }
        if let session = edges[edge]?.session {
            if session.boot == hello.boot {
                close(edge, "the edge connected again", into: &out)
            } else if !rules.noTwinCheck {
                // What was shown after an earlier HELLO of the same run counts: on a slow line each check would be overtaken by the next HELLO.
                if let earlier = edges[edge]?.opening, earlier.isTwinCheck, earlier.hello.boot == hello.boot, !rules.neverWaitsLonger {
                    opening.stage = earlier.stage
                } else {
                    opening.stage = .twin(challengedAt: now.monotonic, oldAnswered: false, newAnswered: false)
                }
                edges[edge]?.opening = opening
                let stamp = session.clock.stamp(at: now.monotonic, wall: now.wall)
                send(.beat(Beat(stamp: Stamp(sentAt: now.monotonic, wall: now.wall, echo: stamp.echo), wantsAnswer: true)), to: edge, into: &out)
                answer(opening, .beat(Beat(stamp: opening.clock.stamp(at: now.monotonic, wall: now.wall), wantsAnswer: true)), into: &out)
                return
            } else {
                close(edge, "another run took over", into: &out)
            }
        }
        edges[edge]?.opening = opening
        judge(opening, at: now, into: &out)
    }

    /// Judges with the evidence at hand and asks for what is missing.
    mutating func judge(_ current: Opening, at now: ClockReading, into out: inout [Action]) {
        var opening = current
        guard let state = edges[opening.peer.edge] else { return }
        guard state.tail.head == state.memory.have else {
            opening.stage = .draining
            edges[opening.peer.edge]?.opening = opening
            return
        }
        let verdict = rules.anyVerdictContinues ? .goOn : Verdict.judge(opening.hello, state.memory, opening.evidence, rules)
        switch verdict {
        case .goOn: welcome(opening, at: now, into: &out)
        case .refused(let refusal): conclude(opening, refusal, at: now, into: &out)
        case .behind where opening.hello.can(.heal): beginHealing(opening, into: &out)
        case .behind:
            let text = "the edge's ledger ends at entry \(opening.hello.head.seq), the cloud has up to \(state.memory.have.seq)"
            conclude(opening, Refusal(.edgeBehind, edge: opening.peer.edge, text: text), at: now, into: &out)
        case .disputed(let dispute): self.dispute(opening, dispute, nil, at: now, into: &out)
        case .settled(let settlement, let dispute): self.dispute(opening, dispute, settlement, at: now, into: &out)
        case .adopt(let settlement): adopt(opening, settlement, into: &out)
        case .prove(let seqs):
            opening.stage = .proving(seqs)
            edges[opening.peer.edge]?.opening = opening
            answer(opening, .prove(attempt: opening.hello.attempt, seqs: seqs), into: &out)
        case .lookUp(let seqs):
            opening.stage = .lookingUp(seqs)
            edges[opening.peer.edge]?.opening = opening
            out.append(.lookUp(opening.peer.edge, seqs))
        }
    }

    /// Refuses, once the edge has shown that it lives: a late HELLO of a dead run would look like a rollback, and nobody is accused before he answers.
    mutating func conclude(
        _ current: Opening, _ refusal: Refusal, _ dispute: Dispute? = nil, at now: ClockReading, into out: inout [Action]
    ) {
        var opening = current
        guard opening.isAlive || refusal.verdict == .version || rules.refuseWithoutSignOfLife else {
            opening.stage = .confirming
            edges[opening.peer.edge]?.opening = opening
            answer(opening, .beat(Beat(stamp: opening.clock.stamp(at: now.monotonic, wall: now.wall), wantsAnswer: true)), into: &out)
            return
        }
        edges[opening.peer.edge]?.opening = nil
        if let dispute {
            edges[opening.peer.edge]?.memory.dispute = dispute
            // Another question than the one that was decided; the store drops that decision, too.
            edges[opening.peer.edge]?.memory.settlement = nil
            out.append(.disputed(opening.peer.edge, dispute))
        }
        refuse(opening.hello, refusal, to: opening.peer, into: &out)
    }

    private mutating func welcome(_ opening: Opening, at now: ClockReading, into out: inout [Action]) {
        let edge = opening.peer.edge, hello = opening.hello
        guard let memory = edges[edge]?.memory else { return }
        close(edge, "the edge connected again", into: &out)
        close(disputesOf: edge, hello, into: &out)
        if memory.isQuarantined {
            edges[edge]?.memory.isQuarantined = false
            out.append(.quarantineOver(edge))
        }
        announce(edge, hello.head, into: &out)
        let open = enrolled.count { edges[$0]?.session != nil }
        var session = Session(
            id: newSessionID(), peer: opening.peer, boot: hello.boot, release: hello.release, heardAt: now.monotonic,
            credit: creditOfEach(open + 1))
        session.clock = opening.clock
        session.commandKinds = Set(hello.commandKinds)
        session.gaps = hello.gaps
        session.patience = opening.patience(rules)
        session.features = Set(Feature.allCases.filter { hello.can($0) })
        edges[edge]?.opening = nil
        edges[edge]?.shown = nil
        edges[edge]?.session = session
        edges[edge]?.heard = now
        var welcome = Welcome(
            attempt: hello.attempt, have: memory.have, credit: session.credit, incarnation: incarnation, release: release,
            stamp: session.clock.stamp(at: now.monotonic, wall: now.wall), backup: edges[edge]?.backup)
        // Said only to an edge that asks for it: others would not know the word.
        welcome.signers = hello.can(.signers) ? changes : []
        welcome.serverKey = hello.can(.signers) ? serverKey : nil
        welcome.takesLinkKeys = hello.can(.linkKey)
        welcome.takesGaps = !hello.gaps.isEmpty && !rules.noGapIsTaken
        send(.welcome(welcome), to: edge, into: &out)
        countersign(edge, at: now, into: &out)
        out.append(.opened(edge, hello.boot))
        if let alarm = Verdict.alarm(hello, memory, incarnation: incarnation, rules) {
            out.append(.short(alarm, of: hello.acked, epoch: hello.epoch))
        }
        show(edge, .live, into: &out)
        shareCredit(into: &out)
    }

    private mutating func refuse(_ hello: Hello, _ refusal: Refusal, to peer: Peer, into out: inout [Action]) {
        out.append(.refused(refusal))
        out.append(.send(Message.error(refusal.trouble).frame(session: 0, number: UInt64(hello.attempt)).bytes, to: peer))
    }

    func answer(_ opening: Opening, _ message: Message, into out: inout [Action]) {
        out.append(.send(message.frame(session: 0, number: UInt64(opening.hello.attempt)).bytes, to: opening.peer))
    }

    /// A frame of a newcomer that has no session yet.
    private mutating func receive(_ message: Message, for current: Opening, at now: ClockReading, into out: inout [Action]) {
        var opening = current
        switch message {
        case .proof(let attempt, let heads, let asked) where attempt == opening.hello.attempt:
            // A late copy of the answer to an earlier question says nothing about this one: what it does not show would be as good as another hash.
            guard case .proving(let seqs) = opening.stage, asked ?? seqs == seqs || rules.anyProofAnswers,
                heads.allSatisfy({ seqs.contains($0.seq) })
            else { return }
            opening.evidence.shown(heads, of: seqs)
            opening.isAlive = true
            opening.since = now.monotonic
            edges[opening.peer.edge]?.shown = (opening.hello.boot, opening.evidence)
            judge(opening, at: now, into: &out)
        case .fetch(let attempt, let after, let upTo) where attempt == opening.hello.attempt:
            fetch(opening, after: after, upTo: upTo, at: now, into: &out)
        case .heal(let body): takeBranch(body, of: opening, at: now, into: &out)
        case .beat(let beat) where beat.boot == opening.hello.boot:
            opening.clock.heard(beat.stamp, at: now.monotonic, wall: now.wall)
            opening.isAlive = opening.isAlive || (beat.stamp.echo.map { $0.sentAt >= opening.since } ?? false)
            edges[opening.peer.edge]?.opening = opening
            if opening.stage == .confirming, opening.isAlive { judge(opening, at: now, into: &out) }
            if case .twin(let challengedAt, let oldAnswered, _) = opening.stage, beat.stamp.echo.map({ $0.sentAt >= challengedAt }) ?? false {
                opening.stage = .twin(challengedAt: challengedAt, oldAnswered: oldAnswered, newAnswered: true)
                settle(opening, at: now, into: &out)
            }
        default: break
        }
    }

    /// The run that has the session answered a beat; if that left with the challenge or after it, the run lives.
    func oldAnswered(_ beat: Beat, of edge: EdgeID) -> Opening? {
        guard var opening = edges[edge]?.opening, case .twin(let challengedAt, _, let newAnswered) = opening.stage,
            beat.stamp.echo.map({ $0.sentAt >= challengedAt }) ?? false
        else { return nil }
        opening.stage = .twin(challengedAt: challengedAt, oldAnswered: true, newAnswered: newAnswered)
        return opening
    }

    /// Both showed themselves: a twin. Otherwise the time decides.
    mutating func settle(_ opening: Opening, at now: ClockReading, into out: inout [Action]) {
        edges[opening.peer.edge]?.opening = opening
        guard case .twin(let challengedAt, let oldAnswered, let newAnswered) = opening.stage else { return }
        if oldAnswered, newAnswered {
            let edge = opening.peer.edge
            let old = edges[edge]?.session?.boot.description ?? "?"
            let refusal = Refusal(.twin, edge: edge, text: "run \(opening.hello.boot) came while run \(old) was alive")
            edges[edge]?.opening = nil
            refuse(opening.hello, refusal, to: opening.peer, into: &out)
            guard let told = edges[edge]?.session?.knocked, told.count < Session.knocksMax, !told.contains(opening.hello.boot) else { return }
            edges[edge]?.session?.knocked.insert(opening.hello.boot)
            var word = refusal.trouble
            word.ends = false
            send(.error(word), to: edge, into: &out)
        } else if now.monotonic - challengedAt >= opening.twinEnds(beside: edges[opening.peer.edge]?.session, rules) {
            edges[opening.peer.edge]?.opening = nil
            // A newcomer that did not answer was a late copy of a dead run's HELLO, or will say HELLO again.
            guard newAnswered else { return }
            // One that lives after all, and was only slow, hears at once that it has no session, and shows itself by its next HELLO.
            fail(opening.peer.edge, .overtaken(by: opening.hello.boot), into: &out)
            judge(opening, at: now, into: &out)
        }
    }

    /// Time passes over an opening: the twin check ends, an unanswered question is dropped (the edge says HELLO again).
    mutating func watch(_ opening: Opening, at now: ClockReading, into out: inout [Action]) {
        if opening.isTwinCheck { settle(opening, at: now, into: &out); return }
        if now.monotonic - opening.since >= opening.keptFor(rules) { edges[opening.peer.edge]?.opening = nil }
    }

    /// The store is done with everything, or has answered: an opening that waited for it goes on.
    mutating func resumeOpening(_ edge: EdgeID, at now: ClockReading, into out: inout [Action]) {
        if let opening = edges[edge]?.opening, opening.stage == .draining { judge(opening, at: now, into: &out) }
    }

    /// The store's hashes for a comparison of two histories.
    mutating func lookedUp(_ edge: EdgeID, _ seqs: [Seq], _ heads: [Head], at now: ClockReading, into out: inout [Action]) {
        guard var opening = edges[edge]?.opening, opening.stage == .lookingUp(seqs) else { return }
        opening.evidence.stored(heads, of: seqs)
        if edges[edge]?.shown?.boot == opening.hello.boot { edges[edge]?.shown?.evidence = opening.evidence }
        judge(opening, at: now, into: &out)
    }

    /// The store's answer to `.compare`, about a batch that came twice.
    mutating func compared(_ edge: EdgeID, _ head: Head, _ isEqual: Bool, into out: inout [Action]) {
        guard let state = edges[edge], state.session != nil else { return }
        if isEqual {
            send(.ack(state.memory.have), to: edge, into: &out)
        } else {
            refuse(Refusal(.fork, edge: edge, text: "the edge sent another entry \(head.seq) than the cloud has"), into: &out)
        }
    }
}
