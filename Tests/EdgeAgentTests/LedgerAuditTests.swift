// The check of a ledger file: whole, damaged at random bits, cut short, taken from elsewhere; and the bytes for b2sum.
import EdgeAgent
import Foundation
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct LedgerAuditTests {
    /// A ledger of three runs on a simulated disk, partly in the file and partly in the log.
    private func ledger(_ disk: FaultyDisk) throws -> [Entry] {
        var written: [Entry] = []
        for boot in 1...3 {
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            let journal = try Journal(store: store, edge: LedgerWriter.edge)
            var writer = LedgerWriter(boot: UInt64(boot), after: journal.last)
            var entries = [try writer.entry(LedgerWriter.bootFact)]
            for number in 0..<12 { entries.append(try writer.intent(Int64(number))) }
            for entry in entries { _ = try journal.commit([entry]) }
            written += entries
            if boot == 2 { try store.checkpoint() }
            // The process ends without closing: what is in the log stays there.
            disk.crash(.everything)
        }
        return written
    }

    @Test func aWholeLedgerVerifies() throws {
        let disk = FaultyDisk(seed: 1)
        let written = try ledger(disk)
        let finding = try LedgerAudit.verify(path: "ledger.db", vfs: disk.name)
        #expect(finding.difference == nil)
        #expect(finding.exitCode == 0)
        #expect(finding.count == 39)
        #expect(finding.head == written.last?.head)
        #expect(finding.report.hasPrefix("checked 39 entries, head 39 \(Hex.text(written[38].hash))"))
    }

    /// One flipped bit at a time, anywhere in file and log: whatever changes an entry, or hides it, is noticed.
    @Test func everyFlippedBitThatChangesAnEntryIsNoticed() throws {
        let original = FaultyDisk(seed: 1)
        let written = try ledger(original)
        var chance = SeededRandom(seed: 2)
        var noticed = 0
        var changed = 0
        for _ in 0..<400 {
            let disk = FaultyDisk(seed: 3)
            disk.copy(original)
            let name = disk.names[chance.int(0...(disk.names.count - 1))]
            let size = disk.bytes(of: name)?.count ?? 0
            guard size > 0 else { continue }
            let offset = chance.int(0...(size - 1))
            disk.flip(bit: chance.int(0...7), at: offset, of: name)
            let finding: LedgerAudit.Finding? = try? LedgerAudit.verify(
                path: "ledger.db", edge: LedgerWriter.edge, witness: written.last?.head, vfs: disk.name)
            let found =
                (try? EntryStore(path: "ledger.db", .init(.readOnly, vfs: disk.name)).read(from: 1, limit: .max)) ?? []
            let differs = found != written.map(\.row)
            if differs { changed += 1 }
            if finding?.exitCode != 0 { noticed += 1 }
            #expect(!differs || finding?.exitCode != 0, "a bit at \(offset) of \(name) changed an entry unnoticed")
        }
        #expect(changed > 100)
        #expect(noticed >= changed)
    }

    /// The journal itself refuses to start on what the audit would report.
    @Test func theJournalDoesNotOpenOnADamagedLedger() throws {
        let original = FaultyDisk(seed: 1)
        _ = try ledger(original)
        // Closed in order, so that no newer page of the log lies over the file's.
        do { _ = try EntryStore(path: "ledger.db", .init(.readWrite, vfs: original.name)) }
        let bytes = try #require(original.bytes(of: "ledger.db"))
        let word = Array("DU1".utf8)
        let places = bytes.indices.dropLast(3).filter { Array(bytes[$0..<($0 + 3)]) == word }
        #expect(places.count >= 36)
        for place in places { original.flip(bit: 0, at: place, of: "ledger.db") }
        let error = #expect(throws: JournalError.self) { try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: original.name) }
        guard case .damaged(let words) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(words.contains("is not what was written"))
    }

    @Test func aLedgerThatLostItsEndNeedsAWitness() throws {
        let disk = FaultyDisk(seed: 1)
        let written = try ledger(disk)
        let ahead = Head(seq: Seq(40), hash: [UInt8](repeating: 9, count: 32))
        let finding = try LedgerAudit.verify(path: "ledger.db", witness: ahead, vfs: disk.name)
        #expect(finding.difference == "the ledger ends at 39, it once reached 40")
        #expect(finding.exitCode == 5)
        let forked = Head(seq: Seq(20), hash: [UInt8](repeating: 9, count: 32))
        #expect(try LedgerAudit.verify(path: "ledger.db", witness: forked, vfs: disk.name).difference == "entry 20 is not the one the witness saw")
        #expect(try LedgerAudit.verify(path: "ledger.db", witness: written[19].head, vfs: disk.name).difference == nil)
    }

    @Test func anotherEdgesLedgerIsADifference() throws {
        let disk = FaultyDisk(seed: 1)
        _ = try ledger(disk)
        let other = try #require(EdgeID(bytes: Array(1...16)))
        let finding = try LedgerAudit.verify(path: "ledger.db", edge: other, vfs: disk.name)
        #expect(finding.exitCode == 5)
        #expect(finding.difference?.contains(LedgerWriter.edge.description) == true)
    }

    @Test func aMissingFileIsAnErrorAndAForeignOneADifference() throws {
        let folder = try TemporaryFolder()
        #expect(throws: StoreError.self) { try LedgerAudit.verify(path: folder.file("none.db")) }
        try Data(repeating: 0x55, count: 9_000).write(to: URL(fileURLWithPath: folder.file("junk.db")))
        #expect(try LedgerAudit.verify(path: folder.file("junk.db")).exitCode == 5)
    }

    /// With the running edge still holding the file, and with the tool that anybody has.
    @Test func theRawBytesGiveTheHashWithB2sum() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("ledger.db")
        let journal = try Journal(path: path, edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 1, after: nil)
        let entries = [try writer.entry(LedgerWriter.bootFact), try writer.intent(1)]
        _ = try journal.commit(entries)
        let raw = try #require(try LedgerAudit.rawBytes(path: path, seq: Seq(2)))
        #expect(raw.hash == entries[1].hash)
        #expect(try LedgerAudit.rawBytes(path: path, seq: Seq(3)) == nil)
        try Data(raw.bytes).write(to: URL(fileURLWithPath: folder.file("raw")))
        let tool = Process()
        let output = Pipe()
        tool.executableURL = URL(fileURLWithPath: "/usr/bin/b2sum")
        tool.arguments = ["-l", "256", folder.file("raw")]
        tool.standardOutput = output
        try tool.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        tool.waitUntilExit()
        #expect(text.hasPrefix(Hex.text(entries[1].hash)))
    }

    /// An entry whose lines do not add up to zero is named: the chain alone would not see it.
    @Test func anEntryThatDoesNotBalanceIsADifference() throws {
        let disk = FaultyDisk(seed: 1)
        let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
        let journal = try Journal(store: store, edge: LedgerWriter.edge)
        var chain = Chain(edge: LedgerWriter.edge, boot: Boot(raw: 5), last: nil)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(1))
        var draft = Draft(
            .transfer(
                CashMove(
                    account: "DU1", currency: "USD", amount: Money(whole: 5), at: Instant(seconds: 1), source: "console", note: "")))
        draft.postings = [Posting(PostingAccount(.cash, "DU1"), "USD", 5), Posting(PostingAccount(.transfer, "DU1"), "USD", -4)]
        let entries = [try chain.append(Draft(LedgerWriter.bootFact), at: clock), try chain.append(draft, at: clock)]
        _ = try journal.commit(entries)
        let finding = try LedgerAudit.verify(path: "ledger.db", vfs: disk.name)
        #expect(finding.exitCode == 5 && finding.difference == "entry 2 does not balance: its lines of USD add up to 1")
    }

    /// The index of subjects leads to each entry that has one, and to nothing else.
    @Test func anIndexThatDiffersIsADifference() throws {
        let original = FaultyDisk(seed: 1)
        _ = try ledger(original)
        do { _ = try EntryStore(path: "ledger.db", .init(.readWrite, vfs: original.name)).indexSubjects(limit: 20) }
        for (sql, words) in [
            ("DELETE FROM subject WHERE seq = 4", "the index of subjects is wrong about entry 4"),
            ("UPDATE subject SET ref = x'0102' WHERE seq = 5", "the index of subjects is wrong about entry 5"),
            ("INSERT INTO subject VALUES (x'01', 77)", "the index of subjects is wrong about entry 77"),
        ] {
            let disk = FaultyDisk(seed: 2)
            disk.copy(original)
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == nil)
            do { try Database(path: "ledger.db", .init(.readWrite, vfs: disk.name)).run(sql) }
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == words)
        }
    }

    /// A table that says something else than the bodies is named, line or count; made anew, it agrees.
    @Test func aPostingTableThatDiffersIsADifference() throws {
        let disk = FaultyDisk(seed: 1)
        var chain = Chain(edge: LedgerWriter.edge, boot: Boot(raw: 5), last: nil)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(1))
        var entries = [try chain.append(Draft(LedgerWriter.bootFact), at: clock)]
        for amount: Int64 in 1...3 {
            let move = CashMove(account: "DU1", currency: "USD", amount: Money(raw: amount), at: Instant(seconds: 1), source: "console", note: "")
            var draft = Draft(.transfer(move))
            draft.postings = Book().postings(of: draft.fact).lines
            entries.append(try chain.append(draft, at: clock))
        }
        do {
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            let journal = try Journal(store: store, edge: LedgerWriter.edge)
            _ = try journal.commit(entries)
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == nil, "nothing has followed yet")
            _ = try store.indexSubjects(limit: 3)
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == nil, "what has not followed yet is no difference")
            _ = try store.indexSubjects(limit: 100)
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == nil)
        }
        for (sql, words) in [
            ("UPDATE posting SET amount = amount + 1 WHERE seq = 3 AND line = 1", "the posting table says of entry 3"),
            ("DELETE FROM posting WHERE seq = 4", "the posting table says of entry 4"),
            ("INSERT INTO posting VALUES (1, 0, 1, 1, 5)", "the posting table has 7 lines up to entry 4, the bodies list 6"),
        ] {
            do { try Database(path: "ledger.db", .init(.readWrite, vfs: disk.name)).run(sql) }
            let finding = try LedgerAudit.verify(path: "ledger.db", vfs: disk.name)
            #expect(finding.exitCode == 5 && finding.difference?.contains(words) == true, "\(sql): \(finding.report)")
            let store = try EntryStore(path: "ledger.db", .init(.readWrite, vfs: disk.name))
            let report = try FollowerReport(store) { _ in }
            #expect(report.isSound && report.through == 4 && report.text(verify: "CHECK").hasSuffix("Check them: CHECK"))
            #expect(try LedgerAudit.verify(path: "ledger.db", vfs: disk.name).difference == nil)
        }
    }
}
