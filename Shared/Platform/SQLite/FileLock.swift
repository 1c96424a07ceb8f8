// An exclusive lock on a file: one process owns what lies beside it.
internal import Glibc

/// Held from `init` to `deinit`, and dropped by the kernel when the process dies, however it dies.
package struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// Creates `path` (mode 0600) when needed and takes its lock without waiting.
    /// - Throws: `isBusy` with the owner's process id when another process (or another lock of this one) holds it; `isMissing` when the file cannot be made.
    package init(path: String) throws(DatabaseError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen("cannot open the lock file \(path): \(FileLock.lastError)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let failure = errno
            let owner = FileLock.owner(descriptor)
            close(descriptor)
            guard failure == EWOULDBLOCK else { throw .cannotOpen("cannot lock \(path): \(String(cString: strerror(failure)))") }
            throw .busy("\(path) is held by \(owner.isEmpty ? "another process" : "process \(owner)"); stop it first")
        }
        self.descriptor = descriptor
        // The number only serves the message above: a failed write costs nothing.
        let text = Array("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    deinit {
        // In words, not by closing alone: a child that was forked and has not yet become its program holds the same lock.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    private static func owner(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }, as: UTF8.self)
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}

/// The lock of a folder itself, for work of a moment: whoever wants it next waits. No file is left behind.
package struct FolderLock: ~Copyable {
    private let descriptor: Int32

    /// Waits until nobody else has it. The kernel drops it when the process dies.
    package init(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("lock", path) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                let failure = FileError("lock", path)
                close(descriptor)
                throw failure
            }
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Lets the next one in.
    package func release() { _ = flock(descriptor, LOCK_UN) }
}
