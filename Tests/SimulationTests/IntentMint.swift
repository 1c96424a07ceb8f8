// Durable intents for tests of sessions: minted by a real journal on a simulated disk, as there is no other way to get one.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values

/// A journal that does nothing but commit intents.
final class IntentMint {
    static let edge = EdgeID(bytes: Array(0..<16)) ?? { preconditionFailure("16 bytes") }()
    private let disk: FaultyDisk
    private let journal: Journal
    private var chain: Chain

    init(seed: UInt64 = 1) throws {
        disk = FaultyDisk(seed: seed)
        journal = try Journal(
            store: try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name)), edge: IntentMint.edge)
        chain = Chain(edge: IntentMint.edge, boot: Boot(raw: 1), last: nil)
        let start = BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")
        _ = try journal.commit([try chain.append(Draft(.boot(start)), at: ClockReading(wall: friday, monotonic: .zero))])
    }

    /// Commits the ticket and gives what allows to send it.
    func mint(_ ticket: Ticket, at now: Instant) throws -> DurableIntent {
        let entry = try chain.append(Draft(.intent(ticket)), at: ClockReading(wall: now, monotonic: now - friday))
        guard let intent = try journal.commit([entry]).take(IntentID(boot: entry.boot, seq: entry.seq)) else { throw NoIntent() }
        return intent
    }
    private struct NoIntent: Error {}
}
