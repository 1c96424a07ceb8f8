// The edge's end, step by step: what leaves when, and what each word of the cloud does.
import Ledger
import Sync
import Testing
import Values
import Wire

/// A sender with a ledger and a hand-turned clock.
struct Desk {
    var ledger: Samples.Ledger
    var sender: Sender
    var now = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(500))
    static let session: UInt64 = 42

    init(_ count: Int, rules: Rules = Rules()) throws {
        ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(count - 1)
        sender = Walk.sender(ledger, rules)
    }

    mutating func pass(_ span: Span) { now.wall = now.wall + span; now.monotonic = now.monotonic + span }
    mutating func say(_ input: Sender.Input) -> [Sender.Action] { sender.handle(input, at: now) }
    /// A message of the cloud in the open session.
    mutating func hear(_ message: Message, session: UInt64 = Desk.session, number: UInt64 = 1) -> [Sender.Action] {
        say(.frame(message.frame(session: session, number: number).bytes))
    }
    func head(_ count: Int) -> Head { count == 0 ? .start : ledger.entries[count - 1].head }
    func entries(_ range: ClosedRange<Int>) -> [Entry] { Array(ledger.entries[(range.lowerBound - 1)..<range.upperBound]) }
    func welcome(have: Int, attempt: Int64 = 1, credit: Credit = .standard) -> Message {
        .welcome(
            Welcome(
                attempt: attempt, have: head(have), credit: credit, incarnation: "i", release: "r",
                stamp: Stamp(sentAt: .seconds(9), wall: now.wall, echo: Echo(sentAt: now.monotonic, held: .zero))))
    }
    /// Link up, welcomed.
    mutating func open(have: Int, credit: Credit = .standard) -> [Sender.Action] {
        _ = say(.linkUp)
        return hear(welcome(have: have, credit: credit))
    }
}

/// The messages that leave, in order.
func messages(_ actions: [Sender.Action]) throws -> [Message] {
    try actions.compactMap { if case .send(_, let bytes) = $0 { try Message(Frame(bytes)) } else { nil } }
}
func batches(_ actions: [Sender.Action]) throws -> [ClosedRange<UInt64>] {
    try messages(actions).compactMap { if case .batch(let body) = $0 { try Batch(body) } else { nil } }.map {
        $0.previous.seq.raw + 1...$0.last.seq.raw
    }
}
func reads(_ actions: [Sender.Action]) -> [Seq] { actions.compactMap { if case .read(let from, _, _) = $0 { from } else { nil } } }
func has(_ actions: [Sender.Action], _ action: Sender.Action) -> Bool { actions.contains(action) }

struct SenderTests {
    @Test func aLinkThatComesUpIsGreeted() throws {
        var desk = try Desk(5)
        let said = try messages(desk.say(.linkUp))
        guard case .hello(let hello)? = said.first, said.count == 1 else { Issue.record("\(said)"); return }
        #expect(hello.head == desk.head(5) && hello.acked == .start && hello.attempt == 1 && hello.boot == desk.ledger.boot)
        #expect(
            hello.commandKinds == ["order", "close", "cancel", "halt", "watch", "withdraw", "reduceOnly", "cancelAll"]
                && desk.sender.phase == .opening)
    }

    @Test func nobodyAnswersSoItAsksAgainAndThenReopens() throws {
        var desk = try Desk(5)
        _ = desk.say(.linkUp)
        for attempt in 2...3 {
            desk.pass(.seconds(5))
            guard case .hello(let hello)? = try messages(desk.say(.tick)).first else { Issue.record("no HELLO"); return }
            #expect(hello.attempt == Int64(attempt))
        }
        desk.pass(.seconds(5))
        #expect(has(desk.say(.tick), .reopen) && desk.sender.phase == .down && desk.sender.wakeAt == nil)
    }

    @Test func aWelcomeStartsFromWhatTheCloudHas() throws {
        var desk = try Desk(10)
        let actions = desk.open(have: 4)
        #expect(has(actions, .acked(desk.head(4))) && has(actions, .phase(.open)) && reads(actions) == [Seq(5)])
        let sent = desk.say(.entries(from: Seq(5), desk.entries(5...10)))
        #expect(try batches(sent) == [5...10] && desk.sender.sent == Seq(10) && desk.sender.backlog == 6)
        let acked = desk.hear(.ack(desk.head(10)))
        #expect(has(acked, .acked(desk.head(10))) && desk.sender.isCaughtUp)
    }

    @Test func aWelcomeToAnOlderHelloOrOfAnImpossibleCloudIsNotTaken() throws {
        var desk = try Desk(5)
        _ = desk.say(.linkUp)
        #expect(desk.hear(desk.welcome(have: 2, attempt: 9)).isEmpty && desk.sender.phase == .opening)
        #expect(desk.hear(desk.welcome(have: 2), session: 0).isEmpty)
        guard case .welcome(var impossible) = desk.welcome(have: 5) else { return }
        impossible.have.seq = Seq(6)
        let said = try messages(desk.hear(.welcome(impossible)))
        guard case .error(let trouble)? = said.first, case .refused = desk.sender.phase else { Issue.record("\(said)"); return }
        #expect(trouble.code == "FORK" && trouble.ends)
    }

    @Test func freshEntriesPassThroughAtOnceAndWaitBehindABacklog() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        let fresh = try desk.ledger.grow(2)
        #expect(try batches(desk.say(.committed(fresh))) == [6...7])
        var behind = try Desk(5)
        _ = behind.open(have: 2)
        let later = try behind.ledger.grow(1)
        let actions = behind.say(.committed(later))
        #expect(try batches(actions).isEmpty && reads(actions).isEmpty, "a read is under way already")
        #expect(try batches(behind.say(.entries(from: Seq(3), behind.entries(3...6)))) == [3...6])
    }

    @Test func creditIsNeverOverdrawn() throws {
        var desk = try Desk(50)
        let actions = desk.open(have: 0, credit: Credit(entries: 20, bytes: 1 << 20))
        #expect(actions.contains(.read(from: Seq(1), entries: 20, bytes: Batch.rawBytesTarget)))
        let sent = desk.say(.entries(from: Seq(1), desk.entries(1...50)))
        #expect(try batches(sent) == [1...20] && reads(sent).isEmpty)
        #expect(reads(desk.hear(.ack(desk.head(7)))) == [], "the batch is acknowledged in part: its credit is not free yet")
        #expect(reads(desk.hear(.ack(desk.head(20)))) == [Seq(21)])
        #expect(desk.hear(.credit(Credit(entries: 5, bytes: 1 << 20))).isEmpty)
        #expect(try batches(desk.say(.entries(from: Seq(21), desk.entries(21...50)))) == [21...25])
    }

    @Test func bytesCountAsWell() throws {
        var desk = try Desk(50)
        _ = desk.open(have: 0, credit: Credit(entries: 1_000, bytes: 4_000))
        let sent = desk.say(.entries(from: Seq(1), desk.entries(1...50)))
        let bytes = try messages(sent).compactMap { if case .batch(let body) = $0 { try Batch(body).rawBytes } else { nil } }.reduce(0, +)
        #expect(bytes <= 4_000 && bytes > 3_000)
        var tiny = try Desk(5)
        _ = tiny.open(have: 0, credit: Credit(entries: 1_000, bytes: 1))
        #expect(try batches(tiny.say(.entries(from: Seq(1), tiny.entries(1...5)))) == [1...1], "one entry larger than all credit still goes")
    }

    @Test func aNackRewindsAndAnAnswerToAnOldQuestionIsDropped() throws {
        var desk = try Desk(30)
        var rules = Rules()
        rules.batchEntries = 10
        desk.sender = Walk.sender(desk.ledger, rules)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...20)))
        #expect(desk.sender.sent == Seq(20))
        // A read from 21 is under way when the cloud asks for 16 again.
        #expect(reads(desk.hear(.nack(desk.head(15)))) == [Seq(16)])
        #expect(desk.say(.entries(from: Seq(21), desk.entries(21...30))).isEmpty && desk.sender.sent == Seq(15))
        #expect(try batches(desk.say(.entries(from: Seq(16), desk.entries(16...25)))) == [16...25])
        #expect(has(desk.hear(.ack(desk.head(15))), .acked(desk.head(15))))
    }

    @Test func withoutProgressItRewindsAndAtLastReopens() throws {
        var desk = try Desk(10)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...10)))
        for _ in 0..<2 {
            var again: [Sender.Action] = []
            for _ in 0..<15 {
                desk.pass(.seconds(1))
                _ = desk.hear(.credit(.standard))
                again += desk.say(.tick)
            }
            #expect(reads(again) == [Seq(1)])
            _ = desk.say(.entries(from: Seq(1), desk.entries(1...10)))
        }
        var last: [Sender.Action] = []
        for _ in 0..<15 { desk.pass(.seconds(1)); _ = desk.hear(.credit(.standard)); last += desk.say(.tick) }
        #expect(has(last, .reopen))
    }

    @Test func aSilentCloudIsLeftAfterFifteenSeconds() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        var actions: [Sender.Action] = []
        for _ in 0..<14 { desk.pass(.seconds(1)); actions += desk.say(.tick) }
        #expect(!has(actions, .reopen))
        #expect(try messages(actions).filter { $0.type == .beat }.count == 7, "a beat every two seconds")
        desk.pass(.seconds(1))
        #expect(has(desk.say(.tick), .reopen))
    }

    @Test func acksBeyondWhatWasSentOrOfAnotherEntryEndTheSession() throws {
        var desk = try Desk(10)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...4)))
        #expect(has(desk.hear(.ack(desk.head(5))), .reopen))
        _ = desk.open(have: 0)
        var other = try Desk(10)
        _ = other.open(have: 0)
        _ = other.say(.entries(from: Seq(1), other.entries(1...4)))
        #expect(has(other.hear(.ack(Head(seq: Seq(4), hash: [UInt8](repeating: 1, count: 32)))), .reopen))
        var old = try Desk(10)
        _ = old.open(have: 5)
        #expect(!has(old.hear(.ack(old.head(3))), .acked(old.head(3))) && old.sender.acked == old.head(5))
    }

    @Test func aRefusalIsKeptShownAndAskedAgain() throws {
        var desk = try Desk(5)
        _ = desk.say(.linkUp)
        let trouble = Trouble(code: "TWIN", text: "t", cure: "c", ends: true)
        #expect(has(desk.hear(.error(trouble), session: 0, number: 1), .phase(.refused(trouble))))
        desk.pass(.seconds(29))
        #expect(desk.say(.tick).isEmpty)
        desk.pass(.seconds(1))
        #expect(try messages(desk.say(.tick)).map(\.type) == [.hello])
        #expect(desk.hear(.error(trouble), session: 0, number: 1).isEmpty, "an answer to the HELLO before")
        #expect(has(desk.hear(.error(Trouble(code: "STORE", text: "full", cure: "", ends: true)), session: 0, number: 2), .reopen))
    }

    /// Runs of one machine may be at the same address: what answers another one's HELLO opens nothing here.
    @Test func anAnswerToAnotherRunsHelloIsNotTaken() throws {
        var desk = try Desk(5)
        desk.sender = Sender(
            Identity(edge: Samples.edge, boot: desk.ledger.boot, epoch: 1, release: "t", attempts: 1 << 20), head: desk.ledger.head)
        guard case .hello(let hello)? = try messages(desk.say(.linkUp)).first else { Issue.record("no HELLO"); return }
        #expect(hello.attempt == 1 << 20 + 1)
        #expect(desk.hear(desk.welcome(have: 5, attempt: 1)).isEmpty && desk.sender.phase == .opening)
        _ = desk.hear(desk.welcome(have: 5, attempt: hello.attempt))
        #expect(desk.sender.phase == .open)
    }

    /// A word that ends a session of another run, which had the same address, answers no HELLO of this one.
    @Test func anothersSessionEndsNothingHere() throws {
        var desk = try Desk(5)
        _ = desk.say(.linkUp)
        let word = Message.error(Trouble(code: "OVERTAKEN", text: "t", cure: "c", ends: true))
        #expect(desk.hear(word, session: 41, number: 1).isEmpty && desk.sender.phase == .opening)
        #expect(has(desk.hear(word, session: 0, number: 1), .reopen))
    }

    @Test func aWarningDoesNotEndTheSession() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        #expect(desk.hear(.error(Trouble(code: "TWIN", text: "t", cure: "c", ends: false))).isEmpty && desk.sender.phase == .open)
        #expect(has(desk.hear(.bye(reason: "stopping")), .reopen))
    }

    @Test func badFramesAreNamedAndChangeNothing() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        #expect(desk.say(.frame([1, 2])) == [.malformed(.truncated(bytes: 2))])
        #expect(desk.hear(.ack(.start), session: 7).isEmpty, "another session")
        #expect(desk.say(.frame(Frame(type: .ack, session: Desk.session, number: 1, body: [0x7B]).bytes)) == [.malformed(.notJSON(.endOfText))])
        #expect(desk.sender.phase == .open)
    }

    @Test func liveStateIsConflatedAndComesWholeInANewSession() throws {
        var desk = try Desk(5)
        func front(_ symbol: String, _ id: String) -> LiveItem { .front(symbol: symbol, InstrumentID(id), asOf: Instant(seconds: 1)) }
        #expect(desk.say(.live(front("B", "old"))).isEmpty, "no link, nothing leaves")
        _ = desk.say(.live(front("A", "1")))
        _ = desk.say(.live(front("B", "2")))
        let opened = try messages(desk.open(have: 5))
        #expect(opened.contains(.state(seq: Seq(5), items: [front("A", "1"), front("B", "2")])))
        #expect(desk.say(.live(front("B", "3"))).isEmpty && desk.say(.live(front("B", "4"))).isEmpty)
        desk.pass(.milliseconds(100))
        #expect(try messages(desk.say(.tick)) == [.state(seq: Seq(5), items: [front("B", "4")])])
        _ = desk.say(.blocked(.control, true))
        desk.pass(.milliseconds(100))
        #expect(try messages(desk.say(.live(front("B", "5")))).isEmpty)
        #expect(try messages(desk.say(.blocked(.control, false))) == [.state(seq: Seq(5), items: [front("B", "5")])])
    }

    @Test func barsGoOnlyWhenNoEntryWaits() throws {
        var desk = try Desk(5)
        let bars = MarketBars(instrument: InstrumentID("I"), timeframe: .minute, bars: [], isHistory: false)
        for _ in 0..<70 { _ = desk.say(.market(bars)) }
        #expect(desk.sender.marketDropped == 6)
        #expect(try messages(desk.open(have: 4)).allSatisfy { $0.type != .market })
        #expect(try messages(desk.say(.entries(from: Seq(5), desk.entries(5...5)))).map(\.type) == [.batch, .market])
        _ = desk.say(.blocked(.bulk, true))
        #expect(desk.say(.tick).isEmpty)
        #expect(try messages(desk.say(.blocked(.bulk, false))).map(\.type) == [.market])
    }

    @Test func itBeatsBackAndSaysGoodbye() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        let challenge = Message.beat(Beat(stamp: Stamp(sentAt: .seconds(77), wall: desk.now.wall), wantsAnswer: true))
        guard case .beat(let beat)? = try messages(desk.hear(challenge)).first else { Issue.record("no beat"); return }
        #expect(beat.stamp.echo == Echo(sentAt: .seconds(77), held: .zero) && !beat.wantsAnswer && beat.head == desk.head(5))
        #expect(try messages(desk.say(.stop(reason: "r"))) == [.bye(reason: "r")] && desk.sender.phase == .stopped)
        #expect(desk.say(.linkUp).isEmpty)
    }

    @Test func hashesAreShownWhenAskedFor() throws {
        var desk = try Desk(5)
        _ = desk.say(.linkUp)
        #expect(desk.hear(.prove(attempt: 1, seqs: [Seq(2)]), session: 0) == [.readHeads(attempt: 1, [Seq(2)])])
        #expect(desk.hear(.prove(attempt: 2, seqs: [Seq(2)]), session: 0).isEmpty)
        #expect(try messages(desk.say(.heads(attempt: 1, [desk.head(2)]))) == [.proof(attempt: 1, heads: [desk.head(2)])])
    }
}
