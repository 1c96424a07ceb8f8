// The walk of a command through the control room, and the presence of edges.
import Control
import Ledger
import Testing
import Values
import Wire

private let t0 = EdgeMaker.start
private let edge = EdgeMaker.id(1)
private let mbt = InstrumentID("MBTZ6.CME")

/// A control room with one edge, linked unless told otherwise.
private struct Stage {
    var room = ControlRoom()
    var maker = EdgeMaker()
    var delivered = 0

    init(linked: Bool = true) {
        _ = room.handle(.enrolled(edge, name: "home-1"), at: t0)
        if linked { _ = link(session: 1, boot: 7) }
    }

    mutating func link(session: UInt64, boot: UInt64, announced: UInt64 = 0, at now: Instant = t0) -> ControlOutcome {
        let opening = LinkSession(number: session, boot: Boot(raw: boot), release: "0.1.0", openedAt: now)
        let out = room.handle(.opened(edge, opening, announced: Seq(announced)), at: now)
        #expect(hear(.live, at: now).dispatches.isEmpty, "what may go has gone with the session")
        return out
    }

    /// The link's clock has judged.
    @discardableResult mutating func hear(_ presence: EdgePresence, at now: Instant = t0) -> ControlOutcome {
        room.handle(.presence(edge, presence), at: now)
    }

    mutating func ask(_ number: UInt8, _ body: CommandBody, print: UInt8 = 0, at now: Instant = t0) -> (AskVerdict, ControlOutcome) {
        room.ask(Ask(id: EdgeMaker.command(number), edge: edge, user: "admin", body: body, title: "t", fingerprint: [print]), at: now)
    }

    /// Hands over what the maker wrote since the last call.
    mutating func deliver(at now: Instant = t0) -> ControlOutcome {
        let fresh = Array(maker.entries[delivered...])
        delivered = maker.entries.count
        return room.handle(.entries(edge, fresh), at: now)
    }

    func record(_ number: UInt8) -> CommandRecord? { room.outbox.records[EdgeMaker.command(number)] }
}

private let long3 = CommandBody.order(instrument: mbt, side: .buy, size: .quantity(Quantity(whole: 3)), trailing: nil, reverse: false)

@Suite struct ControlRoomTests {
    @Test func commandWalksToFilled() throws {
        var stage = Stage()
        let (verdict, out) = stage.ask(1, long3)
        guard case .queued = verdict else { Issue.record("\(verdict)"); return }
        guard let dispatch = out.dispatches.first else { Issue.record("not sent"); return }
        #expect(
            dispatch.command.edge == edge && dispatch.command.boundBoot == Boot(raw: 7) && dispatch.timeToLive == .seconds(10)
                && dispatch.session == 1)
        #expect(out.writes.contains(.command(try #require(stage.record(1)))), "the bound boot is in what is stored before the byte leaves")
        _ = stage.room.handle(.commandReceived(edge, EdgeMaker.command(1)), at: t0)
        #expect(stage.record(1)?.stage == .delivered)
        let tag = stage.maker.intent(command: EdgeMaker.command(1))
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .accepted && stage.record(1)?.isFinal == false, "the intent itself is the yes")
        stage.maker.fill(tag, quantity: 2)
        _ = stage.deliver()
        #expect(stage.record(1)?.isFinal == false, "2 of 3 filled is not the end")
        stage.maker.fill(tag, quantity: 1)
        _ = stage.deliver()
        #expect(stage.record(1)?.walk.map(\.stage) == [.queued, .dispatched, .delivered, .accepted, .filled])
        #expect(stage.record(1)?.isFinal == true)
    }

    /// What is shown is not what is: nothing is opened on it, and what ends or stops something is taken all the same.
    @Test func nothingIsOpenedOnABookThatIsBehind() {
        var stage = Stage()
        _ = stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(9))), at: t0)
        guard case .queued = stage.ask(9, long3, at: t0 + .seconds(2)).0 else { Issue.record("a batch is on its way"); return }
        let later = t0 + .seconds(3)
        #expect(stage.ask(1, long3, at: later).0 == .refused(.bookBehind(name: "home-1", entries: 9)))
        for (number, body) in [(2, .close(instrument: mbt)), (3, .halt(reason: "r"))] as [(UInt8, CommandBody)] {
            guard case .queued = stage.ask(number, body).0 else { Issue.record("\(body.kind) was not taken"); return }
        }
        var reading = Stage()
        _ = reading.room.handle(.behind(edge, true), at: t0)
        #expect(reading.ask(1, long3, at: later).0 == .refused(.bookBehind(name: "home-1", entries: 0)), "they are here, and not read yet")
        _ = reading.room.handle(.behind(edge, false), at: later)
        guard case .queued = reading.ask(1, long3, at: later).0 else { Issue.record("not taken"); return }
        // A link that was away: what it lacks was there before, and is no batch on its way.
        var linked = Stage()
        let session = LinkSession(number: 2, boot: Boot(raw: 7), release: "r", openedAt: t0)
        _ = linked.room.handle(.opened(edge, session, announced: Seq(9)), at: t0)
        #expect(linked.ask(1, long3).0 == .refused(.bookBehind(name: "home-1", entries: 9)))
    }

    @Test func whatIsAskedOfASilentEdgeIsNotSentAndExpiresByItself() throws {
        var stage = Stage()
        let later = t0 + .seconds(7)
        stage.hear(.silent, at: later)
        let (_, out) = stage.ask(1, .close(instrument: mbt), at: later)
        #expect(out.dispatches.isEmpty && stage.record(1)?.command.boundBoot == nil, "the session stands, but nobody speaks in it")
        let expiry = try #require(stage.record(1)?.command.expiresAt)
        _ = stage.room.handle(.tick, at: expiry)
        #expect(stage.record(1)?.stage == .expired && stage.record(1)?.isFinal == true)
    }

    @Test func whatIsAskedOfASilentEdgeGoesOnceItSpeaksAgain() {
        var stage = Stage()
        let later = t0 + .seconds(7)
        stage.hear(.silent, at: later)
        _ = stage.ask(1, .close(instrument: mbt), at: later)
        _ = stage.ask(2, .halt(reason: "r"), at: later)
        let out = stage.hear(.live, at: later + .seconds(1))
        let sent = out.dispatches.map(\.command.id)
        #expect(sent == [EdgeMaker.command(2), EdgeMaker.command(1)], "the halt first")
        #expect(stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(0))), at: later + .seconds(2)).dispatches.isEmpty, "each once")
    }

    @Test func sameKeyIsOneEffectAndAnotherBodyIsRefused() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        let (again, out) = stage.ask(1, long3)
        guard case .repeated(let record) = again else { Issue.record("\(again)"); return }
        #expect(record.id == EdgeMaker.command(1) && out.dispatches.isEmpty && out.writes.isEmpty)
        let (other, _) = stage.ask(1, long3, print: 9)
        #expect(other == .refused(.keyReused))
    }

    @Test func keyFoundInTheLedgerIsNotUsedAgain() {
        var stage = Stage()
        stage.maker.accept(EdgeMaker.command(5))
        _ = stage.deliver()
        #expect(stage.ask(5, long3).0 == .refused(.keyReused))
    }

    @Test func silentEdgeTakesNoOpeningOrderButCloseAndKillWait() {
        var stage = Stage()
        let later = t0 + .seconds(7)
        stage.hear(.silent, at: later)
        #expect(stage.ask(1, long3, at: later).0 == .refused(.edgeSilent(name: "home-1")))
        #expect(stage.ask(2, .watch(instrument: mbt), at: later).0 == .refused(.edgeSilent(name: "home-1")))
        _ = stage.room.handle(.closed(edge, session: 1), at: later)
        guard case .queued = stage.ask(3, .close(instrument: mbt), at: later).0 else { Issue.record("close refused"); return }
        guard case .queued = stage.ask(4, .halt(reason: "x"), at: later).0 else { Issue.record("kill refused"); return }
        _ = stage.room.handle(.tick, at: later + .seconds(61))
        #expect(stage.record(3)?.stage == .expired && stage.record(3)?.isFinal == true)
        #expect(stage.record(4)?.stage == .queued, "a halt never expires")
        let out = stage.link(session: 2, boot: 7, at: later + .seconds(100))
        #expect(out.dispatches.count == 1)
    }

    @Test func neverSeenEdgeIsSilentToo() {
        var stage = Stage(linked: false)
        #expect(stage.ask(1, long3).0 == .refused(.edgeSilent(name: "home-1")))
    }

    @Test func haltOvertakesOnLinking() {
        var stage = Stage(linked: false)
        _ = stage.ask(1, .close(instrument: mbt))
        _ = stage.ask(2, .halt(reason: "x"))
        let ids = stage.link(session: 1, boot: 7).dispatches.map(\.command.id)
        #expect(ids == [EdgeMaker.command(2), EdgeMaker.command(1)])
    }

    @Test func boundCommandIsNeverSentToAnotherBoot() {
        var stage = Stage()
        _ = stage.ask(1, .close(instrument: mbt))
        _ = stage.room.handle(.closed(edge, session: 1), at: t0)
        #expect(stage.link(session: 2, boot: 7, announced: 5).dispatches.count == 1, "the same run gets it again")
        _ = stage.room.handle(.closed(edge, session: 2), at: t0)
        let out = stage.link(session: 3, boot: 8, announced: 5)
        #expect(out.dispatches.isEmpty)
        #expect(stage.record(1)?.isFinal == false, "entries 1 to 5 are still to come and may tell")
        stage.maker.write(.shutdown(reason: "x")); stage.maker.write(.shutdown(reason: "x")); stage.maker.write(.shutdown(reason: "x"))
        stage.maker.write(.shutdown(reason: "x"))
        _ = stage.deliver(at: t0 + .seconds(1))
        #expect(stage.record(1)?.stage == .expired)
    }

    @Test func haltInDoubtIsAskedAgainUnderANewID() throws {
        var stage = Stage()
        _ = stage.ask(1, .halt(reason: "x"))
        let out = stage.link(session: 2, boot: 8)
        #expect(stage.record(1)?.stage == .expired)
        let dispatch = try #require(out.dispatches.first)
        #expect(dispatch.command.id != EdgeMaker.command(1) && dispatch.command.boundBoot == Boot(raw: 8))
        #expect(dispatch.command.body == .halt(reason: "x"))
    }

    @Test func outcomeInTheBacklogBeatsTheNewBoot() {
        var stage = Stage()
        _ = stage.ask(1, .close(instrument: mbt))
        stage.maker.accept(EdgeMaker.command(1), kind: "close")
        _ = stage.link(session: 2, boot: 8, announced: 2)
        #expect(stage.record(1)?.isFinal == false)
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .accepted)
    }

    @Test func sentAndUnansweredEndsOnlyByProof() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        _ = stage.room.handle(.tick, at: t0 + .seconds(12))
        #expect(stage.record(1)?.isFinal == false, "sent: only the ledger can tell")
        _ = stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(9))), at: t0 + .seconds(20))
        #expect(stage.record(1)?.isFinal == false, "the ledger is not all here")
        for _ in 0..<8 { stage.maker.write(.shutdown(reason: "x")) }
        _ = stage.deliver(at: t0 + .seconds(21))
        #expect(stage.record(1)?.stage == .expired)
    }

    @Test func edgeRefusalEndsWithItsWords() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.refuse(EdgeMaker.command(1), code: "availableFunds")
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .refused && stage.record(1)?.reason == "Refused: availableFunds.")
        _ = stage.ask(2, long3)
        stage.maker.refuse(EdgeMaker.command(2), code: "expired")
        _ = stage.deliver()
        #expect(stage.record(2)?.stage == .expired)
    }

    @Test func rejectedOrderEndsTheCommandAsRefused() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.accept(EdgeMaker.command(1))
        let tag = stage.maker.intent(command: EdgeMaker.command(1))
        stage.maker.write(.orderReport(OrderReport(tag: tag, status: .rejected, permID: 1, code: 201, text: "Order rejected: margin")))
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .refused && stage.record(1)?.reason == "Order rejected: margin")
    }

    @Test func closingThatIsNotCompletedEndsAsRefused() {
        var stage = Stage()
        _ = stage.ask(1, .close(instrument: mbt))
        stage.maker.accept(EdgeMaker.command(1), kind: "close")
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .accepted && stage.record(1)?.isFinal == false)
        stage.maker.refuse(EdgeMaker.command(1), code: "notCompleted")
        _ = stage.deliver()
        #expect(stage.record(1)?.walk.map(\.stage) == [.queued, .dispatched, .accepted, .refused])
    }

    @Test func closingThatFoundNothingLeftEndsQuietly() {
        var stage = Stage()
        _ = stage.ask(1, .close(instrument: mbt))
        stage.maker.accept(EdgeMaker.command(1), kind: "close")
        _ = stage.deliver()
        _ = stage.room.handle(.tick, at: t0 + .seconds(11))
        #expect(stage.record(1)?.stage == .accepted && stage.record(1)?.isFinal == true)
    }

    /// The edge says `closing` at once and ends it itself, whenever the broker has answered.
    @Test func closingThatTakesLongIsNotDoneBeforeTheEdgeSaysSo() {
        for code in ["done", "notCompleted"] {
            var stage = Stage()
            _ = stage.ask(1, .close(instrument: mbt))
            stage.maker.accept(EdgeMaker.command(1), kind: "close", code: "closing")
            _ = stage.deliver()
            for seconds in 1...50 { _ = stage.room.handle(.tick, at: t0 + .seconds(Int64(seconds))) }
            #expect(stage.record(1)?.stage == .accepted && stage.record(1)?.isFinal == false)
            if code == "done" {
                stage.maker.accept(EdgeMaker.command(1), kind: "close")
            } else {
                stage.maker.refuse(EdgeMaker.command(1), code: code)
            }
            _ = stage.deliver(at: t0 + .seconds(60))
            _ = stage.room.handle(.tick, at: t0 + .seconds(61))
            #expect(stage.record(1)?.isFinal == true && stage.record(1)?.stage == (code == "done" ? .accepted : .refused))
        }
    }

    /// A closing first cancels what works: the end of that entry, filled in part or not at all, is not the end of the closing, nor of a reversal.
    @Test(arguments: [0, 2], [false, true]) func whatAClosingCancelledDoesNotEndIt(filled: Int64, reverses: Bool) {
        var stage = Stage()
        let entry = stage.maker.intent(command: nil)
        if filled > 0 { stage.maker.fill(entry, quantity: filled) }
        _ = stage.deliver()
        _ = stage.ask(
            1,
            reverses
                ? .order(instrument: mbt, side: .sell, size: .quantity(Quantity(whole: 1)), trailing: nil, reverse: true) : .close(instrument: mbt))
        stage.maker.accept(EdgeMaker.command(1), kind: reverses ? "order" : "close", code: "closing")
        stage.maker.write(.cancelIntent(CancelIntent(tag: entry, origin: .manual, command: EdgeMaker.command(1), reason: "closing")))
        stage.maker.write(.orderReport(OrderReport(tag: entry, status: .canceled, permID: 4, cumQty: Quantity(whole: filled), text: "")))
        _ = stage.deliver(at: t0 + .seconds(2))
        _ = stage.room.handle(.tick, at: t0 + .seconds(3))
        #expect(stage.record(1)?.stage == .accepted && stage.record(1)?.isFinal == false)
        // Its own order does.
        let own = stage.maker.intent(command: EdgeMaker.command(1), role: reverses ? .open : .close, quantity: 1)
        stage.maker.fill(own, quantity: 1)
        stage.maker.accept(EdgeMaker.command(1), kind: reverses ? "order" : "close")
        _ = stage.deliver(at: t0 + .seconds(4))
        _ = stage.room.handle(.tick, at: t0 + .seconds(5))
        #expect(stage.record(1)?.stage == .filled && stage.record(1)?.isFinal == true)
    }

    /// A start reads of decisions of long ago: they say nothing of what was asked after them.
    @Test func anOldDecisionEndsNothingThatWasAskedSince() {
        var stage = Stage()
        let old = stage.maker.write(.lineage(EdgeMaker.lineage))
        let asked = old.wall + .seconds(60)
        _ = stage.ask(1, .halt(reason: "r"), at: asked)
        _ = stage.ask(2, long3, at: asked)
        var start = ControlRoom(commands: [1, 2].compactMap { stage.record($0) })
        _ = start.handle(.enrolled(edge, name: "home-1"), at: asked + .seconds(1))
        _ = start.handle(.entries(edge, stage.maker.entries), at: asked + .seconds(1))
        #expect(start.outbox.open.map(\.id) == [EdgeMaker.command(1), EdgeMaker.command(2)])
        // One after it ends them; the kill switch is asked again by itself.
        stage.maker = EdgeMaker(boot: 8, after: stage.maker.entries.last, at: asked + .seconds(2))
        stage.maker.write(.lineage(EdgeMaker.lineage))
        _ = start.handle(.entries(edge, stage.maker.entries), at: asked + .seconds(3))
        #expect(start.outbox.records[EdgeMaker.command(2)]?.reason?.hasPrefix("Lost: ") == true)
        #expect(start.outbox.records[EdgeMaker.command(1)]?.cure?.contains("asked again by itself") == true)
        #expect(start.outbox.open.map(\.command.body) == [.halt(reason: "r")])
    }

    /// What half a book does not hold may stand in the other half.
    @Test func halfABookEndsNoCommand() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.accept(EdgeMaker.command(1))
        _ = stage.room.handle(.behind(edge, true), at: t0)
        _ = stage.deliver(at: t0 + .seconds(20))
        for seconds in 21...40 { _ = stage.room.handle(.tick, at: t0 + .seconds(Int64(seconds))) }
        #expect(stage.record(1)?.isFinal == false)
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1)))
        _ = stage.deliver(at: t0 + .seconds(41))
        #expect(stage.record(1)?.isFinal == false)
        _ = stage.room.handle(.behind(edge, false), at: t0 + .seconds(42))
        #expect(stage.record(1)?.stage == .filled)
    }

    /// A book set back to nothing seems to hold all that was announced: no proof that the edge did not take a command.
    @Test func aBookThatIsReadAnewSettlesNothing() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        _ = stage.room.handle(.behind(edge, true), at: t0)
        _ = stage.room.handle(.cut(edge), at: t0)
        _ = stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(0))), at: t0 + .seconds(30))
        #expect(stage.record(1)?.isFinal == false)
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1)))
        _ = stage.deliver(at: t0 + .seconds(31))
        _ = stage.room.handle(.behind(edge, false), at: t0 + .seconds(31))
        #expect(stage.record(1)?.stage == .filled)
    }

    /// Once the rest of the book is there, what the edge told meanwhile counts at once: no further word of it is needed.
    @Test func aWholeBookSettlesWhatWasToldMeanwhile() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        _ = stage.room.handle(.behind(edge, true), at: t0)
        _ = stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(0))), at: t0 + .seconds(30))
        #expect(stage.record(1)?.isFinal == false)
        _ = stage.room.handle(.behind(edge, false), at: t0 + .seconds(31))
        #expect(stage.record(1)?.stage == .expired)
    }

    /// What a former session still says is nothing about this one: it may have been told before the command left.
    @Test func aFormerSessionsWordSettlesNothing() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        _ = stage.link(session: 2, boot: 7, at: t0 + .seconds(1))
        _ = stage.room.handle(.heard(edge, session: 1, Pulse(announced: Seq(0))), at: t0 + .seconds(30))
        #expect(stage.record(1)?.isFinal == false && stage.room.edges[edge]?.settledThrough?.nanoseconds == .min)
        _ = stage.room.handle(.heard(edge, session: 2, Pulse(announced: Seq(0))), at: t0 + .seconds(31))
        #expect(stage.record(1)?.stage == .expired)
    }

    /// A decision that the present run carries out writes off nothing of its own.
    @Test func aDecisionOfThePresentRunLosesNoneOfItsCommands() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        #expect(stage.record(1)?.command.boundBoot == Boot(raw: 7))
        stage.maker = EdgeMaker(boot: 7, after: nil, at: t0 + .seconds(5))
        stage.delivered = 0
        stage.maker.write(.lineage(EdgeMaker.lineage))
        _ = stage.deliver(at: t0 + .seconds(6))
        #expect(stage.record(1)?.isFinal == false)
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1)))
        _ = stage.deliver(at: t0 + .seconds(7))
        #expect(stage.record(1)?.stage == .accepted || stage.record(1)?.stage == .filled)
    }

    /// What the edge took on is followed further: a decision writes off only what nobody knows.
    @Test func aDecisionLosesNothingThatWasTakenOn() {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.accept(EdgeMaker.command(1))
        let tag = stage.maker.intent(command: EdgeMaker.command(1))
        _ = stage.deliver()
        _ = stage.link(session: 2, boot: 8, at: t0 + .seconds(59))
        stage.maker = EdgeMaker(boot: 8, after: stage.maker.entries.last, at: t0 + .seconds(60))
        stage.delivered = 0
        stage.maker.write(.lineage(EdgeMaker.lineage))
        _ = stage.deliver(at: t0 + .seconds(61))
        #expect(stage.record(1)?.isFinal == false)
        stage.maker.fill(tag)
        _ = stage.deliver(at: t0 + .seconds(62))
        #expect(stage.record(1)?.stage == .filled)
    }

    /// What a start's book tells of commands behind its file's entry is heard, and the rest of them is not ended by it.
    @Test func aRestoredBookTellsItsNews() {
        var stage = Stage(linked: false)
        _ = stage.ask(1, .close(instrument: mbt))
        _ = stage.ask(2, .close(instrument: mbt))
        stage.maker.refuse(EdgeMaker.command(1), code: "notCompleted")
        var book = Book(edge: edge)
        for entry in stage.maker.entries { book.apply(entry) }
        _ = stage.room.handle(.restored(edge, book, recent: stage.maker.entries, news: stage.maker.entries), at: t0)
        #expect(stage.record(1)?.stage == .refused && stage.record(2)?.isFinal == false)
    }

    /// The words of a broker, too: an order's end becomes its command's.
    @Test func aBrokersWordsWithoutEndAreCut() throws {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.accept(EdgeMaker.command(1))
        let tag = stage.maker.intent(command: EdgeMaker.command(1))
        let words = String(repeating: "e\u{301}", count: 9_000)
        stage.maker.write(.orderReport(OrderReport(tag: tag, status: .rejected, permID: 1, code: 201, text: words)))
        _ = stage.deliver()
        let record = try #require(stage.record(1))
        #expect(record.stage == .refused && record.reason?.hasPrefix("e\u{301}e\u{301}") == true)
        #expect(record.reason?.unicodeScalars.count ?? 0 <= 1_001 && JSONWriter.plain(record.value).count < 8_000)
    }

    /// The words are the edge's to choose; a row that could not be read back would be the end of the next start.
    @Test func wordsWithoutEndAreCut() throws {
        var stage = Stage()
        _ = stage.ask(1, long3)
        stage.maker.refuse(EdgeMaker.command(1), code: String(repeating: "\u{8}e\u{301}", count: 15_000))
        _ = stage.deliver()
        let record = try #require(stage.record(1))
        #expect(record.stage == .refused && record.reason?.hasPrefix("Refused: ") == true)
        #expect(JSONWriter.plain(record.value).count < 20_000)
    }

    @Test func reversalIsFilledOnlyAfterItsOpening() {
        var stage = Stage()
        _ = stage.ask(1, .order(instrument: mbt, side: .buy, size: .quantity(Quantity(whole: 3)), trailing: nil, reverse: true))
        stage.maker.accept(EdgeMaker.command(1))
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1), role: .close))
        _ = stage.deliver()
        #expect(stage.record(1)?.isFinal == false, "flat is only half of it")
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1)))
        _ = stage.deliver()
        #expect(stage.record(1)?.stage == .filled)
    }

    /// The same while the edge ends the closing part itself: with the opening filled the command is done, whatever word of the closing comes later.
    @Test func aReversalIsDoneWithItsOpeningWhateverTheClosingSays() {
        var stage = Stage()
        _ = stage.ask(1, .order(instrument: mbt, side: .buy, size: .quantity(Quantity(whole: 3)), trailing: nil, reverse: true))
        stage.maker.accept(EdgeMaker.command(1), code: "closing")
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1), role: .close))
        _ = stage.deliver()
        for seconds in 1...50 { _ = stage.room.handle(.tick, at: t0 + .seconds(Int64(seconds))) }
        #expect(stage.record(1)?.isFinal == false, "the edge has not said that the closing is done")
        stage.maker.fill(stage.maker.intent(command: EdgeMaker.command(1)))
        _ = stage.deliver(at: t0 + .seconds(51))
        #expect(stage.record(1)?.stage == .filled)
    }

    @Test func haltedEdgeTakesNoOpeningOrder() {
        var stage = Stage()
        let fact = HaltFact(level: .halt, source: "console", reason: "news")
        stage.maker.write(.halt(fact))
        _ = stage.deliver()
        #expect(stage.ask(1, long3).0 == .refused(.halted(.halt, fact)))
        guard case .queued = stage.ask(2, .close(instrument: mbt)).0 else { Issue.record("close refused"); return }
    }

    @Test func withdrawnOnlyWhenNothingWasSent() {
        var stage = Stage(linked: false)
        _ = stage.ask(1, .close(instrument: mbt))
        _ = stage.room.handle(.withdraw(EdgeMaker.command(1)), at: t0)
        #expect(stage.record(1)?.stage == .withdrawn)
        #expect(stage.link(session: 1, boot: 7).dispatches.isEmpty)
        _ = stage.ask(2, .close(instrument: mbt))
        _ = stage.room.handle(.withdraw(EdgeMaker.command(2)), at: t0)
        #expect(stage.record(2)?.stage == .dispatched)
    }

    /// The room has no clock of its own for this: it is told, and time alone changes nothing.
    @Test func presenceIsWhatTheLinkSays() {
        var stage = Stage()
        _ = stage.room.handle(.tick, at: t0 + .hours(1))
        #expect(stage.room.edges[edge]?.presence == .live && stage.room.edges[edge]?.session != nil)
        #expect(stage.hear(.silent).changes == [.edge(edge)] && stage.hear(.silent).changes.isEmpty, "told once")
        #expect(stage.room.edges[edge]?.presence == .silent)
        stage.hear(.dead)
        #expect(stage.room.edges[edge]?.presence == .dead)
        #expect(Stage(linked: false).room.edges[edge]?.presence == .never)
    }

    @Test func refusalsAreCountedAndEndWhenTheLinkIsGood() {
        var stage = Stage(linked: false)
        for second in 0..<4 {
            let refusal = LinkRefusal(
                id: "fork", edge: edge, key: nil, verdict: "FORK", words: "w", cure: "c", at: t0 + .seconds(Int64(second)))
            _ = stage.room.handle(.linkRefused(refusal), at: t0 + .seconds(Int64(second)))
        }
        #expect(stage.room.refusals.first?.times == 4 && stage.room.refusals.first?.last == t0 + .seconds(3))
        _ = stage.link(session: 1, boot: 7)
        #expect(stage.room.refusals.isEmpty)
        for number in 0..<150 {
            let refusal = LinkRefusal(
                id: "k\(number)", edge: nil, key: "aa", verdict: "UNKNOWN_KEY", words: "w", cure: "c", at: t0 + .seconds(Int64(number)))
            _ = stage.room.handle(.linkRefused(refusal), at: t0 + .seconds(Int64(number)))
        }
        #expect(stage.room.refusals.count == ControlRoom.refusalsMax && !stage.room.refusals.contains { $0.id == "k0" })
    }

    @Test func strangersNeverDriveOutAnEdgeThatNeedsAPerson() {
        var stage = Stage(linked: false)
        func note(_ id: String, _ edge: EdgeID?, _ second: Int64) {
            let at = t0 + .seconds(second)
            let refusal = LinkRefusal(id: id, edge: edge, key: nil, verdict: edge == nil ? "UNKNOWN_KEY" : "FORK", words: "w", cure: "c", at: at)
            _ = stage.room.handle(.linkRefused(refusal), at: at)
        }
        note("fork", edge, 0)
        for number in 1...300 { note("k\(number)", nil, Int64(number)) }
        #expect(stage.room.refusals.count == ControlRoom.refusalsMax && stage.room.refusals.contains { $0.id == "fork" })
        for number in 1...150 { note("fork-\(number)", edge, 300 + Int64(number)) }
        #expect(stage.room.refusals.allSatisfy { $0.edge == edge }, "an edge takes a stranger's place")
        note("late", nil, 500)
        #expect(!stage.room.refusals.contains { $0.id == "late" }, "and a stranger none of an edge's")
        #expect(stage.room.refusals.contains { $0.id == "fork-150" } && !stage.room.refusals.contains { $0.id == "fork" })
    }

    @Test func recordSurvivesItsStoredForm() throws {
        var stage = Stage()
        _ = stage.ask(1, .order(instrument: mbt, side: .sell, size: .max, trailing: .percent(Ratio(raw: 15_000)), reverse: true))
        stage.maker.refuse(EdgeMaker.command(1), code: "expired")
        _ = stage.deliver()
        let record = try #require(stage.record(1))
        #expect(try CommandRecord(record.value) == record)
    }

    /// So many commands of one edge may be open; one more is refused, the kill switch never.
    @Test func openCommandsAreBounded() {
        var stage = Stage()
        for number in 1...UInt8(Outbox.openMax) {
            guard case .queued = stage.ask(number, .watch(instrument: mbt)).0 else { Issue.record("\(number) is refused"); return }
        }
        guard case .refused(.tooManyOpen) = stage.ask(100, .watch(instrument: mbt)).0 else { Issue.record("one more is taken"); return }
        guard case .queued = stage.ask(101, .halt(reason: "now")).0 else { Issue.record("the halt is refused"); return }
    }
}
