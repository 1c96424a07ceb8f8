// One intent, one order: no tag goes to the broker twice, and no intent names an order number that another one has.
package import Values
internal import Wire

/// Invariant I3.
package struct OnceChecker: Checker {
    package static let name = "once"
    private var placed: Set<String> = []
    private var numbered = RowFold(Set<Int64>())
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .placed(let tag): placed.insert(tag).inserted ? nil : "the broker was asked twice for the order \(tag)"
        case .rows(.edge, let rows):
            numbered.follow(rows) { numbers, row in
                guard row.kind == 10, let legs = (try? JSONReader.read(row.body))?["legs"]?.elements else { return nil }
                for leg in legs {
                    guard let number = leg["brokerOrderID"]?.integerValue else { return "entry \(row.seq) intends an order without a number" }
                    guard numbers.insert(number).inserted else {
                        return "entry \(row.seq) intends an order under the number \(number), which is another's"
                    }
                }
                return nil
            }
        default: nil
        }
    }
}
