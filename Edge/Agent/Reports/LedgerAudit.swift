// `tidewire-edge ledger verify` and `ledger export --raw`: a ledger file looked at from outside, while its owner may be running.
package import Ledger
package import Platform
package import Values
internal import Wire

/// A ledger file opened for reading only.
package enum LedgerAudit {
    /// What a check found.
    package struct Finding: Equatable, Sendable {
        /// Entries found good, from the first.
        package var count: UInt64
        /// The last of them.
        package var head: Head
        /// Signed checkpoints among them, and the key that signed; nil without one.
        package var checkpoints: UInt64 = 0
        package var key: [UInt8]?
        /// The first thing that is not as it must be, in words; nil for a whole ledger.
        package var difference: String?
        /// Lines for people.
        package var report: String
        /// 0 for a whole ledger, 5 for a difference.
        package var exitCode: Int32 { difference == nil ? 0 : 5 }
    }

    /// Reads the whole file: the chain from entry 1 (every hash, contiguity, clocks, a boot entry at each run's start) and SQLite's own structure.
    /// - Parameters:
    ///   - edge: whose ledger it must be; nil takes the file's own word.
    ///   - key: the public key that the checkpoints must be signed by; nil takes the first checkpoint's.
    ///   - witness: a head known from elsewhere (the cloud, an earlier report): the ledger must reach it. A log that lost its end verifies otherwise.
    /// - Throws: when there is no ledger to check. Damage is a finding, not an error.
    package static func verify(
        path: String, edge: EdgeID? = nil, witness: Head? = nil, key: [UInt8]? = nil, vfs: String? = nil, kept: (any KeptFiles)? = nil
    ) throws(StoreError)
        -> Finding
    {
        let store: EntryStore
        do throws(StoreError) { store = try open(path, vfs, kept) } catch {
            return try Finding(damage: error)
        }
        let owner: EdgeID
        do throws(StoreError) { owner = try self.owner(of: store, path) } catch {
            return try Finding(damage: error)
        }
        var verifier = LedgerVerifier(edge: edge ?? owner, key: key)
        if let edge, edge != owner { verifier.note("this is the ledger of edge \(owner), not of \(edge)") }
        var missing = ""
        do throws(StoreError) {
            var books = BookCheck(postedThrough: try store.postedThrough())
            var walk = GapWalk()
            try walk.each(store, &verifier) { entry throws(DatabaseError) in
                let other = witness.map { entry.seq == $0.seq && entry.hash != $0.hash } ?? false
                return try books.check(entry) { seq throws(DatabaseError) in try store.lines(of: seq) }
                    + (other ? ["entry \(entry.seq) is not the one the witness saw"] : [])
            }
            missing = walk.report
            for words in walk.unrecorded { verifier.note(words) }
            if let witness, verifier.head.seq < witness.seq {
                verifier.note("the ledger ends at \(verifier.head.seq), it once reached \(witness.seq)")
            }
            // Of entries that are missing the table has lines that no body says.
            if walk.isWhole {
                for problem in books.finish(found: try store.postingCount(through: books.postedThrough)) { verifier.note(problem) }
            }
            for line in try store.structuralDamage(limit: 3) { verifier.note("the file's structure is damaged: \(line)") }
            for seq in try store.subjectDamage(limit: 1) { verifier.note("the index of subjects is wrong about entry \(seq)") }
        } catch {
            verifier.note("after entry \(verifier.head.seq): \(error)")
        }
        return Finding(
            count: verifier.count, head: verifier.head, checkpoints: verifier.checkpoints.count, key: verifier.checkpoints.last?.key,
            difference: verifier.difference, report: missing + verifier.report)
    }

    /// The bytes that entry `seq` is hashed over, so that `b2sum -l 256` gives its hash; nil when there is no such entry.
    package static func rawBytes(path: String, seq: Seq, vfs: String? = nil, kept: (any KeptFiles)? = nil) throws(StoreError) -> (
        bytes: [UInt8], hash: [UInt8]
    )? {
        let store = try open(path, vfs, kept)
        let owner = try owner(of: store, path)
        guard let row = try store.read(from: seq.raw, limit: 1).first, row.seq == seq.raw else { return nil }
        do throws(RowError) {
            let entry = try Entry(row)
            return (Chain.hashedBytes(entry, edge: owner), entry.hash)
        } catch {
            throw .database(.corrupt(error.description))
        }
    }

    /// Every entry from the first, in order, one at a time.
    /// - Throws: also at the first row that is no entry.
    package static func each(path: String, visit: (Entry) -> Void) throws(StoreError) {
        let store = try open(path, nil, nil)
        try store.each { row throws(DatabaseError) in
            do throws(RowError) { visit(try Entry(row)) } catch { throw .corrupt(error.description) }
            return true
        }
    }

    /// The newest entries after `after`, oldest first, at most `limit`.
    package static func newest(path: String, after: Seq, limit: Int) throws(StoreError) -> [Entry] {
        let store = try open(path, nil, nil)
        let head = store.head.seq
        let first = max(after.raw + 1, head > UInt64(limit) ? head - UInt64(limit) + 1 : 1)
        var entries: [Entry] = []
        for row in try store.read(from: first, limit: limit) {
            do throws(RowError) { entries.append(try Entry(row)) } catch { throw .database(.corrupt(error.description)) }
        }
        return entries
    }

    /// Folds the file from its first entry, comparing the signed digests, and a live one at the entry that it was told at.
    package static func rebuild(path: String, against live: (seq: Seq, digest: [UInt8])? = nil, vfs: String? = nil, kept: (any KeptFiles)? = nil)
        throws(StoreError)
        -> LedgerRebuild
    {
        let store = try open(path, vfs, kept)
        var rebuild = LedgerRebuild(edge: try owner(of: store, path))
        try store.each { row in
            guard rebuild.accept(row) else { return false }
            if let live, rebuild.book.head.seq == live.seq { rebuild.compare(live.digest, "the running edge's book") }
            return rebuild.difference == nil
        }
        return rebuild
    }

    /// The way from entry `seq` to the next checkpoint's signature; nil when there is no such entry.
    package static func prove(path: String, seq: Seq, vfs: String? = nil, kept: (any KeptFiles)? = nil) throws(StoreError) -> LedgerProof? {
        let store = try open(path, vfs, kept)
        var proof = LedgerProof(edge: try owner(of: store, path))
        try store.each(from: seq.raw) { row in (proof.path.isEmpty && row.seq != seq.raw) ? false : proof.accept(row) }
        return proof.path.isEmpty && proof.difference == nil ? nil : proof
    }

    private static func open(_ path: String, _ vfs: String?, _ kept: (any KeptFiles)?) throws(StoreError) -> EntryStore {
        try EntryStore(path: path, .init(.readOnly, vfs: vfs), kept: kept)
    }

    private static func owner(of store: EntryStore, _ path: String) throws(StoreError) -> EdgeID {
        guard let owner = EdgeID(hex: try store.meta("edge_id") ?? "") else { throw .database(.corrupt("\(path) does not say whose ledger it is")) }
        return owner
    }
}

extension LedgerAudit.Finding {
    /// A file that SQLite cannot read is a finding; one that is not there, or busy, is an error.
    fileprivate init(damage error: StoreError) throws(StoreError) {
        switch error {
        case .failed, .schema: break
        case .database(let cause): guard cause.isCorrupt || cause.isIO else { throw error }
        case .notNext, .missing: throw error
        }
        let report = "checked 0 entries\nDIFFERENCE: \(error)"
        self.init(count: 0, head: .start, difference: error.description, report: report)
    }
}
