// Makes the write-ahead log of a run that did not end in order durable before anybody reads it.
internal import CSQLite

/// After a failed sync the kernel calls the pages clean: reads still see them, no later sync writes them, and a power cut takes them. The run
/// that met the error ends, and the next would read such a log from the cache, commit behind the hole and copy it into the file; the power cut
/// then leaves a file newer than its log, which SQLite would put its old pages over. So the log's frames are written over themselves, which
/// makes their pages dirty again, and synced, before SQLite opens the file. The file itself needs nothing: a log is started again only after
/// the file was synced, until then it covers every page that was copied, and a new run copies from its beginning.
///
/// Through the VFS of the database, for a simulated disk must see it. A power cut in the middle leaves what it found, because the bytes are equal.
final class LogRenewal {
    private let path: String
    private let file: UnsafeMutablePointer<sqlite3_file>
    private let methods: sqlite3_io_methods

    /// For the database at `path`, which this process has not opened; nothing happens without a log.
    /// - Throws: the disk's answer when the log cannot be read, written or synced: then the database must not be opened.
    static func run(database path: String, vfs name: String?) throws(DatabaseError) {
        guard let vfs = sqlite3_vfs_find(name) else { throw .cannotOpen("there is no VFS \(name ?? "by default")") }
        guard let log = try LogRenewal(database: path, vfs) else { return }
        try log.renew()
    }

    /// Nil when there is no log, or an empty one.
    private init?(database: String, _ vfs: UnsafeMutablePointer<sqlite3_vfs>) throws(DatabaseError) {
        // As SQLite does: the log lies beside the file that a symbolic link leads to.
        let size = Int(vfs.pointee.mxPathname) + 1
        let full = UnsafeMutablePointer<CChar>.allocate(capacity: size)
        defer { full.deallocate() }
        full.initialize(repeating: 0, count: size)
        guard let resolve = vfs.pointee.xFullPathname, let access = vfs.pointee.xAccess, let open = vfs.pointee.xOpen,
            resolve(vfs, database, Int32(size), full) & 0xFF == SQLITE_OK
        else { throw .cannotOpen("cannot resolve the path \(database)") }
        let path = String(cString: full) + "-wal"
        self.path = path
        var exists: Int32 = 0
        guard access(vfs, path, SQLITE_ACCESS_EXISTS, &exists) == SQLITE_OK else { throw LogRenewal.error(SQLITE_IOERR, "look for", path) }
        guard exists != 0 else { return nil }
        // A VFS may look for parameters behind the name, which only SQLite's own layout ends properly.
        guard let names = sqlite3_create_filename(full, path, path, 0, nil) else { throw .cannotOpen("no memory to open \(path)") }
        defer { sqlite3_free_filename(names) }
        let slot = UnsafeMutableRawPointer.allocate(byteCount: Int(vfs.pointee.szOsFile), alignment: 16)
        slot.initializeMemory(as: UInt8.self, repeating: 0, count: Int(vfs.pointee.szOsFile))
        file = slot.assumingMemoryBound(to: sqlite3_file.self)
        // With CREATE the system's VFS also syncs the folder, which a failed first sync left undone.
        let code = open(vfs, sqlite3_filename_wal(names), file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL, nil)
        guard code == SQLITE_OK, let table = file.pointee.pMethods else {
            if let table = file.pointee.pMethods { _ = table.pointee.xClose(file) }
            slot.deallocate()
            throw LogRenewal.error(code, "open", path)
        }
        methods = table.pointee
    }

    deinit {
        _ = methods.xClose(file)
        UnsafeMutableRawPointer(file).deallocate()
    }

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24
    /// The system's VFS takes less than 128 KiB in one call and cuts off the rest; a frame of the largest page stays below that too.
    private static let pieceBytes = 64 << 10
    /// The first four bytes of a log; the last bit tells the byte order of its checksums.
    private static let magic = 0x377F_0682

    /// Frames beyond the first whose salts are not the header's belong to an earlier round of the log, or are zeros: nobody reads them.
    private func renew() throws(DatabaseError) {
        var size: Int64 = 0
        try check(methods.xFileSize(file, &size), "measure")
        guard size >= LogRenewal.headerBytes else { return }
        let header = try read(LogRenewal.headerBytes, at: 0)
        let pageBytes = LogRenewal.number(header, at: 8)
        // SQLite reads no log with such a header either.
        guard LogRenewal.number(header, at: 0) & ~1 == LogRenewal.magic, (512...65_536).contains(pageBytes) else { return }
        try write(header[...], at: 0)
        let pitch = pageBytes + LogRenewal.frameHeaderBytes
        let frames = (Int(size) - LogRenewal.headerBytes) / pitch
        var done = 0
        while done < frames {
            let count = min(frames - done, max(1, LogRenewal.pieceBytes / pitch))
            let offset = LogRenewal.headerBytes + done * pitch
            let piece = try read(count * pitch, at: offset)
            let live = (0..<count).prefix { piece[($0 * pitch + 8)..<($0 * pitch + 16)] == header[16..<24] }.count
            try write(piece.prefix(live * pitch), at: offset)
            guard live == count else { break }
            done += count
        }
        try check(methods.xSync(file, SQLITE_SYNC_NORMAL), "sync")
    }

    private func read(_ count: Int, at offset: Int) throws(DatabaseError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try check(bytes.withUnsafeMutableBytes { methods.xRead(file, $0.baseAddress, Int32(count), Int64(offset)) }, "read")
        return bytes
    }

    private func write(_ bytes: ArraySlice<UInt8>, at offset: Int) throws(DatabaseError) {
        guard !bytes.isEmpty else { return }
        try check(bytes.withUnsafeBytes { methods.xWrite(file, $0.baseAddress, Int32($0.count), Int64(offset)) }, "write")
    }

    private func check(_ code: Int32, _ verb: String) throws(DatabaseError) {
        guard code == SQLITE_OK else { throw LogRenewal.error(code, verb, path) }
    }

    private static func error(_ code: Int32, _ verb: String, _ path: String) -> DatabaseError {
        DatabaseError(extendedCode: code, message: "cannot \(verb) \(path), which an earlier run left; the database stays closed until the disk can")
    }

    /// Four bytes, the highest first.
    private static func number(_ bytes: [UInt8], at offset: Int) -> Int { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } }
}
