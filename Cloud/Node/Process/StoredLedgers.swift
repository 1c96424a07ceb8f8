// `tidewire-cloud ledger verify`: the stored ledgers read from outside, while the process may be running.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// The ledger files of a data folder, opened for reading only.
struct StoredLedgers {
    let folder: String
    let isJSON: Bool

    /// Checks every ledger (or one): each hash, contiguity, clocks, and SQLite's own structure.
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
            let verifier = try verify(edge)
            if verifier.difference != nil { code = ExitCode.difference }
            say(edge, verifier)
        }
        return code
    }

    private func verify(_ edge: EdgeID) throws -> LedgerVerifier {
        var verifier = LedgerVerifier(edge: edge)
        do throws(StoreError) {
            let store = try EntryStore(path: EdgeLedgers.path(folder: folder + "/edges", edge), .init(.readOnly))
            try store.each { verifier.accept($0) != nil }
            for line in try store.structuralDamage(limit: 3) { verifier.note("the file's structure is damaged: \(line)") }
        } catch {
            if case .database(let cause) = error, !cause.isCorrupt, !cause.isIO { throw error }
            verifier.note("after entry \(verifier.head.seq): \(error)")
        }
        return verifier
    }

    private func say(_ edge: EdgeID, _ verifier: LedgerVerifier) {
        guard isJSON else { return Console.write("edge \(edge)\n\(verifier.report)\n") }
        var members = [
            JSONMember("edge", .string(edge.description)), JSONMember("entries", .integer(Int64(verifier.count))),
            JSONMember("seq", .integer(Int64(verifier.head.seq.raw))), JSONMember("hash", .string(Hex.text(verifier.head.hash))),
            JSONMember("ok", .bool(verifier.difference == nil)),
        ]
        if let difference = verifier.difference { members.append(JSONMember("difference", .string(difference))) }
        Console.write(JSONWriter.plain(.object(members)) + [0x0A])
    }
}
