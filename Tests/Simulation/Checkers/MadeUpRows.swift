// Rows with a made-up chain for tests of the table: any bytes do, as long as each row names the one before.
package import Wire

/// Made-up rows.
package enum MadeUpRows {
    /// The row after `head`, told apart by `mark` from another one written there in an earlier life.
    package static func next(after head: LogHead, mark: UInt64, bodyBytes: Int = 120) -> EntryRow {
        let seq = head.seq + 1
        var hash = head.hash
        for index in 0..<8 {
            hash[index] = hash[index] &+ UInt8(truncatingIfNeeded: mark >> UInt64(8 * index)) &+ 1
            hash[31 - index] = UInt8(truncatingIfNeeded: seq >> UInt64(8 * index))
        }
        let text = "{\"mark\":\(mark),\"n\":\(seq),\"text\":\"\(String(repeating: "x", count: bodyBytes))\"}"
        return EntryRow(
            seq: seq, epoch: 1, boot: mark >> 1, wall: Int64(seq), mono: Int64(seq), hlc: Int64(seq), kind: 10, kver: 1, flags: 0,
            ref: seq % 3 == 0 ? [UInt8(seq % 7)] : nil, body: Array(text.utf8), prev: head.hash, hash: hash)
    }

    /// `count` rows after `head`.
    package static func next(_ count: Int, after head: LogHead, mark: UInt64, bodyBytes: Int = 120) -> [EntryRow] {
        var rows: [EntryRow] = []
        var head = head
        for _ in 0..<count {
            let row = next(after: head, mark: mark, bodyBytes: bodyBytes)
            rows.append(row)
            head = LogHead(seq: row.seq, hash: row.hash)
        }
        return rows
    }
}
