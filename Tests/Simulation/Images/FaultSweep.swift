// An error at every call: the same work again and again, each time with the disk failing one call later, then the power cut and a start.
internal import EdgeAgent
package import Platform
internal import Values

/// What a sweep saw.
package struct SweepOutcome: Sendable {
    /// Calls that were made to fail; works that the failure ended, and works that went on to their end.
    package var calls = 0, ended = 0, wentOn = 0
    /// What must never be, with the number of the call.
    package var violations: [String] = []
}

/// One side's work under one kind of error.
package struct FaultSweep {
    private let side: ImageSide, operation: DiskFault.Operation, answer: DiskFault.Answer, seed: UInt64
    private let synchronous: Database.Options.Synchronous

    /// - Parameter synchronous: `normal` is the control, in which acknowledged entries have to go.
    package init(
        _ side: ImageSide, _ operation: DiskFault.Operation, _ answer: DiskFault.Answer, seed: UInt64 = 1,
        synchronous: Database.Options.Synchronous = .full
    ) {
        self.side = side; self.operation = operation; self.answer = answer; self.seed = seed; self.synchronous = synchronous
    }

    private var subject: any ImageSubject {
        switch side {
        case .edge: EdgeImages(synchronous: synchronous, isShort: true)
        case .cloud: CloudImages(synchronous: synchronous, isShort: true)
        }
    }

    /// Fails the first call, the second, and so on, until the work makes fewer.
    package func run() -> SweepOutcome {
        var outcome = SweepOutcome()
        while step(outcome.calls + 1, &outcome) {}
        return outcome
    }

    /// - Returns: false when the work never came to that call.
    private func step(_ index: Int, _ outcome: inout SweepOutcome) -> Bool {
        let subject = subject
        var chance = SeededRandom(seed: seed)
        let disk = FaultyDisk(seed: UInt64(index)), trace = DiskTrace()
        disk.fault = DiskFault(operation, index, answer)
        var truth = ImageTruth()
        var end: String?
        do { try subject.work(on: disk, trace, &truth, &chance) } catch {
            end = "\(error)"
            if !FaultSweep.isNamed(error) { outcome.violations.append("\(operation) \(index) ended as \(error)") }
        }
        // A crash forgets the plan: the count tells whether the call came.
        guard end != nil || disk.count(of: operation) >= index else { return false }
        outcome.calls += 1
        if end == nil { outcome.wentOn += 1 } else { outcome.ended += 1 }
        for mode in [CrashMode.nothing, .anySubset] {
            let image = FaultyDisk(seed: UInt64(index))
            image.copyUnsynced(disk)
            image.crash(mode)
            let start = subject.start(image)
            let what = "\(operation) \(index) of \(side) (\(end ?? "went on")), then \(mode)"
            if let refusal = start.refusal { outcome.violations.append("\(what): does not start: \(refusal)") }
            if !truth.entries.starts(with: start.folded) { outcome.violations.append("\(what): an entry is not what was offered") }
            if start.folded.count < trace.promise.acknowledged {
                outcome.violations.append("\(what): \(trace.promise.acknowledged) were acknowledged, \(start.folded.count) are there")
            }
            if start.knowsItsEndIsGone { outcome.violations.append("\(what): called rolled back") }
            if start.missesItsMark, trace.promise.marked != nil { outcome.violations.append("\(what): the mark is gone") }
        }
        return true
    }

    /// Errors of the store, the journal and the mark have names; anything else is a mistake.
    private static func isNamed(_ error: any Error) -> Bool { error is StoreError || error is JournalError || error is MarkError }
}
