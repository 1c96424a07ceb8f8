// Facts such as an edge writes, numbered and hashed from one seed: orders with their reports, money, checkpoints; some bodies fill several pages.
internal import Ledger
internal import Values
internal import Views
internal import Wire

/// One run of an edge as far as its ledger sees it.
struct ImageWriter {
    static let edge = EdgeID(bytes: Array(64..<80)) ?? { preconditionFailure("16 bytes") }()
    static let keys = SigningKeys(seed: [UInt8](3..<35))
    private static let instrument = InstrumentID("MBTZ6.CME")

    private var chain: Chain
    private(set) var book: Book
    private(set) var milestones = Milestones()
    private var clock: ClockReading
    private var chance: SeededRandom

    /// Goes on after what a ledger holds, given as its entries from the first.
    init(run: UInt64, after entries: [Entry], seed: UInt64) {
        chain = Chain(edge: ImageWriter.edge, boot: Boot(raw: run), last: entries.last)
        book = Book(edge: ImageWriter.edge)
        for entry in entries {
            book.apply(entry)
            milestones.note(entry)
        }
        let start = Instant(seconds: 1_795_000_000)
        clock = ClockReading(wall: max(entries.last?.wall ?? start, start), monotonic: .seconds(5))
        chance = SeededRandom(seed: seed)
    }

    mutating func boot() throws -> Entry {
        try entry(.boot(BootFact(version: ImageWriter.release, mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
    }
    static let release = "0.1.0"
    /// What makes the file of a snapshot count.
    mutating func snapshot(_ fact: SnapshotFact) throws -> Entry { try entry(.snapshot(fact)) }
    mutating func shutdown() throws -> Entry { try entry(.shutdown(reason: "asked")) }

    /// Signs where the ledger stands.
    mutating func checkpoint() throws -> Entry {
        guard let keys = ImageWriter.keys else { preconditionFailure("32 bytes") }
        return try entry(
            .checkpoint(CheckpointFact(head: chain.head, digest: book.digest(), edge: ImageWriter.edge, epoch: chain.epoch, keys: keys)))
    }

    /// What one turn decides and hears: an order's life, or money that moved.
    mutating func turn() throws -> [Entry] {
        guard chance.chance(2, in: 3) else {
            let amount = Money(raw: Int64(chance.int(1...9_000_000)))
            return [
                try entry(.transfer(CashMove(account: "DU1", currency: "USD", amount: amount, at: clock.wall, source: "console", note: words())))
            ]
        }
        let number = Int64(chain.nextSeq.raw)
        let leg = Leg(
            role: .open, instrument: ImageWriter.instrument, side: .buy, quantity: Quantity(whole: 1), ordType: .market, timeInForce: .day,
            brokerOrderID: number)
        let tag = ClOrdID(edge: ImageWriter.edge, intent: IntentID(boot: chain.boot, seq: chain.nextSeq), leg: 0)
        var entries = [try entry(.intent(Ticket(account: "DU1", origin: .manual, reason: words(), legs: [leg])))]
        if chance.chance(1, in: 2) {
            entries.append(try entry(.sent(tags: [tag])))
            entries.append(try entry(.commission(Commission(execID: "e\(number)", amount: Money(raw: 102_000_000), currency: "USD"))))
        }
        return entries
    }

    /// Mostly a word, now and then more than one page holds.
    private mutating func words() -> String {
        String(repeating: "w", count: chance.chance(1, in: 6) ? chance.int(3_000...9_000) : chance.int(1...300))
    }

    private mutating func entry(_ fact: Fact) throws -> Entry {
        let step = Span.milliseconds(Int64(chance.int(1...900)))
        clock.wall = clock.wall + step
        clock.monotonic = clock.monotonic + step
        var draft = Draft(fact)
        if fact.kind.hasPostings { draft.postings = book.postings(of: fact).lines }
        let entry = try chain.append(draft, at: clock)
        book.apply(entry)
        milestones.note(entry)
        return entry
    }
}
