// Room on the disk: how much is left where the ledger lies, and a file that can be given up for it.
internal import Glibc

/// How much room a file system has for this user, in bytes.
package struct DiskRoom: Hashable, Sendable {
    package var free: Int64
    package var total: Int64
    package init(free: Int64, total: Int64) { self.free = free; self.total = total }

    /// Of the file system that holds `path`; nil when the system does not say.
    package static func of(_ path: String) -> DiskRoom? {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        let unit = UInt64(facts.f_frsize)
        return DiskRoom(free: bytes(UInt64(facts.f_bavail), unit), total: bytes(UInt64(facts.f_blocks), unit))
    }

    /// So many blocks, as far as they can be counted: some file systems call themselves endless.
    package static func bytes(_ blocks: UInt64, _ unit: UInt64) -> Int64 {
        let (bytes, isOver) = blocks.multipliedReportingOverflow(by: unit)
        return isOver ? .max : Int64(clamping: bytes)
    }
}

/// Room held in advance in the ledger's file system: given up when a commit finds the disk full. One owner, one thread.
package protocol DiskReserve: AnyObject {
    /// What the file system has left; nil when it cannot be asked.
    var room: DiskRoom? { get }
    /// True while the reserve is there to be given up.
    var isHeld: Bool { get }
    /// Gives it up at once.
    func release()
    /// Takes it (again); false when there is no room for it.
    @discardableResult func take() -> Bool
}

/// The reserve as a file of real blocks beside the ledger.
package final class BallastFile: DiskReserve {
    /// 64 MiB: a few hundred thousand entries.
    package static let standardBytes: Int64 = 64 << 20
    private let path: String
    private let bytes: Int64

    /// - Parameter bytes: its size.
    package init(path: String, bytes: Int64 = BallastFile.standardBytes) { self.path = path; self.bytes = bytes }

    package var room: DiskRoom? {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return DiskRoom.of(folder.isEmpty ? "/" : folder)
    }

    package var isHeld: Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_size >= bytes
    }

    package func release() { unlink(path) }

    /// A half-made file is taken away again: it would only make the room smaller.
    package func take() -> Bool {
        if isHeld { return true }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Blocks that are really taken: a sparse file would free nothing.
        guard posix_fallocate(descriptor, 0, off_t(bytes)) == 0 else {
            unlink(path)
            return false
        }
        return true
    }
}
