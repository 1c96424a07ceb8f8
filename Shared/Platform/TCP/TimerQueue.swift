// Deadlines of a loop in a binary heap; equal deadlines fire in the order they were made.

/// Names one timer of one loop.
package struct LoopTimer: Hashable, Sendable {
    let number: UInt64
}

struct TimerQueue {
    private struct Entry {
        let due: Int64
        let number: UInt64
        var key: (Int64, UInt64) { (due, number) }
    }
    private var heap: [Entry] = []
    private var bodies: [UInt64: () -> Void] = [:]
    private var lastNumber: UInt64 = 0

    /// The earliest deadline, monotonic milliseconds.
    var next: Int64? { heap.first?.due }

    mutating func add(at due: Int64, _ body: @escaping () -> Void) -> LoopTimer {
        lastNumber += 1
        bodies[lastNumber] = body
        heap.append(Entry(due: due, number: lastNumber))
        var child = heap.count - 1
        while child > 0, heap[child].key < heap[(child - 1) / 2].key {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return LoopTimer(number: lastNumber)
    }

    /// Its place in the heap goes when its time comes, or at once when it was the last of all.
    mutating func cancel(_ timer: LoopTimer) {
        bodies[timer.number] = nil
        if bodies.isEmpty { heap = [] }
        while let first = heap.first, bodies[first.number] == nil { removeFirst() }
    }

    /// Takes the timers due until `now` one by one, so that each body may add and cancel others.
    mutating func takeDue(_ now: Int64) -> (() -> Void)? {
        while let first = heap.first, first.due <= now {
            removeFirst()
            if let body = bodies.removeValue(forKey: first.number) { return body }
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0].key < heap[$1].key }), heap[least].key < heap[parent].key else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
