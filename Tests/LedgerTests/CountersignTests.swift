// Countersigned heads: a witness that the edge cannot write for itself.
import Ledger
import Testing
import Values
import Wire

@Suite struct CountersignTests {
    let cloud: SigningKeys
    init() throws { cloud = try #require(SigningKeys(seed: [UInt8](3..<35))) }

    /// Ten entries, the sixth of which says what `change` makes of the cloud's word about the fourth.
    private func ledger(_ change: (inout CountersignedFact) -> Void = { _ in }) throws -> TestLedger {
        var ledger = try TestLedger()
        for index in 0..<4 { try ledger.add(.shutdown(reason: "\(index)")) }
        var fact = CountersignedFact(head: ledger.entries[3].head, edge: TestLedger.edge, keys: cloud)
        change(&fact)
        try ledger.add(.countersigned(fact))
        for index in 0..<4 { try ledger.add(.shutdown(reason: "\(index)")) }
        return ledger
    }
    private func verified(_ ledger: TestLedger) -> LedgerVerifier {
        var verifier = LedgerVerifier(edge: TestLedger.edge)
        for entry in ledger.entries where verifier.accept(entry.row) == nil { break }
        return verifier
    }

    @Test func aTrueWordIsCounted() throws {
        let verifier = verified(try ledger())
        #expect(verifier.difference == nil && verifier.countersigned.count == 1 && verifier.countersigned.last?.head.seq == Seq(4))
        #expect(verifier.report.contains("1 heads countersigned by the cloud, the newest by \(Hex.text(cloud.publicKey)) over entry 4"))
        // The bytes under the signature, as a stranger puts them together.
        let entry = try ledger().entries[3]
        let bytes = Array("tidewire.countersign1".utf8) + TestLedger.edge.bytes + [4, 0, 0, 0, 0, 0, 0, 0] + entry.hash
        #expect(CountersignedFact.signedBytes(edge: TestLedger.edge, head: entry.head) == bytes)
    }

    @Test func everyLieIsNamed() throws {
        let other = try #require(SigningKeys(seed: [UInt8](9..<41)))
        let fourth = try ledger().entries[3].head
        let lies: [((inout CountersignedFact) -> Void, String)] = [
            ({ $0.signature[3] ^= 1 }, "the signature of countersigned head 6 is wrong"),
            ({ $0.key = other.publicKey }, "the signature of countersigned head 6 is wrong"),
            // The word about another edge.
            (
                {
                    if let edge = EdgeID(bytes: [UInt8](repeating: 9, count: 16)) {
                        $0 = CountersignedFact(head: fourth, edge: edge, keys: self.cloud)
                    }
                }, "the signature of countersigned head 6 is wrong"
            ),
            (
                { $0 = CountersignedFact(head: Head(seq: Seq(4), hash: [UInt8](repeating: 1, count: 32)), edge: TestLedger.edge, keys: self.cloud) },
                "speaks of another entry 4 than this ledger has"
            ),
            (
                { $0 = CountersignedFact(head: Head(seq: Seq(6), hash: fourth.hash), edge: TestLedger.edge, keys: self.cloud) },
                "speaks of entry 6, which is not among"
            ),
        ]
        for (lie, words) in lies {
            let found = verified(try ledger(lie)).difference
            #expect(found?.contains(words) == true, "\(found ?? "nothing") instead of \(words)")
        }
    }

    /// Somebody with the edge's file, its key and this program writes history anew: the cloud's word is about what was.
    @Test func aRewrittenHistoryContradictsTheCloud() throws {
        let true_ = try ledger()
        guard case .countersigned(let word) = try true_.entries[5].decoded() else { Issue.record("not there"); return }
        var forged = try TestLedger()
        for index in 0..<4 { try forged.add(.shutdown(reason: "something else \(index)")) }
        try forged.add(.countersigned(word))
        #expect(verified(forged).difference == "countersigned head 6 speaks of another entry 4 than this ledger has")
    }

    @Test func aWordTooFarBackIsNotTaken() throws {
        var ledger = try TestLedger()
        let word = CountersignedFact(head: ledger.entries[0].head, edge: TestLedger.edge, keys: cloud)
        for index in 0..<Int(CountersignRule.reach) { try ledger.add(.shutdown(reason: "\(index)")) }
        try ledger.add(.countersigned(word))
        #expect(verified(ledger).difference?.contains("which is not among the 4096 before it") == true)
    }
}
