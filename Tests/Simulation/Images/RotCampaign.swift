// Bit rot: files of a sound ledger damaged in one place each; what changed an entry must be noticed before the entry is used.
internal import Ledger
internal import Platform
internal import Values

/// What happens to the medium.
package enum RotKind: String, CaseIterable, Sendable {
    /// One bit turns.
    case flip
    /// A page reads as zeros.
    case zeroed
    /// Two pages of one file have changed places.
    case swapped
    /// The file ends early.
    case cut
    /// The write of a page went to another page's place, and its own was never written.
    case misdirected
}

/// A kind of file that rots: to add one, add its line to `all`.
struct RotFile: Sendable {
    /// As it stands in reports.
    let name: String
    let suffix: String
    /// Bytes before the first page, and of a page.
    let headerBytes: Int, pageBytes: Int

    static let all = [
        RotFile(name: "database", suffix: ".db", headerBytes: 0, pageBytes: 4_096),
        RotFile(name: "log", suffix: ".db-wal", headerBytes: 32, pageBytes: 4_120),
        RotFile(name: "mark", suffix: "head.mark", headerBytes: 0, pageBytes: 64),
        RotFile(name: "snapshot", suffix: ".zst", headerBytes: 0, pageBytes: 512),
        RotFile(name: "segment", suffix: ".seg", headerBytes: 0, pageBytes: 512),
        RotFile(name: "unfinished file", suffix: ".new", headerBytes: 0, pageBytes: 512),
        RotFile(name: "reserve", suffix: "ballast", headerBytes: 0, pageBytes: 4_096),
    ]
}

/// What to try.
package struct RotPlan: Sendable {
    package var side = ImageSide.edge
    package var seed: UInt64 = 1
    /// How many damages.
    package var runs = 1_000
    /// False for the control: rows are taken as they are read.
    package var verifies = true
    package init() {}
}

/// What came of it.
package struct RotOutcome: Sendable {
    /// Damages done, by file and kind.
    package var damages: [String: Int] = [:]
    /// The start refused by name.
    package var refused = 0
    /// The start went on and knew by its mark that its end is gone.
    package var toldByMark = 0
    /// Entries after the newest mark were gone: only the other side knows, and tells at the next session open.
    package var toldByOtherSide = 0
    /// No entry was changed or gone; the check beside the running program finds something in some of these.
    package var harmless = 0, toldByCheck = 0
    /// The mark itself was damaged, and that was told.
    package var marksTold = 0
    /// Old entries cannot be read, nothing else is wrong, and the check tells.
    package var toldAsUnreadable = 0
    /// A snapshot was damaged, and the start told that it goes on without it.
    package var snapshotsTold = 0
    /// Changed entries that were used as good: what must never be.
    package var unnoticed = 0
    /// The same and more, with what is needed to see it again.
    package var violations: [String] = []
    package init() {}
    package var runs: Int { damages.values.reduce(0, +) }

    package mutating func add(_ other: RotOutcome) {
        damages.merge(other.damages) { $0 + $1 }
        refused += other.refused; toldByMark += other.toldByMark; toldByOtherSide += other.toldByOtherSide
        harmless += other.harmless; toldByCheck += other.toldByCheck; marksTold += other.marksTold; unnoticed += other.unnoticed
        toldAsUnreadable += other.toldAsUnreadable; snapshotsTold += other.snapshotsTold
        violations += other.violations
    }
}

/// Damages copies of ledgers, one place at a time. One thread.
package struct RotCampaign {
    private let plan: RotPlan
    /// Damages of one ledger before the next is written.
    private static let runsPerLedger = 250
    private static let violationsMax = 20

    package init(_ plan: RotPlan) { self.plan = plan }

    package func run() throws -> RotOutcome {
        var outcome = RotOutcome()
        var seed = plan.seed
        while outcome.runs < plan.runs, outcome.violations.count < RotCampaign.violationsMax {
            try ledger(seed, &outcome)
            seed &+= 1
        }
        return outcome
    }

    /// The same in so many threads, each with seeds of its own; the sum.
    package static func run(_ plan: RotPlan, jobs: Int) throws -> RotOutcome {
        let outcomes = try ThreadResults.campaign(jobs, seed: plan.seed, count: plan.runs) { seed, runs in
            var share = plan
            share.seed = seed; share.runs = runs
            return try RotCampaign(share).run()
        }
        return outcomes.reduce(into: RotOutcome()) { $0.add($1) }
    }

    private func ledger(_ seed: UInt64, _ outcome: inout RotOutcome) throws {
        let subject: any ImageSubject = plan.side == .edge ? EdgeImages() : CloudImages()
        var chance = SeededRandom(seed: seed)
        let sound = FaultyDisk(seed: chance.next())
        var truth = ImageTruth()
        try subject.work(on: sound, DiskTrace(), &truth, &chance)
        for name in sound.names where !RotFile.all.contains(where: { name.hasSuffix($0.suffix) }) {
            return outcome.violations.append("nothing says how \(name) rots")
        }
        for run in 0..<RotCampaign.runsPerLedger where outcome.runs < plan.runs {
            let disk = FaultyDisk(seed: chance.next())
            disk.copy(sound)
            guard let damage = RotCampaign.damage(disk, &chance) else { continue }
            outcome.damages["\(damage.file.name) \(damage.kind.rawValue)", default: 0] += 1
            let what = "seed \(seed), damage \(run), \(damage.file.name) \(damage.kind.rawValue) at \(damage.place)"
            if plan.verifies { judge(subject, disk, truth, damage, what, &outcome) } else { trust(subject, disk, truth, &outcome) }
        }
    }

    // MARK: - What happens

    private struct Damage {
        let file: RotFile, kind: RotKind, place: Int, name: String
        /// A snapshot, and no newer one is there.
        let isNewest: Bool
    }

    /// Nil when the draw fell on something that cannot be damaged so.
    private static func damage(_ disk: FaultyDisk, _ chance: inout SeededRandom) -> Damage? {
        let file = RotFile.all[chance.int(0...(RotFile.all.count - 1))], kind = RotKind.allCases[chance.int(0...(RotKind.allCases.count - 1))]
        let names = disk.names.filter { $0.hasSuffix(file.suffix) }
        guard !names.isEmpty else { return nil }
        let name = names[chance.int(0...(names.count - 1))]
        guard var bytes = disk.bytes(of: name), bytes.count > 1 else { return nil }
        let before = bytes, pages = (bytes.count - file.headerBytes) / file.pageBytes
        var place = chance.int(0...(bytes.count - 1))
        func start(_ page: Int) -> Int { file.headerBytes + page * file.pageBytes }
        switch kind {
        case .flip: bytes[place] ^= 1 << UInt8(chance.int(0...7))
        case .cut: bytes.removeLast(bytes.count - place)
        case .zeroed, .swapped, .misdirected:
            guard pages > 0 else { return nil }
            let one = chance.int(0...(pages - 1)), other = chance.int(0...(pages - 1))
            place = start(one)
            for offset in 0..<file.pageBytes {
                switch kind {
                case .swapped: bytes.swapAt(place + offset, start(other) + offset)
                case .misdirected where one != other:
                    bytes[start(other) + offset] = bytes[place + offset]
                    bytes[place + offset] = 0
                default: bytes[place + offset] = 0
                }
            }
        }
        guard bytes != before else { return nil }
        disk.place(name, bytes)
        return Damage(file: file, kind: kind, place: place, name: name, isNewest: file.name == "snapshot" && name == names.last)
    }

    // MARK: - What is made of it

    private func judge(
        _ subject: any ImageSubject, _ disk: FaultyDisk, _ truth: ImageTruth, _ damage: Damage, _ what: String, _ outcome: inout RotOutcome
    ) {
        // The check beside the running program sees the bytes as they are, before a start has touched them.
        let audit = subject.audit(disk, witness: truth.entries.last)
        let start = subject.start(disk)
        func broken(_ words: String) { outcome.violations.append("\(what): \(words)") }
        let readable = truth.entries.filter { !start.unreadable.contains($0.seq.raw) }
        if !readable.starts(with: start.folded) {
            outcome.unnoticed += 1
            return broken("an entry was folded that is not what was written")
        }
        if let (head, digest) = start.book, !truth.isBook(digest, after: head) {
            outcome.unnoticed += 1
            return broken("the start's book is not what the entries up to \(head) add up to")
        }
        if damage.isNewest, start.refusal == nil {
            if start.passesOverSnapshot { outcome.snapshotsTold += 1 } else { broken("a damaged snapshot was started from, or left in silence") }
        }
        let isWhole = start.folded == truth.entries, file = damage.file
        if start.refusal != nil {
            outcome.refused += 1
            if !isWhole, audit == nil { broken("the start refuses what the check calls sound") }
        } else if isWhole {
            outcome.harmless += 1
            if audit != nil { outcome.toldByCheck += 1 }
            if audit == nil, subject.followersDiffer(disk, truth) { broken("an index or the postings differ and the check finds nothing") }
            if start.knowsItsEndIsGone { broken("a whole ledger was called rolled back") }
            if start.missesItsMark { outcome.marksTold += 1 }
            if file.name == "mark", !start.missesItsMark { broken("a damaged mark was taken for a mark") }
        } else if start.knowsItsEndIsGone {
            outcome.toldByMark += 1
        } else if start.folded == readable {
            outcome.toldAsUnreadable += 1
            if audit == nil { broken("old entries cannot be read and the check finds nothing") }
        } else {
            outcome.toldByOtherSide += 1
            if audit == nil { broken("the end is gone and the check with the other side's head finds nothing") }
        }
    }

    /// The control: what a program would believe that reads rows and asks nothing.
    private func trust(_ subject: any ImageSubject, _ disk: FaultyDisk, _ truth: ImageTruth, _ outcome: inout RotOutcome) {
        do {
            let rows = try EntryStore(path: subject.file, .init(.readOnly, vfs: disk.name)).read(from: 1, limit: .max)
            if rows == truth.entries.map(\.row) { outcome.harmless += 1 } else { outcome.unnoticed += 1 }
        } catch { outcome.refused += 1 }
    }
}
