// The edge's data folder: what cannot be looked at is not taken for absent.
import EdgeAgent
import Foundation
import Testing

@Suite struct EdgeFolderTests {
    /// A key that the disk does not show would otherwise be drawn anew and renamed over the true one.
    @Test func aKeyThatCannotBeLookedAtIsNotDrawnAnew() throws {
        let temporary = try TemporaryFolder(), folder = try EdgeFolder(temporary.file("data"))
        let names = ["edge.id", "link.key", "ledger.key", "cloud.json"].map { temporary.file("data/keys/\($0)") }
        // A link that leads to itself: the system answers ELOOP, and root is asked no less than anybody.
        for name in names { try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: name) }
        #expect(throws: EdgeFolderError.self) { try folder.identity() }
        #expect(throws: EdgeFolderError.self) { try folder.linkKeys() }
        #expect(throws: EdgeFolderError.self) { try folder.ledgerKeys() }
        #expect(throws: EdgeFolderError.self) { try folder.cloud() }
        for name in names {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: name) == name)
            try FileManager.default.removeItem(atPath: name)
        }
        let edge = try folder.identity()
        #expect(try folder.identity() == edge && folder.cloud() == nil)
    }
}
