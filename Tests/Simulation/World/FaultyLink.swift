// A link between one edge and the cloud that delays, loses, doubles, overtakes and breaks; whole frames only, as ZeroMQ gives them.
package import Sync
package import Values

/// How bad the link is. Chances are per hundred frames.
package struct LinkWeather: Sendable {
    package var delay: ClosedRange<Int64> = 1...40
    package var loss = 0
    package var duplication = 0
    /// Frames of one lane overtake one another.
    package var reorders = false
    /// Frames that come up to twenty seconds late, past all others.
    package var stragglers = 0
    /// Frames given to a broken connection leave with the next one, as a ZeroMQ socket's queue does.
    package var holds = false
    /// One bit of a frame's body turned: what CURVE makes impossible, and the chain must not depend on.
    package var flips = 0
    package init() {}
}

/// The two directions of a connection that lasts until it is cut.
package struct FaultyLink: Sendable {
    /// A frame on its way.
    package struct Parcel: Sendable {
        package let lane: Lane
        package let bytes: [UInt8]
        package let connection: UInt64
    }

    package var weather: LinkWeather
    /// Counts connections; 0 before the first.
    package private(set) var connection: UInt64 = 0
    package private(set) var isUp = false
    /// A generator for each frame.
    private var plan: AdversityPlan
    /// Frames that did not simply arrive.
    package var happened: [Adversity] { plan.happened }
    private var lastArrival: [Span] = [.zero, .zero, .zero, .zero]
    private var held: [(isUpward: Bool, lane: Lane, bytes: [UInt8])] = []
    /// The high-water mark of the real sockets.
    private static let heldMax = 64

    /// - Parameter first: connections are numbered after this.
    package init(_ weather: LinkWeather, plan: AdversityPlan, first: UInt64 = 0) { self.weather = weather; self.plan = plan; connection = first }

    /// A new connection. Answers the frames that waited for it.
    package mutating func connect() -> [(isUpward: Bool, lane: Lane, bytes: [UInt8])] {
        connection += 1; isUp = true
        defer { held = [] }
        return held
    }
    /// The sender's process is gone, and what its socket held with it.
    package mutating func forget(isUpward: Bool) { held.removeAll { $0.isUpward == isUpward } }
    /// The connection is gone. What was sent before may still arrive at the cloud, which reads what its socket holds.
    package mutating func cut() { isUp = false }

    /// The arrivals of one frame that leaves now: none, one, or two.
    package mutating func carry(_ bytes: [UInt8], lane: Lane, isUpward: Bool, at now: Span) -> [(at: Span, parcel: Parcel)] {
        guard isUp else {
            if weather.holds, held.count < FaultyLink.heldMax { held.append((isUpward, lane, bytes)) }
            return []
        }
        var (chance, isSpared) = plan.next(.parcel)
        let isLost = chance.chance(weather.loss, in: 100), isDoubled = chance.chance(weather.duplication, in: 100)
        if isLost, !isSpared { plan.note(.parcel); return [] }
        var isOdd = isDoubled
        let copies = isDoubled && !isSpared ? 2 : 1
        let arrivals = (0..<copies).map { _ in
            var body = bytes
            let (isSpoilt, isLate) = (chance.chance(weather.flips, in: 100), chance.chance(weather.stragglers, in: 100))
            isOdd = isOdd || isSpoilt || isLate
            if isSpoilt, !isSpared, body.count > Frame.headerBytes {
                body[chance.int(Frame.headerBytes...body.count - 1)] ^= 1 << UInt8(chance.int(0...7))
            }
            let way = Int(lane.rawValue) + (isUpward ? 0 : 2)
            var at = now + Span(nanoseconds: Int64.random(in: weather.delay, using: &chance) * 1_000_000 + Int64(chance.int(0...999_999)))
            if isLate, !isSpared {
                at = at + .milliseconds(Int64(chance.int(500...20_000)))
            } else if !weather.reorders {
                at = max(at, lastArrival[way])
                lastArrival[way] = at
            }
            return (at, Parcel(lane: lane, bytes: body, connection: connection))
        }
        if isOdd, !isSpared { plan.note(.parcel) }
        return arrivals
    }
}
