// Signed checkpoints: a rewritten history with all its hashes made anew is found out by them, and by nothing else.
import Ledger
import Testing
import Values
import Wire

@Suite struct CheckpointTests {
    let keys: SigningKeys
    init() throws { keys = try #require(SigningKeys(seed: [UInt8](0..<32))) }

    /// Two runs of an edge, signed by `keys` after every second entry.
    private func signed(by keys: SigningKeys) throws -> TestLedger {
        var ledger = try TestLedger()
        for index in 0..<6 {
            try ledger.add(.shutdown(reason: "r\(index)"))
            if index % 2 == 1 { try sign(&ledger, keys) }
            if index == 3 { try ledger.restart(boot: 78) }
        }
        return ledger
    }
    private func sign(_ ledger: inout TestLedger, _ keys: SigningKeys) throws {
        try ledger.add(
            .checkpoint(
                CheckpointFact(
                    head: ledger.chain.head, digest: ledger.book.digest(), edge: TestLedger.edge, epoch: ledger.chain.epoch, keys: keys)))
    }
    private func difference(_ entries: [Entry], key: [UInt8]? = nil) -> String? {
        var verifier = LedgerVerifier(edge: TestLedger.edge, key: key)
        for entry in entries where verifier.accept(entry.row) == nil { break }
        return verifier.difference
    }
    /// The same facts with one changed, hashes and all: what somebody with the file and this program could write.
    private func rewritten(_ ledger: TestLedger, at place: Int, by forger: SigningKeys?) throws -> [Entry] {
        var entries = ledger.entries
        for index in place..<entries.count {
            if index == place { entries[index].body = Array(#"{"reason":"something else"}"#.utf8) }
            entries[index].previous = entries[index - 1].hash
            if let forger, entries[index].kind == Kind.checkpoint.rawValue, case .checkpoint(let old) = try entries[index].decoded() {
                let fact = CheckpointFact(
                    head: entries[index - 1].head, digest: old.digest, edge: TestLedger.edge, epoch: entries[index].epoch, keys: forger)
                entries[index].body = try JSONWriter.canonical(Fact.checkpoint(fact).body(edge: TestLedger.edge, boot: Boot(raw: 1), seq: Seq(1)))
            }
            entries[index].hash = Chain.hash(entries[index], edge: TestLedger.edge)
        }
        return entries
    }

    @Test func aSignedLedgerVerifiesUnderItsKey() throws {
        let ledger = try signed(by: keys)
        #expect(difference(ledger.entries) == nil)
        #expect(difference(ledger.entries, key: keys.publicKey) == nil)
        var verifier = LedgerVerifier(edge: TestLedger.edge)
        for entry in ledger.entries { _ = verifier.accept(entry.row) }
        #expect(verifier.checkpoints.count == 3 && verifier.checkpoints.key == keys.publicKey)
        #expect(verifier.report.contains("3 checkpoints signed by \(Hex.text(keys.publicKey))"))
    }

    @Test func aRewrittenHistoryIsFoundByTheSignatureAlone() throws {
        let ledger = try signed(by: keys)
        let forged = try rewritten(ledger, at: 1, by: nil)
        var chain = ChainVerifier(edge: TestLedger.edge)
        for entry in forged { try chain.accept(entry) }
        #expect(chain.count == UInt64(forged.count), "the control: the hashes alone are content")
        #expect(difference(forged)?.contains("signs another entry") == true)
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        let resigned = try rewritten(ledger, at: 1, by: other)
        #expect(difference(resigned) == nil, "whoever trusts the file's own key learns nothing")
        #expect(difference(resigned, key: keys.publicKey)?.contains("another key") == true)
        #expect(difference(try rewritten(ledger, at: 4, by: other))?.contains("another key") == true, "the first checkpoint pins the key")
    }

    @Test func anyChangedPartOfACheckpointIsRefused() throws {
        let ledger = try signed(by: keys)
        let place = try #require(ledger.entries.lastIndex { $0.kind == Kind.checkpoint.rawValue })
        guard case .checkpoint(let good) = try ledger.entries[place].decoded() else { Issue.record("no checkpoint"); return }
        func refusal(_ change: (inout CheckpointFact) -> Void, epoch: UInt32 = 1) throws -> String? {
            var fact = good
            change(&fact)
            var entry = ledger.entries[place]
            entry.epoch = epoch
            entry.body = try JSONWriter.canonical(Fact.checkpoint(fact).body(edge: TestLedger.edge, boot: Boot(raw: 1), seq: Seq(1)))
            var rule = CheckpointRule(edge: TestLedger.edge, key: keys.publicKey)
            return rule.accept(entry)
        }
        #expect(try refusal { _ in } == nil)
        #expect(try refusal { $0.head.seq = Seq(2) } != nil)
        #expect(try refusal { $0.head.hash[0] ^= 1 } != nil)
        #expect(try refusal { $0.digest[31] ^= 1 } != nil)
        #expect(try refusal { $0.signature[0] ^= 1 } != nil)
        #expect(try refusal { $0.key[0] ^= 1 } != nil)
        #expect(try refusal({ _ in }, epoch: 2) != nil, "a signature of another epoch")
    }

    @Test func aCheckpointIsReadBackAndABadOneIsNot() throws {
        let ledger = try signed(by: keys)
        let entry = try #require(ledger.entries.last { $0.kind == Kind.checkpoint.rawValue })
        var broken = entry
        broken.body = Array(#"{"digest":"","hash":"","key":"","seq":1,"signature":""}"#.utf8)
        #expect(throws: CodecError.self) { try broken.decoded() }
        #expect(throws: Never.self) { try entry.decoded() }
    }
}
