// What the product adds up from a ledger is what a second, simpler model adds up from the same rows.
package import Ledger
package import Values
internal import Wire

/// Invariants I5, I7 and I9 once more, by an auditor that shares no code with the book.
package struct BookChecker: Checker {
    package static let name = "book"
    private let edge: EdgeID
    private let fold: @Sendable (StoredRows, EdgeID) -> Book?

    /// - Parameter fold: makes the product's book of rows; a test puts another one here.
    package init(edge: EdgeID, fold: @escaping @Sendable (StoredRows, EdgeID) -> Book? = BookChecker.book) { self.edge = edge; self.fold = fold }

    /// The product's own fold; nil for rows that it cannot read.
    package static let book: @Sendable (StoredRows, EdgeID) -> Book? = { rows, edge in
        var book = Book(edge: edge)
        for row in rows {
            guard let entry = try? Entry(row) else { return nil }
            book.apply(entry)
        }
        return book
    }

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        guard case .quiet(let edge, let cloud, _) = observation else { return nil }
        return compare(edge, "edge") ?? compare(cloud, "cloud")
    }

    private func compare(_ rows: StoredRows, _ side: String) -> String? {
        guard let book = fold(rows, edge) else { return "\(side): the rows cannot be read" }
        let audit = LedgerAuditor(rows)
        let positions = Dictionary(
            uniqueKeysWithValues: book.positions.filter { $0.value.quantity.raw != 0 }.map { ($0.key.text, $0.value.quantity.raw) })
        if positions != audit.positions { return "\(side): positions are \(positions) in the book and \(audit.positions) in the rows" }
        let working = Set(book.workingOrders.map(\.tag.text))
        if working != audit.working { return "\(side): working orders differ: \(working.symmetricDifference(audit.working).sorted())" }
        let filled = Dictionary(uniqueKeysWithValues: book.orders.filter { $0.cumQty.raw != 0 }.map { ($0.tag.text, $0.cumQty.raw) })
        if filled != audit.filled { return "\(side): what is executed of orders differs" }
        let commands = Dictionary(uniqueKeysWithValues: book.commands.map { ("\($0.key)", $0.value.code) })
        if commands != audit.commands { return "\(side): the ends of commands differ" }
        if book.haltLevel.rawValue != audit.halt { return "\(side): the halt level is \(book.haltLevel) in the book and \(audit.halt) in the rows" }
        return nil
    }
}
