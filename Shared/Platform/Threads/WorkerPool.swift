// A few threads for work that takes long and may wait: password hashing. Never a loop's own thread.
internal import Synchronization

/// Runs jobs in order of arrival on a fixed number of threads, with a bounded queue.
package final class WorkerPool: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var isStopping = false
        var threads: [SystemThread] = []
    }
    private let state = Mutex(State())
    private let news = Semaphore()
    private let waitingMax: Int

    /// - Parameter waitingMax: jobs that may wait besides those being run.
    package init(name: String, threads: Int, waitingMax: Int) {
        precondition(threads > 0 && waitingMax >= 0)
        self.waitingMax = waitingMax
        let made = (0..<threads).map { index in SystemThread(name: "\(name)-\(index)") { [self] in work() } }
        state.withLock { $0.threads = made }
    }

    /// Queues a job; false when the queue is full or the pool has stopped, and the job is then dropped.
    package func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.jobs.count < waitingMax + state.threads.count else { return false }
            state.jobs.append(job)
            return true
        }
        if isTaken { news.signal() }
        return isTaken
    }

    /// Drops what waits, lets what runs end, and joins the threads. Never call it from a job.
    package func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            state.jobs = []
            defer { state.threads = [] }
            return state.threads
        }
        for _ in threads { news.signal() }
        for thread in threads { thread.join() }
    }

    private func work() {
        while true {
            news.wait()
            let (job, isStopping) = state.withLock { state in (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isStopping) }
            if isStopping { return }
            job?()
        }
    }
}
