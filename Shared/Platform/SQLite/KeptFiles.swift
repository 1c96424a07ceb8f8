// Files kept beside a ledger: each is there whole or not at all, and written in pieces so that no piece takes long.
internal import Glibc

/// Why a kept file could not be read or written.
package enum KeptFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// No room; nothing of the old file is lost.
    case full(String)
    /// The disk failed.
    case failed(String)
    package var description: String {
        switch self {
        case .full(let words), .failed(let words): words
        }
    }
}

/// A folder of such files, real or simulated. One owner, one thread.
package protocol KeptFiles: AnyObject {
    /// What is there, sorted, unfinished files included.
    func names() throws(KeptFileError) -> [String]
    /// The whole file; nil when there is none.
    func read(_ name: String) throws(KeptFileError) -> [UInt8]?
    /// Begins a file under a temporary name.
    func begin(_ name: String) throws(KeptFileError) -> any KeptFileWriter
    /// Deletes a file; one that is not there is no error.
    func remove(_ name: String) throws(KeptFileError)
}

/// A file that is being written.
package protocol KeptFileWriter: AnyObject {
    func append(_ bytes: [UInt8]) throws(KeptFileError)
    /// Waits for the disk: what the end has to wait for stays short.
    func sync() throws(KeptFileError)
    /// Durable under its name on return: synced, put in place, the folder synced.
    func finish() throws(KeptFileError)
    /// Takes the unfinished file away.
    func abandon()
}

extension KeptFiles {
    /// Writes a whole file.
    package func write(_ name: String, _ bytes: [UInt8]) throws(KeptFileError) {
        let writer = try begin(name)
        do throws(KeptFileError) {
            try writer.append(bytes)
            try writer.finish()
        } catch {
            writer.abandon()
            throw error
        }
    }
}

/// What an unfinished file is called.
package enum KeptName {
    package static let suffix = ".new"
}

/// The files of a real folder.
package final class FolderFiles: KeptFiles {
    private let folder: String
    /// - Parameter folder: must exist.
    package init(_ folder: String) { self.folder = folder }

    package func names() throws(KeptFileError) -> [String] {
        do throws(FileError) { return try PrivateFiles.names(in: folder) } catch { throw KeptFileError(error) }
    }

    package func read(_ name: String) throws(KeptFileError) -> [UInt8]? {
        let path = folder + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw KeptFileError(FileError("read", path))
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size >= 0 else { throw KeptFileError(FileError("read", path)) }
        let count = Int(facts.st_size)
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            FolderFiles.askForLargePages(UnsafeMutableRawBufferPointer(buffer))
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), count - filled)
                guard got >= 0 else { failure = FileError("read", path); return }
                guard got > 0 else { return }
                filled += got
            }
        }
        if let failure { throw KeptFileError(failure) }
        return bytes
    }

    /// A large file is read by a start, which else spends more time on thousands of new pages than on the bytes. Only a wish.
    private static func askForLargePages(_ buffer: UnsafeMutableRawBufferPointer) {
        let page = 2 << 20
        guard let base = buffer.baseAddress, buffer.count >= 2 * page else { return }
        let skip = (page - Int(bitPattern: base) % page) % page
        _ = madvise(base + skip, (buffer.count - skip) / page * page, Int32(MADV_HUGEPAGE))
    }

    package func begin(_ name: String) throws(KeptFileError) -> any KeptFileWriter { try FolderFileWriter(folder, name) }

    package func remove(_ name: String) throws(KeptFileError) {
        do throws(FileError) { try PrivateFiles.remove(folder + "/" + name) } catch { throw KeptFileError(error) }
    }
}

private final class FolderFileWriter: KeptFileWriter {
    private let path: String
    private var beside: String { path + KeptName.suffix }
    private var descriptor: Int32

    init(_ folder: String, _ name: String) throws(KeptFileError) {
        path = folder + "/" + name
        unlink(path + KeptName.suffix)
        descriptor = open(path + KeptName.suffix, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw KeptFileError(FileError("create", path + KeptName.suffix)) }
    }

    deinit { shut() }

    func append(_ bytes: [UInt8]) throws(KeptFileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written) }
            guard count > 0 else { throw KeptFileError(FileError("write", beside)) }
            written += count
        }
    }

    func sync() throws(KeptFileError) {
        guard fdatasync(descriptor) == 0 else { throw KeptFileError(FileError("sync", beside)) }
    }

    func finish() throws(KeptFileError) {
        guard fsync(descriptor) == 0 else { throw KeptFileError(FileError("sync", beside)) }
        shut()
        guard rename(beside, path) == 0 else { throw KeptFileError(FileError("write", path)) }
        do throws(FileError) { try PrivateFiles.syncFolder(of: path) } catch { throw KeptFileError(error) }
    }

    func abandon() {
        shut()
        unlink(beside)
    }

    private func shut() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }
}

extension KeptFileError {
    package init(_ error: FileError) { self = error.isFull ? .full(error.description) : .failed(error.description) }
}

/// One owner, one thread.
@available(*, unavailable) extension FolderFiles: Sendable {}
