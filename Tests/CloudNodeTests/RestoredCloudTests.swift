// A cloud put back from a backup: the edges send again what it lacks, silently when the store says that it was restored, with an alarm when not.
import CloudNode
import Control
import Foundation
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct RestoredCloudTests {
    private func copy(_ cloud: TestCloud, to other: String) throws {
        try? FileManager.default.removeItem(atPath: other)
        try FileManager.default.copyItem(atPath: cloud.folder, toPath: other)
    }

    @Test(arguments: [true, false]) func whatTheBackupLacksComesAgain(isRenewed: Bool) throws {
        let (cloud, edge) = try TestCloud.linked()
        edge.disconnect()
        let backup = cloud.folder + "-backup"
        defer { try? FileManager.default.removeItem(atPath: backup) }
        try cloud.restart { try copy(cloud, to: backup) }
        try edge.connect()
        for _ in 0..<5 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.isCaughtUp)
        edge.disconnect()
        try cloud.restart {
            for file in ["control.db", "control.db-wal", "edges"] {
                try? FileManager.default.removeItem(atPath: "\(cloud.folder)/\(file)")
                if FileManager.default.fileExists(atPath: "\(backup)/\(file)") {
                    try FileManager.default.copyItem(atPath: "\(backup)/\(file)", toPath: "\(cloud.folder)/\(file)")
                }
            }
            if isRenewed {
                #expect(CloudProgram.run(["store", "renew-incarnation", "--yes", "--data", cloud.folder, "--json"], environment: [:]) == 0)
            }
        }
        let before = cloud.node.receiver.link(TestEdge.id)?.have.seq ?? Seq(0)
        #expect(before < edge.entries[edge.entries.count - 1].seq, "the backup is older")
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(edge.sender.phase == .open && edge.sender.isCaughtUp)
        #expect(cloud.node.receiver.link(TestEdge.id)?.have == edge.entries.last?.head)
        let rows = try #require(try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements)
        #expect(rows.compactMap { $0["verdict"]?.text } == (isRenewed ? [] : ["CLOUD_RESTORED"]))
    }

    /// Renamed once, in order; later the image from before that is put back without a word: its old name gives it away.
    @Test func anImageFromBeforeARenameIsTold() throws {
        let (cloud, edge) = try TestCloud.linked()
        let image = cloud.folder + "-image"
        defer { try? FileManager.default.removeItem(atPath: image) }
        edge.disconnect()
        try cloud.restart {
            try copy(cloud, to: image)
            #expect(CloudProgram.run(["store", "renew-incarnation", "--yes", "--data", cloud.folder, "--json"], environment: [:]) == 0)
        }
        try edge.connect()
        for _ in 0..<5 { edge.fill(nil) }
        try edge.pass(.milliseconds(250))
        func verdicts() throws -> [String] {
            (try cloud.get("/api/v1/edges", cloud.bearer())?.json?["refusals"]?.elements ?? []).compactMap { $0["verdict"]?.text }
        }
        #expect(try verdicts() == [] && edge.sender.isCaughtUp)
        edge.disconnect()
        try cloud.restart {
            for file in ["control.db", "control.db-wal", "edges"] {
                try? FileManager.default.removeItem(atPath: "\(cloud.folder)/\(file)")
                guard FileManager.default.fileExists(atPath: "\(image)/\(file)") else { continue }
                try FileManager.default.copyItem(atPath: "\(image)/\(file)", toPath: "\(cloud.folder)/\(file)")
            }
        }
        try edge.connect()
        try edge.pass(.milliseconds(250))
        #expect(try verdicts() == ["CLOUD_RESTORED"] && edge.sender.isCaughtUp)
    }

    @Test func thereMustBeAStore() {
        #expect(CloudProgram.run(["store", "renew-incarnation", "--yes", "--data", "/nonexistent"], environment: [:]) != 0)
    }
}
