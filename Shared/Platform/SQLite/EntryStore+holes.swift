// Holes in a log: entries that nobody has any more, written down beside the first entry behind them.
internal import Values
package import Wire

extension EntryStore {
    /// Writes rows that follow the last entry of a hole, and the hole beside them, in one transaction. On return they are durable.
    /// - Throws: as `append`; `.notNext` also for a hole that does not begin at the head.
    package func append(_ rows: [EntryRow], over hole: LogHole) throws(StoreError) {
        guard !rows.isEmpty else { return }
        guard hole.after == head, hole.last.seq > head.seq else { throw .notNext(head: head, offered: hole.last) }
        try write(rows, after: hole.last, [(EntryStore.key(hole), EntryStore.text(hole))])
        holes.append(hole)
    }

    static let holePrefix = "hole:"
    static func key(_ hole: LogHole) -> String { "\(holePrefix)\(hole.after.seq)-\(hole.last.seq)" }
    private static func text(_ hole: LogHole) -> String { "\(Hex.text(hole.after.hash)) \(Hex.text(hole.last.hash))" }

    /// What the file says of its holes, in order.
    func storedHoles() throws(StoreError) -> [LogHole] {
        let rows = try query { () throws(DatabaseError) in
            try self.database.rows("SELECT key, value FROM meta WHERE key GLOB '\(EntryStore.holePrefix)*'") { ($0.text(0), $0.text(1)) }
        }
        var found: [LogHole] = []
        for (key, text) in rows {
            let numbers = key.dropFirst(EntryStore.holePrefix.count).split(separator: "-").compactMap { UInt64($0) }
            let hashes = text.split(separator: " ").compactMap { Hex.bytes(String($0)) }
            guard numbers.count == 2, numbers[0] < numbers[1], hashes.count == 2, hashes.allSatisfy({ $0.count == 32 }) else {
                throw .database(.corrupt("\(key) cannot be read"))
            }
            found.append(LogHole(after: LogHead(seq: numbers[0], hash: hashes[0]), last: LogHead(seq: numbers[1], hash: hashes[1])))
        }
        return found.sorted { $0.after.seq < $1.after.seq }
    }
}
