// One file of the simulated disk: what reads see, what a power cut leaves, and the steps between.
internal import Values

/// A change that the medium has not promised to keep yet.
struct PendingChange {
    enum Step {
        case write(offset: Int, bytes: [UInt8])
        case truncate(size: Int)
    }
    /// Its place among all changes of the disk: a drive may lose the youngest first.
    let order: Int
    let step: Step
}

/// A file's bytes, without its name.
final class Inode {
    /// What every read sees: the page cache.
    private(set) var live: FileBytes
    /// What has been synced.
    private(set) var durable: FileBytes
    /// What lies between, oldest first.
    private(set) var pending: [PendingChange] = []
    /// The lock levels that the open files hold.
    var locks: [ObjectIdentifier: Int32] = [:]
    var shared: SharedMemory?

    /// A file of synced bytes, or a new one.
    init(_ bytes: FileBytes = []) { live = bytes; durable = bytes }

    /// The same bytes and the same unsynced changes; who holds it open does not come along.
    init(copying other: Inode) { live = other.live; durable = other.durable; pending = other.pending }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int, order: Int) {
        live.write(bytes, at: offset)
        pending.append(PendingChange(order: order, step: .write(offset: offset, bytes: [UInt8](bytes))))
    }

    /// True when reads already see these bytes there.
    func shows(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        live.shows(bytes, at: offset)
    }

    func truncate(to size: Int, order: Int) {
        live.resize(to: size)
        pending.append(PendingChange(order: order, step: .truncate(size: size)))
    }

    func sync() {
        for change in pending { Inode.apply(change.step, to: &durable) }
        pending = []
    }

    /// A failed sync: the system marks the pages clean, so no later sync will write them, though reads still see them.
    func loseWrites() { pending = [] }

    /// The power is back: what `keep` lets through of the unsynced steps is on the medium, and memory agrees with it.
    func restart(keeping keep: (PendingChange) -> [PendingChange.Step]) {
        for change in pending {
            for step in keep(change) { Inode.apply(step, to: &durable) }
        }
        live = durable
        pending = []
        survive()
    }

    /// The process died and the machine did not: what was written is still there, and still not synced.
    func survive() {
        locks = [:]
        shared = nil
    }

    /// Rot: one bit of the medium (and of the cache) turns.
    func flip(bit: Int, at offset: Int) {
        live.flip(bit: bit, at: offset)
        durable.flip(bit: bit, at: offset)
    }

    private static let sector = 512

    /// What a write interrupted by the power cut leaves: whole sectors here and there, one of them perhaps half.
    static func torn(_ step: PendingChange.Step, _ chance: inout SeededRandom) -> [PendingChange.Step] {
        guard case .write(let offset, let bytes) = step else { return chance.chance(1, in: 2) ? [step] : [] }
        var steps: [PendingChange.Step] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + sector)
            switch chance.int(0...3) {
            case 0, 1: steps.append(.write(offset: offset + start, bytes: Array(bytes[start..<end])))
            case 2: steps.append(.write(offset: offset + start, bytes: Array(bytes[start..<(start + (end - start) / 2)])))
            default: break
            }
            start = end
        }
        return steps
    }

    static func apply(_ step: PendingChange.Step, to bytes: inout FileBytes) {
        switch step {
        case .write(let offset, let more): more.withUnsafeBytes { bytes.write($0, at: offset) }
        case .truncate(let size): bytes.resize(to: size)
        }
    }
}
