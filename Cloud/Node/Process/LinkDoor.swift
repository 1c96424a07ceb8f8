// Who is let in at the link: asked by the link's thread, told by the node's.
internal import Platform
internal import Synchronization
internal import Values

/// The table of keys between the two threads.
final class LinkDoor: Sendable {
    private struct State {
        var keys: [[UInt8]: LinkKey] = [:]
        /// False until the node has read its store: nobody is refused by mistake.
        var isReady = false
    }
    private let state = Mutex(State())
    private let onStranger: @Sendable (_ key: [UInt8], _ address: String) -> Void

    init(onStranger: @escaping @Sendable (_ key: [UInt8], _ address: String) -> Void) { self.onStranger = onStranger }

    func admit(_ keys: [LinkKey]) {
        state.withLock { state in
            state.keys = [:]
            for key in keys { state.keys[key.key] = key }
            state.isReady = true
        }
    }

    /// The user of a message is the edge's id.
    func verdict(_ knock: LinkKnock) -> LinkVerdict {
        let (key, isReady) = state.withLock { ($0.keys[knock.key], $0.isReady) }
        guard isReady else { return .notNow }
        guard let key else {
            onStranger(knock.key, knock.address)
            return .refuse
        }
        return key.isConfirmed ? .accept(userID: key.edge.description) : .notNow
    }
}
