// The uplink over a real journal: what it is told reaches a receiver, backlog first, and commands come back with their time.
import EdgeAgent
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

/// A journal in which the bytes of one entry have changed.
private final class RottenLedger: LedgerReader {
    private let journal: Journal
    private let seq: Seq
    init(_ journal: Journal, _ seq: Seq) { self.journal = journal; self.seq = seq }

    func read(from first: Seq, limit: Int, maxBytes: Int) throws(JournalError) -> [Entry] {
        let entries = try journal.read(from: first, limit: limit, maxBytes: maxBytes)
        if entries.contains(where: { $0.seq == seq }) { throw .damaged("entry \(seq) is not what was written") }
        return entries
    }
    func stored(from first: Seq, through: Seq) throws(JournalError) -> [Entry?] { try journal.stored(from: first, through: through) }
}

/// An uplink and a receiver whose frames reach one another at once.
private struct Pair {
    let folder: TemporaryFolder
    let journal: Journal
    var uplink: UplinkCore
    var receiver: Receiver
    var stored: [Entry] = []
    var seen: [UplinkEffect] = []
    var now = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
    private let peer = Peer(edge: LedgerWriter.edge, connection: 1)

    init(_ writer: inout LedgerWriter, backlog: Int) throws {
        folder = try TemporaryFolder()
        journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
        var entries = [try writer.entry(LedgerWriter.bootFact)]
        for number in 0..<backlog { entries.append(try writer.intent(Int64(number + 1))) }
        _ = try journal.commit(entries)
        let identity = Identity(edge: LedgerWriter.edge, boot: Boot(raw: 3), epoch: 1, release: "t")
        uplink = UplinkCore(identity, head: journal.head, ledger: journal, rules: Rules())
        receiver = Receiver(incarnation: "i", release: "t", sessionSeed: 8)
        _ = receiver.handle(.enrolled(LedgerWriter.edge, EdgeMemory(have: .start, announced: .start)), at: now)
    }

    /// Does what the uplink wants until nobody wants anything.
    mutating func carry(_ effects: [UplinkEffect]) throws {
        var effects = effects
        while !effects.isEmpty || uplink.hasMore {
            if effects.isEmpty { effects = try uplink.readOn(at: now); continue }
            let effect = effects.removeFirst()
            seen.append(effect)
            if case .send(_, let bytes) = effect { effects += try answer(receiver.handle(.frame(bytes, from: peer), at: now)) }
        }
    }

    private mutating func answer(_ actions: [Receiver.Action]) throws -> [UplinkEffect] {
        var effects: [UplinkEffect] = []
        for action in actions {
            switch action {
            case .send(let bytes, _): effects += try uplink.handle(.frame(bytes), at: now)
            case .commit(let edge, let entries):
                stored += entries
                if let head = entries.last?.head { effects += try answer(receiver.handle(.committed(edge, head), at: now)) }
            case .compare(let edge, let head):
                effects += try answer(receiver.handle(.compared(edge, head, isEqual: stored.last?.head ?? .start == head), at: now))
            case .lookUp(let edge, let seqs):
                let heads = stored.map(\.head).filter { seqs.contains($0.seq) }
                effects += try answer(receiver.handle(.lookedUp(edge, seqs, heads), at: now))
            default: break
            }
        }
        return effects
    }

    mutating func dispatch(_ command: Command) throws { try carry(answer(receiver.handle(.dispatch(command), at: now))) }
}

struct UplinkCoreTests {
    /// A run that dies between taking entries back and its first own entry leaves the saying so to the next.
    @Test func whatCameBackIsToldByTheNextRunWhenThisOneDies() throws {
        let folder = try TemporaryFolder()
        var writer = LedgerWriter(boot: 3, after: nil)
        let lost = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1), try writer.intent(2)]
        do {
            let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
            try journal.adopt(Array(lost[..<2]))
            try journal.adopt(Array(lost[2...]))
        }
        let now = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
        var next = LedgerWriter(boot: 4, after: lost[2])
        do {
            let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
            let sender = Sender(Identity(edge: LedgerWriter.edge, boot: Boot(raw: 4), epoch: 1, release: "t"), head: journal.head)
            var talk = try StartTalk(journal, isShort: false, at: .zero)
            let isOver = try talk.isOver(sender, nil, of: journal, at: now.monotonic)
            #expect(isOver)
            let healed = try #require(talk.findings.healed)
            #expect(healed == HealedFact(from: Seq(1), to: Seq(3), source: "cloud"))
            _ = try journal.commit([try next.entry(LedgerWriter.bootFact), try next.entry(.healed(healed))])
            #expect(journal.adoptedFrom == nil)
        }
        #expect(try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge).adoptedFrom == nil, "said once")
    }

    /// A cloud gives back a ledger in which trading goes on, and nothing that this edge signed covers it: nobody afar lifts a halt.
    @Test(arguments: [false, true]) func whatCameBackLiftsNoHalt(isSigned: Bool) throws {
        let folder = try TemporaryFolder()
        let keys = try #require(SigningKeys(seed: [UInt8](1...32)))
        var writer = LedgerWriter(boot: 3, after: nil)
        var lost = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1)]
        lost.append(try writer.entry(.halt(HaltFact(level: .halt, source: "console", reason: "r"))))
        lost.append(try writer.entry(.resume(HaltFact(level: .normal, source: "console", reason: "looked"))))
        if isSigned {
            let digest = [UInt8](repeating: 7, count: 32)
            lost.append(
                try writer.entry(.checkpoint(CheckpointFact(head: lost[3].head, digest: digest, edge: LedgerWriter.edge, epoch: 1, keys: keys))))
        }
        let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
        try journal.adopt(lost)
        let sender = Sender(Identity(edge: LedgerWriter.edge, boot: Boot(raw: 4), epoch: 1, release: "t"), head: journal.head)
        var talk = try StartTalk(journal, isShort: false, at: .zero)
        #expect(try talk.isOver(sender, nil, of: journal, at: .seconds(50)))
        #expect((talk.findings.trouble?.code == "UNSIGNED_RESUME") == !isSigned && talk.findings.inputs.isEmpty == isSigned)
    }

    /// Entries at the end of the clock's or the epochs' range have no next one: they are no part of any ledger.
    @Test func aLedgerThatCannotGoOnIsNotTaken() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        let first = try writer.entry(LedgerWriter.bootFact)
        for change in [{ (entry: inout Entry) in entry.hlc = .max }, { $0.epoch = .max }] {
            var entry = first
            change(&entry)
            entry.hash = Chain.hash(entry, edge: LedgerWriter.edge)
            let folder = try TemporaryFolder()
            let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
            #expect(throws: JournalError.self) { try journal.adopt([entry]) }
            #expect(journal.head == .start)
        }
    }

    /// What the agent could not write keeps the cloud from concluding anything; once it is written the cloud may again.
    @Test func whatIsHeldBackIsNoGroundForAConclusion() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        func told() -> Instant? { pair.receiver.link(LedgerWriter.edge)?.toldAt }
        func pass() throws {
            for _ in 0..<3 {
                pair.now = ClockReading(wall: pair.now.wall + .seconds(2), monotonic: pair.now.monotonic + .seconds(2))
                try pair.carry(pair.uplink.handle(.tick, at: pair.now))
            }
        }
        try pass()
        let before = try #require(told())
        try pair.carry(pair.uplink.note([.heldBack], at: pair.now))
        try pass()
        #expect(told() == before)
        let late = try writer.intent(7)
        _ = try pair.journal.commit([late])
        try pair.carry(pair.uplink.note([.committed(late.head), .entries([late])], at: pair.now))
        try pass()
        #expect(told() ?? before > before && pair.stored.last == late)
    }

    /// A run that took back a part and died knows so in the next run: to write on before the rest is here would fork the ledger for certain.
    @Test func aHalfHealedLedgerWaitsForTheRest() throws {
        let folder = try TemporaryFolder()
        var writer = LedgerWriter(boot: 3, after: nil)
        let lost = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1), try writer.intent(2)]
        func open() throws -> Journal { try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge) }
        func isOver(_ journal: Journal, after span: Span) throws -> Bool {
            let sender = Sender(Identity(edge: LedgerWriter.edge, boot: Boot(raw: 4), epoch: 1, release: "t"), head: journal.head)
            var talk = try StartTalk(journal, isShort: false, at: .zero)
            return try talk.isOver(sender, nil, of: journal, at: span)
        }
        do { try open().adopt(Array(lost[..<2]), of: Seq(3)) }
        do {
            let journal = try open()
            #expect(try journal.stillMissing == Seq(3) && StartTalk(journal, isShort: false, at: .zero).mustHear)
            #expect(try isOver(journal, after: .hours(9)) == false)
            try journal.adopt(Array(lost[2...]), of: Seq(3))
            #expect(journal.stillMissing == nil)
        }
        #expect(try isOver(open(), after: .seconds(3)), "all of it is here")
        // The cloud has less than it once said, and lets the run begin: what it said then holds nobody up for ever.
        let other = try TemporaryFolder()
        func again() throws -> Journal { try Journal(path: other.file("ledger.db"), edge: LedgerWriter.edge) }
        do {
            let journal = try again()
            try journal.adopt(Array(lost[..<2]), of: Seq(3))
            var next = LedgerWriter(boot: 4, after: lost[1])
            let healed = HealedFact(from: Seq(1), to: Seq(2), source: "cloud")
            _ = try journal.commit([try next.entry(LedgerWriter.bootFact)])
            #expect(journal.stillMissing == Seq(3) || journal.head.seq == Seq(3))
            _ = try journal.commit([try next.entry(.healed(healed))])
            #expect(journal.stillMissing == nil)
        }
        #expect(try again().stillMissing == nil && isOver(again(), after: .seconds(3)))
    }

    /// The name of a store and what it has are one thing: with the new name and the old number a restart would tell a lie about the new store.
    @Test func aNewStoreIsNotHeldToWhatTheOldOneHad() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 5)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        #expect(pair.seen.contains(.incarnation("i", have: Seq(0))), "the store that is met for the first time had nothing")
        try pair.journal.noteAcknowledged(Seq(6))
        try pair.journal.noteIncarnation("another", have: Seq(2))
        #expect(try pair.journal.acknowledged() == Seq(2) && pair.journal.incarnation() == "another")
    }

    @Test func theBacklogGoesFirstAndFreshEntriesFollow() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1_300)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        #expect(pair.stored.count == 1_301 && pair.uplink.sender.isCaughtUp)
        let fresh = try writer.intent(5_000)
        _ = try pair.journal.commit([fresh])
        try pair.carry(pair.uplink.note([.committed(fresh.head), .entries([fresh])], at: pair.now))
        #expect(pair.stored.last == fresh && pair.seen.last == .acked(fresh.head))
    }

    /// Told twice, told with a hole, or told only the head: nothing is sent twice and nothing is left out.
    @Test func repeatsAndHolesInWhatItIsToldDoNoHarm() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        let entries = try (10..<16).map { try writer.intent($0) }
        _ = try pair.journal.commit(entries)
        try pair.carry(pair.uplink.note([.entries([entries[0]]), .entries([entries[0], entries[1]])], at: pair.now))
        try pair.carry(pair.uplink.note([.entries([entries[3]])], at: pair.now))
        try pair.carry(pair.uplink.handle(.grew(entries[5].head), at: pair.now))
        #expect(Array(pair.stored.dropFirst(2)) == entries && pair.uplink.sender.isCaughtUp)
    }

    /// Nothing in the ledger has a time to live: after thirty years without a cloud, and a start in between, all of it is read and sent.
    @Test func noEntryEverExpires() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 700)
        let before = try pair.journal.read(from: Seq(1), limit: 1_000)
        for years in [Int64(1), 10, 30] {
            let later = ClockReading(wall: pair.now.wall + .hours(years * 8_766), monotonic: pair.now.monotonic + .hours(years * 8_766))
            for _ in 0..<20 { try pair.journal.idle(at: later.wall) }
            pair.now = later
            _ = try pair.uplink.handle(.tick, at: later)
        }
        try pair.journal.idle(at: pair.now.wall)
        #expect(try pair.journal.read(from: Seq(1), limit: 1_000) == before && before.count == 701)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        #expect(pair.stored == before && pair.uplink.sender.isCaughtUp)
        var old = LedgerWriter(boot: 4, after: before.last)
        _ = try pair.journal.commit([try old.entry(LedgerWriter.bootFact)])
        #expect(try LedgerAudit.verify(path: pair.folder.file("ledger.db")).count == 702)
    }

    /// An old entry's bytes have changed on the disk: what stands before it goes up, its lane stands still there, and the run goes on. A PROOF of it has
    /// its hash from the entry behind.
    @Test func aDamagedEntryEndsNoRun() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 30)
        pair.uplink = UplinkCore(
            Identity(edge: LedgerWriter.edge, boot: Boot(raw: 3), epoch: 1, release: "t"), head: pair.journal.head,
            ledger: RottenLedger(pair.journal, Seq(20)))
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        #expect(pair.stored.count == 19 && pair.uplink.sender.phase == .open)
        #expect(pair.seen.contains(.missing(from: Seq(20), to: Seq(20))))
        _ = try pair.uplink.handle(.linkDown, at: pair.now)
        _ = try pair.uplink.handle(.linkUp, at: pair.now)
        let question = Message.prove(attempt: pair.uplink.sender.attempt, seqs: [Seq(19), Seq(20)])
        let said = try pair.uplink.handle(.frame(question.frame(session: 0, number: 1).bytes), at: pair.now)
        let proofs = try said.compactMap { effect throws -> [Head]? in
            guard case .send(_, let bytes) = effect, case .proof(_, let heads, _) = try Message(Frame(bytes)) else { return nil }
            return heads
        }
        #expect(proofs.first?.map(\.seq) == [Seq(19), Seq(20)])
    }

    /// Another link of the same run counts its HELLOs on from the one before: the cloud hears no number twice.
    @Test func anotherLinkOfTheRunCountsOn() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1)
        for _ in 0..<3 { try pair.carry(pair.uplink.handle(.linkUp, at: pair.now) + pair.uplink.handle(.linkDown, at: pair.now)) }
        let last = pair.uplink.sender.attempt, boot = Boot(raw: 3)
        let next = try StartTalk.identity(pair.journal, boot, release: "t", mayHeal: false, after: last)
        #expect(last >= 3 && next.attempts >= last)
        let first = try StartTalk.identity(pair.journal, Boot(raw: 3 << 40), release: "t", mayHeal: false)
        #expect(first.attempts == 3 << 40, "a run begins at a place of its own")
    }

    @Test func aHeadBeyondTheLedgerIsDamageAndNoEndlessReading() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        let never = try writer.intent(9)
        #expect(throws: JournalError.self) { try pair.carry(pair.uplink.handle(.grew(never.head), at: pair.now)) }
    }

    @Test func aCommandKeepsItsTimeByTheBootClock() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        var pair = try Pair(&writer, backlog: 1)
        try pair.carry(pair.uplink.handle(.linkUp, at: pair.now))
        let id = try #require(CommandID(bytes: Array(1...16)))
        let command = Command(
            id: id, edge: LedgerWriter.edge, boundBoot: Boot(raw: 3), issuer: "cloud:admin", tier: 1, issuedAt: pair.now.wall,
            expiresAt: pair.now.wall + .seconds(10), body: .halt(reason: "r"))
        try pair.dispatch(command)
        var noted = command
        noted.skew = pair.uplink.sender.clock.offset
        #expect(pair.seen.contains(.deliver(noted, deadline: .seconds(60))))
    }

    @Test func whatTheCloudHadIsReadBackAfterAStart() throws {
        var writer = LedgerWriter(boot: 3, after: nil)
        let pair = try Pair(&writer, backlog: 4)
        #expect(try UplinkCore.acknowledged(in: pair.journal) == .start)
        try pair.journal.noteAcknowledged(Seq(3))
        #expect(try UplinkCore.acknowledged(in: pair.journal) == pair.journal.read(from: Seq(3), limit: 1).first?.head)
        try pair.journal.noteAcknowledged(Seq(99))
        #expect(try UplinkCore.acknowledged(in: pair.journal) == .start)
    }
}
