// Which faults a world brings and how often: each seed switches on a subset of its own, or a person names them.
internal import Values

/// One class of faults.
package enum WorldFault: String, CaseIterable, Sendable {
    case delay, loss, duplication, reordering
    /// Single frames come many seconds late.
    case stragglers
    /// Frames given to a broken connection leave with the next one.
    case holding
    case cuts
    /// Processes are killed and power is cut, at any time.
    case crashes
    /// The disk dies at one of its next changes: power cuts in the middle of commits and starts.
    case freezes
    /// The edge dies around the sending of an order.
    case orders
    /// A write or a sync answers an I/O error, or that the disk is full.
    case disk
    /// The edge's wall clock is set.
    case clock
    /// The edge's disk is put back from an older copy of it, with or without the mark beside the ledger.
    case rollback
    /// The cloud's disk is put back, and says so by a new name, or does not.
    case restore
    /// A copy of the edge starts beside it.
    case twin
    /// No fault of its own: snapshots, segments and the check behind the live book at the edge, backups and comparisons in the cloud.
    case house
    /// The bytes of a stored entry change, and somebody compares, or the process ends before.
    case rot
    /// Somebody changes the key that signs the edge's ledger, or the link's; the process may die at any step of it.
    case rotate
    /// Somebody revokes the edge's key at the cloud, and later lets it in again by another one.
    case revoke
    /// No fault of its own: people take back, cancel, halt, replace, and ask a dozen things at once.
    case wishes
    /// Both boot clocks run at a rate of their own, up to 500 millionths off.
    case drift
    /// The line to the gateway breaks at any byte (with a gateway only, as the next two).
    case wire
    /// The gateway is killed.
    case gateway
    /// The gateway loses IBKR, closes its connections, or tells an execution twice.
    case broker
}

extension WorldFault {
    /// Whether a seed has it, drawn by a generator that only later faults use; one draw each time, whatever is asked for.
    /// - Parameter only: those that somebody named; nil leaves it to the draw, and worlds with a mutant then do without.
    func isOn(oneIn denominator: Int, only faults: Set<WorldFault>?, _ breaker: Breaker, _ chance: inout SeededRandom) -> Bool {
        let drawn = chance.chance(1, in: denominator)
        return faults.map { $0.contains(self) } ?? (drawn && breaker == .none)
    }
}

/// The faults of one world. A rate is the mean distance between two, zero for never.
struct FaultMenu {
    var weather = LinkWeather()
    var cuts: Span
    var crashes: Span
    var freezes: Span
    var diskFaults: Span
    var clockJumps: Span
    var rollbacks: Span
    var restores: Span
    var twins: Span
    /// Between two copies of the disks, from which a later disaster chooses.
    var images: Span
    /// Between two looks of a person at the Edges page and the edge's console.
    var visits: Span
    var asks: Span
    var diesAtOrders: Bool
    /// The link has room for a few entries only.
    var isNarrow = false
    var wireCuts = Span.zero
    var wireDelay: ClosedRange<Int64> = 1...20
    var gatewayCrashes = Span.zero
    var brokerTroubles = Span.zero

    init(_ chance: inout SeededRandom, only faults: Set<WorldFault>?, _ breaker: Breaker, _ venue: WorldVenue, rarity: Int64 = 1) {
        defer { spread(by: rarity) }
        func isOn(_ fault: WorldFault, _ numerator: Int, in denominator: Int) -> Bool {
            // Drawn either way, so that naming faults does not shift the rest of the seed.
            let drawn = chance.chance(numerator, in: denominator)
            return faults.map { $0.contains(fault) } ?? drawn
        }
        func rate(_ fault: WorldFault, _ range: ClosedRange<Int>) -> Int {
            let drawn = chance.int(range)
            return isOn(fault, 1, in: 2) ? drawn : 0
        }
        weather.delay = 1...Int64(chance.int(2...(isOn(.delay, 1, in: 4) ? 900 : 60)))
        weather.loss = rate(.loss, 1...15)
        weather.duplication = rate(.duplication, 1...20)
        weather.reorders = isOn(.reordering, 1, in: 3)
        weather.stragglers = rate(.stragglers, 1...10)
        weather.holds = isOn(.holding, 1, in: 3)
        cuts = .seconds(Int64(rate(.cuts, 8...40)))
        crashes = .seconds(Int64(rate(.crashes, 10...40)))
        freezes = .seconds(Int64(rate(.freezes, 10...40)))
        diskFaults = .seconds(Int64(rate(.disk, 15...60)))
        clockJumps = .seconds(Int64(isOn(.clock, 1, in: 4) ? chance.int(10...40) : 0))
        asks = .seconds(Int64(chance.int(2...8)))
        diesAtOrders = isOn(.orders, 1, in: 2)
        rollbacks = .seconds(Int64(isOn(.rollback, 1, in: 6) ? chance.int(20...60) : 0))
        restores = .seconds(Int64(isOn(.restore, 1, in: 6) ? chance.int(20...60) : 0))
        twins = .seconds(Int64(isOn(.twin, 1, in: 8) ? chance.int(20...60) : 0))
        let (copies, looks) = (Span.seconds(Int64(chance.int(3...15))), Span.seconds(Int64(chance.int(5...25))))
        let isNeeded = rollbacks > .zero || restores > .zero || twins > .zero
        images = isNeeded ? copies : .zero
        visits = isNeeded ? looks : .zero
        if venue == .gateway {
            wireCuts = .seconds(Int64(rate(.wire, 6...40)))
            gatewayCrashes = .seconds(Int64(rate(.gateway, 20...60)))
            brokerTroubles = .seconds(Int64(rate(.broker, 8...40)))
            wireDelay = 1...Int64(chance.int(2...(chance.chance(1, in: 4) ? 700 : 40)))
        }
        isNarrow = chance.chance(1, in: 4)
        looksAfter()
        breaker.spoil(&self)
    }

    /// Copies are kept and a person comes by where there is use for them.
    mutating func looksAfter() {
        guard rollbacks > .zero || restores > .zero || twins > .zero else { return }
        if images == .zero { images = .seconds(4) }
        if visits == .zero { visits = .seconds(12) }
    }

    /// Makes everything that comes by a rate so many times rarer.
    private mutating func spread(by rarity: Int64) {
        visits = Span(nanoseconds: visits.nanoseconds * max(1, rarity / 8))
        let rates: [WritableKeyPath<FaultMenu, Span>] = [
            \.cuts, \.crashes, \.freezes, \.diskFaults, \.clockJumps, \.rollbacks, \.restores, \.twins, \.images, \.asks, \.wireCuts,
            \.gatewayCrashes, \.brokerTroubles,
        ]
        for rate in rates {
            self[keyPath: rate] = Span(nanoseconds: self[keyPath: rate].nanoseconds * rarity)
        }
    }
}
