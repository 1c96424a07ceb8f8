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

    /// The user of a message names the edge and its key: a connection made with a key that was replaced speaks for nobody.
    private static func user(_ key: LinkKey) -> String { "\(key.edge)-\(Hex.text(key.key.prefix(16)))" }

    /// The edge that a user speaks for now; nil when its key was replaced or revoked since the connection was made.
    func edge(of user: String) -> EdgeID? {
        state.withLock { $0.keys.values.first { $0.isConfirmed && LinkDoor.user($0) == user }?.edge }
    }

    func verdict(_ knock: LinkKnock) -> LinkVerdict {
        let (key, isReady) = state.withLock { ($0.keys[knock.key], $0.isReady) }
        guard isReady else { return .notNow }
        guard let key else {
            onStranger(knock.key, knock.address)
            return .refuse
        }
        return key.isConfirmed ? .accept(userID: LinkDoor.user(key)) : .notNow
    }
}
