// The fold done again, and the proof of one entry: both find what the chain alone does not, and both say so in words.
import Ledger
import Testing
import Values
import Wire

@Suite struct RebuildTests {
    let keys: SigningKeys
    init() throws { keys = try #require(SigningKeys(seed: [UInt8](0..<32))) }

    /// A run with a halt, a resume and checkpoints; `lie` makes the second one sign another book.
    private func ledger(lie: Bool = false, version: String = "9.9.9") throws -> TestLedger {
        var ledger = try TestLedger()
        try ledger.add(.boot(BootFact(version: version, mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
        for round in 0..<3 {
            try ledger.add(.halt(HaltFact(level: .halt, source: "console", reason: "round \(round)")))
            var digest = ledger.book.digest()
            if lie, round == 1 { digest[0] ^= 1 }
            try ledger.add(
                .checkpoint(
                    CheckpointFact(head: ledger.chain.head, digest: digest, edge: TestLedger.edge, epoch: ledger.chain.epoch, keys: keys)))
            try ledger.add(.resume(HaltFact(level: .normal, source: "console", reason: "go on")))
        }
        return ledger
    }
    private func rebuilt(_ ledger: TestLedger) -> LedgerRebuild {
        var rebuild = LedgerRebuild(edge: TestLedger.edge, release: "9.9.9")
        for entry in ledger.entries where !rebuild.accept(entry.row) { break }
        return rebuild
    }

    @Test func theSameEntriesGiveTheSameDigest() throws {
        let ledger = try ledger()
        var rebuild = rebuilt(ledger)
        #expect(rebuild.difference == nil && rebuild.compared == 3)
        rebuild.compare(ledger.book.digest(), "the live book")
        #expect(rebuild.difference == nil)
        #expect(rebuild.report.hasSuffix("no difference"))
        var other = ledger.book
        var more = ledger
        try more.add(.halt(HaltFact(level: .halt, source: "console", reason: "one more")))
        other = more.book
        rebuild.compare(other.digest(), "the live book")
        #expect(rebuild.difference?.contains("the live book is another book") == true)
    }

    @Test func aCheckpointOverAnotherBookIsFoundByTheFoldAlone() throws {
        let lying = try ledger(lie: true)
        var verifier = LedgerVerifier(edge: TestLedger.edge)
        for entry in lying.entries { _ = verifier.accept(entry.row) }
        #expect(verifier.difference == nil, "the control: hashes and signatures are content")
        #expect(rebuilt(lying).difference?.contains("signed over another book") == true)
        let older = try ledger(lie: true, version: "1.0.0")
        #expect(rebuilt(older).difference == nil && rebuilt(older).compared == 0, "another release may have added up otherwise")
    }

    @Test func aDamagedRowEndsIt() throws {
        var ledger = try ledger()
        ledger.entries[4].body[5] ^= 1
        #expect(rebuilt(ledger).difference?.contains("entry 5 is not what was written") == true)
    }

    @Test func theQuietestHourIsTheOneWithTheFewestEntries() throws {
        #expect(rebuilt(try ledger()).quietestHour == 0, "an hour without any, the earliest")
        var all = LedgerRebuild(edge: TestLedger.edge)
        var ledger = try TestLedger()
        for hour in 0..<24 {
            for _ in 0..<(hour == 21 ? 1 : 3) {
                ledger.clock.wall = Instant(seconds: 1_795_046_400 + Int64(hour) * 3_600 + 60 + (ledger.clock.wall.nanoseconds & 1))
                try ledger.add(.halt(HaltFact(level: .halt, source: "console", reason: "x")))
            }
        }
        for entry in ledger.entries { _ = all.accept(entry.row) }
        #expect(all.quietestHour == 21, "\(all.hours)")
    }

    @Test func anEntryIsProvedByTheHashesUpToTheNextSignature() throws {
        let ledger = try ledger()
        var proof = LedgerProof(edge: TestLedger.edge)
        for entry in ledger.entries.dropFirst(1) where !proof.accept(entry.row) { break }
        #expect(proof.isProved && proof.path == ledger.entries[1...2].map(\.head))
        let text = proof.text(export: "export --raw")
        #expect(text.contains("entry 2 \(Hex.text(ledger.entries[1].hash))") && text.contains("key \(Hex.text(keys.publicKey))"))
        // What the text says is enough: the signed bytes hold the last hash of the path, and the signature is over them.
        let checkpoint = try #require(proof.checkpoint)
        let said = CheckpointFact.signedBytes(edge: TestLedger.edge, epoch: proof.epoch, head: checkpoint.head, digest: checkpoint.digest)
        #expect(text.contains("signed \(Hex.text(said))") && Hex.text(said).contains(Hex.text(ledger.entries[2].hash)))
        #expect(Signing.verifies(checkpoint.signature, over: said, by: checkpoint.key))
        for (index, head) in proof.path.enumerated() {
            let entry = ledger.entries[index + 1]
            #expect(Hashing.blake2b(Chain.hashedBytes(entry, edge: TestLedger.edge)) == head.hash)
        }
    }

    @Test func withoutASignatureBehindItAnEntryIsNotProved() throws {
        let ledger = try ledger()
        var proof = LedgerProof(edge: TestLedger.edge)
        _ = proof.accept(ledger.entries[ledger.entries.count - 1].row)
        #expect(!proof.isProved && proof.difference == nil && proof.text(export: "e").contains("No checkpoint covers it yet"))
        var changed = ledger.entries[2]
        changed.body[5] ^= 1
        var broken = LedgerProof(edge: TestLedger.edge)
        _ = broken.accept(ledger.entries[1].row)
        #expect(!broken.accept(changed.row) && broken.difference != nil)
    }
}
