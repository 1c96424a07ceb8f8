// What a program did to a simulated disk, change by change, so that the disk can be had again as any power cut in between would have left it.

/// One change, in the order in which they reached the disk. Files go by numbers: a name may come to mean another file.
enum DiskChange {
    case create(file: Int, name: String)
    case rename(from: String, to: String)
    case delete(name: String)
    case write(file: Int, offset: Int, bytes: [UInt8])
    case truncate(file: Int, size: Int)
    case sync(file: Int)
    case syncFolder
}

/// What the outside world was told by then: a power cut may not take it back.
package struct DiskPromise: Hashable, Sendable {
    /// Entries whose commit has returned.
    package var acknowledged = 0
    /// Entries offered: more than these cannot be there.
    package var offered = 0
    /// The number of the entry that the newest written mark names; nil before the first.
    package var marked: UInt64?
    /// The number of the entry that the newest counted snapshot stands at; nil before the first.
    package var snapshot: UInt64?
    package init() {}
}

/// The changes of one disk, and what was promised between them. One owner, one thread.
package final class DiskTrace {
    private(set) var changes: [DiskChange] = []
    /// After how many changes which promise was made, in order.
    private(set) var promises: [(after: Int, promise: DiskPromise)] = [(0, DiskPromise())]
    /// The files, kept so that no other takes their place in memory and with it their number.
    private var files: [ObjectIdentifier: (inode: Inode, number: Int)] = [:]

    package init() {}

    /// Changes so far.
    package var count: Int { changes.count }
    /// The newest promise; set it when the outside world learns more.
    package var promise: DiskPromise {
        get { promises.last?.promise ?? DiskPromise() }
        set { promises.append((changes.count, newValue)) }
    }

    private func number(_ inode: Inode) -> Int {
        if let known = files[ObjectIdentifier(inode)] { return known.number }
        files[ObjectIdentifier(inode)] = (inode, files.count)
        return files.count - 1
    }

    func create(_ inode: Inode, _ name: String) { changes.append(.create(file: number(inode), name: name)) }
    func rename(_ name: String, to other: String) { changes.append(.rename(from: name, to: other)) }
    func delete(_ name: String) { changes.append(.delete(name: name)) }
    func write(_ inode: Inode, _ bytes: UnsafeRawBufferPointer, at offset: Int) {
        changes.append(.write(file: number(inode), offset: offset, bytes: [UInt8](bytes)))
    }
    func truncate(_ inode: Inode, to size: Int) { changes.append(.truncate(file: number(inode), size: size)) }
    func sync(_ inode: Inode) { changes.append(.sync(file: number(inode))) }
    func syncFolder() { changes.append(.syncFolder) }
}
