// The ledger key and its successors: only the old key's word makes a new one count, only in its place, and the old one fades after a day.
import Ledger
import Testing
import Values
import Wire

@Suite struct KeyRotationTests {
    let first: SigningKeys, second: SigningKeys, third: SigningKeys
    init() throws {
        first = try #require(SigningKeys(seed: [UInt8](0..<32)))
        second = try #require(SigningKeys(seed: [UInt8](1..<33)))
        third = try #require(SigningKeys(seed: [UInt8](2..<34)))
    }

    private func checkpoint(_ ledger: TestLedger, _ keys: SigningKeys) -> Fact {
        .checkpoint(
            CheckpointFact(head: ledger.chain.head, digest: ledger.book.digest(), edge: TestLedger.edge, epoch: ledger.chain.epoch, keys: keys))
    }
    private func change(_ ledger: TestLedger, _ old: SigningKeys, _ new: SigningKeys) -> KeyRotatedFact {
        KeyRotatedFact(old: old, new: new, edge: TestLedger.edge, epoch: ledger.chain.epoch, after: ledger.chain.head)
    }
    private func edited(_ fact: KeyRotatedFact, _ edit: (inout KeyRotatedFact) -> Void) -> KeyRotatedFact {
        var fact = fact
        edit(&fact)
        return fact
    }
    private func verified(_ ledger: TestLedger, key: [UInt8]? = nil) -> LedgerVerifier {
        var verifier = LedgerVerifier(edge: TestLedger.edge, key: key)
        for entry in ledger.entries where verifier.accept(entry.row) == nil { break }
        return verifier
    }
    /// Signed by the first key, then changed to the second.
    private func changed() throws -> TestLedger {
        var ledger = try TestLedger()
        try ledger.add(checkpoint(ledger, first))
        try ledger.add(.keyRotated(change(ledger, first, second)))
        return ledger
    }

    @Test func theNewKeyCountsOnceTheOldOneSaidSo() throws {
        var ledger = try changed()
        try ledger.add(checkpoint(ledger, second))
        try ledger.add(.keyRotated(change(ledger, second, third)))
        try ledger.add(checkpoint(ledger, third))
        let verifier = verified(ledger, key: first.publicKey)
        #expect(verifier.difference == nil && verifier.checkpoints.key == third.publicKey && verifier.checkpoints.rotations == 2)
        #expect(verifier.report.contains("the ledger key was changed 2 times, now \(Hex.text(third.publicKey))"))
        #expect(verified(ledger, key: second.publicKey).difference?.contains("another key") == true, "it begins with the first")
        var bare = try TestLedger()
        try bare.add(checkpoint(bare, first))
        try bare.add(checkpoint(bare, second))
        #expect(verified(bare).difference == "checkpoint 3 is signed by another key than this ledger's")
    }

    /// For a day what was under way may still come under the old key.
    @Test func theOldKeyFadesAfterADay() throws {
        var ledger = try changed()
        ledger.clock.wall = ledger.clock.wall + .hours(24) - .seconds(1)
        try ledger.add(checkpoint(ledger, first))
        #expect(verified(ledger).difference == nil && verified(ledger).checkpoints.key == second.publicKey)
        ledger.clock.wall = ledger.clock.wall + .seconds(2)
        try ledger.add(checkpoint(ledger, first))
        #expect(verified(ledger).difference?.contains("checkpoint 5 is signed by another key") == true)
    }

    /// A walk that begins behind the change has to be told who signed before; not told, it takes the old key's late word for a stranger's.
    @Test(arguments: [true, false]) func whoBeginsBehindTheChangeKnowsTheOldKey(isTold: Bool) throws {
        var ledger = try changed()
        let anchor = ledger.entries[ledger.entries.count - 1]
        let rule = verified(ledger).checkpoints
        ledger.clock.wall = ledger.clock.wall + .hours(23)
        let late = try ledger.add(checkpoint(ledger, first))
        var verifier = LedgerVerifier(edge: TestLedger.edge, after: anchor, key: rule.key, former: isTold ? rule.before : nil)
        #expect((verifier.accept(late.row) != nil) == isTold)
        ledger.clock.wall = ledger.clock.wall + .hours(2)
        let tooLate = try ledger.add(checkpoint(ledger, first))
        #expect(verifier.accept(tooLate.row) == nil, "it fades all the same")
    }

    @Test func nobodyElseChangesTheKey() throws {
        func added(_ make: (TestLedger) -> KeyRotatedFact) throws -> String? {
            var ledger = try TestLedger()
            try ledger.add(checkpoint(ledger, first))
            try ledger.add(.keyRotated(make(ledger)))
            return verified(ledger).difference
        }
        #expect(try added { change($0, first, second) } == nil)
        #expect(try added { change($0, third, second) } == "key change 3 is signed by another key than this ledger's")
        // The old key's name without its word; the new key's name without its own; the old key's word for both.
        let forgeries: [(TestLedger) -> KeyRotatedFact] = [
            { edited(change($0, third, second)) { $0.old = first.publicKey } },
            { edited(change($0, first, second)) { $0.key = third.publicKey } },
            { edited(change($0, first, second)) { $0.proof = $0.signature } },
        ]
        for forgery in forgeries { #expect(try added(forgery) == "the signature of key change 3 is wrong") }
        // A true one of another place, or of another edge.
        #expect(
            try added { ledger in
                KeyRotatedFact(old: first, new: second, edge: TestLedger.edge, epoch: 1, after: ledger.entries[0].head)
            } == "the signature of key change 3 is wrong")
        let other = try #require(EdgeID(bytes: [UInt8](repeating: 9, count: 16)))
        #expect(
            try added { ledger in
                KeyRotatedFact(old: first, new: second, edge: other, epoch: 1, after: ledger.chain.head)
            } == "the signature of key change 3 is wrong")
    }
}
