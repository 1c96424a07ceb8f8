// Folders that are made, and folders that were there: whose rights are touched.
import Foundation
import Platform
import Testing

@Suite struct FolderTests {
    private func mode(_ path: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }
    private func set(_ mode: Int, _ path: String) throws { try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path) }

    @Test func onlyAProgramsOwnFolderIsClosedToOthers() throws {
        let folder = try TemporaryFolder()
        let shared = folder.file("shared")
        try PrivateFiles.makeFolder(shared + "/new")
        #expect(try mode(shared) == 0o700 && mode(shared + "/new") == 0o700)
        try set(0o755, shared)
        #expect(throws: FileError.self) { try PrivateFiles.makeFolder(shared, isOwn: false) }
        #expect(try mode(shared) == 0o755, "it is everybody's as it was")
        try PrivateFiles.makeFolder(shared + "/backup", isOwn: false)
        #expect(try mode(shared) == 0o755 && mode(shared + "/backup") == 0o700)
        try PrivateFiles.makeFolder(shared)
        #expect(try mode(shared) == 0o700, "its own")
        try set(0o1777, shared)
        #expect(throws: FileError.self) { try PrivateFiles.makeFolder(shared) }
        #expect(try mode(shared) == 0o1777, "a folder like /tmp is nobody's own")
    }

    /// Some file systems call themselves endless.
    @Test func endlessRoomIsMuchRoom() {
        #expect(DiskRoom.bytes(.max, 4_096) == .max && DiskRoom.bytes(3, 512) == 1_536 && DiskRoom.bytes(.max, 1) == .max)
    }
}
