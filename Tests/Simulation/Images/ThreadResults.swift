// Several threads, one result each: campaigns use every core that a machine has.
internal import Platform
internal import Synchronization

/// Runs a body once a thread and keeps what each answered, in the order of the threads.
package struct ThreadResults<Value: Sendable>: Sendable {
    package let all: [Value]

    /// Returns when all are done.
    package init(_ count: Int, _ body: @escaping @Sendable (Int) -> Value) {
        let results = Box<Value>(count)
        let threads = (0..<count).map { place in SystemThread(name: "campaign-\(place)") { results.set(place, body(place)) } }
        for thread in threads { thread.join() }
        all = results.values
    }
}

private final class Box<Value: Sendable>: Sendable {
    private let slots: Mutex<[Value?]>
    init(_ count: Int) { slots = Mutex([Value?](repeating: nil, count: count)) }
    func set(_ place: Int, _ value: Value) { slots.withLock { $0[place] = value } }
    var values: [Value] { slots.withLock { $0.compactMap { $0 } } }
}
