// A file that SQLite holds open on the simulated disk, and the C functions that SQLite calls on it.
internal import CSQLite

/// One open file: its inode, and what it has locked.
final class OpenFile {
    let disk: FaultyDisk
    let inode: Inode
    let name: String?
    let deletesOnClose: Bool
    let generation: Int
    var shared: SharedMemory?
    /// The first sync of a journal or log that may have been made by this opening also syncs the folder it lies in.
    var firstSyncKeepsFolder = false

    init(disk: FaultyDisk, inode: Inode, name: String?, deletesOnClose: Bool) {
        self.disk = disk
        self.inode = inode
        self.name = name
        self.deletesOnClose = deletesOnClose
        generation = disk.generation
    }

    /// False after the power was cut, or once the disk has frozen.
    var isAlive: Bool { generation == disk.generation && !disk.isFrozen }
    var id: ObjectIdentifier { ObjectIdentifier(self) }

    func lock(_ level: Int32) -> Int32 {
        let others = inode.locks.filter { $0.key != id }.values
        let conflict =
            switch level {
            case SQLITE_LOCK_SHARED: others.contains { $0 >= SQLITE_LOCK_PENDING }
            case SQLITE_LOCK_RESERVED: others.contains { $0 >= SQLITE_LOCK_RESERVED }
            default: others.contains { $0 >= SQLITE_LOCK_SHARED }
            }
        guard !conflict else { return SQLITE_BUSY }
        inode.locks[id] = max(level, inode.locks[id] ?? SQLITE_LOCK_NONE)
        return SQLITE_OK
    }

    func unlock(_ level: Int32) {
        if level == SQLITE_LOCK_NONE { inode.locks[id] = nil } else { inode.locks[id] = min(level, inode.locks[id] ?? level) }
    }

    func close() {
        inode.locks[id] = nil
        shared?.unlockAll(of: id)
        shared = nil
        if deletesOnClose, isAlive, let name { _ = disk.delete(name, syncsFolder: false) }
    }
}

/// What SQLite allocates for each open file: its own head, then our object.
struct FileSlot {
    var base: sqlite3_file
    var object: Unmanaged<OpenFile>

    /// Bytes SQLite must reserve.
    static var size: Int32 { Int32(MemoryLayout<FileSlot>.size) }

    static func fill(_ file: UnsafeMutablePointer<sqlite3_file>, with object: OpenFile, _ methods: UnsafeMutablePointer<sqlite3_io_methods>) {
        // Swift does not promise a layout; SQLite needs its head first.
        precondition(MemoryLayout<FileSlot>.offset(of: \.base) == 0)
        UnsafeMutableRawPointer(file).initializeMemory(
            as: FileSlot.self, to: FileSlot(base: sqlite3_file(pMethods: UnsafePointer(methods)), object: .passRetained(object)))
    }
}

/// The open file behind SQLite's pointer. SQLite hands back only what `fill` has filled: the pointer is valid until its xClose.
private func openFile(_ file: UnsafeMutablePointer<sqlite3_file>?) -> OpenFile {
    guard let file else { preconditionFailure("SQLite called a file method without a file") }
    return UnsafeMutableRawPointer(file).assumingMemoryBound(to: FileSlot.self).pointee.object.takeUnretainedValue()
}

/// The table of functions for one disk's files; version 2 has shared memory, and no memory mapping.
func fileMethods() -> sqlite3_io_methods {
    sqlite3_io_methods(
        iVersion: 2, xClose: close, xRead: read, xWrite: write, xTruncate: truncate, xSync: sync, xFileSize: fileSize, xLock: lock, xUnlock: unlock,
        xCheckReservedLock: checkReservedLock, xFileControl: fileControl, xSectorSize: sectorSize, xDeviceCharacteristics: characteristics,
        xShmMap: shmMap, xShmLock: shmLock, xShmBarrier: shmBarrier, xShmUnmap: shmUnmap, xFetch: nil, xUnfetch: nil)
}

private func close(_ file: UnsafeMutablePointer<sqlite3_file>?) -> Int32 {
    let object = openFile(file)
    object.close()
    Unmanaged.passUnretained(object).release()
    return SQLITE_OK
}

private func read(_ file: UnsafeMutablePointer<sqlite3_file>?, _ to: UnsafeMutableRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
    let object = openFile(file)
    guard object.isAlive, object.disk.meets(.read) == nil, let to else { return extended(SQLITE_IOERR, 1) }
    let target = UnsafeMutableRawBufferPointer(start: to, count: Int(count))
    let there = object.inode.live.read(at: Int(offset), into: target)
    guard there < Int(count) else { return SQLITE_OK }
    // As the system does: what is not there reads as zeros, and SQLite is told.
    UnsafeMutableRawBufferPointer(rebasing: target[there...]).initializeMemory(as: UInt8.self, repeating: 0)
    return extended(SQLITE_IOERR, 2)
}

private func write(_ file: UnsafeMutablePointer<sqlite3_file>?, _ from: UnsafeRawPointer?, _ count: Int32, _ offset: Int64) -> Int32 {
    let object = openFile(file)
    guard object.isAlive else { return extended(SQLITE_IOERR, 3) }
    return object.disk.write(UnsafeRawBufferPointer(start: from, count: Int(count)), at: Int(offset), to: object.inode)
}

private func truncate(_ file: UnsafeMutablePointer<sqlite3_file>?, _ size: Int64) -> Int32 {
    let object = openFile(file)
    guard object.isAlive else { return extended(SQLITE_IOERR, 6) }
    return object.disk.truncate(object.inode, to: Int(size))
}

private func sync(_ file: UnsafeMutablePointer<sqlite3_file>?, _: Int32) -> Int32 {
    let object = openFile(file)
    guard object.isAlive else { return extended(SQLITE_IOERR, 4) }
    return object.disk.sync(object.inode, through: object)
}

private func fileSize(_ file: UnsafeMutablePointer<sqlite3_file>?, _ size: UnsafeMutablePointer<Int64>?) -> Int32 {
    let object = openFile(file)
    guard object.isAlive, object.disk.meets(.call) == nil else { return extended(SQLITE_IOERR, 7) }
    size?.pointee = Int64(object.inode.live.count)
    return SQLITE_OK
}

private func lock(_ file: UnsafeMutablePointer<sqlite3_file>?, _ level: Int32) -> Int32 {
    let object = openFile(file)
    return object.isAlive ? object.lock(level) : extended(SQLITE_IOERR, 15)
}

private func unlock(_ file: UnsafeMutablePointer<sqlite3_file>?, _ level: Int32) -> Int32 {
    openFile(file).unlock(level)
    return SQLITE_OK
}

private func checkReservedLock(_ file: UnsafeMutablePointer<sqlite3_file>?, _ answer: UnsafeMutablePointer<Int32>?) -> Int32 {
    let object = openFile(file)
    answer?.pointee = object.inode.locks.values.contains { $0 >= SQLITE_LOCK_RESERVED } ? 1 : 0
    return object.isAlive ? SQLITE_OK : extended(SQLITE_IOERR, 14)
}

private func fileControl(_: UnsafeMutablePointer<sqlite3_file>?, _: Int32, _: UnsafeMutableRawPointer?) -> Int32 { SQLITE_NOTFOUND }

private func sectorSize(_: UnsafeMutablePointer<sqlite3_file>?) -> Int32 { 4_096 }

private func characteristics(_: UnsafeMutablePointer<sqlite3_file>?) -> Int32 { SQLITE_IOCAP_POWERSAFE_OVERWRITE }

private func shmMap(
    _ file: UnsafeMutablePointer<sqlite3_file>?, _ index: Int32, _ size: Int32, _ extend: Int32,
    _ page: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
    let object = openFile(file)
    guard object.isAlive else { return extended(SQLITE_IOERR, 21) }
    let shared = object.shared ?? object.inode.shared ?? SharedMemory()
    object.shared = shared
    object.inode.shared = shared
    page?.pointee = shared.page(Int(index), size: Int(size), extend: extend != 0)
    return SQLITE_OK
}

private func shmLock(_ file: UnsafeMutablePointer<sqlite3_file>?, _ first: Int32, _ count: Int32, _ flags: Int32) -> Int32 {
    let object = openFile(file)
    guard let shared = object.shared else { return extended(SQLITE_IOERR, 20) }
    let range = Int(first)..<Int(first + count)
    if flags & SQLITE_SHM_UNLOCK != 0 {
        shared.unlock(range, owner: object.id)
        return SQLITE_OK
    }
    guard object.isAlive else { return extended(SQLITE_IOERR, 20) }
    return shared.lock(range, exclusive: flags & SQLITE_SHM_EXCLUSIVE != 0, owner: object.id) ? SQLITE_OK : SQLITE_BUSY
}

private func shmBarrier(_: UnsafeMutablePointer<sqlite3_file>?) {}

private func shmUnmap(_ file: UnsafeMutablePointer<sqlite3_file>?, _ delete: Int32) -> Int32 {
    let object = openFile(file)
    object.shared?.unlockAll(of: object.id)
    if delete != 0, object.inode.shared === object.shared { object.inode.shared = nil }
    object.shared = nil
    return SQLITE_OK
}
