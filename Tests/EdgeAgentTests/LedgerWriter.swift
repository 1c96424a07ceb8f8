// A run of the edge as the journal's tests need it: a chain, a moving clock, facts and intents.
import EdgeAgent
import Ledger
import Platform
import Testing
import Values
import Wire

/// Numbers facts after whatever a journal holds, one millisecond apart.
struct LedgerWriter {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()
    private(set) var chain: Chain
    private var clock: ClockReading

    /// Begins a run after `last`; its first entry must be `bootFact`.
    init(boot: UInt64, after last: Entry?) {
        chain = Chain(edge: LedgerWriter.edge, boot: Boot(raw: boot), last: last)
        let wall = max(last?.wall ?? Instant(seconds: 0), Instant(seconds: 1_795_000_000))
        clock = ClockReading(wall: wall, monotonic: .seconds(5))
    }

    static let bootFact = Fact.boot(BootFact(version: "0.1.0", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))

    mutating func entry(_ fact: Fact) throws -> Entry {
        clock.wall = clock.wall + .milliseconds(1)
        clock.monotonic = clock.monotonic + .milliseconds(1)
        return try chain.append(Draft(fact), at: clock)
    }

    /// An intent to buy one contract.
    mutating func intent(_ number: Int64) throws -> Entry {
        let leg = Leg(
            role: .open, instrument: InstrumentID("MBTZ6.CME"), side: .buy, quantity: Quantity(whole: 1), ordType: .market, timeInForce: .day,
            brokerOrderID: number)
        return try entry(.intent(Ticket(account: "DU1", origin: .manual, reason: "test", legs: [leg])))
    }
}

extension Entry {
    /// What the intent of this entry is called.
    var intentID: IntentID { IntentID(boot: boot, seq: seq) }
}
