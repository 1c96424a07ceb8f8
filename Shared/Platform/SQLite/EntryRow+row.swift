// A stored entry read out of its table row; what a damaged file may hold is checked here, not trusted.
internal import Wire

extension EntryRow {
    /// The columns in the order of `columns`.
    /// - Parameter before: what the previous hash most likely is: the bytes are compared, and then shared instead of copied.
    init(_ row: borrowing Row, after before: [UInt8]? = nil) throws(DatabaseError) {
        let number = row.integer(0)
        func narrow<Number: FixedWidthInteger>(_ value: Int64, _ column: String) throws(DatabaseError) -> Number {
            guard let result = Number(exactly: value) else { throw .corrupt("entry \(number): \(column) \(value) is out of range") }
            return result
        }
        self.init(
            seq: try narrow(number, "seq"), epoch: try narrow(row.integer(1), "epoch"), boot: try narrow(row.integer(2), "boot"),
            wall: row.integer(3), mono: row.integer(4), hlc: row.integer(5), kind: try narrow(row.integer(6), "kind"),
            kver: try narrow(row.integer(7), "kver"), flags: try narrow(row.integer(8), "flags"), ref: row.optionalBytes(9), body: row.bytes(10),
            prev: row.bytes(11, sharing: before), hash: row.bytes(12))
    }

    /// The table's columns, in the order they are written and read.
    static let columns = "seq, epoch, boot, wall, mono, hlc, kind, kver, flags, ref, body, prev, hash"
}
