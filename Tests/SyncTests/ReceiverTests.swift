// The cloud's end, step by step: sessions, batches, acks, twins, presence.
import Ledger
import Sync
import Testing
import Values
import Wire

/// A receiver with one enrolled edge, that edge's ledger, and a hand-turned clock.
struct Tower {
    var ledger: Samples.Ledger
    var receiver: Receiver
    var now = ClockReading(wall: Instant(seconds: 1_795_000_200), monotonic: .seconds(50))
    var peer = Peer(edge: Samples.edge, connection: 1)
    var session: UInt64 = 0

    init(_ count: Int, have: Int = 0, announced: Int? = nil, rules: Rules = Rules()) throws {
        ledger = try Samples.Ledger(seed: 4)
        try ledger.grow(count - 1)
        receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100, rules: rules)
        let memory = EdgeMemory(have: head(have), announced: head(announced ?? have))
        _ = receiver.handle(.enrolled(Samples.edge, memory), at: now)
    }

    mutating func pass(_ span: Span) { now.wall = now.wall + span; now.monotonic = now.monotonic + span }
    mutating func say(_ input: Receiver.Input) -> [Receiver.Action] { receiver.handle(input, at: now) }
    mutating func hear(_ message: Message, session: UInt64? = nil, number: UInt64 = 1, from other: Peer? = nil) -> [Receiver.Action] {
        say(.frame(message.frame(session: session ?? self.session, number: number).bytes, from: other ?? peer))
    }
    func head(_ count: Int) -> Head { count == 0 ? .start : ledger.entries[count - 1].head }
    func hello(attempt: Int64 = 1, boot: Boot? = nil, count: Int? = nil) -> Message {
        var hello = VerdictTests.hello(Array(ledger.entries.prefix(count ?? ledger.entries.count)))
        hello.boot = boot ?? ledger.boot; hello.attempt = attempt
        return .hello(hello)
    }
    func batch(_ range: ClosedRange<Int>) -> Message { .batch(Batch.encode(Array(ledger.entries[(range.lowerBound - 1)..<range.upperBound])).body) }
    /// The messages that leave.
    func sent(_ actions: [Receiver.Action]) throws -> [Message] {
        try actions.compactMap { if case .send(let bytes, _) = $0 { try Message(Frame(bytes)) } else { nil } }
    }
    @discardableResult mutating func open() throws -> [Receiver.Action] {
        var actions = hear(hello(), session: 0)
        for case .prove(let attempt, let seqs) in try sent(actions) {
            actions += hear(.proof(attempt: attempt, heads: seqs.map { head(Int($0.raw)) }), session: 0)
        }
        for case .send(let bytes, _) in actions { if let frame = try? Frame(bytes), frame.type == .welcome { session = frame.session } }
        #expect(session != 0, "no WELCOME")
        return actions
    }
    func beat(_ challenge: Message?, boot: Boot) -> Message? {
        guard case .beat(let beat)? = challenge else { return nil }
        return .beat(
            Beat(
                boot: boot, stamp: Stamp(sentAt: .seconds(1), wall: now.wall, echo: Echo(sentAt: beat.stamp.sentAt, held: .zero)), wantsAnswer: false)
        )
    }
}

struct ReceiverTests {
    @Test func aHelloThatFollowsIsWelcomed() throws {
        var tower = try Tower(10, have: 4, announced: 6)
        let first = tower.hear(tower.hello(), session: 0)
        #expect(try tower.sent(first) == [.prove(attempt: 1, seqs: [Seq(4), Seq(6)])])
        let actions = tower.hear(.proof(attempt: 1, heads: [tower.head(4), tower.head(6)]), session: 0)
        guard case .welcome(let welcome)? = try tower.sent(actions).first else { Issue.record("\(actions)"); return }
        #expect(welcome.have == tower.head(4) && welcome.attempt == 1 && welcome.credit == .standard)
        #expect(actions.contains(.announced(Samples.edge, tower.head(10))) && actions.contains(.opened(Samples.edge, tower.ledger.boot)))
        #expect(actions.contains(.presence(Samples.edge, .live)) && tower.receiver.link(Samples.edge)?.backlog == 6)
    }

    /// What a PROOF does not show is as good as another hash: one to an earlier question, with less or nothing in it, is no answer to this one.
    @Test(arguments: [false, true]) func anOldProofIsNoAnswer(isMutant: Bool) throws {
        var rules = Rules()
        rules.anyProofAnswers = isMutant
        for asked in [[Seq(4)], nil] {
            var tower = try Tower(10, have: 4, announced: 6, rules: rules)
            #expect(try tower.sent(tower.hear(tower.hello(), session: 0)) == [.prove(attempt: 1, seqs: [Seq(4), Seq(6)])])
            let told = try tower.sent(tower.hear(.proof(attempt: 1, heads: [tower.head(4)], asked: asked), session: 0))
            // The control: one that does not say what it answers is believed, and accuses the edge.
            #expect(told.isEmpty == (asked != nil && !isMutant))
            guard asked != nil, !isMutant else { continue }
            let answer = try tower.sent(tower.hear(.proof(attempt: 1, heads: [tower.head(4), tower.head(6)], asked: [Seq(4), Seq(6)]), session: 0))
            #expect(answer.contains { if case .welcome = $0 { true } else { false } })
        }
    }

    /// A HELLO from before the run's last entries, delayed until neither a session nor an opening remembers it: judged, it would be a rollback, and the
    /// run that lives would answer for it.
    @Test(arguments: [false, true]) func anOldHelloOfTheSameRunIsNoNews(isMutant: Bool) throws {
        var rules = Rules()
        rules.oldHellosAreNews = isMutant
        for isOld in [true, false] {
            var tower = try Tower(10, have: 4, announced: 4, rules: rules)
            try tower.open()
            _ = tower.receiver.handle(.gone(tower.peer), at: tower.now)
            #expect(tower.receiver.link(Samples.edge)?.boot == nil && tower.receiver.link(Samples.edge)?.announced == tower.head(10))
            let told = tower.hear(tower.hello(attempt: isOld ? 0 : 2, count: 6), session: 0)
            // The control: by a newer HELLO the same ledger is asked about what is gone.
            #expect(told.isEmpty == (isOld && !isMutant))
        }
    }

    /// Each run numbers its HELLOs from a place of its own; those of the runs that spoke last are told apart.
    @Test func numbersOfHellosAreOfTheirRun() throws {
        var tower = try Tower(10, have: 4, announced: 4)
        func isHeard(_ run: UInt64, _ attempt: Int64) -> Bool {
            let said = tower.hear(tower.hello(attempt: attempt, boot: Boot(raw: run)), session: 0)
            _ = tower.receiver.handle(.gone(tower.peer), at: tower.now)
            return !said.isEmpty
        }
        #expect(isHeard(1, 7) && isHeard(2, 3) && !isHeard(1, 7) && !isHeard(1, 6) && !isHeard(2, 3) && isHeard(2, 4) && isHeard(1, 8))
        for run in UInt64(3)...9 { #expect(isHeard(run, 1)) }
        #expect(!isHeard(1, 8) && isHeard(2, 1), "the run that spoke longest ago is forgotten")
    }

    /// The keys that countersigned before, and the next key of the link, are told to an edge that can follow them, and to no other.
    @Test func announcedSignersAreTold() throws {
        let keys = try (UInt8(0)..<3).map { try #require(SigningKeys(seed: [UInt8]($0..<$0 + 32))) }
        let changes = [CloudKeyChange(from: keys[0], to: keys[1]), CloudKeyChange(from: keys[1], to: keys[2])]
        let next = ServerKeyFact(old: [UInt8](repeating: 1, count: 32), key: [UInt8](repeating: 2, count: 32), keys: keys[2])
        for follows in [true, false] {
            var tower = try Tower(3)
            tower.receiver = Receiver(incarnation: "i", release: "r", sessionSeed: 100, keys: keys[2], changes: changes, serverKey: next)
            _ = tower.say(.enrolled(Samples.edge, EdgeMemory()))
            guard case .hello(var hello) = tower.hello() else { return }
            hello.features = follows ? [Feature.signers.rawValue] : []
            guard case .welcome(let welcome)? = try tower.sent(tower.hear(.hello(hello), session: 0)).first else {
                Issue.record("no WELCOME"); return
            }
            #expect(welcome.signers == (follows ? changes : []) && welcome.serverKey == (follows ? next : nil))
        }
    }

    /// 65,536 entries and 16 MiB for one edge; a quarter of a gibibyte for all, so that the seventeenth makes each one's share smaller.
    @Test func theCreditOfEachShrinksWithTheirNumber() throws {
        #expect(Rules().credit == Credit(entries: 65_536, bytes: 16 << 20) && Rules().creditBytesOfAll == 256 << 20)
        var tower = try Tower(3)
        let welcomed = try tower.open()
        guard case .welcome(let first)? = try tower.sent(welcomed).first(where: { if case .welcome = $0 { true } else { false } }) else {
            Issue.record("no WELCOME"); return
        }
        #expect(first.credit == .standard)
        var last = Credit.standard
        for number in 1..<300 {
            let edge = try #require(EdgeID(bytes: (0..<16).map { UInt8(truncatingIfNeeded: $0 < 8 ? number >> ($0 * 8) : 1) }))
            _ = tower.say(.enrolled(edge, EdgeMemory()))
            var hello = VerdictTests.hello([])
            hello.edge = edge; hello.boot = Boot(raw: UInt64(number)); hello.head = .start; hello.acked = .start
            let actions = tower.hear(.hello(hello), session: 0, from: Peer(edge: edge, connection: UInt64(number) + 1))
            for case .welcome(let welcome) in try tower.sent(actions) { last = welcome.credit }
            let open = number + 1
            #expect(last.entries == 65_536 && last.bytes == min(16 << 20, max(1 << 20, (256 << 20) / open)), "the \(open)th")
        }
        #expect(last.bytes == 1 << 20, "three hundred edges")
    }

    /// The attempt is echoed as an unsigned number: a negative one is malformed, not a trap.
    @Test func aHelloWithANegativeAttemptIsMalformed() throws {
        var tower = try Tower(3)
        let actions = tower.hear(tower.hello(attempt: -1), session: 0)
        #expect(!actions.contains { if case .opened = $0 { true } else { false } })
        try tower.open()
    }

    /// Two bytes each in the HELLO, six each in the answer that tells them: cut before they are told, and no end of the cloud.
    @Test func aHelloOfLongWordsIsAnswered() throws {
        var tower = try Tower(3)
        guard case .hello(var hello) = tower.hello() else { return }
        hello.release = "RELEASE"; hello.protocolMin = 9; hello.protocolMax = 9
        var frame = Message.hello(hello).frame(session: 0, number: 1)
        let place = try #require(frame.body.indices.first { frame.body[$0...].starts(with: Array("RELEASE".utf8)) })
        frame.body.replaceSubrange(place..<place + 7, with: Array(repeating: Array("\\b".utf8), count: 180_000).joined())
        let actions = tower.say(.frame(frame.bytes, from: tower.peer))
        guard case .error(let trouble)? = try tower.sent(actions).first else { Issue.record("\(actions)"); return }
        #expect(trouble.code == "VERSION" && trouble.text.utf8.count < 200)
    }

    /// Frames of the edge were lost before they came here: it is told, and the next HELLO opens anew.
    @Test func aDroppedSessionIsToldAndOpensAgain() throws {
        var tower = try Tower(3)
        try tower.open()
        let messages = try tower.sent(tower.say(.drop(Samples.edge, .flooded)))
        guard case .error(let trouble)? = messages.last else { Issue.record("\(messages)"); return }
        #expect(trouble.code == "FLOODED" && trouble.ends)
        #expect(tower.say(.drop(Samples.edge, .flooded)).isEmpty)
        try tower.open()
    }

    @Test func nothingIsAcknowledgedBeforeItIsDurable() throws {
        var tower = try Tower(10)
        try tower.open()
        let actions = tower.hear(tower.batch(1...6))
        #expect(try tower.sent(actions).isEmpty && actions == [.commit(Samples.edge, Array(tower.ledger.entries.prefix(6)))])
        _ = tower.hear(tower.batch(7...10))
        #expect(try tower.sent(tower.say(.committed(Samples.edge, tower.head(6)))) == [.ack(tower.head(6))])
        #expect(try tower.sent(tower.say(.committed(Samples.edge, tower.head(10)))) == [.ack(tower.head(10))])
        #expect(tower.say(.committed(Samples.edge, tower.head(10))).isEmpty)
    }

    @Test func gapsOverlapsAndDuplicates() throws {
        var tower = try Tower(12)
        try tower.open()
        _ = tower.hear(tower.batch(1...3))
        #expect(try tower.sent(tower.hear(tower.batch(6...8))) == [.nack(tower.head(3))])
        #expect(tower.hear(tower.batch(9...10)).isEmpty, "asked once a second for one place")
        tower.pass(.seconds(1))
        #expect(try tower.sent(tower.hear(tower.batch(9...10))) == [.nack(tower.head(3))])
        #expect(tower.hear(tower.batch(2...5)) == [.commit(Samples.edge, Array(tower.ledger.entries[3..<5]))])
        #expect(tower.hear(tower.batch(1...4)) == [.compare(Samples.edge, tower.head(4))])
        _ = tower.say(.committed(Samples.edge, tower.head(5)))
        #expect(try tower.sent(tower.say(.compared(Samples.edge, tower.head(4), isEqual: true))) == [.ack(tower.head(5))])
        #expect(try tower.sent(tower.hear(tower.batch(4...5))) == [.ack(tower.head(5))], "ends where the chain ends: known without the store")
    }

    @Test func anotherHistoryInsideASessionIsAFork() throws {
        for overlap in [true, false] {
            var tower = try Tower(10, have: 5)
            try tower.open()
            var other = try Samples.Ledger(seed: 4)
            try other.grow(2); try other.restart(); try other.grow(8)
            let entries = other.entries[(overlap ? 3 : 5)..<9]
            let actions = tower.hear(.batch(Batch.encode(Array(entries)).body))
            #expect(actions.contains { if case .refused(let refusal) = $0 { refusal.verdict == .fork } else { false } })
            #expect(tower.receiver.link(Samples.edge)?.presence == .dead)
            if case .error(let trouble)? = try tower.sent(actions).first {
                #expect(trouble.code == "FORK" && trouble.ends)
            } else {
                Issue.record("no ERR")
            }
        }
        var tower = try Tower(10, have: 5)
        try tower.open()
        #expect(tower.say(.compared(Samples.edge, tower.head(3), isEqual: false)).contains { if case .refused = $0 { true } else { false } })
    }

    @Test func aDamagedBatchEndsTheSessionAndCommitsNothing() throws {
        var tower = try Tower(10)
        try tower.open()
        let actions = tower.hear(.batch([1, 2, 3]))
        #expect(actions.contains(.malformed(Samples.edge, .batch(.truncated))))
        #expect(!actions.contains { if case .commit = $0 { true } else { false } } && tower.receiver.link(Samples.edge)?.boot == nil)
        tower.session = 0
        _ = tower.hear(tower.hello(attempt: 2), session: 0)
        #expect(tower.receiver.link(Samples.edge)?.boot == tower.ledger.boot)
    }

    @Test func aFailedCommitIsForgottenAndComesAgain() throws {
        var tower = try Tower(10)
        try tower.open()
        _ = tower.hear(tower.batch(1...6))
        guard case .error(let trouble)? = try tower.sent(tower.say(.commitFailed(Samples.edge, reason: "disk full"))).first else {
            Issue.record("no ERR")
            return
        }
        #expect(trouble.code == "STORE" && trouble.ends)
        guard case .welcome(let welcome)? = try tower.sent(tower.hear(tower.hello(attempt: 2), session: 0)).first else {
            Issue.record("no WELCOME"); return
        }
        #expect(welcome.have == .start)
    }

    @Test func aReconnectWaitsForCommitsUnderWay() throws {
        var tower = try Tower(10)
        try tower.open()
        _ = tower.hear(tower.batch(1...6))
        #expect(try tower.sent(tower.hear(tower.hello(attempt: 2), session: 0)).isEmpty)
        let actions = tower.say(.committed(Samples.edge, tower.head(6)))
        #expect(try tower.sent(actions) == [.prove(attempt: 2, seqs: [Seq(6)])], "the announced head is the edge's head")
    }

    @Test func oldCopiesOfAHelloAreDropped() throws {
        var tower = try Tower(10)
        _ = tower.hear(tower.hello(attempt: 3), session: 0)
        #expect(tower.hear(tower.hello(attempt: 3), session: 0).isEmpty && tower.hear(tower.hello(attempt: 2, count: 4), session: 0).isEmpty)
        #expect(try tower.sent(tower.hear(tower.hello(attempt: 4), session: 0)).map(\.type) == [.welcome])
    }

    @Test func nobodyIsAccusedBeforeHeAnswers() throws {
        // Nothing was stored, so that no PROVE has to be answered: the accusation rests on the announced head alone.
        for sincere in [true, false] {
            var tower = try Tower(10, have: 0, announced: 8)
            let asked = try tower.sent(tower.hear(tower.hello(count: 6), session: 0))
            #expect(asked.map(\.type) == [.beat])
            tower.pass(.milliseconds(50))
            let answer = try #require(tower.beat(asked.first, boot: tower.ledger.boot))
            let actions = sincere ? tower.hear(answer, session: 0) : tower.hear(tower.hello(boot: Boot(raw: 99)), session: 0)
            #expect(actions.contains { if case .refused(let refusal) = $0 { refusal.verdict == .rollbackUnsynced } else { false } } == sincere)
            if sincere, case .error(let trouble)? = try tower.sent(actions).first { #expect(trouble.code == "ROLLBACK_UNSYNCED") }
        }
        var rules = Rules()
        rules.refuseWithoutSignOfLife = true
        var hasty = try Tower(10, have: 0, announced: 8, rules: rules)
        #expect(
            hasty.hear(hasty.hello(count: 6), session: 0).contains { if case .refused = $0 { true } else { false } }, "the mutant accuses the dead")
    }

    @Test func anEdgeBehindIsComparedWithTheStore() throws {
        for isEqual in [true, false] {
            var tower = try Tower(10, have: 8)
            #expect(tower.hear(tower.hello(count: 5), session: 0) == [.lookUp(Samples.edge, [Seq(5)])])
            let other = Head(seq: Seq(5), hash: [UInt8](repeating: 1, count: 32))
            var actions = tower.say(.lookedUp(Samples.edge, [Seq(5)], [isEqual ? tower.head(5) : other]))
            var verdicts: [RefusalCase] = []
            for _ in 0..<10 {
                verdicts += actions.compactMap { if case .refused(let refusal) = $0 { refusal.verdict } else { nil } }
                guard verdicts.isEmpty, let next = actions.last else { break }
                switch next {
                case .lookUp(let edge, let seqs): actions = tower.say(.lookedUp(edge, seqs, []))
                case .send(let bytes, _):
                    switch try Message(Frame(bytes)) {
                    case .prove(let attempt, let seqs):
                        actions = tower.hear(.proof(attempt: attempt, heads: seqs.map { tower.head(Int($0.raw)) }), session: 0)
                    case let message: actions = tower.hear(try #require(tower.beat(message, boot: tower.ledger.boot)), session: 0)
                    }
                default: Issue.record("\(next)")
                }
            }
            #expect(verdicts == [isEqual ? .edgeBehind : .fork])
        }
    }

    @Test func aKeyOfAnotherEdgeIsRefused() throws {
        var tower = try Tower(5)
        let other = try #require(EdgeID(bytes: [UInt8](repeating: 9, count: 16)))
        _ = tower.say(.enrolled(other, EdgeMemory()))
        let actions = tower.hear(tower.hello(), session: 0, from: Peer(edge: other, connection: 3))
        #expect(actions.contains { if case .refused(let refusal) = $0 { refusal.verdict == .identity && refusal.edge == other } else { false } })
        let stranger = try #require(EdgeID(bytes: [UInt8](repeating: 8, count: 16)))
        #expect(tower.hear(tower.hello(), session: 0, from: Peer(edge: stranger, connection: 4)).isEmpty)
    }

    @Test func twoLivingRunsAreTwins() throws {
        var tower = try Tower(10)
        try tower.open()
        let newcomer = Peer(edge: Samples.edge, connection: 2)
        let asked = try tower.sent(tower.hear(tower.hello(boot: Boot(raw: 5)), session: 0, from: newcomer))
        #expect(asked.map(\.type) == [.beat, .beat])
        tower.pass(.milliseconds(30))
        #expect(try tower.sent(tower.hear(try #require(tower.beat(asked.first, boot: tower.ledger.boot)))).isEmpty)
        let actions = tower.hear(try #require(tower.beat(asked.last, boot: Boot(raw: 5))), session: 0, from: newcomer)
        #expect(actions.contains { if case .refused(let refusal) = $0 { refusal.verdict == .twin } else { false } })
        let words = try tower.sent(actions).compactMap { if case .error(let trouble) = $0 { trouble } else { nil } }
        #expect(words.map(\.code) == ["TWIN", "TWIN"] && words.map(\.ends) == [true, false], "both are told, the old one goes on")
        #expect(tower.receiver.link(Samples.edge)?.boot == tower.ledger.boot)
        var rules = Rules()
        rules.noTwinCheck = true
        var careless = try Tower(10, rules: rules)
        try careless.open()
        _ = careless.hear(careless.hello(boot: Boot(raw: 5)), session: 0, from: newcomer)
        #expect(careless.receiver.link(Samples.edge)?.boot == Boot(raw: 5), "the mutant lets the twin take over unseen")
    }

    /// A copy knocks every half minute, and one that crashes has another name each time: the run with the session hears of each once, and of no more
    /// than so many; the page counts them all.
    @Test func aKnockIsToldOnceForEachRunAndNotWithoutEnd() throws {
        var tower = try Tower(10)
        try tower.open()
        var told: [UInt64: Int] = [:], refused = 0
        func knock(_ boot: UInt64, _ attempt: Int64) throws {
            let newcomer = Peer(edge: Samples.edge, connection: 1_000 + boot)
            let asked = try tower.sent(tower.hear(tower.hello(attempt: attempt, boot: Boot(raw: boot)), session: 0, from: newcomer))
            _ = tower.hear(try #require(tower.beat(asked.first, boot: tower.ledger.boot)))
            for action in tower.hear(try #require(tower.beat(asked.last, boot: Boot(raw: boot))), session: 0, from: newcomer) {
                if case .refused(let refusal) = action, refusal.verdict == .twin { refused += 1 }
                if case .send(let bytes, tower.peer) = action, case .error = try Message(Frame(bytes)) { told[boot, default: 0] += 1 }
            }
        }
        for attempt in 1...5 as ClosedRange<Int64> { try knock(500, attempt) }
        #expect(told == [500: 1] && refused == 5)
        for boot in 501...560 as ClosedRange<UInt64> { try knock(boot, 1) }
        #expect(told.count == 16 && told.values.allSatisfy { $0 == 1 } && refused == 65)
        #expect(tower.receiver.link(Samples.edge)?.boot == tower.ledger.boot)
    }

    @Test func aDeadRunGivesWayAfterTwoSecondsAndADeadNewcomerIsForgotten() throws {
        for isNewcomerAlive in [true, false] {
            var tower = try Tower(10)
            try tower.open()
            let newcomer = Peer(edge: Samples.edge, connection: 2)
            let asked = try tower.sent(tower.hear(tower.hello(boot: Boot(raw: 5)), session: 0, from: newcomer))
            tower.pass(.milliseconds(30))
            if isNewcomerAlive { _ = tower.hear(try #require(tower.beat(asked.last, boot: Boot(raw: 5))), session: 0, from: newcomer) }
            // One that has not answered may have a slow line: it is forgotten when its next HELLO is due.
            let patience = Span.seconds(isNewcomerAlive ? 2 : 5)
            #expect(tower.receiver.wakeAt.map { $0 <= tower.now.monotonic + patience } == true)
            tower.pass(patience)
            let actions = tower.say(.tick)
            #expect(!actions.contains { if case .refused = $0 { true } else { false } })
            #expect(tower.receiver.link(Samples.edge)?.boot == (isNewcomerAlive ? Boot(raw: 5) : tower.ledger.boot))
        }
    }

    /// A run that only was slow is not left to believe in its session: it hears, asks anew, and both are found out.
    @Test func aRunThatWasOvertakenIsTold() throws {
        var tower = try Tower(10)
        try tower.open()
        let newcomer = Peer(edge: Samples.edge, connection: 2)
        let asked = try tower.sent(tower.hear(tower.hello(boot: Boot(raw: 5)), session: 0, from: newcomer))
        _ = tower.hear(try #require(tower.beat(asked.last, boot: Boot(raw: 5))), session: 0, from: newcomer)
        tower.pass(.seconds(2))
        let word = try #require(
            tower.say(.tick).lazy.compactMap { if case .send(let bytes, let peer) = $0, peer == tower.peer { try? Frame(bytes) } else { nil } }.first)
        guard case .error(let trouble) = try Message(word) else { Issue.record("\(word)"); return }
        #expect(word.session == tower.session && trouble.code == "OVERTAKEN" && trouble.ends && !trouble.haltsTrading)
        // The next HELLO of the one that lives meets the other: now both are alive.
        let again = try tower.sent(tower.hear(tower.hello(attempt: 2), session: 0))
        #expect(again.map(\.type) == [.beat, .beat])
    }

    @Test func presenceFollowsSilence() throws {
        var tower = try Tower(5)
        try tower.open()
        tower.pass(.seconds(6))
        #expect(tower.say(.tick) == [.presence(Samples.edge, .silent)])
        _ = tower.hear(
            .beat(Beat(boot: tower.ledger.boot, head: tower.head(5), stamp: Stamp(sentAt: .zero, wall: tower.now.wall), wantsAnswer: true)))
        #expect(tower.receiver.link(Samples.edge)?.presence == .live && tower.receiver.link(Samples.edge)?.heard == tower.now)
        tower.pass(.seconds(15))
        let actions = tower.say(.tick)
        #expect(actions.contains(.presence(Samples.edge, .dead)) && actions.contains { if case .closed = $0 { true } else { false } })
        #expect(tower.receiver.wakeAt == nil)
    }

    /// The age of the last word is counted by the boot clock: a wall clock that was set makes nobody older or younger.
    @Test(arguments: [-3_600, -2, 0, 2, 3_600]) func theAgeOfTheLastWordIsTheTimeThatPassed(_ jump: Int64) throws {
        var tower = try Tower(5)
        try tower.open()
        tower.pass(.seconds(4))
        tower.now.wall = tower.now.wall + .seconds(jump)
        let heard = try #require(tower.receiver.link(Samples.edge)?.lastHeard(at: tower.now))
        #expect(tower.now.wall - heard == .seconds(4))
        #expect(tower.say(.tick).isEmpty, "still live")
        tower.pass(.seconds(2))
        #expect(tower.say(.tick) == [.presence(Samples.edge, .silent)])
    }

    @Test func beatsTellHeadsAndClocks() throws {
        var tower = try Tower(5)
        try tower.open()
        let more = try tower.ledger.grow(1)
        let beat = Beat(
            boot: tower.ledger.boot, head: more[0].head, roundTrip: .milliseconds(45), stamp: Stamp(sentAt: .seconds(1), wall: tower.now.wall),
            wantsAnswer: true)
        let actions = tower.hear(.beat(beat))
        #expect(actions.contains(.announced(Samples.edge, more[0].head)) && tower.receiver.link(Samples.edge)?.roundTrip == .milliseconds(45))
        guard case .beat(let answer)? = try tower.sent(actions).first else { Issue.record("no answer"); return }
        #expect(answer.stamp.echo == Echo(sentAt: .seconds(1), held: .zero))
        tower.pass(.milliseconds(40))
        let echo = Stamp(sentAt: .seconds(2), wall: tower.now.wall + .seconds(3), echo: Echo(sentAt: answer.stamp.sentAt, held: .zero))
        _ = tower.hear(.beat(Beat(boot: tower.ledger.boot, stamp: echo, wantsAnswer: false)))
        #expect(tower.receiver.link(Samples.edge)?.clockOffset == .milliseconds(3_020))
    }

    @Test func olderStateIsNotShownAsThePresent() throws {
        var tower = try Tower(5)
        try tower.open()
        let items: [LiveItem] = [.front(symbol: "S", InstrumentID("I"), asOf: Instant(seconds: 1))]
        #expect(tower.hear(.state(seq: Seq(1), items: items), number: 5) == [.live(Samples.edge, items)])
        #expect(tower.hear(.state(seq: Seq(1), items: items), number: 4).isEmpty)
        let bars = MarketBars(instrument: InstrumentID("I"), timeframe: .minute, bars: [], isHistory: true)
        #expect(tower.hear(.market(bars), number: 2) == [.market(Samples.edge, bars)])
    }

    @Test func creditShrinksWithTheNumberOfEdges() throws {
        var rules = Rules()
        rules.creditBytesOfAll = 4 << 20
        rules.credit.bytes = 4 << 20
        var tower = try Tower(5, rules: rules)
        try tower.open()
        let other = try #require(EdgeID(bytes: [UInt8](repeating: 9, count: 16)))
        _ = tower.say(.enrolled(other, EdgeMemory()))
        var hello = VerdictTests.hello([])
        hello.edge = other
        let actions = tower.hear(.hello(hello), session: 0, from: Peer(edge: other, connection: 2))
        let credits = try tower.sent(actions).compactMap { if case .credit(let credit) = $0 { credit.bytes } else { nil } }
        #expect(credits == [2 << 20])
        let back = try tower.sent(tower.say(.gone(Peer(edge: other, connection: 2))))
        #expect(back == [.credit(Credit(entries: rules.credit.entries, bytes: 4 << 20))])
    }

    @Test func overdrawnCreditEndsTheSession() throws {
        var rules = Rules()
        rules.credit = Credit(entries: 4, bytes: 1 << 20)
        var tower = try Tower(12, rules: rules)
        try tower.open()
        _ = tower.hear(tower.batch(1...4))
        _ = tower.hear(tower.batch(5...8))
        #expect(
            try tower.sent(tower.hear(tower.batch(9...12))).contains { if case .error(let trouble) = $0 { trouble.code == "CREDIT" } else { false } })
    }

    @Test func revokedAndStopped() throws {
        var tower = try Tower(5)
        try tower.open()
        #expect(try tower.sent(tower.say(.stop(reason: "update"))) == [.bye(reason: "update")])
        try tower.open2()
        let last = tower.say(.revoked(Samples.edge))
        #expect(last.contains { if case .closed = $0 { true } else { false } })
        // Silence would look like a broken network to whoever stands at the edge.
        #expect(try tower.sent(last).contains { if case .error(let trouble) = $0 { trouble.code == "REVOKED" && trouble.ends } else { false } })
        #expect(
            tower.hear(tower.hello(attempt: 9), session: 0).isEmpty && tower.receiver.link(Samples.edge) == nil && tower.receiver.enrolled.isEmpty)
    }
}

extension Tower {
    /// Opens once more, as the next attempt.
    mutating func open2() throws {
        let actions = hear(hello(attempt: 2), session: 0)
        for case .send(let bytes, _) in actions { if let frame = try? Frame(bytes), frame.type == .welcome { session = frame.session } }
    }
}
