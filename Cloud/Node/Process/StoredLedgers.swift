// `tidewire-cloud ledger …`: the stored ledgers read from outside, while the process may be running.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// The ledger files of a data folder; opened for reading only, but for what follows the entries.
struct StoredLedgers {
    let folder: String
    let isJSON: Bool

    /// Checks every ledger (or one): each hash, contiguity, clocks, the money, and SQLite's own structure.
    /// - Returns: 0, or 5 when a difference was found.
    func verify(only wanted: String?) throws -> Int32 {
        let files: [String]
        do throws(FileError) { files = try PrivateFiles.names(in: folder + "/edges") } catch {
            throw CloudRefusal("there are no ledgers: \(error)", exitCode: ExitCode.failed)
        }
        let edges = files.filter { $0.hasSuffix(".db") }.compactMap { EdgeID(hex: $0.dropLast(3)) }.sorted()
            .filter { wanted == nil || $0.description == wanted }
        if edges.isEmpty {
            throw CloudRefusal(wanted.map { "there is no ledger of edge \($0)" } ?? "no edge has a ledger here", exitCode: ExitCode.failed)
        }
        var code = ExitCode.ok
        for edge in edges {
            let (verifier, holes, missing) = try verify(edge)
            if verifier.difference != nil { code = ExitCode.difference }
            say(edge, verifier, holes, missing)
        }
        return code
    }

    private func verify(_ edge: EdgeID) throws -> (LedgerVerifier, holes: String, missing: UInt64) {
        var verifier = LedgerVerifier(edge: edge)
        var report = "", missing: UInt64 = 0
        do throws(StoreError) {
            let store = try EntryStore(path: EdgeLedgers.path(folder: folder + "/edges", edge), .init(.readOnly))
            var books = BookCheck(postedThrough: try store.postedThrough())
            let holes = store.holes.map { LedgerHole($0) }
            var told: [(by: Seq, gap: GapFact)] = []
            try store.each { row throws(DatabaseError) in
                _ = verifier.pass(to: row, holes)
                guard let entry = verifier.accept(row) else { return false }
                if let gap = entry.gap { told.append((entry.seq, gap)) }
                let problems = try books.check(entry) { seq throws(DatabaseError) in try store.lines(of: seq) }
                for problem in problems { verifier.note(problem) }
                return true
            }
            missing = holes.reduce(0) { $0 + $1.last.seq.raw - $1.after.seq.raw }
            for hole in holes {
                if hole.isTold(by: told.map(\.gap)) {
                    let by = told.filter { $0.gap.from <= hole.last.seq && $0.gap.to >= hole.from }.map { "\($0.by)" }.joined(separator: " and ")
                    report += "\(hole.words) are missing for good, as entry \(by) says; the chain goes on from their last hash\n"
                } else {
                    verifier.note("\(hole.words) are missing, and no entry speaks of them")
                }
            }
            for problem in books.finish(found: try store.postingCount(through: books.postedThrough)) { verifier.note(problem) }
            for line in try store.structuralDamage(limit: 3) { verifier.note("the file's structure is damaged: \(line)") }
            for seq in try store.subjectDamage(limit: 1) { verifier.note("the index of subjects is wrong about entry \(seq)") }
        } catch {
            if case .database(let cause) = error, !cause.isCorrupt, !cause.isIO { throw error }
            verifier.note("after entry \(verifier.head.seq): \(error)")
        }
        return (verifier, report, missing)
    }

    /// The other commands about one edge's ledger.
    func read(_ command: String, _ operands: [String], _ options: [String: String]) throws -> Int32 {
        let edge = try self.edge(operands[0])
        let store = try EntryStore(path: EdgeLedgers.path(folder: folder + "/edges", edge), .init(.readOnly))
        switch command {
        case "ledger rebuild": return try rebuild(edge, store)
        case "ledger prove": return try prove(edge, store, operands[1])
        case "ledger tail": return try tail(store, options["count"])
        default: return try export(edge, store, options["raw"])
        }
    }

    /// By id, or by the name it was enrolled under.
    private func edge(_ word: String) throws -> EdgeID {
        if let id = EdgeID(hex: word) { return id }
        let control = try Database(path: folder + "/control.db", .init(.readOnly))
        let id = try control.first("SELECT id FROM edge WHERE name = ? ORDER BY enrolled DESC", .text(word)) { $0.bytes(0) }
        guard let edge = id.flatMap({ EdgeID(bytes: $0) }) else { throw CloudRefusal("there is no edge \(word)", exitCode: ExitCode.failed) }
        return edge
    }

    /// The tables that only follow the entries, made anew from them; the entries stay as they are. The one command here that writes.
    func reindex(_ word: String) throws -> Int32 {
        let edge = try self.edge(word)
        let store = try EntryStore(path: EdgeLedgers.path(folder: folder + "/edges", edge), .init(.readWrite))
        let report = try FollowerReport(store) { if !isJSON { Console.error($0) } }
        Console.write(
            isJSON
                ? JSONWriter.plain(report.value) + [0x0A]
                : Array((report.text(verify: "tidewire-cloud ledger verify --edge \(edge)") + "\n").utf8))
        return report.isSound ? ExitCode.ok : ExitCode.difference
    }

    private func rebuild(_ edge: EdgeID, _ store: EntryStore) throws -> Int32 {
        var rebuild = LedgerRebuild(edge: edge)
        let holes = store.holes.map { LedgerHole($0) }
        try store.each { row in
            if let hole = rebuild.hole(before: row, holes) { rebuild.passOver(hole.last) }
            return rebuild.accept(row)
        }
        if isJSON {
            var members = [
                JSONMember("edge", .string(edge.description)), JSONMember("entries", .integer(Int64(clamping: rebuild.verifier.count))),
                JSONMember("digest", .string(Hex.text(rebuild.book.digest()))),
                JSONMember("checkpoints", .integer(Int64(clamping: rebuild.compared))),
            ]
            if let difference = rebuild.difference { members.append(JSONMember("difference", .string(difference))) }
            Console.write(JSONWriter.plain(.object(members)) + [0x0A])
        } else {
            Console.write("edge \(edge)\n\(rebuild.report)\n")
        }
        return rebuild.difference == nil ? ExitCode.ok : ExitCode.difference
    }

    private func prove(_ edge: EdgeID, _ store: EntryStore, _ text: String) throws -> Int32 {
        var proof = LedgerProof(edge: edge)
        let seq = UInt64(text) ?? 0
        let holes = store.holes.map { LedgerHole($0) }
        try store.each(from: seq) { row in
            if let last = proof.path.last, let hole = holes.first(where: { $0.after == last }) {
                proof.stop(at: hole)
                return false
            }
            return (proof.path.isEmpty && row.seq != seq) ? false : proof.accept(row)
        }
        guard !proof.path.isEmpty || proof.difference != nil else { throw CloudRefusal("there is no entry \(text)", exitCode: ExitCode.failed) }
        let export = "tidewire-cloud ledger export \(edge) --raw"
        Console.write(isJSON ? JSONWriter.plain(proof.value) + [0x0A] : Array((proof.text(export: export) + "\n").utf8))
        return proof.difference != nil ? ExitCode.difference : proof.isProved ? ExitCode.ok : ExitCode.refused
    }

    private func tail(_ store: EntryStore, _ count: String?) throws -> Int32 {
        guard let count = Int(count ?? "20"), (1...10_000).contains(count) else {
            throw CloudRefusal("--count must be 1 to 10000", exitCode: ExitCode.usage)
        }
        let head = store.head.seq
        for row in try store.read(from: head > UInt64(count) ? head - UInt64(count) + 1 : 1, limit: count) {
            let entry = try Entry(row)
            Console.write(isJSON ? LedgerLine.json(entry) : Array(LedgerLine.words(entry).utf8))
        }
        return ExitCode.ok
    }

    private func export(_ edge: EdgeID, _ store: EntryStore, _ raw: String?) throws -> Int32 {
        guard let raw else {
            try store.each { row throws(DatabaseError) in
                do throws(RowError) { Console.write(LedgerLine.json(try Entry(row))) } catch { throw .corrupt(error.description) }
                return true
            }
            return ExitCode.ok
        }
        let seq = UInt64(raw) ?? 0
        guard let row = try store.read(from: seq, limit: 1).first, row.seq == seq else {
            throw CloudRefusal("there is no entry \(raw)", exitCode: ExitCode.failed)
        }
        Console.write(Chain.hashedBytes(try Entry(row), edge: edge))
        return ExitCode.ok
    }

    private func say(_ edge: EdgeID, _ verifier: LedgerVerifier, _ holes: String, _ missing: UInt64) {
        guard isJSON else { return Console.write("edge \(edge)\n\(holes)\(verifier.report)\n") }
        var members = [
            JSONMember("edge", .string(edge.description)), JSONMember("entries", .integer(Int64(verifier.count))),
            JSONMember("seq", .integer(Int64(verifier.head.seq.raw))), JSONMember("hash", .string(Hex.text(verifier.head.hash))),
            JSONMember("ok", .bool(verifier.difference == nil)), JSONMember("missing", .integer(Int64(clamping: missing))),
        ]
        if let difference = verifier.difference { members.append(JSONMember("difference", .string(difference))) }
        Console.write(JSONWriter.plain(.object(members)) + [0x0A])
    }
}
