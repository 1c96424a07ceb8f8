// What may happen to the link between edge and cloud, by name; each is a weather of the relay.
internal import Simulation
package import Values

/// A named trouble of the link.
package enum LinkStorm: String, CaseIterable, Sendable {
    /// Fifty milliseconds there and back, and some more by chance.
    case latency
    /// Twenty kilobytes a second.
    case slow
    /// Bytes vanish both ways, and nobody is told.
    case blackHole = "black-hole"
    /// Bytes vanish one way.
    case deaf
    /// One side's connections are gone, the other side's stay open and silent.
    case halfOpen = "half-open"
    /// Bits turn.
    case corrupt
    /// Connections break off in the middle of a frame.
    case reset
    /// Nothing passes for a while, then everything.
    case stall
    /// Connections overtake one another.
    case shuffle

    /// The words for `rig relay weather`.
    package func weather(_ chance: inout SeededRandom) -> String {
        let way = (chance.chance(1, in: 2) ? RelayWay.forth : .back).rawValue
        return switch self {
        case .latency: "delay=25,jitter=10"
        case .slow: "limit=20000"
        case .blackHole: "black-hole"
        case .deaf: "mute=\(way)"
        case .halfOpen: "half-open=\(way)"
        case .corrupt: "corrupt=3000"
        case .reset: "reset=4000"
        case .stall: "stall"
        case .shuffle: "shuffle=400,reset=8000"
        }
    }
}
