// Whatever a start reads, from a snapshot or from the first entry, it goes on with the book of every entry.
internal import Ledger
package import Values
internal import Wire

/// Invariant I9, its last part: each start against a fold of all rows, which are read from the disk by another process just before.
package struct FoldChecker: Checker {
    package static let name = "fold"
    private var rows = StoredRows()
    private var whole: RowFold<Book>
    private let empty: Book
    package init(edge: EdgeID) { empty = Book(edge: edge); whole = RowFold(empty) }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows):
            self.rows = rows
            whole.see(rows)
        case .setBack(.edge): rows = StoredRows()
        case .folded(let seq, let digest):
            // Rows that came since from the cloud, or that a decision took away, were not looked at.
            guard seq == UInt64(rows.count) else { return nil }
            if let words = whole.follow(rows, FoldChecker.take) { return words }
            if whole.state.digest() != digest { return "a start goes on with another book than the \(seq) entries add up to" }
        default: break
        }
        return nil
    }

    private static func take(_ book: inout Book, _ row: EntryRow) -> String? {
        guard let entry = try? Entry(row) else { return "entry \(row.seq) cannot be read" }
        book.apply(entry)
        return nil
    }
}
