// Who speaks for an edge at the link: the key it has now, and no key that was replaced, revoked or not yet confirmed.
import CloudNode
import Platform
import Testing
import Values

struct LinkDoorTests {
    private let edge: EdgeID
    private let first = [UInt8](repeating: 1, count: 32)
    private let second = [UInt8](repeating: 2, count: 32)

    init() throws { edge = try #require(EdgeID(bytes: Array(1...16))) }

    private func user(_ door: LinkDoor, _ key: [UInt8]) -> String? {
        if case .accept(let user) = door.verdict(LinkKnock(key: key, address: "10.0.0.1")) { user } else { nil }
    }

    /// The connection made with the old key lives on in the library; its frames are nobody's.
    @Test func aReplacedKeySpeaksForNobody() throws {
        let door = LinkDoor { _, _ in }
        door.admit([LinkKey(key: first, edge: edge, isConfirmed: true)])
        let old = try #require(user(door, first))
        #expect(door.edge(of: old) == edge)
        door.admit([LinkKey(key: second, edge: edge, isConfirmed: false)])
        #expect(user(door, second) == nil && door.edge(of: old) == nil)
        door.admit([LinkKey(key: second, edge: edge, isConfirmed: true)])
        #expect(door.edge(of: old) == nil)
        #expect(door.edge(of: try #require(user(door, second))) == edge)
        door.admit([])
        #expect(user(door, second) == nil && door.edge(of: edge.description) == nil)
    }
}
