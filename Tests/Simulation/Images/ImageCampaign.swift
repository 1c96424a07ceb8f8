// Crash images: the real stores at work on a traced disk, then at every change the disks that a power cut could leave, each started as production starts.
package import Platform
internal import Values

/// What to try.
package struct ImagePlan: Sendable {
    package var side = ImageSide.edge
    package var seed: UInt64 = 1
    /// How many images to open, at least one.
    package var images = 1_000
    /// `normal` is the control that must lose.
    package var synchronous = Database.Options.Synchronous.full
    /// False for a drive that only pretends to sync: the control in which damage comes about and has to be refused.
    package var heedsSyncs = true
    package init() {}
}

/// What came of it.
package struct ImageOutcome: Sendable {
    /// Pieces of work, changes of their disks, and images opened.
    package var traces = 0, changes = 0, images = 0
    /// Images that lack an acknowledged entry, and the most that one lacks.
    package var losing = 0, mostLost = 0
    /// Images with entries that nobody was told of: allowed, and it happens.
    package var unacknowledged = 0
    /// Images that the program would not start on.
    package var refused = 0
    /// What must never be, with what is needed to see it again; a refusal or a loss is none by itself.
    package var violations: [String] = []
    /// The first refusals, to be judged by whoever expects none.
    package var refusals: [String] = []
    package init() {}

    /// The sum of two campaigns.
    package mutating func add(_ other: ImageOutcome) {
        traces += other.traces; changes += other.changes; images += other.images
        losing += other.losing; mostLost = max(mostLost, other.mostLost)
        unacknowledged += other.unacknowledged; refused += other.refused
        violations += other.violations
        refusals += other.refusals.prefix(max(0, ImageOutcome.refusalsKept - refusals.count))
    }
    static let refusalsKept = 5
}

/// Works on traces of one seed after the other until enough images were opened. One thread.
package struct ImageCampaign {
    private let plan: ImagePlan
    /// On one image in so many more is written, and the program started again.
    private static let goesOnOneIn = 8

    package init(_ plan: ImagePlan) { self.plan = plan }

    package func run() throws -> ImageOutcome {
        var outcome = ImageOutcome()
        var seed = plan.seed
        while !isOver(outcome) {
            try trace(seed, &outcome)
            seed &+= 1
        }
        return outcome
    }

    /// The same in so many threads, each with seeds of its own; the sum.
    package static func run(_ plan: ImagePlan, jobs: Int) throws -> ImageOutcome {
        let outcomes = try ThreadResults.campaign(jobs, seed: plan.seed, count: plan.images) { seed, images in
            var share = plan
            share.seed = seed; share.images = images
            return try ImageCampaign(share).run()
        }
        return outcomes.reduce(into: ImageOutcome()) { $0.add($1) }
    }

    /// One violation is enough, but where damage is made on purpose.
    private func isOver(_ outcome: ImageOutcome) -> Bool {
        outcome.images >= plan.images || (plan.heedsSyncs && !outcome.violations.isEmpty)
    }

    private var subject: any ImageSubject {
        switch plan.side {
        case .edge: EdgeImages(synchronous: plan.synchronous)
        case .cloud: CloudImages(synchronous: plan.synchronous)
        }
    }

    private func trace(_ seed: UInt64, _ outcome: inout ImageOutcome) throws {
        var chance = SeededRandom(seed: seed)
        let trace = DiskTrace()
        var truth = ImageTruth()
        do {
            let disk = FaultyDisk(seed: chance.next())
            disk.trace = trace
            try subject.work(on: disk, trace, &truth, &chance)
            disk.trace = nil
        }
        outcome.traces += 1
        var files = TracedFiles(heedsSyncs: plan.heedsSyncs)
        var place = 0
        for (done, change) in trace.changes.enumerated() {
            files.take(change)
            outcome.changes += 1
            while place + 1 < trace.promises.count, trace.promises[place + 1].after <= done + 1 { place += 1 }
            // What was told just after this change was told before the next.
            images(of: files, seed: seed, at: done + 1, trace.promises[place].promise, truth, &chance, &outcome)
            guard !isOver(outcome) else { return }
        }
    }

    private func images(
        of files: TracedFiles, seed: UInt64, at place: Int, _ promise: DiskPromise, _ truth: ImageTruth, _ chance: inout SeededRandom,
        _ outcome: inout ImageOutcome
    ) {
        var seen: Set<[Int]> = []
        for kind in ImageKind.allCases {
            guard outcome.images < plan.images else { return }
            let image = files.image(kind, &chance)
            guard seen.insert(image.recipe).inserted else { continue }
            let disk = FaultyDisk(seed: chance.next())
            for (name, bytes) in image.files.sorted(by: { $0.key < $1.key }) { disk.place(name, bytes) }
            outcome.images += 1
            let finding = subject.look(disk, promise, truth, goesOn: outcome.images.isMultiple(of: ImageCampaign.goesOnOneIn))
            judge(finding, "seed \(seed), change \(place), \(kind)", &outcome)
        }
    }

    private func judge(_ finding: ImageFinding, _ what: String, _ outcome: inout ImageOutcome) {
        if finding.lost > 0 { outcome.losing += 1; outcome.mostLost = max(outcome.mostLost, finding.lost) }
        if finding.unacknowledged > 0 { outcome.unacknowledged += 1 }
        if let refusal = finding.refusal {
            outcome.refused += 1
            if outcome.refusals.count < ImageOutcome.refusalsKept { outcome.refusals.append("\(what): \(refusal)") }
        }
        for problem in finding.problems { outcome.violations.append("\(what): \(problem)") }
    }
}
