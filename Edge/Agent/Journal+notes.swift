// What the ledger's file notes beside its entries: what is lost for good, and what the cloud has said of its store and its backups.
package import Ledger
internal import Platform
internal import Sync
package import Values
internal import Wire

extension Journal {
    /// What this ledger says that it lost for good, oldest word first: what the cloud is told when it asks for it.
    package func gaps() throws(JournalError) -> [GapFact] { try kept(Journal.gapsKey) }
    /// What the branch that a person gave up says of it: the history that goes on has not said that yet.
    func sealedGaps() throws(JournalError) -> [GapFact] { try kept(Journal.sealedGapsKey) }

    /// It is said again. Without room for that it is said twice at the worst.
    func forgetSealedGaps() throws(JournalError) { try noteAdvice { () throws(StoreError) in try store.setMeta(Journal.sealedGapsKey, "") } }

    private func kept(_ key: String) throws(JournalError) -> [GapFact] {
        guard let text = try Journal.reading({ () throws(StoreError) in try store.meta(key) }), !text.isEmpty else { return [] }
        guard let value = try? JSONReader.read(Array(text.utf8)), let rows = value.elements else { throw .damaged("what it lost cannot be read") }
        do throws(CodecError) {
            var gaps: [GapFact] = []
            for row in rows { gaps.append(try GapFact(Fields(row))) }
            return gaps
        } catch { throw .damaged("what it lost cannot be read: \(error)") }
    }

    /// The same with what these entries add to it, as it is kept; nil when they add nothing. The newest are kept: each stands for a lost file.
    func confessed(_ entries: [Entry]) throws(JournalError) -> String? {
        let said = entries.compactMap(\.gap)
        guard !said.isEmpty else { return nil }
        let known = try gaps()
        return Journal.text((known + said.filter { !known.contains($0) }).suffix(Identity.gapsMax))
    }

    /// As they are kept.
    static func text(_ gaps: some Sequence<GapFact>) -> String {
        let rows = gaps.map { gap in
            var row = FieldWriter()
            gap.write(into: &row)
            return row.value
        }
        return String(decoding: JSONWriter.plain(.array(rows)), as: UTF8.self)
    }
    static let gapsKey = "gaps"
    static let sealedGapsKey = "sealed_gaps"

    /// The cloud's store that welcomed this edge last; empty before the first time.
    package func incarnation() throws(JournalError) -> String { try Journal.reading { () throws(StoreError) in try store.meta("incarnation") } ?? "" }

    /// Remembers the cloud's store durably: a store of another name was restored and may have less than it had acknowledged. Without room for it the
    /// next word of what was acknowledged, or the next run's first session, makes it good.
    /// - Parameter have: what this store has; noted first, or a run that dies in between would hold against the new store what the old one had.
    package func noteIncarnation(_ name: String, have: Seq) throws(JournalError) {
        let former = Identity.former(try formerStores(), left: try incarnation(), for: name)
        let isNoted = try noteAdvice { () throws(StoreError) in
            try store.setMeta("acked", String(have.raw))
            try store.setMeta("former_stores", former.joined(separator: " "))
            try store.setMeta("incarnation", name)
        }
        owedName = isNoted ? nil : name
    }
    /// The names of stores that welcomed this edge before the last one, oldest first.
    package func formerStores() throws(JournalError) -> [String] {
        try Journal.reading { () throws(StoreError) in try store.meta("former_stores") }?.split(separator: " ").map(String.init) ?? []
    }

    /// The last entry in the cloud's newest backup that was restored and verified, as it said last; nil before the first. What a ledger may leave to
    /// the cloud is not above it.
    package func backupWatermark() throws(JournalError) -> Seq? {
        try Journal.reading { () throws(StoreError) in try store.meta(Journal.backupKey) }.flatMap { UInt64($0) }.map { Seq($0) }
    }

    /// Remembers it durably.
    package func noteBackup(_ seq: Seq) throws(JournalError) {
        try noteAdvice { () throws(StoreError) in try store.setMeta(Journal.backupKey, String(seq.raw)) }
    }
    static let backupKey = "backup_watermark"

    /// Whether an entry already speaks of this hole.
    func isNoted(_ hole: Hole) throws(JournalError) -> Bool {
        try Journal.reading { () throws(StoreError) in try store.meta("gap:\(hole.from)-\(hole.to)") } != nil
    }
    func note(_ hole: Hole) throws(JournalError) {
        try Journal.reading { () throws(StoreError) in try store.setMeta("gap:\(hole.from)-\(hole.to)", "noted") }
    }
}

extension Journal {
    /// The first entry from `from` on that lets more trade than before, and that no signature of this edge covers: whoever gave these entries back could
    /// have made it up.
    func unsignedLoosening(from: Seq) throws(JournalError) -> Seq? {
        var loosening: [Seq] = []
        var next = from
        while next <= head.seq {
            let entries = try read(from: next, limit: 1_000)
            for entry in entries {
                switch try? entry.decoded() {
                case .resume: loosening.append(entry.seq)
                case .instrumentHalt(_, halted: false, _): loosening.append(entry.seq)
                // Adopted, its signature was checked.
                case .checkpoint(let fact): loosening.removeAll { $0 <= fact.head.seq }
                default: break
                }
            }
            guard let last = entries.last else { break }
            next = last.seq.next
        }
        return loosening.first
    }
}
