// Who is let in at the link: asked by the link's thread, told by the node's.
package import Platform
internal import Synchronization
package import Values

/// The table of keys between the two threads.
package final class LinkDoor: Sendable {
    private struct State {
        var keys: [[UInt8]: LinkKey] = [:]
        /// Who a user of a message speaks for: asked for each frame.
        var edges: [String: EdgeID] = [:]
        /// False until the node has read its store: nobody is refused by mistake.
        var isReady = false
    }
    private let state = Mutex(State())
    private let onStranger: @Sendable (_ key: [UInt8], _ address: String) -> Void

    package init(onStranger: @escaping @Sendable (_ key: [UInt8], _ address: String) -> Void) { self.onStranger = onStranger }

    package func admit(_ keys: [LinkKey]) {
        state.withLock { state in
            state.keys = [:]
            state.edges = [:]
            for key in keys {
                state.keys[key.key] = key
                if key.isConfirmed { state.edges[LinkDoor.user(key)] = key.edge }
            }
            state.isReady = true
        }
    }

    /// The user of a message names the edge and its key: a connection made with a key that was replaced speaks for nobody.
    private static func user(_ key: LinkKey) -> String { "\(key.edge)-\(Hex.text(key.key.prefix(16)))" }

    /// The edge that a user speaks for now; nil when its key was replaced or revoked since the connection was made.
    package func edge(of user: String) -> EdgeID? {
        state.withLock { $0.edges[user] }
    }

    /// Keys that may speak now: one for each confirmed edge.
    var edgeCount: Int { state.withLock { $0.edges.count } }

    package func verdict(_ knock: LinkKnock) -> LinkVerdict {
        let (key, isReady) = state.withLock { ($0.keys[knock.key], $0.isReady) }
        guard isReady else { return .notNow }
        guard let key else {
            onStranger(knock.key, knock.address)
            return .refuse
        }
        return key.isConfirmed ? .accept(userID: LinkDoor.user(key)) : .notNow
    }
}
