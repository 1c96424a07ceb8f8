// A thread that is an executor: what waits for processes may block it without holding anybody else up.
internal import Platform

/// Runs the jobs of one actor, one after the other, on a thread of its own.
package final class LoneThread: SerialExecutor {
    private let pool: WorkerPool
    /// Jobs that wait: a suite has fewer tests.
    private static let waitingMax = 10_000

    package init(name: String) { pool = WorkerPool(name: name, threads: 1, waitingMax: LoneThread.waitingMax) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        let isTaken = pool.submit { job.runSynchronously(on: executor) }
        precondition(isTaken, "more than \(LoneThread.waitingMax) jobs wait for one thread")
    }
}

/// The first of the threads on which stages live: its suites run beside those of the others.
@globalActor package actor FirstStage {
    package static let shared = FirstStage()
    private let thread = LoneThread(name: "stage-1")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
}

@globalActor package actor SecondStage {
    package static let shared = SecondStage()
    private let thread = LoneThread(name: "stage-2")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
}

@globalActor package actor ThirdStage {
    package static let shared = ThirdStage()
    private let thread = LoneThread(name: "stage-3")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
}
