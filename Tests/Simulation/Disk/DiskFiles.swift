// Kept files on the simulated disk: each write, sync and change of the folder is one of its mutations.
package import Platform

/// Snapshots and segments beside a simulated ledger.
package final class DiskFiles: KeptFiles {
    private let disk: FaultyDisk
    package init(_ disk: FaultyDisk) { self.disk = disk }

    package func names() throws(KeptFileError) -> [String] {
        try alive()
        return disk.names
    }
    package func read(_ name: String) throws(KeptFileError) -> [UInt8]? {
        try alive()
        return disk.bytes(of: name)
    }
    package func size(_ name: String) throws(KeptFileError) -> Int? { try read(name)?.count }
    package func read(_ name: String, in range: Range<Int>) throws(KeptFileError) -> [UInt8]? {
        guard let bytes = try read(name), range.upperBound <= bytes.count else { return nil }
        return Array(bytes[range])
    }
    package func begin(_ name: String) throws(KeptFileError) -> any KeptFileWriter { try DiskFileWriter(disk, name) }
    package func remove(_ name: String) throws(KeptFileError) {
        try alive()
        try? disk.remove(name)
    }
    private func alive() throws(KeptFileError) { if disk.isFrozen { throw .failed("the disk is dead") } }
}

private final class DiskFileWriter: KeptFileWriter {
    private let disk: FaultyDisk
    private let name: String
    private var beside: String { name + KeptName.suffix }

    init(_ disk: FaultyDisk, _ name: String) throws(KeptFileError) {
        self.disk = disk
        self.name = name
        if !disk.isFrozen { try? disk.remove(name + KeptName.suffix) }
        try told(disk.create(name + KeptName.suffix))
    }
    func append(_ bytes: [UInt8]) throws(KeptFileError) { try told(disk.append(beside, bytes)) }
    // One thread and a disk without a clock: all is done at once.
    func sync() throws(KeptFileError) -> Bool {
        try told(disk.sync(beside))
        return true
    }
    func finish() throws(KeptFileError) -> Bool {
        try told(disk.sync(beside))
        try told(disk.rename(beside, to: name))
        return true
    }
    func wait() {}
    func abandon() { if !disk.isFrozen { try? disk.remove(beside) } }
}

/// Kept files whose writer never waits for the disk.
final class LazyFiles: KeptFiles {
    private let disk: FaultyDisk
    private let files: DiskFiles
    init(_ disk: FaultyDisk) { self.disk = disk; files = DiskFiles(disk) }
    func names() throws(KeptFileError) -> [String] { try files.names() }
    func read(_ name: String) throws(KeptFileError) -> [UInt8]? { try files.read(name) }
    func size(_ name: String) throws(KeptFileError) -> Int? { try files.size(name) }
    func read(_ name: String, in range: Range<Int>) throws(KeptFileError) -> [UInt8]? { try files.read(name, in: range) }
    func begin(_ name: String) throws(KeptFileError) -> any KeptFileWriter { LazyFileWriter(disk, name, try files.begin(name)) }
    func remove(_ name: String) throws(KeptFileError) { try files.remove(name) }
}

private final class LazyFileWriter: KeptFileWriter {
    private let disk: FaultyDisk
    private let name: String
    private let writer: any KeptFileWriter
    init(_ disk: FaultyDisk, _ name: String, _ writer: any KeptFileWriter) { self.disk = disk; self.name = name; self.writer = writer }
    func append(_ bytes: [UInt8]) throws(KeptFileError) { try writer.append(bytes) }
    func sync() throws(KeptFileError) -> Bool { true }
    func finish() throws(KeptFileError) -> Bool {
        try told(disk.rename(name + KeptName.suffix, to: name))
        return true
    }
    func wait() {}
    func abandon() { writer.abandon() }
}

private func told(_ answer: DiskFault.Answer?) throws(KeptFileError) {
    switch answer {
    case nil: return
    case .full: throw .full("the simulated disk is full")
    case .io: throw .failed("the simulated disk failed")
    }
}
