// One campaign of power cuts against an entry store: write, cut anywhere, open again, compare with what was promised.
package import Platform
internal import Values
internal import Wire

/// Commits entries on a disk that loses power at random mutations, in the opening, the recovery, the commit and the checkpoint alike.
package struct PowerCuts: Sendable {
    /// What a campaign saw.
    package struct Outcome: Sendable {
        /// Power cuts made.
        package var crashes = 0
        /// Commits that returned.
        package var commits = 0
        /// Entries whose commit had returned (or that an opened store had shown) and that were gone afterwards.
        package var acknowledgedLost = 0
        /// Entries found whose commit had not returned: allowed, and it happens.
        package var unacknowledgedFound = 0
        /// Anything else that must never be: a gap, a changed row, damage.
        package var violations: [String] = []
        package init() {}

        /// The sum of two campaigns.
        package mutating func add(_ other: Outcome) {
            crashes += other.crashes
            commits += other.commits
            acknowledgedLost += other.acknowledgedLost
            unacknowledgedFound += other.unacknowledgedFound
            violations += other.violations
        }
    }

    private let seed: UInt64
    private let synchronous: Database.Options.Synchronous
    private let modes: [CrashMode]
    private let ignoresSyncs: Bool
    /// Mutations between two cuts, at most: about eight commits.
    private let pitch = 100

    /// - Parameters: what a cut may leave, and the two ways to take the protection away that a control needs.
    package init(
        seed: UInt64, modes: [CrashMode] = CrashMode.allCases, synchronous: Database.Options.Synchronous = .full, ignoresSyncs: Bool = false
    ) {
        self.seed = seed
        self.modes = modes
        self.synchronous = synchronous
        self.ignoresSyncs = ignoresSyncs
    }

    private func options(_ disk: FaultyDisk) -> Database.Options { .init(.create, synchronous: synchronous, vfs: disk.name) }

    /// Runs until `crashes` cuts have been made on one disk, then looks once more with the power on.
    package func run(crashes: Int) -> Outcome {
        let disk = FaultyDisk(seed: seed)
        disk.ignoresSyncs = ignoresSyncs
        var chance = SeededRandom(seed: seed &+ 1)
        var outcome = Outcome()
        var life = Life()
        while outcome.crashes < crashes {
            disk.freezeAt = disk.mutations + chance.int(1...pitch)
            live(on: disk, &life, &outcome, &chance)
            disk.crash(modes[chance.int(0...(modes.count - 1))])
            outcome.crashes += 1
            guard outcome.violations.isEmpty else { return outcome }
        }
        if let store = open(disk, &outcome) { check(store, &life, &outcome) }
        return outcome
    }

    /// What is known of the log from outside it.
    private struct Life {
        /// The rows of the log as last written or found.
        var rows: [EntryRow] = []
        /// How many of them a returned commit stands for.
        var acknowledged = 0
        var mark: UInt64 = 0
    }

    private func live(on disk: FaultyDisk, _ life: inout Life, _ outcome: inout Outcome, _ chance: inout SeededRandom) {
        guard let store = open(disk, &outcome) else { return }
        guard check(store, &life, &outcome) else { return }
        life.mark += 1
        while !disk.isFrozen {
            let rows = MadeUpRows.next(chance.int(1...4), after: store.head, mark: life.mark, bodyBytes: chance.int(0...600))
            life.rows += rows
            do throws(StoreError) {
                try store.append(rows)
                life.acknowledged = life.rows.count
                outcome.commits += 1
                if chance.chance(1, in: 12) { try store.checkpoint() }
            } catch {
                if !disk.isFrozen { outcome.violations.append("seed \(seed): \(error) with the power on"); return }
                if case .failed = error {} else { outcome.violations.append("seed \(seed): an I/O error was told as \(error)") }
            }
        }
    }

    /// Nil when the power went during the opening.
    private func open(_ disk: FaultyDisk, _ outcome: inout Outcome) -> EntryStore? {
        do throws(StoreError) { return try EntryStore(path: "ledger.db", options(disk)) } catch {
            if !disk.isFrozen { outcome.violations.append("seed \(seed), crash \(outcome.crashes): does not open: \(error)") }
            return nil
        }
    }

    /// Compares what is stored with what was promised; false when the power went meanwhile.
    @discardableResult private func check(_ store: EntryStore, _ life: inout Life, _ outcome: inout Outcome) -> Bool {
        let found: [EntryRow]
        do throws(StoreError) {
            found = try store.read(from: 1, limit: .max)
            let damage = try store.structuralDamage(limit: 1)
            let indexed = try store.entries(ref: [3], limit: .max).map(\.seq)
            if !damage.isEmpty { outcome.violations.append("seed \(seed), crash \(outcome.crashes): \(damage)") }
            if indexed != found.filter({ $0.ref == [3] }).map(\.seq) { outcome.violations.append("seed \(seed): the subject index differs") }
        } catch {
            // Reading needs no write: only a dead disk may answer so.
            outcome.violations.append("seed \(seed), crash \(outcome.crashes): cannot be read: \(error)")
            return false
        }
        if found != Array(life.rows.prefix(found.count)) { outcome.violations.append("seed \(seed), crash \(outcome.crashes): rows changed") }
        outcome.acknowledgedLost += max(0, life.acknowledged - found.count)
        outcome.unacknowledgedFound += max(0, found.count - life.acknowledged)
        life.rows = found
        life.acknowledged = found.count
        return true
    }
}
