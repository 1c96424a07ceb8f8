// The journal on the simulated disk: an intent that was handed out is in the ledger after any power cut.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

/// Lives of an edge that decides, commits and sends, with the power cut in between.
private struct JournalLives {
    /// Bodies of the intents that were sent, by id.
    var sent: [IntentID: [UInt8]] = [:]
    var sentAndLost = 0
    var runs = 0
    var problems: [String] = []

    mutating func run(seed: UInt64, synchronous: Database.Options.Synchronous, cuts: Int) throws {
        let disk = FaultyDisk(seed: seed)
        var chance = SeededRandom(seed: seed &+ 9)
        for cut in 0..<cuts {
            disk.freezeAt = disk.mutations + chance.int(1...60)
            live(disk, synchronous, boot: UInt64(cut + 1), &chance)
            disk.crash(CrashMode.allCases[chance.int(0...3)])
        }
        live(disk, synchronous, boot: UInt64(cuts + 1), &chance, onlyLook: true)
    }

    private mutating func live(
        _ disk: FaultyDisk, _ synchronous: Database.Options.Synchronous, boot: UInt64, _ chance: inout SeededRandom, onlyLook: Bool = false
    ) {
        var replayed: [IntentID: [UInt8]] = [:]
        let journal: Journal
        do {
            let store = try EntryStore(path: "ledger.db", .init(.create, synchronous: synchronous, vfs: disk.name))
            journal = try Journal(store: store, edge: LedgerWriter.edge) { if $0.kind == Kind.intent.rawValue { replayed[$0.intentID] = $0.body } }
        } catch {
            if !disk.isFrozen { problems.append("boot \(boot) does not open: \(error)") }
            return
        }
        runs += 1
        sentAndLost += sent.filter { replayed[$0.key] != $0.value }.count
        sent = replayed
        guard !onlyLook else { return }
        var writer = LedgerWriter(boot: boot, after: journal.last)
        do {
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
            var now = Instant(seconds: 1)
            while true {
                let entries = try (0..<chance.int(1...3)).map { try writer.intent(Int64($0)) }
                let receipt = try journal.commit(entries)
                for entry in entries {
                    if let intent = receipt.take(entry.intentID) {
                        sent[intent.id] = entry.body
                    } else {
                        problems.append("no receipt for \(entry.seq)")
                    }
                }
                now = now + .milliseconds(30)
                if chance.chance(1, in: 4) { try journal.idle(at: now) }
            }
        } catch {
            if !disk.isFrozen { problems.append("boot \(boot): \(error) with the power on") }
        }
    }
}

@Suite struct JournalPowerCutTests {
    @Test func noSentIntentIsEverMissing() throws {
        var lives = JournalLives()
        for seed in 0..<12 {
            lives.sent = [:]
            try lives.run(seed: UInt64(seed), synchronous: .full, cuts: 25)
        }
        #expect(lives.sentAndLost == 0)
        #expect(lives.problems.isEmpty, "\(lives.problems.prefix(3))")
        #expect(lives.runs > 100)
    }

    /// The control: without the sync, orders would be at the broker that the ledger does not know.
    @Test func withSynchronousNormalSentIntentsGoMissing() throws {
        var lives = JournalLives()
        for seed in 0..<4 {
            lives.sent = [:]
            try lives.run(seed: UInt64(seed), synchronous: .normal, cuts: 25)
        }
        #expect(lives.sentAndLost > 0)
    }

    /// At every write and every sync of a short run: either the intent is refused, or it is there after the power cut.
    @Test(arguments: [DiskFault.Operation.write, .sync]) func afterAnErrorNothingMoreIsHandedOut(operation: DiskFault.Operation) throws {
        var failed = 0
        for index in 1...60 {
            let disk = FaultyDisk(seed: UInt64(index))
            disk.fault = DiskFault(operation, index)
            guard let journal = try? Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: disk.name) else { continue }
            var writer = LedgerWriter(boot: 1, after: nil)
            var handedOut: [Entry] = []
            var entries = [try writer.entry(LedgerWriter.bootFact)]
            for number in 0..<20 {
                do {
                    let receipt = try journal.commit(entries)
                    for id in receipt.intents where receipt.take(id) != nil { handedOut += entries }
                } catch {
                    failed += 1
                    #expect(!error.isDiskFull)
                    #expect(throws: JournalError.self) { _ = try journal.commit(entries) }
                    #expect(throws: JournalError.self) { try journal.read(from: Seq(1), limit: 1) }
                    break
                }
                entries = [try writer.intent(Int64(number))]
            }
            disk.crash(.nothing)
            var found: [Entry] = []
            _ = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: disk.name) { found.append($0) }
            let present = Set(found)
            #expect(handedOut.allSatisfy { present.contains($0) }, "\(operation) \(index)")
        }
        #expect(failed > 10)
    }

    @Test func afterAFullDiskTheSameCommitIsTaken() throws {
        let disk = FaultyDisk(seed: 3)
        let journal = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: disk.name)
        var writer = LedgerWriter(boot: 1, after: nil)
        _ = try journal.commit([try writer.entry(LedgerWriter.bootFact)])
        disk.capacity = 0
        let intent = try writer.intent(1)
        let error = #expect(throws: JournalError.self) { _ = try journal.commit([intent]) }
        #expect(error?.isDiskFull == true)
        disk.capacity = nil
        let receipt = try journal.commit([intent])
        #expect(receipt.intents == [intent.intentID])
        #expect(journal.head == intent.head)
    }
}
