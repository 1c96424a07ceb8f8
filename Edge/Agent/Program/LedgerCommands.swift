// `tidewire-edge ledger …`: the check, the newest entries, and the whole ledger as lines of JSON.
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
            try LedgerAudit.each(path: path) { entry in Console.write(line(entry)) }
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
            for entry in entries { Console.write(isJSON ? line(entry) : Array(words(entry).utf8)) }
            if let last = entries.last { next = last.seq }
            if follows { clock.turn(milliseconds: 500) }
        } while follows
        return ExitCode.ok
    }

    private static func words(_ entry: Entry) -> String {
        let kind = Kind(rawValue: entry.kind).map { "\($0)" } ?? "kind \(entry.kind)"
        return "\(entry.seq)  \(entry.wall)  \(kind)  \(String(decoding: entry.body, as: UTF8.self))\n"
    }

    private static func line(_ entry: Entry) -> [UInt8] {
        let body = (try? JSONReader.read(entry.body, limits: .frame)) ?? .string(Hex.text(entry.body))
        return JSONWriter.plain([
            "seq": .integer(Int64(clamping: entry.seq.raw)), "kind": .integer(Int64(entry.kind)),
            "name": .string(Kind(rawValue: entry.kind).map { "\($0)" } ?? ""), "time": .string(entry.wall.description),
            "hash": .string(Hex.text(entry.hash)), "body": body,
        ]) + [0x0A]
    }
}
