// The price of a simulated instrument as a pure function of seed and time: any past bar can be computed, and a restart continues the same market.
package import Values

/// Where simulated prices come from.
package enum PriceProcess: Sendable {
    /// Fractal noise around a base price.
    case walk(PriceWalk)
    /// Recorded bars, played forwards and backwards for ever.
    case tape(PriceTape)
}

/// A random walk on the tick grid, built of noise at octaves of time, so that it looks like a walk at every scale and yet never drifts away for good.
package struct PriceWalk: Sendable {
    /// What the walk swings around.
    package var base: Price
    /// Typical move (one standard deviation) of one minute, in ticks, 0...1,000.
    package var minuteTicks: Int64
    /// Largest sudden jump, in ticks; the market jumps once an hour, which is what gaps through stops.
    package var gapTicks: Int64
    package init(base: Price, minuteTicks: Int64, gapTicks: Int64) {
        precondition((0...1_000).contains(minuteTicks) && gapTicks >= 0, "volatility out of range")
        self.base = base; self.minuteTicks = minuteTicks; self.gapTicks = gapTicks
    }
}

/// Recorded bars of one length, in order.
package struct PriceTape: Sendable {
    package let bars: [Bar]
    /// Length of one bar.
    package let length: Span
    /// Nil without a bar or with bars that do not rise in time; the length is the smallest distance of two bars, one minute for a single bar.
    package init?(bars: [Bar]) {
        guard !bars.isEmpty else { return nil }
        var smallest = Span.minutes(1)
        for (index, bar) in bars.enumerated().dropFirst() {
            let distance = bar.start - bars[index - 1].start
            guard distance > .zero else { return nil }
            smallest = index == 1 ? distance : min(smallest, distance)
        }
        self.bars = bars; length = smallest
    }
}

/// A well-mixed 64-bit number for a key; the only source of chance in the market.
func mixed(_ seed: UInt64, _ lane: UInt64, _ index: Int64) -> UInt64 {
    var z = seed &+ lane &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(bitPattern: index) &* 0xD1B5_4A32_D192_ED03
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}

/// Reads a process step by step; neighbouring steps share their lattice cells, which makes a run of steps cheap.
struct PriceCursor: Sendable {
    /// Octaves of noise: the longest is 2^24 steps, 48 days at four steps a second.
    static let octaves = 25
    /// No octave swings by more than the base over this.
    private static let swingPart: Int64 = 30
    private struct Cell { var index: Int64; var from: Int64; var to: Int64 }

    private let process: PriceProcess
    private let seed: UInt64
    private let tick: Int64
    private let stepNanoseconds: Int64
    private let stepsPerJump: Int64
    private var cells: [Cell?] = Array(repeating: nil, count: PriceCursor.octaves)
    private var amplitudes: [Int64] = []

    init(process: PriceProcess, seed: UInt64, tick: Price, step: Span) {
        precondition(tick.raw > 0 && step > .zero, "tick and step must be positive")
        self.process = process; self.seed = seed; self.tick = tick.raw; stepNanoseconds = step.nanoseconds
        stepsPerJump = max(1, Span.hours(1).nanoseconds / step.nanoseconds)
        guard case .walk(let walk) = process else { return }
        // Octave k swings by a*sqrt(2^k); the sum then moves by about a*sqrt(1.5 n) in n steps, which gives `a` for one minute's move.
        let stepsPerMinute = max(1, Span.minutes(1).nanoseconds / step.nanoseconds)
        let minute = Int128(walk.minuteTicks * 1_000)
        // A long swing is cut at a part of the base: a lively walk of minutes must not have wandered far away after weeks.
        let most = max(1, walk.base.raw / tick.raw * 1_000 / Self.swingPart)
        amplitudes = (0..<Self.octaves).map {
            min(most, Self.squareRoot(minute * minute * (Int128(2) << Int128($0)) / Int128(3 * stepsPerMinute)))
        }
    }

    /// The middle of the market in thousandths of a tick at step `step` of market time.
    mutating func milliTicks(at step: Int64) -> Int64 {
        switch process {
        case .walk(let walk):
            var sum = walk.base.raw / tick * 1_000
            for octave in 0..<Self.octaves { sum += noise(octave, step) }
            let block = Self.floorDivide(step, stepsPerJump)
            if walk.gapTicks > 0 { sum += Int64(mixed(seed, 900, block) % UInt64(2 * walk.gapTicks + 1)) * 1_000 - walk.gapTicks * 1_000 }
            return max(sum, 2_000)
        case .tape(let tape):
            return max(Self.tapePrice(tape, step: step, stepNanoseconds: stepNanoseconds) * 1_000 / tick, 2_000)
        }
    }

    private mutating func noise(_ octave: Int, _ step: Int64) -> Int64 {
        let index = step >> Int64(octave)
        let cell: Cell
        if let known = cells[octave], known.index == index {
            cell = known
        } else {
            cell = Cell(index: index, from: lattice(octave, index), to: lattice(octave, index + 1))
            cells[octave] = cell
        }
        let part = step & ((1 << Int64(octave)) - 1)
        return cell.from + ((cell.to - cell.from) * part) >> Int64(octave)
    }

    private func lattice(_ octave: Int, _ index: Int64) -> Int64 {
        let amplitude = amplitudes[octave]
        return Int64(mixed(seed, UInt64(octave), index) % UInt64(2 * amplitude + 1)) - amplitude
    }

    /// The recorded price at a step: each bar runs open, one extreme, the other, close; the tape is played to its end, then back, then on.
    private static func tapePrice(_ tape: PriceTape, step: Int64, stepNanoseconds: Int64) -> Int64 {
        let perBar = max(1, tape.length.nanoseconds / stepNanoseconds)
        let first = floorDivide(tape.bars[0].start.nanoseconds, stepNanoseconds)
        let count = perBar * Int64(tape.bars.count)
        var position = (step - first) % (2 * count)
        if position < 0 { position += 2 * count }
        if position >= count { position = 2 * count - 1 - position }
        let bar = tape.bars[Int(position / perBar)]
        let rising = bar.close >= bar.open
        let corners = [bar.open, rising ? bar.low : bar.high, rising ? bar.high : bar.low, bar.close].map(\.raw)
        let last = perBar - 1
        let bounds = [0, last / 3, last * 2 / 3, last]
        let inBar = position % perBar
        guard let segment = (1...3).first(where: { inBar <= bounds[$0] && bounds[$0] > bounds[$0 - 1] }) else { return corners[3] }
        let (from, to) = (corners[segment - 1], corners[segment])
        return from + Int64(Int128(to - from) * Int128(inBar - bounds[segment - 1]) / Int128(bounds[segment] - bounds[segment - 1]))
    }

    static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

    private static func squareRoot(_ value: Int128) -> Int64 {
        guard value > 1 else { return Int64(max(value, 0)) }
        var (low, high) = (Int128(1), min(value, Int128(1) << 62))
        while low < high {
            let middle = (low + high + 1) / 2
            if middle <= value / middle { low = middle } else { high = middle - 1 }
        }
        return Int64(low)
    }
}
