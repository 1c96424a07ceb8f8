// What the two programs of a world do for their files: snapshots, segments, the check behind the live book, backups, witnesses and comparisons.
package import Values

/// How an edge keeps its files. Production's distances but for the length of a world.
package struct Housekeeping: Hashable, Sendable {
    /// Entries between two snapshots.
    package var snapshotEvery: UInt64
    /// Entries of one segment.
    package var segmentRows: UInt64
    /// Younger entries stay in the database.
    package var age: Span

    /// - Parameter isSession: the world lives hours instead of a minute and a half.
    package init(isSession: Bool) {
        snapshotEvery = isSession ? 48 : 8
        segmentRows = isSession ? 48 : 8
        age = isSession ? .minutes(10) : .seconds(5)
    }
}

/// What of this a seed switches on, by a generator of its own: the other faults of a seed are what they were before there was any of it.
struct HouseMenu {
    var keeps = false
    /// Between two backups of the cloud that were put back on trial.
    var backups = Span.zero
    /// Between two comparisons that a person asks for.
    var compares = Span.zero
    /// Between two damages of a stored entry.
    var rots = Span.zero
    /// How much faster than the world's time the boot clocks run, in parts of a million.
    var edgeDrift: Int64 = 0
    var cloudDrift: Int64 = 0

    init(seed: UInt64, only faults: Set<WorldFault>?, _ breaker: Breaker, rarity: Int64) {
        var chance = SeededRandom(seed: seed ^ 0x40E5_EC1E_A112_0755)
        func isOn(_ fault: WorldFault, _ denominator: Int) -> Bool { fault.isOn(oneIn: denominator, only: faults, breaker, &chance) }
        // A session with either costs half as much again, and a thousand of them are lived at every proof.
        let share = rarity > 1 ? 16 : 6
        let rots = isOn(.rot, share), house = isOn(.house, share), drifts = isOn(.drift, 4)
        keeps = house || breaker.needsHouse
        let (backup, compare, rot) = (chance.int(3...12), chance.int(8...30), chance.int(12...30))
        if keeps {
            // Without any backup nothing may move.
            backups = breaker == .movesTooEarly ? .zero : .seconds(Int64(breaker.needsHouse ? 2 : 2 * backup) * rarity)
            compares = .seconds(Int64(compare) * rarity)
        }
        if rots || breaker.needsRot { self.rots = .seconds(Int64(breaker.needsRot ? 8 : rot) * rarity) }
        let (edge, cloud) = (Int64(chance.int(-500...500)), Int64(chance.int(-500...500)))
        if drifts { edgeDrift = edge; cloudDrift = cloud }
    }
}

extension Span {
    /// This time as a clock tells it that runs so many millionths faster.
    func drifted(_ millionths: Int64) -> Span {
        millionths == 0 ? self : Span(nanoseconds: nanoseconds + nanoseconds / 1_000_000 * millionths)
    }
}
