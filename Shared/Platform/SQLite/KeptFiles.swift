// Files kept beside a ledger: each is there whole or not at all, and written in pieces so that no piece takes long.
internal import Glibc
internal import Synchronization

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
    /// Its length; nil when there is none.
    func size(_ name: String) throws(KeptFileError) -> Int?
    /// Bytes of it; nil when it has not all of these.
    func read(_ name: String, in range: Range<Int>) throws(KeptFileError) -> [UInt8]?
    /// Begins a file under a temporary name.
    func begin(_ name: String) throws(KeptFileError) -> any KeptFileWriter
    /// Deletes a file; one that is not there is no error.
    func remove(_ name: String) throws(KeptFileError)
}

/// A file that is being written. The disk takes its time: whoever must not wait asks again later, and appends nothing meanwhile.
package protocol KeptFileWriter: AnyObject {
    func append(_ bytes: [UInt8]) throws(KeptFileError)
    /// What was appended reaches the disk: what the end has to wait for stays short.
    /// - Returns: false while the disk is at work.
    func sync() throws(KeptFileError) -> Bool
    /// Synced, put in place under its name, the folder synced.
    /// - Returns: false while the disk is at work; after true nothing else is to be called.
    func finish() throws(KeptFileError) -> Bool
    /// Until the disk is done with what it is at.
    func wait()
    /// Takes the unfinished file away.
    func abandon()
}

extension KeptFileWriter {
    /// Synced on return.
    package func syncNow() throws(KeptFileError) { while !(try sync()) { wait() } }
    /// Durable under its name on return.
    package func finishNow() throws(KeptFileError) { while !(try finish()) { wait() } }
}

extension KeptFiles {
    /// Writes a whole file.
    package func write(_ name: String, _ bytes: [UInt8]) throws(KeptFileError) {
        let writer = try begin(name)
        do throws(KeptFileError) {
            try writer.append(bytes)
            try writer.finishNow()
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
        try opened(name) { descriptor, size throws(KeptFileError) in try bytes(of: name, descriptor, in: 0..<size) }
    }

    package func size(_ name: String) throws(KeptFileError) -> Int? {
        try opened(name) { _, size throws(KeptFileError) in size }
    }

    package func read(_ name: String, in range: Range<Int>) throws(KeptFileError) -> [UInt8]? {
        let found = try opened(name) { descriptor, size throws(KeptFileError) in
            range.upperBound <= size ? try bytes(of: name, descriptor, in: range) : []
        }
        return found?.count == range.count ? found : nil
    }

    private func opened<Value>(_ name: String, _ body: (Int32, Int) throws(KeptFileError) -> Value) throws(KeptFileError) -> Value? {
        let path = folder + "/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw KeptFileError(FileError("read", path))
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size >= 0 else { throw KeptFileError(FileError("read", path)) }
        return try body(descriptor, Int(facts.st_size))
    }

    private func bytes(of name: String, _ descriptor: Int32, in range: Range<Int>) throws(KeptFileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, filled in
            FolderFiles.askForLargePages(UnsafeMutableRawBufferPointer(buffer))
            while filled < range.count {
                let place = off_t(range.lowerBound + filled)
                let got = pread(descriptor, buffer.baseAddress?.advanced(by: filled), range.count - filled, place)
                guard got >= 0 else { failure = FileError("read", folder + "/" + name); return }
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
    private var work: DiskWork?

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

    func sync() throws(KeptFileError) -> Bool { try done(.sync) }

    func finish() throws(KeptFileError) -> Bool {
        // A sync that is under way ends first.
        if work?.wish == .sync { guard try done(.sync) else { return false } }
        guard try done(.finish) else { return false }
        shut()
        return true
    }

    func wait() { work?.wait() }

    func abandon() {
        shut()
        unlink(beside)
    }

    private func done(_ wish: DiskWork.Wish) throws(KeptFileError) -> Bool {
        let work = work ?? DiskWork(wish, descriptor, beside, path)
        self.work = work
        guard let end = work.end else { return false }
        work.wait()
        self.work = nil
        try end.get()
        return true
    }

    private func shut() {
        // Never close what a thread still works on.
        wait()
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
    }
}

/// One wait for the disk, on a thread of its own: a sync takes as long as it takes, and nobody's loop stands still for it.
private final class DiskWork: Sendable {
    enum Wish: Sendable { case sync, finish }
    let wish: Wish
    private let ended: Ended
    private let thread: SystemThread
    private let isJoined = Atomic<Bool>(false)

    private final class Ended: Sendable {
        let result = Mutex<Result<Void, KeptFileError>?>(nil)
    }

    init(_ wish: Wish, _ descriptor: Int32, _ beside: String, _ path: String) {
        self.wish = wish
        let ended = Ended()
        self.ended = ended
        thread = SystemThread(name: "kept file") {
            let result = Result<Void, KeptFileError> { () throws(KeptFileError) in try DiskWork.run(wish, descriptor, beside, path) }
            ended.result.withLock { $0 = result }
        }
    }

    /// Nil while the disk is at work.
    var end: Result<Void, KeptFileError>? { ended.result.withLock { $0 } }

    func wait() { if !isJoined.exchange(true, ordering: .relaxed) { thread.join() } }

    private static func run(_ wish: Wish, _ descriptor: Int32, _ beside: String, _ path: String) throws(KeptFileError) {
        switch wish {
        case .sync: guard fdatasync(descriptor) == 0 else { throw KeptFileError(FileError("sync", beside)) }
        case .finish:
            guard fsync(descriptor) == 0 else { throw KeptFileError(FileError("sync", beside)) }
            guard rename(beside, path) == 0 else { throw KeptFileError(FileError("write", path)) }
            do throws(FileError) { try PrivateFiles.syncFolder(of: path) } catch { throw KeptFileError(error) }
        }
    }
}

extension KeptFileError {
    package init(_ error: FileError) { self = error.isFull ? .full(error.description) : .failed(error.description) }
}

/// One owner, one thread.
@available(*, unavailable) extension FolderFiles: Sendable {}
