// The ledger tells what the broker did: each execution once, and at rest all of them and the same live orders.
package import Values
internal import Wire

/// Invariants I5 and I8.
package struct BrokerChecker: Checker {
    package static let name = "broker"
    private var ledger = RowFold([String: BrokerBooks.Execution]())
    /// Tags that went to the broker.
    private var placed: Set<String> = []
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .rows(.edge, let rows): return executions(rows)
        case .quiet(let edge, _, let books):
            if let doubled = executions(edge) { return doubled }
            let ours = ledger.state
            for id in Set(ours.keys).union(books.executions.keys).sorted() where ours[id] != books.executions[id] {
                return "execution \(id) is \(words(ours[id])) in the ledger and \(words(books.executions[id])) at the broker"
            }
            // What a ledger set back does not know any more works on at the broker until a person has looked; the ledger must say that it does.
            let known = Set(edge.flatMap { $0.kind == 10 ? IntentChecker.tags($0.body) : [] })
            let lost = books.working.intersection(placed).subtracting(known)
            if let tag = lost.min(), !edge.contains(where: { $0.kind == 52 }) {
                return "\(tag) works at the broker, is lost here, and nobody was told"
            }
            guard books.working.subtracting(lost) == books.believed else {
                return "live at the broker and not in the ledger: \(books.working.subtracting(books.believed).sorted()); "
                    + "the other way round: \(books.believed.subtracting(books.working).sorted())"
            }
            return nil
        case .placed(let tag):
            placed.insert(tag)
            return nil
        default: return nil
        }
    }

    private func words(_ execution: BrokerBooks.Execution?) -> String {
        execution.map { "\($0.side) \($0.quantity) of \($0.instrument)" } ?? "nothing"
    }

    /// Takes in the executions of the ledger, read from the bodies; answers the first that is there twice.
    private mutating func executions(_ rows: StoredRows) -> String? {
        ledger.follow(rows) { found, row in
            // What the broker corrected does not count any more.
            if row.kind == 85, let id = (try? JSONReader.read(row.body))?["execID"]?.text { found[id] = nil }
            guard row.kind == 21 else { return nil }
            guard let body = try? JSONReader.read(row.body), let id = body["execID"]?.text, let instrument = body["instrument"]?.text,
                let side = body["side"]?.text, let quantity = body["lastQty"]?.integerValue
            else { return "fill \(row.seq) cannot be read" }
            guard found[id] == nil else { return "execution \(id) is in the ledger twice" }
            found[id] = BrokerBooks.Execution(instrument: instrument, side: side, quantity: quantity)
            return nil
        }
    }
}
