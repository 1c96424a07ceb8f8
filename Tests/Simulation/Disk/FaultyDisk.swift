// A disk in memory that SQLite writes to: it counts, freezes, fails, fills up and loses power, all from one seed.
internal import CSQLite
internal import Synchronization
package import Values

/// What a power cut leaves of the changes that were not synced.
package enum CrashMode: Int, CaseIterable, Sendable {
    /// None of them.
    case nothing = 0
    /// All of them: the process was killed, the machine ran on. They are still unsynced: a later power cut may take them.
    case everything = 1
    /// Any of them, each whole, by sectors, or half a sector.
    case anySubset = 2
    /// The oldest of them, the last of those torn.
    case prefix = 3
}

/// One operation that will answer an error instead of doing its work.
package struct DiskFault: Sendable {
    package enum Operation: String, CaseIterable, Sendable {
        case write, sync
        /// Of the ledger's bytes back from the medium.
        case read
        /// Any of open, look for, measure, truncate, delete, rename, write and sync.
        case call
    }
    package enum Answer: Sendable { case io, full }
    package var operation: Operation
    /// Which one, counted from 1 since the disk was made.
    package var index: Int
    package var answer: Answer
    package init(_ operation: Operation, _ index: Int, _ answer: Answer = .io) {
        self.operation = operation
        self.index = index
        self.answer = answer
    }
}

/// There is no file of that name.
package struct MissingFile: Error {}

/// One simulated disk with one folder, registered with SQLite under a name of its own: `Database.Options(…, vfs: disk.name)`.
/// Made and used on one thread. The same seed and the same calls give the same bytes but for the log's salts (see `fingerprint`).
package final class FaultyDisk {
    /// What to pass as `vfs:`; unique in the process.
    package let name: String
    /// What the simulated machine's wall clock says; SQLite's own sleeping moves it.
    package var now: Instant

    /// Writes, truncations, syncs, creations and deletions so far.
    package private(set) var mutations = 0
    /// Writes so far.
    package private(set) var writes = 0
    /// Syncs so far.
    package private(set) var syncs = 0
    /// Reads so far.
    package private(set) var reads = 0
    /// Calls of every kind but reads and locks so far.
    package private(set) var calls = 0
    /// The mutation that is the last to reach the cache: every call after it answers an I/O error until `crash`.
    package var freezeAt: Int?
    /// The operation to fail, if any; it fails once.
    package var fault: DiskFault?
    /// True once the planned operation has failed.
    package var faultIsOver: Bool { fault.map { count(of: $0.operation) >= $0.index } ?? true }
    /// Operations of this kind so far.
    package func count(of operation: DiskFault.Operation) -> Int {
        switch operation {
        case .write: writes
        case .sync: syncs
        case .read: reads
        case .call: calls
        }
    }
    /// Bytes that all files together may hold; a write that needs more answers that the disk is full.
    package var capacity: Int?
    /// Files whose names begin so have a quota of their own, which is used up: a write that would make one longer answers that the disk is full.
    package var fullPrefix: String?
    /// Files whose names begin so cannot be made.
    package var failingPrefix: String?
    /// A drive that answers a sync and does nothing: the control that shows why syncs matter.
    package var ignoresSyncs = false
    /// A system that drops a write of the bytes a file already shows: the control that shows why a log is written over itself.
    package var ignoresEqualWrites = false
    /// Notes every change that reaches this disk, for images of power cuts; nil for none.
    package var trace: DiskTrace?

    /// Crashes so far: a file opened before the last one answers nothing but errors.
    private(set) var generation = 0
    private var files: [String: Inode] = [:]
    private var durableFiles: [String: Inode] = [:]
    private var folderChanges: [FolderChange] = []
    private var chance: SeededRandom
    private var entropy: SeededRandom
    private let system: UnsafeMutablePointer<sqlite3_vfs>
    private let methods: UnsafeMutablePointer<sqlite3_io_methods>

    private struct FolderChange {
        let order: Int
        let name: String
        /// Nil for a deletion.
        let inode: Inode?
    }

    private static let made = Atomic<Int>(0)

    /// - Parameter seed: decides what crashes leave, and every byte SQLite asks of this disk's randomness (a stream of its own).
    package init(seed: UInt64, now: Instant = Instant(seconds: 1_795_000_000)) {
        name = "faulty-disk-\(FaultyDisk.made.add(1, ordering: .relaxed).newValue)"
        self.now = now
        chance = SeededRandom(seed: seed)
        entropy = SeededRandom(seed: seed ^ 0xA5A5_5A5A_C3C3_3C3C)
        methods = .allocate(capacity: 1)
        methods.initialize(to: fileMethods())
        system = .allocate(capacity: 1)
        // SQLite keeps these pointers and writes pNext: all of it lives on the heap until deinit.
        system.initialize(to: diskMethods(name: name))
        system.pointee.pAppData = Unmanaged.passUnretained(self).toOpaque()
        let code = sqlite3_vfs_register(system, 0)
        precondition(code == SQLITE_OK, "sqlite3_vfs_register answered \(code)")
    }

    /// Open files hold the disk: this runs after the last of them is closed.
    deinit {
        sqlite3_vfs_unregister(system)
        system.pointee.zName.map { UnsafeMutablePointer(mutating: $0).deallocate() }
        system.deallocate()
        methods.deallocate()
    }

    // MARK: - What a test does to it

    /// True from the mutation `freezeAt` on.
    package var isFrozen: Bool { freezeAt.map { mutations >= $0 } ?? false }

    /// Cuts the power and brings it back: what `mode` says is on the medium, files opened before are dead, and no fault, freeze or shared memory is left.
    package func crash(_ mode: CrashMode) {
        generation += 1
        freezeAt = nil
        fault = nil
        guard mode != .everything else {
            for inode in files.values { inode.survive() }
            return
        }
        let unsynced = (Array(files.values) + Array(durableFiles.values)).flatMap(\.pending).map(\.order)
        let youngest = (unsynced + folderChanges.map(\.order)).max()
        let cut = mode == .prefix ? chance.int(0...(youngest ?? 0)) : 0
        restoreFolder(mode, cut: cut)
        // By name: the order in which files draw from the seed must be the same in every run.
        for name in durableFiles.keys.sorted() { durableFiles[name]?.restart { self.remains(of: $0, mode, cut: cut) } }
        files = durableFiles
        folderChanges = []
    }

    /// The names of the files, sorted.
    package var names: [String] { files.keys.sorted() }
    /// What reads see of a file; nil when there is none.
    package func bytes(of name: String) -> [UInt8]? { files[name]?.live.all }
    /// Turns one bit of a file, 0...7 of the byte at `offset`.
    package func flip(bit: Int, at offset: Int, of name: String) {
        guard let inode = files[name] else { preconditionFailure("there is no file \(name)") }
        inode.flip(bit: bit, at: offset)
    }
    /// A copy of another disk's files as they are now, synced: for trying many damages on one ledger.
    package func copy(_ other: FaultyDisk) {
        for name in other.names { place(name, other.files[name]?.live ?? []) }
    }
    /// A copy of another disk with what it has not synced yet: for more than one way of losing power.
    package func copyUnsynced(_ other: FaultyDisk) {
        var copies: [ObjectIdentifier: Inode] = [:]
        func copy(_ inode: Inode) -> Inode {
            let made = copies[ObjectIdentifier(inode)] ?? Inode(copying: inode)
            copies[ObjectIdentifier(inode)] = made
            return made
        }
        files = other.files.mapValues(copy)
        durableFiles = other.durableFiles.mapValues(copy)
        folderChanges = other.folderChanges.map { FolderChange(order: $0.order, name: $0.name, inode: $0.inode.map(copy)) }
        mutations = other.mutations
    }
    /// Puts a file there, synced, as if it had always been; open files of that name keep what they have.
    package func place(_ name: String, _ bytes: [UInt8]) { place(name, FileBytes(bytes)) }
    private func place(_ name: String, _ bytes: FileBytes) {
        let inode = Inode(bytes)
        files[name] = inode
        durableFiles[name] = inode
    }

    /// A hash of all names and bytes but the salts and checksums of write-ahead logs: SQLite draws salts from one generator for the whole
    /// process, so that several disks, or other tests, disturb each other there and only there.
    package var fingerprint: UInt64 { hash(masking: true) }
    /// The same with every byte: equal only for one disk at a time, made SQLite's default and reseeded by `becomeDefault`.
    package var exactFingerprint: UInt64 { hash(masking: false) }

    /// Makes this disk SQLite's default and lets SQLite forget its generator, so that salts come from this disk's seed. For a process with one
    /// world at a time: every database opened without a `vfs` name in this process goes to this disk from now on.
    package func becomeDefault() {
        sqlite3_vfs_register(system, 1)
        sqlite3_randomness(0, nil)
    }

    // MARK: - What a program does to it beside SQLite

    /// Puts a small file in the place of another as a careful program does: written beside, synced, renamed, the folder synced. Each step is a
    /// mutation that a freeze, a fault or a power cut may end at.
    /// - Returns: nil, or what the disk answered: nothing of the old file is lost then.
    package func replace(_ name: String, _ bytes: [UInt8]) -> DiskFault.Answer? {
        let beside = name + ".new"
        return create(beside) ?? append(beside, bytes) ?? sync(beside) ?? rename(beside, to: name)
    }

    /// Makes an empty file in the place of another; not durable.
    package func create(_ name: String) -> DiskFault.Answer? {
        guard step() else { return .io }
        if let answer = meets(.call) { return answer }
        if let failingPrefix, name.hasPrefix(failingPrefix) { return .io }
        let inode = Inode()
        files[name] = inode
        folderChanges.append(FolderChange(order: mutations, name: name, inode: inode))
        trace?.create(inode, name)
        return nil
    }

    /// Writes at the end of a file; not durable.
    package func append(_ name: String, _ bytes: [UInt8]) -> DiskFault.Answer? {
        guard !isFrozen, let inode = files[name] else { return .io }
        let written = bytes.withUnsafeBytes { write($0, at: inode.live.count, to: inode) }
        return written == SQLITE_OK ? nil : written == SQLITE_FULL ? .full : .io
    }

    /// Makes a file's bytes durable, its name not.
    package func sync(_ name: String) -> DiskFault.Answer? {
        guard !isFrozen, let inode = files[name] else { return .io }
        return sync(inode) == SQLITE_OK ? nil : .io
    }

    /// Gives a file another name, then syncs the folder: two steps.
    package func rename(_ name: String, to other: String) -> DiskFault.Answer? {
        guard step() else { return .io }
        if let answer = meets(.call) { return answer }
        guard let inode = files.removeValue(forKey: name) else { return .io }
        files[other] = inode
        folderChanges.append(FolderChange(order: mutations, name: other, inode: inode))
        folderChanges.append(FolderChange(order: mutations, name: name, inode: nil))
        trace?.rename(name, to: other)
        guard step() else { return .io }
        if let answer = meets(.call) { return answer }
        syncFolder()
        return nil
    }

    /// Deletes a file, durably.
    package func remove(_ name: String) throws(MissingFile) {
        guard files[name] != nil else { throw MissingFile() }
        files[name] = nil
        trace?.delete(name)
        syncFolder()
    }

    /// True when the disk takes one more change of the folder.
    private func step() -> Bool {
        guard !isFrozen else { return false }
        mutations += 1
        return true
    }

    // MARK: - What SQLite does to it

    func open(_ path: String?, flags: Int32, into file: UnsafeMutablePointer<sqlite3_file>) -> Int32 {
        guard !isFrozen else { return SQLITE_IOERR }
        guard meets(.call) == nil else { return SQLITE_CANTOPEN }
        let inode: Inode
        if let path, let existing = files[path] {
            guard flags & SQLITE_OPEN_EXCLUSIVE == 0 else { return SQLITE_CANTOPEN }
            inode = existing
        } else {
            guard path == nil || flags & SQLITE_OPEN_CREATE != 0 else { return SQLITE_CANTOPEN }
            inode = Inode()
            if let path {
                mutations += 1
                files[path] = inode
                folderChanges.append(FolderChange(order: mutations, name: path, inode: inode))
                trace?.create(inode, path)
            }
        }
        let object = OpenFile(disk: self, inode: inode, name: path, deletesOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
        // Also for a log that is there already: the system's VFS goes by the flags (seen with strace).
        let isJournal = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0
        object.firstSyncKeepsFolder = isJournal && flags & SQLITE_OPEN_CREATE != 0
        FileSlot.fill(file, with: object, methods)
        return SQLITE_OK
    }

    func delete(_ path: String, syncsFolder: Bool) -> Int32 {
        guard !isFrozen else { return SQLITE_IOERR }
        guard files[path] != nil else { return extended(SQLITE_IOERR, 23) }
        guard meets(.call) == nil else { return extended(SQLITE_IOERR, 10) }
        mutations += 1
        files[path] = nil
        folderChanges.append(FolderChange(order: mutations, name: path, inode: nil))
        trace?.delete(path)
        if syncsFolder { syncFolder() }
        return SQLITE_OK
    }

    /// Counts one operation, and with it a call.
    /// - Returns: how it fails, when it is the one that is planned to.
    func meets(_ operation: DiskFault.Operation) -> DiskFault.Answer? {
        switch operation {
        case .write: writes += 1
        case .sync: syncs += 1
        case .read: reads += 1
        case .call: break
        }
        if operation != .read { calls += 1 }
        guard let fault, fault.operation == operation || (fault.operation == .call && operation != .read) else { return nil }
        return fault.index == count(of: fault.operation) ? fault.answer : nil
    }

    /// As the system answers: an empty file does not exist.
    func exists(_ path: String) -> Bool { files[path].map { !$0.live.isEmpty } ?? false }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, to inode: Inode) -> Int32 {
        mutations += 1
        if let answer = meets(.write) {
            // The bytes before the bad sector are in the cache; nobody may count on them. A write that got all its room is no full disk.
            let drawn = chance.int(0...bytes.count), kept = answer == .full ? min(drawn, bytes.count - 1) : drawn
            if kept > 0 { inode.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(kept)), at: offset, order: mutations) }
            return answer == .io ? extended(SQLITE_IOERR, 3) : SQLITE_FULL
        }
        if ignoresEqualWrites, inode.shows(bytes, at: offset) { return SQLITE_OK }
        let growth = max(0, offset + bytes.count - inode.live.count)
        if let fullPrefix, growth > 0, files.contains(where: { $0.key.hasPrefix(fullPrefix) && $0.value === inode }) { return SQLITE_FULL }
        if let capacity, growth > 0, growth > capacity - used { return SQLITE_FULL }
        inode.write(bytes, at: offset, order: mutations)
        trace?.write(inode, bytes, at: offset)
        return SQLITE_OK
    }

    func truncate(_ inode: Inode, to size: Int) -> Int32 {
        mutations += 1
        guard meets(.call) == nil else { return extended(SQLITE_IOERR, 6) }
        inode.truncate(to: size, order: mutations)
        trace?.truncate(inode, to: size)
        return SQLITE_OK
    }

    /// - Parameter object: the open file that it is asked through; nil for a file that SQLite knows nothing of.
    func sync(_ inode: Inode, through object: OpenFile? = nil) -> Int32 {
        mutations += 1
        if meets(.sync) != nil {
            inode.loseWrites()
            // Also where the system said that there is no room: SQLite calls a full disk so at writes alone (seen with fsync answering ENOSPC).
            return extended(SQLITE_IOERR, 4)
        }
        if ignoresSyncs { return SQLITE_OK }
        inode.sync()
        trace?.sync(inode)
        if let object, object.firstSyncKeepsFolder {
            object.firstSyncKeepsFolder = false
            syncFolder()
        }
        return SQLITE_OK
    }

    func random(into bytes: UnsafeMutableRawBufferPointer) {
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: entropy.next()) }
    }

    // MARK: - Within

    private var used: Int { files.values.reduce(0) { $0 + $1.live.count } }

    private func syncFolder() {
        durableFiles = files
        folderChanges = []
        trace?.syncFolder()
    }

    private func restoreFolder(_ mode: CrashMode, cut: Int) {
        for change in folderChanges {
            let keeps = mode == .prefix ? change.order <= cut : mode == .anySubset && chance.chance(1, in: 2)
            if keeps { durableFiles[change.name] = change.inode }
        }
    }

    private func remains(of change: PendingChange, _ mode: CrashMode, cut: Int) -> [PendingChange.Step] {
        switch mode {
        case .everything: [change.step]
        case .nothing: []
        case .anySubset: chance.chance(1, in: 3) ? Inode.torn(change.step, &chance) : chance.chance(1, in: 2) ? [change.step] : []
        case .prefix: change.order < cut ? [change.step] : change.order == cut ? Inode.torn(change.step, &chance) : []
        }
    }

    /// FNV-1a over names and bytes.
    private func hash(masking: Bool) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for name in names {
            name.utf8.forEach(mix)
            var bytes = bytes(of: name) ?? []
            if masking, name.hasSuffix("-wal") { FaultyDisk.mask(&bytes) }
            for byte in bytes { mix(byte) }
        }
        return hash
    }

    /// Zeroes the salts and checksums of the log's header (bytes 16...31) and of each frame's header (bytes 8...23).
    private static func mask(_ log: inout [UInt8]) {
        for index in log.indices where index < 32 ? index >= 16 : (8..<24).contains((index - 32) % 4_120) { log[index] = 0 }
    }
}

/// The disk belongs to the thread that made it.
@available(*, unavailable) extension FaultyDisk: Sendable {}

/// SQLite's extended result codes are computed macros, which Swift does not import.
func extended(_ code: Int32, _ detail: Int32) -> Int32 { code | detail << 8 }
