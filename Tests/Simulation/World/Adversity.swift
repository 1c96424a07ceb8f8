// What a seed does to its world, numbered, so that a failing seed can be run again without some of it.
package import Values

/// A kind of thing that a world suffers or is asked.
package enum AdversityKind: String, Hashable, Sendable, CaseIterable {
    case ask, cut, crash, freeze, diskFault, clockJump, wireCut, gatewayCrash, brokerTrouble
    case image, rollback, restore, twin, visit
    case backup, compare, rot
    case rotate, revoke, wish
    /// A process comes back: it may be made to die soon, around an order or in the middle of its start.
    case life
    /// A frame is lost, doubled, spoilt or very late.
    case parcel
}

/// One of them: the `index`th of its kind in the world of a seed.
package struct Adversity: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let kind: AdversityKind
    package let index: Int
    package init(_ kind: AdversityKind, _ index: Int) { self.kind = kind; self.index = index }
    package var description: String { "\(kind.rawValue)#\(index)" }
    package static func < (a: Adversity, b: Adversity) -> Bool { (a.kind.rawValue, a.index) < (b.kind.rawValue, b.index) }

    /// Reads `description` back.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "#")
        guard parts.count == 2, let kind = AdversityKind(rawValue: String(parts[0])), let index = Int(parts[1]) else { return nil }
        self.init(kind, index)
    }
}

/// Counts adversities and gives each a generator of its own: leaving one out does not change what the others draw.
package struct AdversityPlan: Sendable {
    private let seed: UInt64
    /// The only ones that come about; nil for all.
    package let only: Set<Adversity>?
    private var counts: [AdversityKind: Int] = [:]
    /// Those that came about, in order.
    package private(set) var happened: [Adversity] = []

    package init(seed: UInt64, only: Set<Adversity>? = nil) { self.seed = seed; self.only = only }

    /// The next one of a kind: its generator, and whether it is left out.
    package mutating func next(_ kind: AdversityKind) -> (chance: SeededRandom, isSpared: Bool) {
        let index = counts[kind, default: 0]
        counts[kind] = index + 1
        return (dice(kind, index), only.map { !$0.contains(Adversity(kind, index)) } ?? false)
    }

    /// Notes that the newest one of a kind had an effect.
    package mutating func note(_ kind: AdversityKind) {
        if let count = counts[kind] { happened.append(Adversity(kind, count - 1)) }
    }

    /// How far the next one of a kind is away, when the mean distance is `rate`.
    package func distance(_ kind: AdversityKind, lane: UInt64, rate: Span) -> Span {
        var chance = SeededRandom(seed: mixed(kind, counts[kind, default: 0]) &+ lane &* 0xA24B_AED4_963E_E407)
        return Span(nanoseconds: Int64.random(in: 0...(2 * rate.nanoseconds), using: &chance))
    }

    private func dice(_ kind: AdversityKind, _ index: Int) -> SeededRandom { SeededRandom(seed: mixed(kind, index)) }

    private func mixed(_ kind: AdversityKind, _ index: Int) -> UInt64 {
        // The place of the word in the list would change with every new word; its letters do not.
        let word = kind.rawValue.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var mixer = SeededRandom(seed: seed ^ word)
        return mixer.next() &+ UInt64(index) &* 0xD1B5_4A32_D192_ED03
    }
}
