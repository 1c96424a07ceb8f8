// Folders and small files that only this user may read; a file is there whole or not at all.
internal import Glibc

/// A file system call that did not work, as a sentence.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let action: String
    package let reason: String
    package var description: String { "cannot \(action) \(path): \(reason)" }
    /// True when there is no such file.
    package let isMissing: Bool
    /// True when there was no room.
    package let isFull: Bool
    /// True when the disk failed.
    package let isIO: Bool

    init(_ action: String, _ path: String) {
        let code = errno
        self.path = path; self.action = action; reason = String(cString: strerror(code)); isMissing = code == ENOENT
        isFull = code == ENOSPC || code == EDQUOT; isIO = code == EIO
    }
    init(_ action: String, _ path: String, reason: String) {
        self.path = path; self.action = action; self.reason = reason; isMissing = false; isFull = false; isIO = false
    }
}

/// Reading and writing what belongs to this process alone.
package enum PrivateFiles {
    /// A key or a settings file; nothing larger is read.
    private static let bytesMax = 1 << 20

    /// Creates the folder and its parents, mode 0700. A program's own folder that was there already loses the rights of group and others, unless
    /// everybody keeps things in it; any other is used as it is, or not at all.
    /// - Parameter isOwn: false for a folder that a person named for one use: it must be new, or closed to others already.
    package static func makeFolder(_ path: String, isOwn: Bool = true) throws(FileError) {
        var made = path.hasPrefix("/") ? "/" : ""
        var isNew = false
        for part in path.split(separator: "/") {
            made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
            isNew = mkdir(made, 0o700) == 0
            if !isNew, errno != EEXIST { throw FileError("create", made) }
        }
        guard !isNew else { return }
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw FileError("look at", path) }
        guard facts.st_mode & 0o077 != 0 else { return }
        // The sticky bit: a folder like /tmp.
        guard isOwn, facts.st_mode & 0o1000 == 0 else {
            throw FileError("use", path, reason: "others may look into it; name a folder that is not there yet")
        }
        guard chmod(path, 0o700) == 0 else { throw FileError("protect", path) }
    }

    /// The whole file.
    package static func read(_ path: String) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count >= 0 else { throw FileError("read", path) }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
            guard bytes.count <= bytesMax else { throw FileError("read", path, reason: "it is larger than \(bytesMax) bytes") }
        }
    }

    /// Writes a new file of mode 0600 beside, syncs it, and puts it in the place of the old one.
    package static func write(_ path: String, _ bytes: [UInt8]) throws(FileError) {
        let beside = path + ".new"
        unlink(beside)
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileError("create", beside) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let failure = FileError("write", beside)
                close(descriptor)
                throw failure
            }
            written += count
        }
        let isSynced = fsync(descriptor) == 0
        let failure = FileError("write", path)
        close(descriptor)
        guard isSynced else { throw failure }
        guard rename(beside, path) == 0 else { throw FileError("write", path) }
        try syncFolder(of: path)
    }

    /// Makes a file that another writer made this user's alone, and waits until it and its place are on the disk.
    package static func settle(_ path: String) throws(FileError) {
        guard chmod(path, 0o600) == 0 else { throw FileError("protect", path) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("sync", path) }
        let isSynced = fsync(descriptor) == 0
        let failure = FileError("sync", path)
        close(descriptor)
        guard isSynced else { throw failure }
        try syncFolder(of: path)
    }

    /// Makes durable which file a name leads to.
    static func syncFolder(of path: String) throws(FileError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        let parent = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw FileError("sync", folder) }
        let isPlaced = fsync(parent) == 0
        let trouble = FileError("sync", folder)
        close(parent)
        guard isPlaced else { throw trouble }
    }

    /// The names of what lies in a folder, sorted; not those that begin with a dot.
    package static func names(in folder: String) throws(FileError) -> [String] {
        guard let listing = opendir(folder) else { throw FileError("list", folder) }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// Deletes a file; one that is not there is no error.
    package static func remove(_ path: String) throws(FileError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw FileError("delete", path) }
    }

    /// Removes an empty folder; one that is not there, or holds something, stays as it is.
    package static func removeFolder(_ path: String) { rmdir(path) }

    /// True when something is at the path, or may be: what cannot be looked at is not taken for absent, or a key that a failing disk hides would be
    /// drawn anew over it.
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR) }

    /// Which file lies there and when it was written: another one after every `write`. Nil when there is none. One system call.
    package static func stamp(_ path: String) -> FileStamp? {
        var found = stat()
        guard lstat(path, &found) == 0 else { return nil }
        return FileStamp(inode: UInt64(found.st_ino), seconds: Int64(found.st_mtim.tv_sec), nanoseconds: Int64(found.st_mtim.tv_nsec))
    }
}

/// A file as it lies there, to be compared with how it lay before.
package struct FileStamp: Hashable, Sendable {
    fileprivate let inode: UInt64, seconds: Int64, nanoseconds: Int64
}
