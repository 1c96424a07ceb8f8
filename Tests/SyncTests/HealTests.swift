// A ledger that was set back takes back what it lost: both ends step by step, then the two together.
import Ledger
import Sync
import Testing
import Values
import Wire

struct HealTests {
    /// A desk whose ledger is the first `count` entries of a longer one, before its run has written anything.
    static func setBack(_ count: Int, of total: Int, rules: Rules = Rules()) throws -> (desk: Desk, all: [Entry]) {
        var whole = try Samples.Ledger(seed: 4)
        try whole.grow(total - 1)
        let all = whole.entries
        try whole.cut(to: count)
        var desk = try Desk(1, rules: rules)
        desk.ledger = whole
        desk.sender = Sender(
            Identity(edge: Samples.edge, boot: Boot(raw: 77), epoch: 1, release: "test", mayHeal: true), head: whole.entries.last?.head ?? .start,
            rules: rules)
        return (desk, all)
    }

    static func piece(_ all: [Entry], _ range: ClosedRange<Int>) -> Message {
        .heal(Batch.encode(Array(all[(range.lowerBound - 1)..<range.upperBound])).body)
    }
    static func healed(_ actions: [Sender.Action]) -> [Entry] {
        actions.flatMap { action -> [Entry] in if case .heal(let entries) = action { entries } else { [] } }
    }

    @Test func anEdgeBehindFetchesVerifiesAndAsksAgain() throws {
        var (desk, all) = try Self.setBack(4, of: 12)
        guard case .hello(let hello)? = try messages(desk.say(.linkUp)).first else { Issue.record("no HELLO"); return }
        #expect(hello.head == all[3].head && hello.features == [Feature.heal, .settle, .audit, .countersign, .linkKey, .signers].map(\.rawValue))
        let asked = desk.hear(.behind(attempt: 1, have: all[11].head), session: 0)
        #expect(try messages(asked) == [.fetch(attempt: 1, after: all[3].head, upTo: Seq(12))] && desk.sender.phase == .healing(upTo: Seq(12)))
        let first = Self.healed(desk.hear(Self.piece(all, 5...9), session: 0))
        #expect(first == Array(all[4..<9]), "identical bytes, hashes included")
        #expect(desk.hear(Self.piece(all, 5...9), session: 0).isEmpty, "one piece at a time")
        #expect(try messages(desk.say(.healed(first))) == [.fetch(attempt: 1, after: all[8].head, upTo: Seq(12))])
        #expect(desk.hear(Self.piece(all, 5...9), session: 0).isEmpty, "a late copy of an earlier piece")
        let second = Self.healed(desk.hear(Self.piece(all, 10...12), session: 0))
        guard case .hello(let again)? = try messages(desk.say(.healed(second))).first else { Issue.record("no HELLO"); return }
        #expect(again.head == all[11].head && again.attempt == 2 && desk.sender.phase == .opening)
    }

    /// What does not continue the chain, or does not meet the hash that was named, is never handed to the journal.
    @Test func nothingDamagedComesBack() throws {
        for change in 0..<3 {
            var (desk, all) = try Self.setBack(4, of: 12)
            _ = desk.say(.linkUp)
            _ = desk.hear(.behind(attempt: 1, have: all[11].head), session: 0)
            var other = try Samples.Ledger(seed: 4)
            try other.grow(3); try other.restart(); try other.grow(12)
            let bad: Message =
                switch change {
                case 0: .heal([1, 2, 3])
                // Follows what is here, and goes beyond what the cloud said that it has; then, ends there with another entry.
                case 1: .heal(Batch.encode(Array(other.entries[4..<13])).body)
                default: .heal(Batch.encode(Array(other.entries[4..<12])).body)
                }
            let actions = desk.hear(bad, session: 0)
            #expect(Self.healed(actions).isEmpty)
            if case .refused(let trouble) = desk.sender.phase { #expect(trouble.haltsTrading) } else { Issue.record("\(desk.sender.phase)") }
        }
    }

    /// Whoever holds the cloud can hash a history of his own; he cannot sign it with the edge's key.
    @Test(arguments: [false, true]) func aForgedHistoryIsKnownByItsSignature(isForged: Bool) throws {
        let own = try #require(SigningKeys(seed: [UInt8](0..<32))), other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        var whole = try Samples.Ledger(seed: 4)
        try whole.sign(by: own)
        try whole.grow(3)
        try whole.sign(by: isForged ? other : own)
        try whole.grow(2)
        let all = whole.entries
        try whole.cut(to: 3)
        var desk = try Desk(1)
        desk.ledger = whole
        desk.sender = Sender(
            Identity(edge: Samples.edge, boot: Boot(raw: 77), epoch: 1, release: "test", mayHeal: true, signer: own.publicKey), head: all[2].head)
        _ = desk.say(.linkUp)
        _ = desk.hear(.behind(attempt: 1, have: all[all.count - 1].head), session: 0)
        let taken = Self.healed(desk.hear(Self.piece(all, 4...all.count), session: 0))
        #expect(taken.isEmpty == isForged)
        if case .refused(let trouble) = desk.sender.phase { #expect(isForged && trouble.haltsTrading) } else { #expect(!isForged) }
    }

    /// The journal looks at every signature once more, with what it has of its own; what it does not take ends the healing, and is said.
    @Test func whatTheJournalDoesNotTakeIsSaid() throws {
        var (desk, all) = try Self.setBack(4, of: 12)
        _ = desk.say(.linkUp)
        #expect(desk.say(.healRefused("nobody asked")).isEmpty, "nothing is under way")
        _ = desk.hear(.behind(attempt: 1, have: all[11].head), session: 0)
        _ = desk.hear(Self.piece(all, 5...9), session: 0)
        let told = try messages(desk.say(.healRefused("the signature of countersigned head 7 is wrong")))
        guard case .error(let trouble)? = told.first, case .refused(let shown) = desk.sender.phase else {
            Issue.record("\(desk.sender.phase)"); return
        }
        #expect(trouble.text.contains("countersigned head 7 is wrong") && shown.haltsTrading && trouble.ends)
        #expect(desk.sender.head == all[3].head, "nothing was taken")
    }

    /// Without the check a piece with a flipped bit goes into the journal.
    @Test func theCheckIsNeeded() throws {
        for isCareless in [false, true] {
            var rules = Rules()
            rules.healWithoutVerify = isCareless
            var (desk, all) = try Self.setBack(4, of: 6, rules: rules)
            _ = desk.say(.linkUp)
            _ = desk.hear(.behind(attempt: 1, have: all[5].head), session: 0)
            all[4].body = Array(#"{"forged":true}"#.utf8)
            let taken = Self.healed(desk.hear(Self.piece(all, 5...6), session: 0))
            #expect(taken.contains { $0.body == all[4].body } == isCareless)
        }
    }

    /// Entries of its own stand in the way: such a run is a fork, and the word that it is behind came too late.
    @Test func aRunThatHasWrittenIsNotHealed() throws {
        var (desk, all) = try Self.setBack(4, of: 12)
        _ = desk.say(.linkUp)
        try desk.ledger.restart()
        _ = desk.say(.committed([desk.ledger.entries[4]]))
        #expect(desk.hear(.behind(attempt: 1, have: all[11].head), session: 0).isEmpty && desk.sender.phase == .opening)
        desk.pass(.seconds(5))
        guard case .hello(let hello)? = try messages(desk.say(.tick)).first else { Issue.record("no HELLO"); return }
        #expect(hello.features == [Feature.settle, .audit, .countersign, .linkKey, .signers].map(\.rawValue) && hello.head.seq == Seq(5))
    }

    @Test func silenceWhileHealingAsksAgainAndThenReopens() throws {
        var (desk, all) = try Self.setBack(4, of: 12)
        _ = desk.say(.linkUp)
        _ = desk.hear(.behind(attempt: 1, have: all[11].head), session: 0)
        #expect(desk.sender.wakeAt == desk.now.monotonic + .seconds(5))
        desk.pass(.seconds(5))
        guard case .hello(let hello)? = try messages(desk.say(.tick)).first else { Issue.record("no HELLO"); return }
        #expect(hello.attempt == 2 && desk.sender.phase == .opening)
    }

    /// The cloud gives pieces of its own store to an edge that it found behind, one at a time, and to nobody else.
    @Test func theCloudGivesWhatFollows() throws {
        var tower = try Tower(10, have: 8)
        guard case .hello(var hello) = tower.hello(count: 5) else { return }
        hello.features = [Feature.heal.rawValue]
        _ = tower.hear(.hello(hello), session: 0)
        let told = tower.say(.lookedUp(Samples.edge, [Seq(5)], [tower.head(5)]))
        #expect(told.count == 1, "a late HELLO of a dead run would look the same: nobody is told before the edge answers")
        #expect(try tower.sent(told) == [.behind(attempt: 1, have: tower.head(8))])
        #expect(tower.receiver.link(Samples.edge)?.boot == nil, "no session: no command goes down")
        #expect(tower.hear(.fetch(attempt: 1, after: tower.head(5), upTo: Seq(9)), session: 0).isEmpty, "more than there is")
        #expect(tower.hear(.fetch(attempt: 2, after: tower.head(5), upTo: Seq(8)), session: 0).isEmpty, "of another HELLO")
        #expect(
            tower.hear(.fetch(attempt: 1, after: tower.head(5), upTo: Seq(8)), session: 0) == [
                .healing(Samples.edge, after: tower.head(5), to: tower.head(8)),
                .read(Samples.edge, after: tower.head(5), upTo: Seq(8)),
            ])
        let sent = try tower.sent(tower.say(.read(Samples.edge, after: tower.head(5), Array(tower.ledger.entries[5..<8]))))
        #expect(sent == [Self.piece(tower.ledger.entries, 6...8)])
        tower.pass(.seconds(4))
        let again = tower.hear(.fetch(attempt: 1, after: tower.head(7), upTo: Seq(8)), session: 0)
        #expect(again == [.read(Samples.edge, after: tower.head(7), upTo: Seq(8))], "told once")
        tower.pass(.seconds(4))
        #expect(tower.say(.tick).isEmpty)
        #expect(tower.say(.read(Samples.edge, after: tower.head(7), [])).isEmpty, "another entry stands there: the next HELLO is judged anew")
    }

    /// An edge of an older release is told what to do instead.
    @Test func anEdgeThatCannotHealIsRefused() throws {
        var tower = try Tower(10, have: 8)
        _ = tower.hear(tower.hello(count: 5), session: 0)
        let asked = try tower.sent(tower.say(.lookedUp(Samples.edge, [Seq(5)], [tower.head(5)])))
        let answer = try #require(tower.beat(asked.first, boot: tower.ledger.boot))
        let refusals = tower.hear(answer, session: 0).compactMap { if case .refused(let refusal) = $0 { refusal } else { nil } }
        #expect(refusals.map(\.verdict) == [.edgeBehind] && refusals.first?.cure.contains("Restart it") == true)
    }

    /// The edge is set back to any place at any time, in a storm: it has everything again before its next run writes, and nothing is alarmed.
    @Test(arguments: 1...16) func setBackInAStormNothingIsLost(seed: UInt64) throws {
        var walk = try Walk(seed: seed, rules: WalkTests.tight, weather: .storm)
        for round in 0..<3 {
            for _ in 0..<120 {
                if walk.random.chance(1, in: 4) { try walk.grow(walk.random.int(1...24)) }
                try walk.step()
            }
            try walk.calmDown()
            walk.weather = .storm
            walk.weather.edgeCrashes = 0
            let count = walk.random.chance(1, in: 4) ? 0 : walk.random.int(0...walk.stored.count)
            try walk.setBack(to: count)
            for _ in 0..<(round == 1 ? 60 : 200) { try walk.step() }
        }
        try walk.calmDown()
    }
}
