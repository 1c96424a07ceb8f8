// `tidewire-edge ledger compact`: old entries into segment files, as far as acknowledgement, the cloud's backup and a verified snapshot allow.
internal import Ledger
package import Platform
package import Values
internal import Wire

/// Moves segments of a ledger that no edge has open.
package enum LedgerCompaction {
    /// What was done, or would be.
    package struct Report: Hashable, Sendable {
        package var moved: [Compaction] = []
        package var isDry: Bool
        /// The last entry that the cloud has on its disk, as last noted here.
        package var acknowledged: UInt64
        /// The last entry in the cloud's last backup that was put back to try it.
        package var backedUp: UInt64
        /// The newest snapshot that the whole ledger was compared with.
        package var snapshot: UInt64
        package var days: Int
        /// Nothing above may move.
        package var limit: UInt64 { min(acknowledged, backedUp, snapshot) }
        /// For people.
        package var text: String {
            let bounds = "acknowledged \(acknowledged), in the cloud's backup \(backedUp), verified snapshot \(snapshot), older than \(days) days"
            let lines = moved.map { "\(isDry ? "would move" : "moved") entries \($0.from) to \($0.to) into \($0.file)" }
            return ([bounds] + (lines.isEmpty ? ["nothing may move"] : lines)).joined(separator: "\n")
        }
    }

    /// - Parameters:
    ///   - files: where snapshots lie.
    ///   - days: entries younger than this stay.
    /// - Throws: `.damaged` for a ledger that is not whole: nothing is moved then.
    package static func run(_ store: EntryStore, edge: EdgeID, files: any KeptFiles, days: Int, at now: Instant, isDry: Bool) throws(JournalError)
        -> Report
    {
        do throws(StoreError) {
            var report = Report(
                isDry: isDry, acknowledged: UInt64(try store.meta("acked") ?? "") ?? 0,
                backedUp: UInt64(try store.meta(Journal.backupKey) ?? "") ?? 0,
                snapshot: 0, days: days)
            // A ledger whose acknowledgements or backup allow nothing need not be read.
            guard report.acknowledged > 0, report.backedUp > 0 else { return report }
            var rebuild = LedgerRebuild(edge: edge)
            var digests: [Seq: [UInt8]] = [:]
            var verified = Seq(0)
            let kept = Set(((try? files.names()) ?? []).compactMap { SnapshotFile.seq(of: $0) })
            try store.each { row in
                guard rebuild.accept(row) else { return false }
                let head = rebuild.book.head.seq
                if kept.contains(head) { digests[head] = rebuild.book.digest() }
                if row.kind == Kind.snapshot.rawValue, case .snapshot(let fact)? = (try? Entry(row)).flatMap({ try? $0.decoded() }),
                    digests[fact.seq] == fact.book, isSound(fact, files)
                {
                    verified = max(verified, fact.seq)
                }
                return true
            }
            if let difference = rebuild.difference { throw StoreError.database(.corrupt(difference)) }
            report.snapshot = verified.raw
            let age = now - Span(nanoseconds: Span.hours(24).nanoseconds * Int64(days))
            var at = store.anchor.seq
            while let next = isDry
                ? try store.compactable(after: at, through: report.limit, olderThan: age.nanoseconds)
                : try store.compact(
                    through: report.limit, olderThan: age.nanoseconds,
                    isSound: { row in (try? Entry(row)).map { Chain.hash($0, edge: edge) == $0.hash } ?? false })
            {
                report.moved.append(next)
                at = next.to
            }
            return report
        } catch {
            if case .database(let cause) = error, cause.isCorrupt { throw .damaged(cause.message) }
            throw .store(error)
        }
    }

    /// Whether the file that an entry speaks of is there, whole.
    private static func isSound(_ fact: SnapshotFact, _ files: any KeptFiles) -> Bool {
        guard let bytes = try? files.read(fact.file), let file = try? SnapshotFile(bytes) else { return false }
        return file.hash == fact.hash && file.isSound(0..<file.partCount)
    }
}
