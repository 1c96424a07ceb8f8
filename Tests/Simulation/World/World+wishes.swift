// People who want everything that the page offers: to take back, to cancel, to halt, to replace, on a picture that is old, and a dozen things at once.
internal import Ledger
internal import Values

/// How often somebody wants more than the plain orders of a world.
struct WishMenu {
    /// Between two such wishes.
    var wishes = Span.zero

    init(seed: UInt64, only faults: Set<WorldFault>?, _ breaker: Breaker, rarity: Int64) {
        var chance = SeededRandom(seed: seed ^ 0x3B0D_77E1_90AA_64C3)
        let isOn = WorldFault.wishes.isOn(oneIn: rarity > 1 ? 16 : 6, only: faults, breaker, &chance), every = chance.int(2...10)
        if isOn { wishes = .seconds(Int64(every) * rarity) }
    }

    /// What is halted is let go again by somebody.
    func change(_ menu: inout FaultMenu, rarity: Int64) {
        guard wishes > .zero, menu.visits == .zero else { return }
        menu.visits = Span(nanoseconds: Span.seconds(12).nanoseconds * max(1, rarity / 8))
    }
}

extension World {
    func wish() throws {
        if var chance = due(.wish, if: cloud.isRunning && edge.front != nil) { try wish(&chance) }
        plan(.wish, .wish, within: wishMenu.wishes)
    }

    private func wish(_ chance: inout SeededRandom) throws {
        guard let front = edge.front else { return }
        hurry()
        let (kind, side) = (chance.int(0...8), chance.chance(1, in: 2) ? "BUY" : "SELL")
        tell("somebody wants thing \(kind)")
        log(18, UInt64(kind))
        report.commands += 1
        switch kind {
        case 0, 1, 2: try act(.cloud) { _ in try cloud.takeBackLast(at: cloudClock) }
        case 3:
            let tags = edge.believed.sorted()
            guard !tags.isEmpty else { return }
            let tag = tags[chance.int(0...tags.count - 1)]
            try act(.cloud) { _ in try cloud.cancel(tag, at: cloudClock) }
        case 4:
            let level: HaltLevel = [.reducing, .halt, .cancel][chance.int(0...2)]
            try turn(.cloud, .ask(.raise(level, reason: "somebody wants it")))
        case 5:
            for number in 0..<14 {
                let size = OrderSize.quantity(Quantity(whole: Int64(number + 1)))
                let order = CommandBody.order(instrument: front, side: number % 2 == 0 ? .buy : .sell, size: size, trailing: nil, reverse: false)
                try turn(.cloud, .ask(number % 3 == 2 ? .close(instrument: front) : order))
            }
        case 6, 7: try act(.cloud) { _ in try cloud.replaceLast(front, side, at: cloudClock) }
        default: try act(.cloud) { _ in try cloud.orderOnFalsePicture(front, side, at: cloudClock) }
        }
    }
}
