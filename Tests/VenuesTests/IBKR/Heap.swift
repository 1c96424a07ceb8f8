// Counts what the heap gives while something runs, at the C library's door.
import CAllocations

/// The counter of this thread.
enum Heap {
    static var canCount: Bool {
        allocations_begin()
        return allocations_end() >= 0
    }

    /// How many blocks the heap gave while `work` ran; it runs once before, so that what is made once is there.
    static func blocks(_ work: () throws -> Void) rethrows -> Int {
        try work()
        allocations_begin()
        defer { _ = allocations_end() }
        try work()
        return allocations_end()
    }
}
