// How much of what the cloud sends may wait for the edge's loop: counted in bytes.
package import Platform
internal import Synchronization

/// The count of frames between the link's thread and the loop. A frame that finds no room is lost, as on a link that loses frames: the cloud's
/// acknowledgements come again with the next, commands and questions are repeated. News of the connection itself is never lost.
package final class LinkBudget: Sendable {
    /// Bytes: some of the largest frames. An honest cloud has one piece of lost entries and a few hundred commands under way.
    package static let bytesMax = 16 << 20
    /// Counted for each frame beside its bytes: its array and its place in the queue.
    package static let frameCost = 512
    private struct State { var waiting = 0, dropped = 0 }
    private let state = Mutex(State())
    package init() {}

    /// Asks for room for an event; what is answered true must be released.
    package func offer(_ event: LinkEvent) -> Bool {
        guard let cost = LinkBudget.cost(event) else { return true }
        return state.withLock { state in
            guard state.waiting + cost <= LinkBudget.bytesMax else { state.dropped += 1; return false }
            state.waiting += cost
            return true
        }
    }

    /// The event has been taken up.
    package func release(_ event: LinkEvent) {
        guard let cost = LinkBudget.cost(event) else { return }
        state.withLock { state in
            precondition(state.waiting >= cost, "more was taken up than waited")
            state.waiting -= cost
        }
    }

    /// Bytes that wait, with what each frame costs.
    package var waiting: Int { state.withLock { $0.waiting } }
    /// Frames lost since the start.
    package var dropped: Int { state.withLock { $0.dropped } }

    private static func cost(_ event: LinkEvent) -> Int? { if case .message(_, let bytes) = event { bytes.count + frameCost } else { nil } }
}
