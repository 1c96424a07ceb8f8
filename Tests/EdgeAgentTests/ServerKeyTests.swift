// The edge follows its cloud to another key of the link: kept before it is said, said under the believed key alone, tried by turns, in its place once proved.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

/// Keeps the keys of a cloud's link in memory, and the order in which they were asked for.
private final class Places: ServerKeyPlaces {
    struct Full: Error {}
    var present: [UInt8]?
    var next: [UInt8]?
    var isFull = false
    init(_ present: [UInt8]) { self.present = present }
    func serverKey() -> [UInt8]? { present }
    func nextServerKey() -> [UInt8]? { next }
    func keepServerKey(_ key: [UInt8]) throws {
        if isFull { throw Full() }
        next = key
    }
    func promoteServerKey(_ key: [UInt8]) throws {
        if isFull { throw Full() }
        present = key
        next = nil
    }
}

@Suite struct ServerKeyTests {
    private let now = [UInt8](repeating: 1, count: 32), next = [UInt8](repeating: 2, count: 32)
    private let cloud: SigningKeys, stranger: SigningKeys
    init() throws {
        cloud = try #require(SigningKeys(seed: [UInt8](3..<35)))
        stranger = try #require(SigningKeys(seed: [UInt8](5..<37)))
    }

    private func rig() throws -> DiskRig {
        let rig = DiskRig()
        try rig.start()
        try rig.settle(seconds: 4)
        return rig
    }
    private func said(_ rig: DiskRig) throws -> [ServerKeyFact] {
        try rig.entries().compactMap { if case .serverKey(let word) = try $0.decoded() { word } else { nil } }
    }

    @Test func theKeyIsKeptThenSaidThenUsed() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        let places = Places(now)
        var follower = ServerKeyFollower(places)
        let word = ServerKeyFact(old: now, key: next, keys: cloud)
        follower.hear(word)
        #expect(try follower.step(agent, at: rig.clock).mayTry == nil && said(rig).isEmpty, "nobody's word yet")
        _ = try agent.believe(CloudKeyFact(key: cloud.publicKey, ground: .firstUse), at: rig.clock)

        // Not said while it could not be kept: the cloud would change to a key that nobody has.
        places.isFull = true
        #expect(throws: Places.Full.self) { try follower.step(agent, at: rig.clock) }
        #expect(try said(rig).isEmpty && places.next == nil)
        places.isFull = false
        let (effects, mayTry) = try follower.step(agent, at: rig.clock)
        #expect(try effects.isEmpty == false && mayTry == next && places.next == next && places.present == now && said(rig) == [word])
        // Each session tells it again; one entry a run is enough. An enrolment in between took the key out of its file.
        places.next = nil
        follower.hear(word)
        let (more, again) = try follower.step(agent, at: rig.clock)
        #expect(try more.isEmpty && again == next && places.next == next && said(rig).count == 1)
        #expect(try LedgerAudit.verify(path: "ledger.db", key: nil, vfs: rig.disk.name).difference == nil)

        follower.answered(by: next)
        places.isFull = true
        #expect(throws: Places.Full.self) { try follower.step(agent, at: rig.clock) }
        places.isFull = false
        _ = try follower.step(agent, at: rig.clock)
        #expect(places.present == next && places.next == nil)
    }

    @Test func onlyTheBelievedKeysWordAboutThePresentOneIsTaken() throws {
        let rig = try rig()
        let agent = try #require(rig.agent)
        _ = try agent.believe(CloudKeyFact(key: cloud.publicKey, ground: .firstUse), at: rig.clock)
        var bent = ServerKeyFact(old: now, key: next, keys: cloud)
        bent.key = [UInt8](repeating: 9, count: 32)
        for word in [
            ServerKeyFact(old: now, key: next, keys: stranger), ServerKeyFact(old: next, key: now, keys: cloud),
            ServerKeyFact(old: now, key: now, keys: cloud), bent,
        ] {
            let places = Places(now)
            var follower = ServerKeyFollower(places)
            follower.hear(word)
            #expect(try follower.step(agent, at: rig.clock).mayTry == nil && places.next == nil && said(rig).isEmpty)
        }
    }

    @Test func bothKeysAreTriedByTurnsWhileNeitherIsAnswered() {
        var search = ServerKeySearch(proved: now, at: .zero)
        #expect(search.failed(at: .seconds(10)) == nil && search.tick(at: .seconds(900)) == nil, "there is no other")
        search.announce(next)
        search.connected()
        #expect(search.failed(at: .seconds(990)) == nil && search.tick(at: .seconds(990)) == nil, "it is answered")
        search.disconnected(at: .seconds(1_000))
        #expect(search.failed(at: .seconds(1_001)) == next, "a start has three seconds to hear the cloud")
        #expect(search.failed(at: .seconds(1_002)) == nil, "the other lane's word comes as well")
        #expect(search.failed(at: .seconds(1_003)) == now, "and back")
        #expect(search.tick(at: .seconds(1_152)) == nil && search.tick(at: .seconds(1_153)) == next, "silence takes longer")
        // A handshake may have been that of the sockets before: only a session proves the key.
        search.connected()
        #expect(search.proved == now)
        #expect(search.opened() == next && search.proved == next && search.opened() == nil)
        search.disconnected(at: .seconds(1_200))
        #expect(search.failed(at: .seconds(1_300)) == nil && search.tick(at: .seconds(2_000)) == nil, "the old key is over")
    }

    /// The boot clock of a machine that has run for long says nothing about how long a link was looked for.
    @Test func aStartIsNoSilence() {
        var search = ServerKeySearch(proved: now, announced: next, at: .seconds(900_000))
        #expect(search.tick(at: .seconds(900_149)) == nil && search.tick(at: .seconds(900_150)) == next)
    }

    @Test func theFolderKeepsBothAndTheRestOfTheEnrolment() throws {
        let temporary = try TemporaryFolder(), folder = try EdgeFolder(temporary.file("data"))
        try folder.keepServerKey(next)
        #expect(try folder.cloud() == nil, "an edge without a cloud has nothing to follow")
        let signer = [UInt8](repeating: 7, count: 32)
        let text = #"{"host":"h","port":5,"serverKey":"\#(Hex.text(now))","name":"n","signer":"\#(Hex.text(signer))"}"#
        try PrivateFiles.write(temporary.file("data/keys/cloud.json"), Array(text.utf8))
        try folder.keepServerKey(next)
        #expect(try folder.serverKey() == now && folder.nextServerKey() == next && folder.uplink()?.nextServerKey == next)
        try folder.promoteServerKey([UInt8](repeating: 9, count: 32))
        #expect(try folder.serverKey() == now, "what is enrolled meanwhile is newer")
        try folder.promoteServerKey(next)
        let cloud = try #require(try folder.cloud())
        #expect(cloud.serverKey == next && cloud.nextServerKey == nil && cloud.signer == signer && cloud.host == "h" && cloud.name == "n")
    }
}
