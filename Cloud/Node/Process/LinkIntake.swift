// How much of what edges send may wait for the node: counted in bytes, for each edge and for all together.
internal import Synchronization
package import Values

/// The count of frames between the link's thread and the node's turn. A frame that finds no room is lost, and with it the place in its session:
/// nothing more of that edge is taken until the node has ended the session aloud, and the edge begins again from the cloud's last acknowledgement.
package final class LinkIntake: Sendable {
    /// Of all edges together. Bytes; the same budget as the credit that all edges share.
    package static let bytesOfAllMax = 256 << 20
    /// Of one edge. Bytes: twice its largest credit, for the entries under way and the live state beside them.
    package static let bytesOfEdgeMax = 32 << 20
    /// What every edge has for itself, however many there are. Bytes: two of the largest frames.
    package static let bytesOfEdgeMin = 2 << 20
    /// Counted for each frame beside its bytes, so that a flood of empty frames is bounded too: its arrays, its user, its place in the queue.
    package static let frameCost = 512

    /// What becomes of one frame.
    package enum Verdict: Hashable, Sendable {
        case take, drop
        /// The first that found no room: the node must hear of it.
        case dropAndTell
    }

    private struct State {
        var waiting: [EdgeID: Int] = [:]
        var all = 0
        var flooded: Set<EdgeID> = []
        var dropped = 0
    }
    private let state = Mutex(State())

    package init() {}

    /// Asks for room for one frame of an edge, while `edges` edges may speak.
    package func offer(_ edge: EdgeID, bytes: Int, edges: Int) -> Verdict {
        let cost = bytes + LinkIntake.frameCost
        let share = max(LinkIntake.bytesOfEdgeMin, min(LinkIntake.bytesOfEdgeMax, LinkIntake.bytesOfAllMax / max(1, edges)))
        return state.withLock { state in
            let held = state.waiting[edge] ?? 0
            if !state.flooded.contains(edge), held + cost <= share, state.all + cost <= LinkIntake.bytesOfAllMax {
                state.waiting[edge] = held + cost
                state.all += cost
                return .take
            }
            state.dropped += 1
            return state.flooded.insert(edge).inserted ? .dropAndTell : .drop
        }
    }

    /// A frame that was taken has been worked off.
    package func release(_ edge: EdgeID, bytes: Int) {
        let cost = bytes + LinkIntake.frameCost
        state.withLock { state in
            let left = (state.waiting[edge] ?? 0) - cost
            precondition(left >= 0, "more of edge \(edge) was worked off than taken")
            state.waiting[edge] = left == 0 ? nil : left
            state.all -= cost
        }
    }

    /// The node has ended the edge's session: frames of the next one are taken.
    package func forgive(_ edge: EdgeID) { state.withLock { _ = $0.flooded.remove(edge) } }

    /// Bytes that wait, of all edges, with what each frame costs.
    package var waiting: Int { state.withLock { $0.all } }
    /// Frames lost since the start.
    package var dropped: Int { state.withLock { $0.dropped } }
}
