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
    func sync() throws(KeptFileError) { try told(disk.sync(beside)) }
    func finish() throws(KeptFileError) {
        try told(disk.sync(beside))
        try told(disk.rename(beside, to: name))
    }
    func abandon() { if !disk.isFrozen { try? disk.remove(beside) } }
}

private func told(_ answer: DiskFault.Answer?) throws(KeptFileError) {
    switch answer {
    case nil: return
    case .full: throw .full("the simulated disk is full")
    case .io: throw .failed("the simulated disk failed")
    }
}
