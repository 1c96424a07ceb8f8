// What people do to the keys of a world: the edge's own are changed, the link's is revoked at the cloud, and somebody lets the edge in again.
internal import Ledger
internal import Sync
internal import Values
internal import Wire

extension World {
    func planKeys() {
        plan(.rotate, .rotate, within: keyMenu.rotations)
        plan(.revoke, .revoke, within: keyMenu.revokes)
    }

    func changeKeys(_ happening: Happening) throws {
        switch happening {
        case .rotate:
            if var chance = due(.rotate, if: edge.isRunning) { try rotate(&chance) }
            plan(.rotate, .rotate, within: keyMenu.rotations)
        case .revoke:
            if var chance = due(.revoke, if: cloud.isRunning && !cloud.isDoomed && !isRevoked && cloud.admits(edge.linkKey)) { try revoke(&chance) }
            plan(.revoke, .revoke, within: keyMenu.revokes)
        case .readmit(let closesFirst): try readmit(closesFirst)
        default: preconditionFailure("no change of keys")
        }
    }

    private func rotate(_ chance: inout SeededRandom) throws {
        let isLink = chance.chance(1, in: 2)
        let death = chance.chance(1, in: 2) ? KeyDeath.never : [.made, .announced, .promoted][chance.int(0...2)]
        tell("the \(isLink ? "link's" : "ledger's") key is changed\(death == .never ? "" : ", the process dies: \(death)")")
        log(14, isLink ? 1 : 0)
        hurry()
        try act(.edge) { _ in try isLink ? edge.changeLinkKey(death, at: edgeClock) : edge.changeLedgerKey(death, at: edgeClock) }
    }

    // MARK: - Revoked

    private func revoke(_ chance: inout SeededRandom) throws {
        let (thought, closesFirst) = (chance.int(1...200), chance.chance(1, in: 3))
        var unended: [String]?
        try act(.cloud) { _ in unended = try cloud.revoke(at: cloudClock) }
        guard let unended else { return }
        isRevoked = true
        let have = try cloud.entries(in: cloud.image()).count
        tell("the edge's key is revoked, the cloud has \(have)")
        log(15)
        look([.injected(.revoked(have: have)), .unended(commands: unended)])
        let wait = Span(nanoseconds: keyMenu.thought.nanoseconds / 100 * Int64(thought))
        queue.add(.readmit(closesFirst: closesFirst), at: now + (isCalm ? .seconds(1) : wait))
    }

    /// Somebody says that it may come back, and enrols it by another key. What a crash interrupts is done again.
    private func readmit(_ closesFirst: Bool) throws {
        guard isRevoked else { return }
        var key: [UInt8]?
        hurry()
        let have = cloud.isRunning ? try cloud.entries(in: cloud.image()).count : 0
        let wrote = try edge.entries(after: have), head = Seq(UInt64(have + wrote.count))
        try act(.cloud) { _ in key = try cloud.readmit(closesFirst: closesFirst, head: head, at: cloudClock) }
        guard let key else { return queue.add(.readmit(closesFirst: false), at: now + .seconds(2)) }
        isRevoked = false
        edge.keys.enrolled(by: key)
        tell("the edge is let in by another key; it wrote \(wrote.count) entries meanwhile")
        log(16)
        look([.injected(.readmitted(wrote: wrote))])
        knockAt = .zero
        queue.add(.connect(.edge), at: now + .milliseconds(100))
    }

    // MARK: - The door

    /// Whether the cloud's door knows the key that the edge shows; an edge that it does not know tries again.
    func knock() throws -> Bool {
        guard keyMenu.isOn else { return true }
        let key = edge.linkKey
        edge.isKeyRefused = !cloud.admits(key)
        guard edge.isKeyRefused else {
            // Another key is another socket: what the old one held goes with it.
            if edge.linkedBy != key { link.forget(isUpward: true) }
            edge.linkedBy = key
            return true
        }
        guard now >= knockAt else { return false }
        knockAt = now + pace.knockEvery
        tell("the door does not know the edge's key")
        log(17)
        try act(.cloud) { _ in try cloud.stranger(key, at: cloudClock) }
        queue.add(.connect(.edge), at: knockAt)
        return false
    }

    /// Whether the door lets a frame of this connection through.
    func isLetIn(_ connection: UInt64) -> Bool { keysOfConnections[connection].map { cloud.admits($0) } ?? true }

    /// The door closes connections whose key it does not know any more.
    func mindDoor() {
        guard keyMenu.isOn, cloud.isRunning, link.isUp, !isLetIn(link.connection) else { return }
        var chance = plans.next(.life).chance
        tell("the door closes the edge's connection")
        cut(.edge, &chance)
    }
}
