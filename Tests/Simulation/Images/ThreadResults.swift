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

extension ThreadResults {
    /// A campaign of `count` cases in so many threads, each with its share of them and seeds of its own, in the order of the threads.
    /// - Throws: the first error of a thread, when all are done.
    package static func campaign<Outcome>(
        _ jobs: Int, seed: UInt64, count: Int, _ body: @escaping @Sendable (_ seed: UInt64, _ share: Int) throws -> Outcome
    ) throws -> [Outcome] where Value == Result<Outcome, any Error> {
        let results = ThreadResults(jobs) { job in
            Result { try body(seed &+ UInt64(job) << 32, count / jobs + (job < count % jobs ? 1 : 0)) }
        }
        return try results.all.map { try $0.get() }
    }
}

private final class Box<Value: Sendable>: Sendable {
    private let slots: Mutex<[Value?]>
    init(_ count: Int) { slots = Mutex([Value?](repeating: nil, count: count)) }
    func set(_ place: Int, _ value: Value) { slots.withLock { $0[place] = value } }
    var values: [Value] { slots.withLock { $0.compactMap { $0 } } }
}
