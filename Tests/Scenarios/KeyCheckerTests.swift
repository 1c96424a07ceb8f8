// The checkers of keys, each shown to see what it is there for.
import Ledger
import Simulation
import Sync
import Testing
import Values
import Wire

struct KeyCheckerTests {
    private static let edge = EdgeID(bytes: [UInt8](repeating: 7, count: 16)) ?? { preconditionFailure("16 bytes") }()

    private func keys(_ first: UInt8) throws -> SigningKeys { try #require(SigningKeys(seed: (0..<32).map { first &+ $0 })) }

    /// A ledger of these facts; each is made when the head before it is known.
    private func rows(_ facts: [(Head) throws -> Fact], wall: (Int) -> Int64 = { Int64($0) }) throws -> StoredRows {
        var chain = Chain(edge: Self.edge, boot: Boot(raw: 1), last: nil)
        var rows: [EntryRow] = []
        for (place, fact) in facts.enumerated() {
            let clock = ClockReading(wall: Instant(nanoseconds: wall(place)), monotonic: .milliseconds(Int64(place)))
            rows.append(try chain.append(Draft(fact(chain.head)), at: clock).row)
        }
        return StoredRows(rows)
    }
    private func boot(_ head: Head) -> Fact { .boot(BootFact(version: "v", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")) }
    private func checkpoint(_ keys: SigningKeys) -> (Head) -> Fact {
        { head in .checkpoint(CheckpointFact(head: head, digest: [UInt8](repeating: 2, count: 32), edge: Self.edge, epoch: 1, keys: keys)) }
    }
    private func rotated(_ old: SigningKeys, _ new: SigningKeys) -> (Head) -> Fact {
        { head in .keyRotated(KeyRotatedFact(old: old, new: new, edge: Self.edge, epoch: 1, after: head)) }
    }
    private func link(_ keys: SigningKeys) -> (Head) -> Fact {
        let (old, key) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 32))
        return { head in .linkKey(LinkKeyFact(old: old, key: key, edge: Self.edge, epoch: 1, after: head, keys: keys)) }
    }
    private func found(_ rows: StoredRows) -> String? {
        var checker = KeyChecker(edge: Self.edge)
        return checker.look(.rows(.edge, rows), at: .zero)
    }

    @Test func signaturesFollowTheKeysThatTheLedgerNames() throws {
        let (first, second, stranger) = (try keys(1), try keys(50), try keys(90))
        #expect(try found(rows([boot, checkpoint(first), link(first), rotated(first, second), checkpoint(second), link(second)])) == nil)
        #expect(try found(rows([boot, checkpoint(first), rotated(first, second), checkpoint(first), link(first)])) == nil, "within a day")
        #expect(try found(rows([boot, checkpoint(first), checkpoint(stranger)]))?.contains("does not name") == true)
        #expect(try found(rows([boot, checkpoint(first), link(stranger)]))?.contains("not announced") == true)
        #expect(try found(rows([boot, checkpoint(first), rotated(stranger, second)]))?.contains("does not sign this ledger") == true)
        let late: (Int) -> Int64 = { $0 < 3 ? 0 : 90_000_000_000_000 }
        #expect(try found(rows([boot, checkpoint(first), rotated(first, second), checkpoint(first)], wall: late)) != nil, "its day is over")
        #expect(try found(rows([boot, checkpoint(first), rotated(first, second), link(first)], wall: late)) != nil)
    }

    @Test func whatIsNotSignedAtAllIsSeen() throws {
        let first = try keys(1), second = try keys(50)
        let spoilt: (Head) -> Fact = { head in
            var fact = CheckpointFact(head: head, digest: [UInt8](repeating: 2, count: 32), edge: Self.edge, epoch: 1, keys: first)
            fact.digest[0] = 3
            return .checkpoint(fact)
        }
        #expect(try found(rows([boot, spoilt]))?.contains("is not signed") == true)
        let unproved: (Head) -> Fact = { head in
            var fact = KeyRotatedFact(old: first, new: second, edge: Self.edge, epoch: 1, after: head)
            fact.proof = fact.signature
            return .keyRotated(fact)
        }
        #expect(try found(rows([boot, checkpoint(first), unproved]))?.contains("not signed") == true)
    }

    @Test func whatARevokedEdgeMayNotDoIsSeen() throws {
        let before = try rows([boot, checkpoint(keys(1))]), more = try rows([boot, checkpoint(keys(1)), checkpoint(keys(1))])
        let nobody = BrokerBooks(executions: [:], working: [], believed: [])
        var checker = RevokeChecker()
        #expect(checker.look(.unended(commands: ["a"]), at: .zero) != nil && checker.look(.unended(commands: []), at: .zero) == nil)
        _ = checker.look(.injected(.revoked(have: 2)), at: .zero)
        #expect(checker.look(.rows(.cloud, before), at: .zero) == nil && checker.look(.rows(.cloud, more), at: .zero) != nil)
        _ = checker.look(.injected(.readmitted(wrote: [more[2].hash])), at: .zero)
        for kept in [KeptBranch.edge, .cloud] {
            _ = checker.look(.decided(kept), at: .zero)
            for (rows, isThere) in [(before, false), (more, true)] {
                #expect((checker.look(.quiet(edge: rows, cloud: rows, nobody), at: .zero) == nil) == (isThere == (kept == .edge)))
            }
        }
    }

    /// What was let in and had not come when the key was revoked again is asked about once more; what had come stays.
    @Test func theNewestWordAboutWhatHadNotComeCounts() throws {
        let before = try rows([boot, checkpoint(keys(1))]), more = try rows([boot, checkpoint(keys(1)), checkpoint(keys(1))])
        let nobody = BrokerBooks(executions: [:], working: [], believed: [])
        for isStored in [false, true] {
            var checker = RevokeChecker()
            _ = checker.look(.injected(.revoked(have: 2)), at: .zero)
            _ = checker.look(.injected(.readmitted(wrote: [more[2].hash])), at: .zero)
            _ = checker.look(.decided(.edge), at: .zero)
            _ = checker.look(.chosen(epoch: 2), at: .zero)
            _ = checker.look(.injected(.revoked(have: isStored ? 3 : 2)), at: .zero)
            _ = checker.look(.injected(.readmitted(wrote: isStored ? [] : [more[2].hash])), at: .zero)
            if !isStored { _ = checker.look(.decided(.cloud), at: .zero) }
            for (rows, isThere) in [(before, false), (more, true)] {
                #expect((checker.look(.quiet(edge: rows, cloud: rows, nobody), at: .zero) == nil) == (isThere == isStored))
            }
        }
    }
}
