// What is going to happen, ordered by time and then by the order in which it was planned.
package import Values

/// A queue of things with a time. Two things of one time come out in the order they went in.
package struct EventQueue<Event> {
    private struct Item {
        let at: Span
        let sequence: UInt64
        let event: Event
        func comes(before other: Item) -> Bool { (at, sequence) < (other.at, other.sequence) }
    }
    private var heap: [Item] = []
    private var sequence: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    /// The time of the next event.
    package var nextAt: Span? { heap.first?.at }

    package mutating func add(_ event: Event, at time: Span) {
        sequence += 1
        heap.append(Item(at: time, sequence: sequence, event: event))
        var child = heap.count - 1
        while child > 0, heap[child].comes(before: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next event and its time.
    package mutating func next() -> (at: Span, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        return (first.at, first.event)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].comes(before: heap[least]) { least = child }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
