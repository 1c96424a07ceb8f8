// Bytes that rot in the real files while the real processes run: `tidewire-cloud reconcile` finds them at both ends, heals each from the other, and proves it.
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct ReconcileTests {
    /// Flips one byte wherever this text stands in a database or its log; the process that owns them runs on.
    private func flip(_ database: String, _ text: [UInt8], at offset: Int) throws {
        var flipped = 0
        for path in [database, database + "-wal"] {
            let bytes = Files.bytes(path)
            // Everywhere: a page that was split keeps a copy of the text in bytes that nobody reads.
            for place in bytes.ranges(of: text) {
                let at = place.lowerBound + offset
                try Files.poke(path, at: at, bytes[at] ^ 1)
                flipped += 1
            }
        }
        guard flipped > 0 else { throw ProcessTrouble("the text stands nowhere in \(database)") }
    }

    private func body(_ stage: Stage, _ seq: UInt64) throws -> [UInt8] {
        let rows = try EntryStore(path: stage.edgeLedger, .init(.readOnly)).read(from: seq, limit: 1)
        return try #require(rows.first).body
    }

    @FirstStage @Test func damageAtBothEndsIsHealedAndProved() throws {
        let stage = try Stage()
        try stage.open()
        let id = try #require(try stage.edgeRow()?["id"]?.text)
        let cloudLedger = "\(stage.cloudFolder)/edges/\(id).db"
        try stage.patience.until("the cloud has everything") { try stage.edgeRow()?["backlog"]?.integerValue == 0 }
        let same = try stage.cloud("reconcile", "home-1")
        #expect(same.code == 0 && same.output.contains("are the same at both ends"), "\(same)")

        // Two instruments or the boot: entries 1 and 2 have bodies of their own.
        try flip(cloudLedger, body(stage, 1), at: 12)
        try flip(stage.edgeLedger, body(stage, 2), at: 12)
        #expect(try stage.cloud("ledger", "verify").code == 5)
        #expect(try stage.edge("ledger", "verify").code == 5)

        let healed = try stage.cloud("reconcile", "home-1", "--json")
        let comparison = try #require(try stage.json(healed)["comparison"])
        #expect(comparison["state"]?.text == "healed" && comparison["healed"]?.integerValue == 2, "\(healed)")
        let proof = (comparison["proof"]?.elements ?? []).compactMap(\.text)
        #expect(proof.contains { $0.hasPrefix("entry 1: ") && $0.contains("wrong at the cloud") && $0.contains("put right") }, "\(proof)")
        #expect(proof.contains { $0.hasPrefix("entry 2: ") && $0.contains("wrong at the edge") && $0.contains("put right") }, "\(proof)")
        #expect(try stage.cloud("ledger", "verify").code == 0)
        #expect(try stage.edge("ledger", "verify").code == 0)
        let tail = try stage.edge("ledger", "tail").output
        #expect(tail.contains("healed"), "the repair is an entry: \(tail)")
        // The bytes in the proof are those that anybody can hash.
        let line = try #require(proof.first { $0.hasPrefix("entry 1: the chain says ") })
        let hash = Hex.text(Hashing.blake2b(try rawBytes(stage, "1")))
        #expect(line.contains(hash))

        let again = try stage.cloud("reconcile", "home-1")
        #expect(again.code == 0 && again.output.contains("are the same at both ends"))
        #expect(try stage.stop(.edge) == 0)
        #expect(try stage.stop(.cloud) == 0)
        try stage.start(.cloud)
        try stage.start(.edge)
        try stage.awaitLink()
        #expect(try stage.edgeStatus()?["troubles"]?.elements?.isEmpty == true)
    }

    /// The cloud's signed word lies in the edge's ledger, and a backup that was put back on trial reaches the edge.
    @FirstStage @Test func theCloudIsAWitnessAndSaysHowFarItsBackupsReach() throws {
        let stage = try Stage()
        try stage.openUnbrokered()
        try stage.patience.until("the head is countersigned", within: 30) {
            try stage.edge("ledger", "verify").output.contains("heads countersigned by the cloud")
        }
        let target = stage.folder + "/backup"
        let made = try stage.cloud("store", "backup", target)
        #expect(made.code == 0 && made.output.contains("The edges are told."), "\(made)")
        #expect(try stage.cloud("store", "backup", target).code == 3, "a backup is not written over")
        try stage.patience.until("the edge knows the watermark", within: 15) {
            let mark = UInt64(try EntryStore(path: stage.edgeLedger, .init(.readOnly)).meta("backup_watermark") ?? "") ?? 0
            return mark > 0 && made.output.contains("verified up to entry \(mark),")
        }
        // The backup is a data folder: a cloud runs on it, and the edge goes on with it when the store says that it was put back.
        #expect(try stage.stop(.cloud) == 0)
        for name in ["control.db", "control.db-wal", "control.db-shm"] { Files.removeFile("\(stage.cloudFolder)/\(name)") }
        for folder in ["edges", "keys"] { Files.remove("\(stage.cloudFolder)/\(folder)") }
        for folder in ["/edges", "/keys"] { try PrivateFiles.makeFolder(stage.cloudFolder + folder) }
        for folder in ["", "/edges", "/keys"] {
            for name in try PrivateFiles.names(in: target + folder) where !["edges", "keys"].contains(name) {
                try Files.write("\(stage.cloudFolder)\(folder)/\(name)", Files.bytes("\(target)\(folder)/\(name)"))
            }
        }
        #expect(try stage.cloud("store", "renew-incarnation", "--yes").code == 0)
        try stage.start(.cloud)
        try stage.awaitLink()
        try stage.patience.until("the cloud has everything again") { try stage.edgeRow()?["backlog"]?.integerValue == 0 }
        #expect(try stage.cloud("reconcile", "home-1").code == 0)
    }

    /// What `ledger export --raw` writes, byte for byte.
    private func rawBytes(_ stage: Stage, _ seq: String) throws -> [UInt8] {
        let child = try stage.spawn("raw", "tidewire-cloud", ["ledger", "export", "home-1", "--raw", seq, "--data", stage.cloudFolder])
        try stage.patience.until("the export ends") { !child.isRunning }
        return Files.bytes(child.outputPath)
    }
}
