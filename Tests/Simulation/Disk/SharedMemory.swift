// The wal-index of one database: heap pages and eight locks, shared by the connections of one process.
internal import CSQLite

/// Lives as long as a connection maps it, even past a crash: closing a dead connection still touches its pages.
final class SharedMemory {
    private var pages: [UnsafeMutableRawPointer] = []
    private var holders: [[ObjectIdentifier: Bool]] = Array(repeating: [:], count: Int(SQLITE_SHM_NLOCK))

    deinit { for page in pages { page.deallocate() } }

    /// The page of this number, or nil when it does not exist and must not be made.
    func page(_ index: Int, size: Int, extend: Bool) -> UnsafeMutableRawPointer? {
        while extend, pages.count <= index {
            let page = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            page.initializeMemory(as: UInt8.self, repeating: 0, count: size)
            pages.append(page)
        }
        return index < pages.count ? pages[index] : nil
    }

    /// True when all locks of the range were taken for `owner`.
    func lock(_ range: Range<Int>, exclusive: Bool, owner: ObjectIdentifier) -> Bool {
        for slot in range {
            let others = holders[slot].filter { $0.key != owner }
            // A walk whose order does not matter: any conflict refuses.
            guard exclusive ? others.isEmpty : !others.values.contains(true) else { return false }
        }
        for slot in range { holders[slot][owner] = exclusive }
        return true
    }

    func unlock(_ range: Range<Int>, owner: ObjectIdentifier) { for slot in range { holders[slot][owner] = nil } }

    func unlockAll(of owner: ObjectIdentifier) { unlock(holders.indices, owner: owner) }
}
