// The edge and the cloud's key: the first one is pinned in the ledger, another one's word is told and not taken, a person changes it.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Trading
import Values
import Wire

@Suite struct CloudKeyTests {
    let cloud: SigningKeys, other: SigningKeys
    init() throws {
        cloud = try #require(SigningKeys(seed: [UInt8](3..<35)))
        other = try #require(SigningKeys(seed: [UInt8](5..<37)))
    }

    private func rig() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    /// The cloud's word about the last entry, a minute after the one before, so that it is due.
    private func say(_ rig: DiskRig, _ keys: SigningKeys) throws {
        _ = try rig.buy(1)
        try rig.settle(seconds: 61)
        let agent = try #require(rig.agent)
        _ = try agent.countersigned(CountersignedFact(head: agent.journal.head, edge: LedgerWriter.edge, keys: keys), at: rig.clock)
    }
    private func kinds(_ rig: DiskRig) throws -> [UInt16] { try rig.entries().map(\.kind) }
    private func heads(_ rig: DiskRig) throws -> Int { try kinds(rig).count { $0 == Kind.countersigned.rawValue } }
    private func isTold(_ rig: DiskRig) -> Bool { rig.agent?.ledgerTroubles.contains { $0.kind == .strangeKey } == true }

    @Test func theFirstKeyIsPinned() throws {
        let rig = try rig()
        try say(rig, cloud)
        #expect(try kinds(rig).suffix(2) == [Kind.cloudKey.rawValue, Kind.countersigned.rawValue])
        guard case .cloudKey(let fact)? = try rig.entries().dropLast().last?.decoded() else { Issue.record("no pin"); return }
        #expect(fact == CloudKeyFact(key: cloud.publicKey, ground: .firstUse))
        try say(rig, cloud)
        #expect(try kinds(rig).count { $0 == Kind.cloudKey.rawValue } == 1 && heads(rig) == 2)
    }

    /// The run that has the session is told of a copy, on its screens and in its status; it trades on, is not flooded, and forgets it after a day.
    @Test func aCopyThatKnocksIsToldAndStopsNothing() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        let before = agent.journal.head
        var effects = try agent.noteCopy("run 5 came while run 4 was alive", at: rig.clock)
        guard case .live(let items)? = effects.first, case .notice(let notice)? = items.first else { Issue.record("\(effects)"); return }
        #expect(notice.code == Notice.ledger && notice.text.contains("run 5 came while run 4") && !notice.cure.isEmpty && effects.count == 1)
        let trouble = try #require(agent.ledgerTroubles.first)
        #expect(trouble.kind == .copied && !trouble.kind.stopsOpening && !trouble.kind.stopsAll && agent.desk.isTrading)
        #expect(agent.journal.head == before && agent.desk.book.haltLevel == .normal, "nothing for the ledger")
        for boot in 6...60 { effects = try agent.noteCopy("run \(boot) came while run 4 was alive", at: rig.clock) }
        #expect(effects.isEmpty && agent.ledgerTroubles.first == trouble, "once in a minute")
        try rig.settle(seconds: 61)
        #expect(try agent.noteCopy("run 61 came while run 4 was alive", at: rig.clock).count == 1)
        _ = try rig.buy(1)
        try rig.settle(seconds: 4)
        var later = rig.clock
        later.monotonic = later.monotonic + .hours(23)
        _ = try agent.idle(at: later)
        #expect(agent.ledgerTroubles.first?.text.contains("run 61") == true)
        later.monotonic = later.monotonic + .hours(1)
        _ = try agent.idle(at: later)
        #expect(agent.ledgerTroubles == [])
    }

    @Test func anotherKeysWordIsToldAndNotTaken() throws {
        let rig = try rig()
        try say(rig, cloud)
        try say(rig, other)
        #expect(try heads(rig) == 1 && isTold(rig))
        let trouble = try #require(rig.agent?.ledgerTroubles.first)
        #expect(trouble.text.contains(Hex.text(other.publicKey)) && trouble.text.contains(Hex.text(cloud.publicKey)))
        #expect(trouble.cure.contains("tidewire-edge keys trust") && !trouble.kind.stopsOpening, "no witness is needed to trade")
        // A forged one says nothing about anybody.
        try say(rig, cloud)
        #expect(try heads(rig) == 2 && !isTold(rig))
        // The next run believes the same.
        rig.crash()
        try rig.start()
        try rig.settle(seconds: 4)
        try say(rig, other)
        #expect(try heads(rig) == 2 && isTold(rig))
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    /// Entries that come back from a copy are held to the key that this ledger believes, and to its own entries; nothing of a bad piece is written.
    @Test(arguments: ["good", "signature", "another entry", "another key"]) func aFalseWitnessDoesNotComeBack(_ way: String) throws {
        let disk = FaultyDisk(seed: 3)
        let store = try EntryStore(path: "l.db", .init(.create, vfs: disk.name))
        let journal = try Journal(store: store, edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 7, after: nil)
        let own = try [
            writer.entry(LedgerWriter.bootFact), writer.entry(.cloudKey(CloudKeyFact(key: cloud.publicKey, ground: .firstUse))),
        ]
        _ = try journal.commit(own)
        var word = CountersignedFact(head: own[0].head, edge: LedgerWriter.edge, keys: way == "another key" ? other : cloud)
        if way == "signature" { word.signature[0] ^= 1 }
        if way == "another entry" {
            word = CountersignedFact(head: Head(seq: Seq(1), hash: own[1].hash), edge: LedgerWriter.edge, keys: cloud)
        }
        let piece = try [writer.entry(.shutdown(reason: "x")), writer.entry(.countersigned(word))]
        var talk = try StartTalk(journal, isShort: false, at: .seconds(1)), folded = 0
        if way == "good" {
            try talk.takeBack(piece, of: nil, into: journal) { _ in folded += 1 }
        } else {
            #expect(throws: JournalError.self) { try talk.takeBack(piece, of: nil, into: journal) { _ in folded += 1 } }
        }
        #expect(journal.head == (way == "good" ? piece[1].head : own[1].head) && folded == (way == "good" ? 2 : 0))
        #expect(try store.read(from: 1, limit: 10).count == (way == "good" ? 4 : 2))
        withExtendedLifetime(disk) {}
    }

    @Test func aPersonsWordChangesIt() throws {
        let rig = try rig()
        try say(rig, cloud)
        try say(rig, other)
        let agent = try #require(rig.agent)
        #expect(try agent.believe(CloudKeyFact(key: other.publicKey, ground: .person), at: rig.clock)?.isEmpty == false && !isTold(rig))
        try say(rig, other)
        #expect(try heads(rig) == 2)
        try say(rig, cloud)
        #expect(try heads(rig) == 2 && isTold(rig), "the one before is out")
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    /// From the believed key on, as far as each announces the next; nobody else's announcement moves anything.
    @Test func anAnnouncedKeyIsFollowed() throws {
        let rig = try rig(), agent = try #require(rig.agent)
        let last = try #require(SigningKeys(seed: [UInt8](7..<39))), stranger = try #require(SigningKeys(seed: [UInt8](9..<41)))
        let changes = [CloudKeyChange(from: stranger, to: last), CloudKeyChange(from: cloud, to: other), CloudKeyChange(from: other, to: last)]
        #expect(try agent.follow(changes, at: rig.clock).isEmpty && agent.journal.trust.key == nil, "nothing is believed yet")
        try say(rig, cloud)
        var forged = changes[1]
        forged.signature[0] ^= 1
        #expect(try agent.follow([changes[0], forged], at: rig.clock).isEmpty && agent.journal.trust.key == cloud.publicKey)
        #expect(try agent.follow(changes, at: rig.clock).isEmpty == false)
        #expect(agent.journal.trust.key == last.publicKey && agent.journal.trust.before?.key == other.publicKey)
        #expect(try agent.follow(changes, at: rig.clock).isEmpty, "each is said once")
        try say(rig, last)
        #expect(try heads(rig) == 2 && !isTold(rig))
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)
    }

    private func store(_ disk: FaultyDisk, _ path: String = "ledger.db", base: LogHead = .empty) throws -> EntryStore {
        try EntryStore(path: path, .init(.create, vfs: disk.name), base: base)
    }
    private func pin() -> Fact { .cloudKey(CloudKeyFact(key: cloud.publicKey, ground: .firstUse)) }
    private func kept(_ store: EntryStore) throws -> [UInt8]? { try CloudTrust(text: store.meta("cloud_key") ?? "").key }

    /// Wherever a commit is cut off, the key is kept beside the entry that says so, or neither is there.
    @Test func noCrashForgetsThePin() throws {
        var outcomes: Set<UInt64> = []
        for point in 1...200 {
            let disk = FaultyDisk(seed: 3)
            var isDone = false
            do {
                let journal = try Journal(store: store(disk), edge: LedgerWriter.edge)
                var writer = LedgerWriter(boot: 1, after: nil)
                _ = try journal.commit([writer.entry(LedgerWriter.bootFact)])
                disk.freezeAt = disk.mutations + point
                let entry = try writer.entry(pin())
                _ = try? journal.commit([entry])
                isDone = !disk.isFrozen
            }
            disk.crash(.everything)
            let left = try store(disk)
            outcomes.insert(left.head.seq)
            #expect(try kept(left) == (left.head.seq == 2 ? cloud.publicKey : nil), "cut at \(point)")
            if isDone { break }
        }
        #expect(outcomes == [1, 2])
    }

    /// A file that an older release left without it: the walk finds it, and it is kept from then on.
    @Test func aStartKeepsWhatItsWalkFound() throws {
        let disk = FaultyDisk(seed: 3)
        do {
            let journal = try Journal(store: store(disk), edge: LedgerWriter.edge)
            var writer = LedgerWriter(boot: 1, after: nil)
            _ = try journal.commit([writer.entry(LedgerWriter.bootFact), writer.entry(pin())])
        }
        do { try store(disk).setMeta("cloud_key", "") }
        do { #expect(try Journal(store: store(disk), edge: LedgerWriter.edge).trust.key == cloud.publicKey) }
        #expect(try kept(store(disk)) == cloud.publicKey)
    }

    /// Entries up to the parting are lost for good: the branch is given up all the same, and what is believed is not forgotten with them.
    @Test(arguments: [1, 2] as [UInt64]) func aBranchIsGivenUpAboveAGap(last: UInt64) throws {
        let disk = FaultyDisk(seed: 3), gapped = GappedStore(try store(disk))
        let journal = try Journal(store: gapped, edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 1, after: nil)
        _ = try journal.commit([writer.entry(LedgerWriter.bootFact), writer.entry(pin())])
        let halt = Fact.halt(HaltFact(level: .halt, source: "console", reason: "1"))
        _ = try journal.commit([writer.entry(halt)])
        let common = journal.head
        _ = try journal.commit([writer.entry(halt)])
        gapped.lost = last
        let dispute = Dispute(
            verdict: .fork, common: common, edgeHead: journal.head, edgeEpoch: 1, cloudHead: Head(seq: Seq(9), hash: common.hash),
            isCloudBranchKept: true)
        let settlement = Settlement(
            edge: LedgerWriter.edge, kept: .cloud, epoch: 2, dispute: dispute, decidedBy: "cloud:admin", decidedAt: Instant(seconds: 1))
        try journal.giveUp(settlement, into: store(disk, "branch.db", base: LogHead(seq: common.seq.raw, hash: common.hash)))
        #expect(gapped.store.head.seq == common.seq.raw)
        #expect(try kept(gapped.store) == cloud.publicKey)
    }

    @Test func theEnrolmentsKeyIsPinnedBeforeAnythingWasSigned() throws {
        let rig = try rig(), agent = try #require(rig.agent)
        let word = CloudKeyFact(key: cloud.publicKey, ground: .enrolled, enrolment: [UInt8](0..<8))
        _ = try agent.believe(word, at: rig.clock)
        #expect(agent.journal.trust.enrolment == word.enrolment)
        try say(rig, other)
        #expect(try heads(rig) == 0 && isTold(rig))
        rig.crash()
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name)
        #expect(journal.trust.key == cloud.publicKey && journal.trust.enrolment == word.enrolment, "it is not taken up a second time")
    }
}

/// A store whose first rows are in a file that is gone.
private final class GappedStore: ForwardingStore {
    let store: EntryStore
    /// The last row that is gone; 0 for none.
    var lost: UInt64 = 0
    init(_ store: EntryStore) { self.store = store }

    func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) {
        if seq <= lost { throw .missing(from: 1, to: lost, "gone") }
        try store.each(from: seq, visit: visit)
    }
    func storedRows(from: UInt64, through: UInt64) throws(StoreError) -> [EntryRow?] {
        try store.storedRows(from: from, through: through).map { row in row.flatMap { $0.seq <= lost ? nil : $0 } }
    }
}
