// The cloud's key that a ledger believes: pinned once, changed by a person or under the key before it, with a day for what was signed before.
import Ledger
import Testing
import Values
import Wire

@Suite struct CloudKeyTests {
    let first: SigningKeys, second: SigningKeys, stranger: SigningKeys
    init() throws {
        first = try #require(SigningKeys(seed: [UInt8](3..<35)))
        second = try #require(SigningKeys(seed: [UInt8](5..<37)))
        stranger = try #require(SigningKeys(seed: [UInt8](9..<41)))
    }

    /// What is wrong with the ledger of these facts; a key stands for a head that it countersigns.
    private func difference(_ steps: [Step]) throws -> String? {
        var ledger = try TestLedger()
        for step in steps {
            switch step {
            case .head(let keys):
                try ledger.add(.shutdown(reason: "n"))
                guard let last = ledger.entries.last else { continue }
                try ledger.add(.countersigned(CountersignedFact(head: last.head, edge: TestLedger.edge, keys: keys)))
            case .key(let fact): try ledger.add(.cloudKey(fact))
            case .server(let fact): try ledger.add(.serverKey(fact))
            case .pass(let span): ledger.clock.wall = ledger.clock.wall + span; ledger.clock.monotonic = ledger.clock.monotonic + span
            }
        }
        var verifier = LedgerVerifier(edge: TestLedger.edge)
        for entry in ledger.entries where verifier.accept(entry.row) == nil { break }
        return verifier.difference
    }
    private enum Step {
        case head(SigningKeys), key(CloudKeyFact), server(ServerKeyFact), pass(Span)
    }
    private func pinned(_ keys: SigningKeys, _ ground: CloudKeyFact.Ground = .firstUse) -> Step {
        .key(CloudKeyFact(key: keys.publicKey, ground: ground))
    }

    @Test func aPinnedKeyIsTheOnlyOneBelieved() throws {
        #expect(try difference([.head(first), .head(stranger)]) == nil, "before anything was said each is taken")
        #expect(try difference([pinned(first), .head(first)]) == nil)
        let words = try #require(try difference([pinned(first), .head(first), .head(stranger)]))
        #expect(words.contains("signed by another key than the one this ledger believes"))
    }

    @Test func aPersonMayChangeItAndTheOldOneIsOutAtOnce() throws {
        for ground in [CloudKeyFact.Ground.person, .enrolled] {
            #expect(try difference([pinned(first), .head(first), pinned(second, ground), .head(second)]) == nil)
            #expect(try difference([pinned(first), pinned(second, ground), .head(first)]) != nil)
        }
        #expect(try difference([pinned(first), pinned(second)]) != nil, "there is no second first use")
    }

    /// What a ledger says of the cloud's next link key is the word of the key that it believes.
    @Test func aKeyOfTheLinkIsAnnouncedByTheBelievedOne() throws {
        let now = [UInt8](repeating: 1, count: 32), next = [UInt8](repeating: 2, count: 32)
        let word = ServerKeyFact(old: now, key: next, keys: first)
        #expect(try difference([pinned(first), .server(word)]) == nil)
        let change = Step.key(CloudKeyFact(CloudKeyChange(from: first, to: second)))
        #expect(try difference([pinned(first), change, .server(word)]) == nil, "it was under way")
        #expect(try difference([pinned(first), change, .pass(.hours(25)), .server(word)]) != nil)
        let strange = ServerKeyFact(old: now, key: next, keys: stranger)
        #expect(try difference([pinned(first), .server(strange)])?.contains("another key than the one believed") == true)
        var bent = word
        bent.key = now
        #expect(try difference([pinned(first), .server(bent)])?.contains("signature") == true)
    }

    @Test func anAnnouncedKeyFollowsAndTheOldOneFades() throws {
        let change = Step.key(CloudKeyFact(CloudKeyChange(from: first, to: second)))
        #expect(try difference([pinned(first), .head(first), change, .head(second), .head(first)]) == nil)
        #expect(try difference([pinned(first), change, .pass(.hours(23)), .head(first)]) == nil)
        #expect(try difference([pinned(first), change, .pass(.hours(25)), .head(second)]) == nil)
        #expect(try difference([pinned(first), change, .pass(.hours(25)), .head(first)])?.contains("another key") == true)
        #expect(try difference([pinned(first), change, .head(stranger)]) != nil)
    }

    @Test func onlyTheBelievedKeyAnnounces() throws {
        let honest = CloudKeyChange(from: stranger, to: second)
        #expect(try difference([pinned(first), .key(CloudKeyFact(honest))])?.contains("announced by another key") == true)
        var forged = CloudKeyChange(from: first, to: second)
        forged.signature[0] ^= 1
        #expect(try difference([pinned(first), .key(CloudKeyFact(forged))])?.contains("signature of the cloud's key") == true)
        var borrowed = CloudKeyChange(from: first, to: second)
        borrowed.proof = CloudKeyChange(from: first, to: stranger).proof
        #expect(try difference([pinned(first), .key(CloudKeyFact(borrowed))]) != nil, "who announces it must hold it")
        var other = CloudKeyFact(CloudKeyChange(from: first, to: second))
        other.key = stranger.publicKey
        #expect(try difference([pinned(first), .key(other)]) != nil, "another key than the one announced")
    }

    @Test func whatIsKeptIsReadBack() throws {
        var ledger = try TestLedger()
        var trust = CloudTrust()
        #expect(try CloudTrust(text: "") == trust && CloudTrust(text: trust.text) == trust)
        let facts = [
            CloudKeyFact(key: first.publicKey, ground: .enrolled, enrolment: [UInt8](0..<8)), CloudKeyFact(CloudKeyChange(from: first, to: second)),
        ]
        for fact in facts {
            #expect(trust.accept(try ledger.add(.cloudKey(fact))) == nil)
            #expect(try CloudTrust(text: trust.text) == trust)
        }
        #expect(trust.key == second.publicKey && trust.before?.key == first.publicKey && trust.enrolment == [UInt8](0..<8))
        // A walk over the newest entries knows nothing of older ones.
        var walk = CloudTrust()
        #expect(walk.over(trust) == trust)
        #expect(walk.accept(try ledger.add(.cloudKey(CloudKeyFact(CloudKeyChange(from: second, to: stranger))))) == nil)
        #expect(walk.over(trust).key == stranger.publicKey && walk.over(trust).enrolment == [UInt8](0..<8))
    }
}
