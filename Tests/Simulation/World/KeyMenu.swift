// Which keys a seed changes, and whether it has its edge revoked: by a generator of its own, so that everything else of the seed stays as it was.
internal import Values

/// The changes of keys of one world. Such a world has no disasters of whole machines: what a copy of old keys may do is another matter.
struct KeyMenu {
    /// Between two changes of a key by somebody at the edge's console.
    var rotations = Span.zero
    /// Between two revocations of the edge's key.
    var revokes = Span.zero
    /// How long a person thinks before letting a revoked edge in again.
    var thought = Span.zero

    var isOn: Bool { rotations > .zero || revokes > .zero }

    init(seed: UInt64, only faults: Set<WorldFault>?, _ breaker: Breaker, rarity: Int64) {
        var chance = SeededRandom(seed: seed ^ 0x6E3A_91C4_5D70_2B1F)
        func isOn(_ fault: WorldFault, _ denominator: Int) -> Bool { fault.isOn(oneIn: denominator, only: faults, breaker, &chance) }
        let share = rarity > 1 ? 16 : 8
        let rotates = isOn(.rotate, share), revokes = isOn(.revoke, share)
        let (rotation, revoke, thought) = (chance.int(4...20), chance.int(10...35), chance.int(2...20))
        if rotates || breaker.needsRotations { rotations = .seconds(Int64(breaker.needsRotations ? 4 : rotation) * rarity) }
        if revokes || breaker.needsRevokes { self.revokes = .seconds(Int64(breaker.needsRevokes ? 10 : revoke) * rarity) }
        self.thought = .seconds(Int64(thought) * rarity)
    }

    /// What the menu of faults leaves out for it, and whom it needs.
    func change(_ menu: inout FaultMenu, rarity: Int64) {
        guard isOn else { return }
        menu.rollbacks = .zero; menu.restores = .zero; menu.twins = .zero; menu.images = .zero
        if menu.visits == .zero { menu.visits = Span(nanoseconds: Span.seconds(12).nanoseconds * max(1, rarity / 8)) }
    }
}
