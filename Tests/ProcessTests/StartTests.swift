// Starts that must not succeed, each with its sentence and exit code; and the words that every program knows.
import Ledger
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct StartTests {
    @FirstStage @Test(arguments: ["tidewire-edge", "tidewire-cloud", "rig"]) func everyProgramTellsItsHelpAndVersion(_ program: String) throws {
        let stage = try Stage()
        let help = try stage.run(program, ["--help"])
        #expect(help.code == 0)
        #expect(help.output.contains(program) && help.output.contains("--version"))
        let version = try stage.run(program, ["--version"])
        #expect(version.code == 0)
        #expect(version.output.hasPrefix("\(program) 0."))
        let wrong = try stage.run(program, ["--nonsense"])
        #expect(wrong.code == 2)
        #expect(wrong.complaints.contains("nonsense"))
    }

    @FirstStage @Test func wrongSettingsAreNamedWithTheirLine() throws {
        let stage = try Stage()
        try Files.write(stage.edgeFolder + "/edge.yaml", "name: home-1\ngateway:\n  prot: 4002\n")
        var ending = try stage.run("tidewire-edge", stage.edgeWords)
        #expect(ending.code == 78)
        #expect(ending.complaints.contains("edge.yaml, line 3: there is no setting 'gateway.prot'"), "\(ending.complaints)")
        try Files.write(stage.edgeFolder + "/edge.yaml", "mode: dream\n")
        ending = try stage.run("tidewire-edge", stage.edgeWords)
        #expect(ending.code == 78)
        #expect(ending.complaints.contains("mode is 'dream' (") && ending.complaints.contains("edge.yaml:1)"), "\(ending.complaints)")
        try Files.write(stage.cloudFolder + "/cloud.yaml", "port: 8000\nlink:\n  prot: 1\n")
        ending = try stage.cloud("run")
        #expect(ending.code == 78)
        #expect(ending.complaints.contains("cloud.yaml, line 3: there is no setting 'link.prot'"), "\(ending.complaints)")
        try Files.write(stage.cloudFolder + "/cloud.yaml", "port: 80000\n")
        ending = try stage.cloud("run")
        #expect(ending.code == 78)
        #expect(ending.complaints.contains("port is '80000' ("), "\(ending.complaints)")
        // The control: the same words with good files begin to run.
        Files.removeFile(stage.edgeFolder + "/edge.yaml")
        #expect(try stage.run("tidewire-edge", ["config", "check"] + stage.edgeWords.dropFirst()).code == 0)
    }

    /// Each run begins with an entry that says who began, under a number drawn anew; and the reserve of a full disk is there.
    @FirstStage @Test func everyRunSaysWhoBegan() throws {
        let stage = try Stage()
        var boots: Set<UInt64> = []
        for run in 1...2 {
            try stage.start(.edge)
            #expect(try stage.stop(.edge) == 0)
            let rows = try EntryStore(path: stage.edgeFolder + "/ledger.db", .init(.readOnly)).read(from: 1, limit: 1_000)
            let begun = rows.filter { $0.kind == Kind.boot.rawValue }
            #expect(begun.count == run)
            let last = try #require(begun.last)
            boots.insert(last.boot)
            let body = try JSONReader.read(last.body)
            #expect(body["version"]?.text?.hasPrefix("0.") == true && body["mode"]?.text == "PAPER", "\(body)")
            for name in ["machine", "kernelBoot", "configuration"] { #expect(body[name]?.text?.utf8.count == 16, "\(name)") }
        }
        #expect(boots.count == 2 && boots.allSatisfy { $0 <= UInt64(Int64.max) }, "63 bits, drawn and not counted")
        #expect(Files.bytes(stage.edgeFolder + "/ballast").count == 64 << 20)
    }

    @FirstStage @Test func aPortThatIsTakenIsNamed() throws {
        let stage = try Stage()
        let loop = EventLoop()
        for port in [stage.cloudPort, stage.linkPort] {
            let holder = try loop.listen(host: "127.0.0.1", port: port) { _ in nil }
            defer { holder.close() }
            let ending = try stage.cloud("run")
            #expect(ending.code != 0)
            #expect(ending.complaints.contains("port \(port): "), "\(ending.complaints)")
            #expect(ending.complaints.contains("is it taken") || ending.complaints.contains("Address already in use"), "\(ending.complaints)")
        }
        let holder = try loop.listen(host: "127.0.0.1", port: stage.gatewayPort) { _ in nil }
        defer { holder.close() }
        let gateway = try stage.run("rig", ["gateway", "--port", "\(stage.gatewayPort)"])
        #expect(gateway.code != 0)
        #expect(gateway.complaints.contains("\(stage.gatewayPort)"), "\(gateway.complaints)")
    }

    @FirstStage @Test func aFolderHasOneOwner() throws {
        let stage = try Stage()
        try stage.openCloud()
        try stage.start(.edge)
        try stage.start(.gateway)
        let edge = try stage.run("tidewire-edge", stage.edgeWords)
        #expect(edge.code == 70)
        #expect(edge.complaints.contains("is held by process "), "\(edge.complaints)")
        let cloud = try stage.run("tidewire-cloud", ["run", "--data", stage.cloudFolder, "--port", "0", "--link-port", "0"])
        #expect(cloud.code != 0)
        #expect(cloud.complaints.contains("is held by process "), "\(cloud.complaints)")
        let gateway = try stage.run("rig", ["gateway", "--data", stage.gatewayFolder])
        #expect(gateway.code != 0)
        #expect(gateway.complaints.contains("is held by process "), "\(gateway.complaints)")
        // The owners did not notice.
        for part in [Stage.Part.edge, .cloud, .gateway] { #expect(stage.isRunning(part)) }
        #expect(try stage.edgeStatus() != nil)
    }

    /// A file where the folder should be: nobody can write there, not even root.
    @FirstStage @Test func aFolderThatCannotBeMadeIsNamed() throws {
        let stage = try Stage()
        try Files.write(stage.folder + "/file", "in the way")
        let path = stage.folder + "/file/data"
        for program in ["tidewire-edge", "tidewire-cloud"] {
            let ending = try stage.run(program, ["run", "--data", path])
            #expect(ending.code == 1 || ending.code == 78, "\(ending)")
            #expect(ending.complaints.contains(stage.folder + "/file") && ending.complaints.contains("Not a directory"), "\(ending.complaints)")
        }
    }

    /// One flipped byte in the ledger: the edge does not trade on it, says where, and the check names the same place.
    @FirstStage @Test func aDamagedLedgerStopsTheEdge() throws {
        let stage = try Stage()
        try stage.start(.gateway)
        try stage.start(.edge)
        try stage.patience.until("the ledger has some entries") { try LedgerBooks(path: stage.edgeLedger).book.head.seq.raw > 5 }
        #expect(try stage.stop(.edge) == 0)
        #expect(try stage.edge("ledger", "verify").code == 0)
        var bytes = Files.bytes(stage.edgeLedger)
        // Everywhere: a page that was split keeps a copy of the text in bytes that nobody reads.
        let places = bytes.ranges(of: Array("\"mode\":\"PAPER\"".utf8))
        #expect(!places.isEmpty)
        for place in places { bytes[place.lowerBound + 8] ^= 1 }
        try Files.write(stage.edgeLedger, bytes)
        let check = try stage.edge("ledger", "verify")
        #expect(check.code == 5)
        #expect(check.output.contains("DIFFERENCE"), "\(check.output)")
        let ending = try stage.run("tidewire-edge", stage.edgeWords)
        #expect(ending.code == 70)
        #expect(ending.complaints.contains("tidewire-edge: the ledger: "), "\(ending.complaints)")
    }
}
