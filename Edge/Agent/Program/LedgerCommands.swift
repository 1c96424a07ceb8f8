// `tidewire-edge ledger …`: the check, the fold done again, proofs, the newest entries, and the whole ledger as lines of JSON.
internal import Ledger
internal import Platform
internal import Values
internal import Views
internal import Wire

/// Reads the ledger's file, or asks the running edge.
enum LedgerCommands {
    static func verify(_ path: String, witness: String?, key: String?, isJSON: Bool) throws -> Int32 {
        let finding = try LedgerAudit.verify(path: path, witness: try witness.map(head), key: try key.map(publicKey))
        if isJSON {
            var members = [
                JSONMember("entries", .integer(Int64(clamping: finding.count))), JSONMember("seq", .integer(Int64(clamping: finding.head.seq.raw))),
                JSONMember("hash", .string(Hex.text(finding.head.hash))),
            ]
            if let key = finding.key {
                members.append(JSONMember("checkpoints", .integer(Int64(clamping: finding.checkpoints))))
                members.append(JSONMember("key", .string(Hex.text(key))))
            }
            if let difference = finding.difference { members.append(JSONMember("difference", .string(difference))) }
            Console.write(JSONWriter.plain(.object(members)) + [0x0A])
        } else {
            Console.write(finding.report + "\n")
        }
        return finding.exitCode
    }

    /// `SEQ:HASH` as `ledger verify` prints it.
    private static func head(_ text: String) throws(ArgumentError) -> Head {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let seq = UInt64(parts[0]), let hash = Hex.bytes(parts[1]), hash.count == 32 else {
            throw .missingOperand("--witness SEQ:HASH")
        }
        return Head(seq: Seq(seq), hash: hash)
    }

    private static func publicKey(_ text: String) throws(ArgumentError) -> [UInt8] {
        guard let key = Hex.bytes(text), key.count == Signing.keyBytes else { throw .missingOperand("--key HEX (64 digits)") }
        return key
    }

    static func export(_ path: String, raw: String?) throws -> Int32 {
        guard let raw else {
            try LedgerAudit.each(path: path) { entry in Console.write(LedgerLine.json(entry)) }
            return ExitCode.ok
        }
        guard let seq = UInt64(raw), let found = try LedgerAudit.rawBytes(path: path, seq: Seq(seq)) else {
            Console.error("tidewire-edge: there is no entry \(raw)")
            return ExitCode.failed
        }
        Console.write(found.bytes)
        return ExitCode.ok
    }

    /// The newest entries from the file itself, so that it works whether or not the edge runs.
    static func tail(_ folder: String, count: String?, follows: Bool, isJSON: Bool) throws -> Int32 {
        guard let count = Int(count ?? "20"), (1...10_000).contains(count) else { throw ArgumentError.missingValue("count (1 to 10000)") }
        let path = folder + "/ledger.db"
        let clock = EventLoop()
        var next = Seq(0)
        repeat {
            let entries = try LedgerAudit.newest(path: path, after: next, limit: next == Seq(0) ? count : 10_000)
            for entry in entries { Console.write(isJSON ? LedgerLine.json(entry) : Array(LedgerLine.words(entry).utf8)) }
            if let last = entries.last { next = last.seq }
            if follows { clock.turn(milliseconds: 500) }
        } while follows
        return ExitCode.ok
    }

    /// The whole fold again, compared with the signed digests and, when the edge runs, with the live book.
    static func rebuild(_ folder: String, isJSON: Bool) throws -> Int32 {
        let live = liveDigest(folder)
        let rebuild = try LedgerAudit.rebuild(path: folder + "/ledger.db", against: live)
        if isJSON {
            var members = [
                JSONMember("entries", .integer(Int64(clamping: rebuild.verifier.count))),
                JSONMember("digest", .string(Hex.text(rebuild.book.digest()))),
                JSONMember("checkpoints", .integer(Int64(clamping: rebuild.compared))),
                JSONMember("live", .bool(live != nil)),
            ]
            if let difference = rebuild.difference { members.append(JSONMember("difference", .string(difference))) }
            Console.write(JSONWriter.plain(.object(members)) + [0x0A])
        } else {
            Console.write(rebuild.report + (live == nil ? "\nno edge runs here: nothing live was compared\n" : "\ncompared with the running edge\n"))
        }
        return rebuild.difference == nil ? ExitCode.ok : ExitCode.difference
    }

    /// Moves what may move; nothing is ever deleted by it. A running edge does so by itself, and says how far it is.
    static func compact(_ folder: String, days: String?, isDry: Bool, isJSON: Bool) throws -> Int32 {
        if !isDry, let value = answer(folder, "ledger/compaction") { return show(value, isJSON: isJSON) }
        guard let days = Int(days ?? "30"), (1...36_500).contains(days) else { throw ArgumentError.missingValue("days (1 to 36500)") }
        let store = try EntryStore(path: folder + "/ledger.db", .init(isDry ? .readOnly : .readWrite))
        guard let edge = EdgeID(hex: try store.meta("edge_id") ?? "") else {
            Console.error("tidewire-edge: \(folder)/ledger.db does not say whose ledger it is")
            return ExitCode.failed
        }
        let report = try LedgerCompaction.run(store, edge: edge, files: FolderFiles(folder), days: days, at: SystemClock.now(), isDry: isDry)
        guard isJSON else {
            Console.write(report.text + "\n")
            return ExitCode.ok
        }
        Console.write(
            JSONWriter.plain([
                "acknowledged": .integer(Int64(clamping: report.acknowledged)), "backed_up": .integer(Int64(clamping: report.backedUp)),
                "snapshot": .integer(Int64(clamping: report.snapshot)), "days": .integer(Int64(report.days)), "dry_run": .bool(report.isDry),
                "moved": .array(
                    report.moved.map {
                        ["from": .integer(Int64(clamping: $0.from)), "to": .integer(Int64(clamping: $0.to)), "file": .string($0.file)]
                    }),
            ]) + [0x0A])
        return ExitCode.ok
    }

    /// The tables that only follow the entries, made anew from them; the entries stay as they are.
    static func reindex(_ path: String, isJSON: Bool) throws -> Int32 {
        let store = try EntryStore(path: path, .init(.readWrite))
        let report = try FollowerReport(store) { if !isJSON { Console.error($0) } }
        Console.write(isJSON ? JSONWriter.plain(report.value) + [0x0A] : Array((report.text(verify: "tidewire-edge ledger verify") + "\n").utf8))
        return report.isSound ? ExitCode.ok : ExitCode.difference
    }

    private static func show(_ value: JSONValue, isJSON: Bool) -> Int32 {
        guard !isJSON else {
            Console.write(JSONWriter.plain(value) + [0x0A])
            return ExitCode.ok
        }
        guard value["on"]?.boolValue == true else {
            Console.write("The running edge moves nothing: `ledger.compact_days` is 0.\n")
            return ExitCode.ok
        }
        func number(_ name: String) -> Int64 { value[name]?.integerValue ?? 0 }
        let moving = value["moving"]?.boolValue == true ? ", more are on their way" : ""
        Console.write("The running edge moves entries by itself: up to \(number("moved")) have moved\(moving).\n")
        let bounds = "acknowledged \(number("acknowledged")), in the cloud's backup \(number("backed_up")), verified snapshot \(number("snapshot"))"
        Console.write("Nothing above the least of these moves: \(bounds) (0: not known in this run yet).\n")
        if let words = value["trouble"]?.text, !words.isEmpty { Console.write("The last try ended early: \(words)\n") }
        return ExitCode.ok
    }

    /// What the running edge says; nil when none answers.
    private static func answer(_ folder: String, _ path: String) -> JSONValue? {
        let call = HTTPCall(.get, url: "http://edge/api/v1/" + path, unixSocket: folder + "/edge.sock")
        guard let answer = try? HTTPClient.send(call), answer.status == 200 else { return nil }
        return try? JSONReader.read(answer.body, limits: .frame)
    }

    /// What the running edge adds up to, and where it stands; nil when none answers.
    private static func liveDigest(_ folder: String) -> (seq: Seq, digest: [UInt8])? {
        guard let value = answer(folder, "ledger/digest"), let seq = value["seq"]?.integerValue,
            let digest = value["digest"]?.text.flatMap({ Hex.bytes($0) })
        else { return nil }
        return (Seq(UInt64(max(0, seq))), digest)
    }

    static func prove(_ path: String, _ text: String, isJSON: Bool) throws -> Int32 {
        guard let seq = UInt64(text), let proof = try LedgerAudit.prove(path: path, seq: Seq(seq)) else {
            Console.error("tidewire-edge: there is no entry \(text)")
            return ExitCode.failed
        }
        Console.write(isJSON ? JSONWriter.plain(proof.value) + [0x0A] : Array((proof.text(export: "tidewire-edge ledger export --raw") + "\n").utf8))
        return proof.difference != nil ? ExitCode.difference : proof.isProved ? ExitCode.ok : ExitCode.refused
    }
}
