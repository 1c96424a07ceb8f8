// An entry as one line, for `ledger tail` and `ledger export` on either side.
internal import Values
internal import Wire

/// The forms of one line.
package enum LedgerLine {
    /// Number, time, kind and body.
    package static func words(_ entry: Entry) -> String {
        let kind = Kind(rawValue: entry.kind).map { "\($0)" } ?? "kind \(entry.kind)"
        return "\(entry.seq)  \(entry.wall)  \(kind)  \(String(decoding: entry.body, as: UTF8.self))\n"
    }

    /// One JSON object, the body inside; a body that is not JSON as hex.
    package static func json(_ entry: Entry) -> [UInt8] {
        let body = (try? JSONReader.read(entry.body, limits: .frame)) ?? .string(Hex.text(entry.body))
        return JSONWriter.plain([
            "seq": .integer(Int64(clamping: entry.seq.raw)), "kind": .integer(Int64(entry.kind)),
            "name": .string(Kind(rawValue: entry.kind).map { "\($0)" } ?? ""), "time": .string(entry.wall.description),
            "hash": .string(Hex.text(entry.hash)), "body": body,
        ]) + [0x0A]
    }
}
