// The C functions through which SQLite reaches a simulated disk: open, delete, time, randomness.
internal import CSQLite
internal import Values

/// The table of one disk; its name is copied to the heap and freed by the disk.
func diskMethods(name: String) -> sqlite3_vfs {
    let text = name.utf8CString
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
    for (index, byte) in text.enumerated() { copy.advanced(by: index).initialize(to: byte) }
    var methods = sqlite3_vfs()
    methods.iVersion = 2
    methods.szOsFile = FileSlot.size
    methods.mxPathname = 512
    methods.zName = UnsafePointer(copy)
    methods.xOpen = open
    methods.xDelete = delete
    methods.xAccess = access
    methods.xFullPathname = fullPathname
    methods.xRandomness = randomness
    methods.xSleep = sleep
    methods.xCurrentTime = currentTime
    methods.xCurrentTimeInt64 = currentTimeMillis
    methods.xGetLastError = lastError
    return methods
}

/// The disk of a table. Valid: SQLite calls only registered tables, and a disk unregisters in its deinit.
private func disk(_ system: UnsafeMutablePointer<sqlite3_vfs>?) -> FaultyDisk {
    guard let data = system?.pointee.pAppData else { preconditionFailure("SQLite called a disk without its table") }
    return Unmanaged<FaultyDisk>.fromOpaque(data).takeUnretainedValue()
}

private func open(
    _ system: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
    _ outFlags: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard let file else { preconditionFailure("SQLite opened a file into nothing") }
    // Before anything can fail: a file without methods is never closed.
    file.pointee.pMethods = nil
    outFlags?.pointee = flags
    return disk(system).open(path.map { String(cString: $0) }, flags: flags, into: file)
}

private func delete(_ system: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ syncsFolder: Int32) -> Int32 {
    guard let path else { return SQLITE_IOERR }
    return disk(system).delete(String(cString: path), syncsFolder: syncsFolder != 0)
}

private func access(
    _ system: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _: Int32, _ answer: UnsafeMutablePointer<Int32>?
) -> Int32 {
    guard !disk(system).isFrozen, disk(system).meets(.call) == nil, let path else { return extended(SQLITE_IOERR, 13) }
    answer?.pointee = disk(system).exists(String(cString: path)) ? 1 : 0
    return SQLITE_OK
}

private func fullPathname(
    _: UnsafeMutablePointer<sqlite3_vfs>?, _ path: UnsafePointer<CChar>?, _ size: Int32, _ out: UnsafeMutablePointer<CChar>?
) -> Int32 {
    guard let path, let out else { return SQLITE_CANTOPEN }
    let text = String(cString: path).utf8CString
    guard text.count <= Int(size) else { return SQLITE_CANTOPEN }
    for (index, byte) in text.enumerated() { out[index] = byte }
    return SQLITE_OK
}

private func randomness(_ system: UnsafeMutablePointer<sqlite3_vfs>?, _ count: Int32, _ out: UnsafeMutablePointer<CChar>?) -> Int32 {
    disk(system).random(into: UnsafeMutableRawBufferPointer(start: out, count: Int(count)))
    return count
}

private func sleep(_ system: UnsafeMutablePointer<sqlite3_vfs>?, _ micros: Int32) -> Int32 {
    let disk = disk(system)
    disk.now = disk.now + Span(nanoseconds: Int64(micros) * 1_000)
    return micros
}

/// Milliseconds from the Julian epoch to 1970.
private let julianEpochMillis: Int64 = 210_866_760_000_000

private func currentTimeMillis(_ system: UnsafeMutablePointer<sqlite3_vfs>?, _ out: UnsafeMutablePointer<Int64>?) -> Int32 {
    out?.pointee = julianEpochMillis + disk(system).now.milliseconds
    return SQLITE_OK
}

private func currentTime(_ system: UnsafeMutablePointer<sqlite3_vfs>?, _ out: UnsafeMutablePointer<Double>?) -> Int32 {
    out?.pointee = Double(julianEpochMillis + disk(system).now.milliseconds) / 86_400_000
    return SQLITE_OK
}

private func lastError(_: UnsafeMutablePointer<sqlite3_vfs>?, _: Int32, _: UnsafeMutablePointer<CChar>?) -> Int32 { 0 }
