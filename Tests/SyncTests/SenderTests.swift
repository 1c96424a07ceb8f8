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

    /// The cloud concludes from a told head that what it knows nothing of did not happen.
    @Test func noBeatTellsAHeadWhileSomethingIsUnwritten() throws {
        func told(_ actions: [Sender.Action]) throws -> [Head?] {
            try messages(actions).compactMap { if case .beat(let beat) = $0 { .some(beat.head) } else { nil } }
        }
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        _ = desk.say(.holdsBack(true))
        desk.pass(.seconds(2))
        #expect(try told(desk.say(.tick)) == [nil])
        #expect(try told(desk.hear(.beat(Beat(stamp: Stamp(sentAt: .seconds(9), wall: desk.now.wall), wantsAnswer: true)))) == [nil])
        _ = desk.say(.linkDown)
        #expect(try told(desk.open(have: 5)) == [], "the attempt is another")
        #expect(try told(desk.hear(desk.welcome(have: 5, attempt: 2))) == [nil], "nor does the next session's first")
        _ = desk.say(.holdsBack(false))
        desk.pass(.seconds(2))
        #expect(try told(desk.say(.tick)) == [desk.head(5)])
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
        // A little is left, and no entry fits in: nothing is read until something is acknowledged, or more is granted.
        #expect(reads(sent).isEmpty && reads(desk.say(.tick)).isEmpty)
        _ = try desk.ledger.grow(1)
        #expect(reads(desk.say(.committed(Array(desk.ledger.entries.suffix(1))))).isEmpty)
        let (last, next) = (desk.sender.sent, desk.sender.sent.next)
        #expect(reads(desk.hear(.credit(Credit(entries: 1_000, bytes: 4_001)))) == [next])
        #expect(try batches(desk.say(.entries(from: next, desk.entries(Int(next.raw)...50)))).isEmpty && desk.sender.sent == last)
        #expect(reads(desk.hear(.ack(desk.head(Int(last.raw))))) == [next])
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

    /// Fifteen seconds, in which the cloud lives and acknowledges nothing.
    private func stall(_ desk: inout Desk) -> [Sender.Action] {
        (0..<15).flatMap { _ in
            desk.pass(.seconds(1))
            return desk.hear(.credit(.standard)) + desk.say(.tick)
        }
    }

    /// What was sent may be on its way: the last entry alone asks for it, and only an answer brings the rest once more.
    @Test func withoutProgressItAsksAndAtLastReopens() throws {
        var desk = try Desk(10)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...10)))
        for _ in 0..<2 {
            #expect(reads(stall(&desk)) == [Seq(10)])
            let asked = desk.say(.entries(from: Seq(10), desk.entries(10...10)))
            #expect(try batches(asked) == [10...10] && reads(asked).isEmpty && desk.sender.sent == Seq(10))
        }
        var (lost, late) = (desk, desk)
        #expect(has(stall(&desk), .reopen))
        // The batch was lost after all.
        #expect(reads(lost.hear(.nack(lost.head(0)))) == [Seq(1)])
        #expect(try batches(lost.say(.entries(from: Seq(1), lost.entries(1...10)))) == [1...10])
        // It only took long.
        #expect(has(late.hear(.ack(late.head(10))), .acked(late.head(10))) && late.sender.isCaughtUp)
    }

    /// While frames wait for the lane nothing can have arrived.
    @Test func aFullLaneIsNotAskedWhereItStands() throws {
        var desk = try Desk(10)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...10)))
        _ = desk.say(.blocked(.bulk, true))
        #expect(reads(stall(&desk) + stall(&desk)).isEmpty && has(stall(&desk), .reopen))
    }

    /// A new session on the old connection: what the lane holds of the former one goes first. On a new connection the lanes are empty.
    @Test func aFullLaneIsFullInTheNextSessionToo() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 0)
        _ = desk.say(.blocked(.bulk, true))
        _ = desk.hear(.error(Trouble(code: "STORE", text: "t", cure: "c", ends: true)))
        desk.pass(.seconds(5))
        _ = desk.say(.tick)
        #expect(reads(desk.hear(desk.welcome(have: 0, attempt: 2))).isEmpty && desk.sender.phase == .open)
        #expect(reads(desk.say(.blocked(.bulk, false))) == [Seq(1)])
        _ = desk.say(.blocked(.bulk, true))
        _ = desk.say(.linkDown)
        _ = desk.say(.linkUp)
        #expect(reads(desk.hear(desk.welcome(have: 0, attempt: 3))) == [Seq(1)])
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
        #expect(has(desk.hear(.error(Trouble(code: "OVERTAKEN", text: "t", cure: "", ends: true)), session: 0, number: 2), .reopen))
    }

    /// A full disk is full a moment later too: the next session waits, as it does after a word that only a newer cloud knows.
    @Test(arguments: [("STORE", Int64(5)), ("SHELVED", 30)]) func aCloudThatTakesNothingIsNotAskedAtOnce(code: String, pause: Int64) throws {
        var desk = try Desk(5)
        _ = desk.open(have: 0)
        _ = desk.say(.entries(from: Seq(1), desk.entries(1...5)))
        let trouble = Trouble(code: code, text: "full", cure: "Make room.", ends: true)
        #expect(desk.hear(.error(trouble)) == [.phase(.refused(trouble))] && !trouble.haltsTrading)
        desk.pass(.seconds(pause - 1))
        #expect(desk.say(.tick).isEmpty)
        desk.pass(.seconds(1))
        #expect(try messages(desk.say(.tick)).map(\.type) == [.hello])
        let again = desk.hear(desk.welcome(have: 0, attempt: 2))
        #expect(reads(again) == [Seq(1)] && desk.sender.phase == .open, "everything comes again")
    }

    /// These ended with their session.
    @Test(arguments: ["BATCH", "CREDIT", "PROTOCOL", "FLOODED", "OVERTAKEN"]) func whatEndedWithTheSessionIsTriedAgainAtOnce(code: String) throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        #expect(has(desk.hear(.error(Trouble(code: code, text: "t", cure: "c", ends: true))), .reopen) && desk.sender.phase == .down)
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

    /// The run that has the session hears of a copy, for a person to know, in words of a bounded length; of nothing else that ends nothing.
    @Test func aWarningDoesNotEndTheSession() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        let long = String(repeating: "t", count: 5_000)
        let told = desk.hear(.error(Trouble(code: "TWIN", text: long, cure: "c", ends: false)))
        guard case .copied(let words)? = told.first, told.count == 1 else { Issue.record("\(told)"); return }
        #expect(long.hasPrefix(words.prefix(200)) && words.utf8.count <= 310 && desk.sender.phase == .open)
        #expect(desk.hear(.error(Trouble(code: "SOMETHING", text: "t", cure: "c", ends: false))).isEmpty && desk.sender.phase == .open)
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

    /// A session's start shows everything at once: what a broker says at length goes in as many frames as it needs.
    @Test func longWordsOfABrokerGoInSeveralFrames() throws {
        var desk = try Desk(5)
        let words = String(repeating: "w", count: 4_096)
        for code in Int64(100)..<300 {
            _ = desk.say(.live(.notice(Notice(code: code, instrument: nil, text: words, cure: words, asOf: Instant(seconds: 1)))))
        }
        var said = try messages(desk.open(have: 5))
        for _ in 0..<4 {
            desk.pass(.milliseconds(100))
            said += try messages(desk.say(.tick))
        }
        let frames = said.compactMap { if case .state(_, let items) = $0 { items } else { nil } }
        let whole = frames.joined().allSatisfy { if case .notice(let notice) = $0 { notice.text == words && notice.cure == words } else { false } }
        #expect(frames.map(\.count) == [63, 63, 63, 11] && whole, "\(frames.map(\.count))")
    }

    @Test func barsGoOnlyWhenNoEntryWaits() throws {
        var desk = try Desk(5)
        let bars = MarketBars(instrument: InstrumentID("I"), timeframe: .minute, bars: [], isHistory: false)
        for _ in 0..<(Sender.marketMax + 6) { _ = desk.say(.market(bars)) }
        #expect(desk.sender.marketDropped == 6)
        #expect(try messages(desk.open(have: 4)).allSatisfy { $0.type != .market })
        #expect(try messages(desk.say(.entries(from: Seq(5), desk.entries(5...5)))).map(\.type) == [.batch, .market])
        _ = desk.say(.blocked(.bulk, true))
        #expect(desk.say(.tick).isEmpty)
        #expect(try messages(desk.say(.blocked(.bulk, false))).map(\.type) == [.market])
    }

    /// More than one frame's worth of live state goes in several, a pause apart.
    @Test func aFrameOfLiveStateIsBounded() throws {
        var desk = try Desk(5)
        for number in 0..<(Sender.stateItemsMax + 40) {
            _ = desk.say(.live(.front(symbol: "S\(number)", InstrumentID("I"), asOf: Instant(seconds: 1))))
        }
        func counts(_ actions: [Sender.Action]) throws -> [Int] {
            try messages(actions).compactMap { if case .state(_, let items) = $0 { items.count } else { nil } }
        }
        #expect(try counts(desk.open(have: 5)) == [Sender.stateItemsMax])
        desk.pass(.milliseconds(100))
        #expect(try counts(desk.say(.tick)) == [40])
    }

    /// The link remembers so many commands; an older one is handed on again, and the ledger knows it.
    @Test func theMemoryOfCommandsIsBounded() throws {
        var desk = try Desk(5)
        _ = desk.open(have: 5)
        func order(_ number: Int) throws -> Message {
            let bytes = [UInt8(number >> 8), UInt8(number & 0xFF)] + [UInt8](repeating: 1, count: 14)
            let command = Command(
                id: try #require(CommandID(bytes: bytes)), edge: Samples.edge, boundBoot: desk.ledger.boot, issuer: "cloud:admin", tier: 0,
                issuedAt: Instant(seconds: 1), expiresAt: nil, body: .halt(reason: "r"))
            return .command(CommandOrder(command: command, remaining: nil, sentAt: .seconds(9)))
        }
        func isDelivered(_ number: Int) throws -> Bool {
            desk.hear(try order(number)).contains { if case .deliver = $0 { true } else { false } }
        }
        let last = Sender.deliveredMax
        #expect(try (0..<last).allSatisfy { try isDelivered($0) })
        #expect(try [0, last - 1, last].map { try isDelivered($0) } == [false, false, true])
        #expect(try [0, 2].map { try isDelivered($0) } == [true, false], "the oldest was forgotten")
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
        #expect(
            try messages(desk.say(.heads(attempt: 1, asked: [Seq(2)], [desk.head(2)]))) == [
                .proof(attempt: 1, heads: [desk.head(2)], asked: [Seq(2)])
            ])
    }
}
