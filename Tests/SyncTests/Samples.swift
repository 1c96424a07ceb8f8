// Ledgers for the tests of this room: realistic entries from a seed.
import Ledger
import Sync
import Values
import Wire

enum Samples {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()

    /// A ledger that grows by fills and intents, one run after another.
    struct Ledger {
        private(set) var entries: [Entry] = []
        private(set) var boot: Boot
        private var chain: Chain
        private var random: SeededRandom
        private var clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))

        init(seed: UInt64 = 1, edge: EdgeID = Samples.edge) throws {
            random = SeededRandom(seed: seed)
            boot = Boot(raw: random.next())
            chain = Chain(edge: edge, boot: boot, last: nil)
            try start()
        }

        var head: Head { entries.last?.head ?? .start }

        /// A new run begins.
        mutating func restart(as known: Boot? = nil) throws {
            boot = known ?? Boot(raw: random.next())
            chain = Chain(edge: chain.edge, boot: boot, last: entries.last)
            try start()
        }

        /// Loses the newest entries, as a restored image does; the next entry begins a new run.
        mutating func rollBack(to count: Int) throws {
            entries.removeLast(entries.count - count)
            try restart()
        }

        /// The next run has its name, and has written nothing yet.
        mutating func nextRun() { boot = Boot(raw: random.next()) }
        /// Loses the newest entries; nothing is written yet.
        mutating func cut(to count: Int) throws { entries.removeLast(entries.count - count) }
        /// A person decided: the first entry of the next epoch.
        mutating func decide(_ settlement: Settlement) throws {
            try append(.lineage(settlement.lineage(after: head)))
        }
        /// Signs where the ledger stands.
        mutating func sign(by keys: SigningKeys) throws {
            try append(.checkpoint(CheckpointFact(head: head, digest: Head.start.hash, edge: chain.edge, epoch: chain.epoch, keys: keys)))
        }
        /// Says that entries are lost for good.
        mutating func confess(_ gap: GapFact) throws { try append(.gap(gap)) }
        /// Takes entries back as they were.
        mutating func adopt(_ more: [Entry]) { entries += more }

        @discardableResult mutating func grow(_ count: Int) throws -> [Entry] {
            let first = entries.count
            for _ in 0..<count {
                clock.wall = clock.wall + Span(nanoseconds: Int64(random.int(1_000...5_000_000)))
                clock.monotonic = clock.monotonic + Span(nanoseconds: Int64(random.int(1_000...5_000_000)))
                try append(.fill(fill()))
            }
            return Array(entries[first...])
        }

        private mutating func fill() -> Fill {
            Fill(
                execID: "0000e0d5.\(Hex.text((0..<4).map { _ in UInt8(random.int(0...255)) })).01.01", tag: ClOrdID("TW1"), account: "DU1234567",
                instrument: InstrumentID("MBTZ6.CME"), side: random.chance(1, in: 2) ? .buy : .sell,
                lastQty: Quantity(whole: Int64(random.int(1...25))),
                lastPx: Price(whole: Int64(random.int(18_000...20_000)) * 5), cumQty: Quantity(whole: 25), permID: Int64(random.int(1...1_000_000)),
                transactTime: clock.wall)
        }

        private mutating func start() throws {
            try append(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
        }

        private mutating func append(_ fact: Fact) throws { entries.append(try chain.append(Draft(fact), at: clock)) }
    }
}
