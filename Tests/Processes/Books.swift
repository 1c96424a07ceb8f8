// The two ledgers and the gateway's own books, compared from outside: nothing lost, nothing doubled, no order without its intent.
internal import EdgeAgent
package import Ledger
internal import Simulation
package import Values
internal import Venues
internal import Wire

/// What a gateway's journal says happened.
struct GatewayBooks {
    /// One line an execution.
    var fills: [String] = []
    /// Orders under each reference the client gave.
    var orders: [String: Set<Int64>] = [:]
    /// References of orders that may still trade.
    var working: Set<String> = []

    /// A torn last line, which nobody was told about, is left out.
    init(folder: String) throws {
        var references: [Int64: String] = [:]
        var isFinal: [Int64: Bool] = [:]
        for line in Files.bytes(folder + "/gateway.journal").split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            guard let records = GatewayRecord.records(line: Array(line)) else { throw ProcessTrouble("the gateway's journal has an unreadable line") }
            for record in records {
                switch record {
                case .born, .corrected, .misprinted: break
                case .order(let order):
                    references[order.permId] = order.fields["orderRef"]
                    if order.isRefused { isFinal[order.permId] = true }
                case .state(let order): isFinal[order.ticket.id.raw] = order.state.isFinal
                case .fill(let fill):
                    fills.append("\(fill.order.raw) \(fill.side.rawValue) \(fill.quantity) at \(fill.price), \(fill.cumulative) in all")
                }
            }
        }
        for (perm, reference) in references where !reference.isEmpty {
            orders[reference, default: []].insert(perm)
            if isFinal[perm] == false { working.insert(reference) }
        }
    }
}

/// What an edge's ledger says.
package struct LedgerBooks {
    /// The fold of all entries.
    package private(set) var book = Book()
    /// The fill facts as they stand, repeated ones included.
    private(set) var fills: [String] = []
    private(set) var executions: [String] = []
    /// Intents to open a position, by command.
    package private(set) var openings: [CommandID: Int] = [:]
    package private(set) var intents = 0

    package init(path: String) throws {
        var book = Book()
        var fills: [String] = [], executions: [String] = [], openings: [CommandID: Int] = [:], intents = 0
        try LedgerAudit.each(path: path) { entry in
            book.apply(entry)
            switch try? entry.decoded() {
            case .fill(let fill):
                fills.append("\(fill.permID) \(fill.side.rawValue) \(fill.lastQty) at \(fill.lastPx), \(fill.cumQty) in all")
                executions.append(fill.execID)
            case .intent(let ticket):
                intents += 1
                if let command = ticket.command, ticket.legs.contains(where: { $0.role == .open }) { openings[command, default: 0] += 1 }
            default: break
            }
        }
        self.book = book; self.fills = fills; self.executions = executions; self.openings = openings; self.intents = intents
    }
}

/// Compares what outlived a day of faults.
package enum Comparison {
    /// Sentences, one a broken promise; empty when edge and broker tell the same story.
    package static func violations(edgeLedger: String, gatewayFolder: String) throws -> [String] {
        let gateway = try GatewayBooks(folder: gatewayFolder)
        let ledger = try LedgerBooks(path: edgeLedger)
        return violations(
            brokerFills: gateway.fills, brokerOrders: gateway.orders, brokerWorking: gateway.working, ledgerFills: ledger.fills,
            executions: ledger.executions, tags: Set(ledger.book.orders.map(\.tag.text)),
            working: Set(ledger.book.workingOrders.map(\.tag.text)), openings: ledger.openings.mapValues { $0 })
    }

    /// How many orders of ours the gateway has ever taken.
    package static func brokerOrders(gatewayFolder: String) throws -> Int { try GatewayBooks(folder: gatewayFolder).orders.count }

    /// The rules themselves, on plain values, so that each can be seen to catch its breach.
    package static func violations(
        brokerFills: [String], brokerOrders: [String: Set<Int64>], brokerWorking: Set<String>, ledgerFills: [String], executions: [String],
        tags: Set<String>, working: Set<String>, openings: [CommandID: Int]
    ) -> [String] {
        var found: [String] = []
        let here = count(ledgerFills), there = count(brokerFills)
        for (fill, times) in there.sorted(by: { $0.key < $1.key }) where here[fill, default: 0] < times {
            found.append("the ledger lost a fill: \(fill)")
        }
        for (fill, times) in here.sorted(by: { $0.key < $1.key }) where there[fill, default: 0] < times {
            found.append("the ledger has a fill that the broker has not: \(fill)")
        }
        for (execution, times) in count(executions).sorted(by: { $0.key < $1.key }) where times > 1 {
            found.append("execution \(execution) stands \(times) times in the ledger")
        }
        for (reference, perms) in brokerOrders.sorted(by: { $0.key < $1.key }) {
            if perms.count > 1 { found.append("order \(reference) reached the broker \(perms.count) times") }
            if !tags.contains(reference) { found.append("order \(reference) is at the broker without an intent") }
        }
        for reference in brokerWorking.symmetricDifference(working).sorted() {
            found.append("order \(reference) works at the \(brokerWorking.contains(reference) ? "broker" : "edge") only")
        }
        for (command, times) in openings.sorted(by: { $0.key.description < $1.key.description }) where times > 1 {
            found.append("command \(command) opened \(times) times")
        }
        return found
    }

    private static func count(_ items: [String]) -> [String: Int] { items.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}

extension Stage {
    /// What `tidewire-edge ledger verify` finds: number of the last entry, its hash, and the difference in words when there is one.
    package func edgeHead() throws -> (seq: Int64, hash: String) { try head(try edge("ledger", "verify", "--json")) }
    /// The same of the cloud's copy, whether or not the cloud runs.
    package func cloudHead() throws -> (seq: Int64, hash: String) { try head(try cloud("ledger", "verify", "--json")) }

    private func head(_ ending: Ending) throws -> (seq: Int64, hash: String) {
        let value = try json(ending)
        guard let seq = value["seq"]?.integerValue, let hash = value["hash"]?.text, value["difference"] == nil else {
            throw ProcessTrouble("a ledger does not verify: \(ending.output)")
        }
        return (seq, hash)
    }

    /// Waits until both ledgers verify with one head. The edge may go on writing: the cloud's head must be the edge's at that number.
    package func awaitSameHead(within seconds: Int = 60) throws -> (seq: Int64, hash: String) {
        var last = ""
        return try patience.first("both ledgers have one head", within: seconds, excuse: { last }) {
            let up = try cloudHead(), down = try edgeHead()
            last = "Edge \(down), cloud \(up)"
            return up == down ? up : nil
        }
    }

    /// Compares ledger and broker until they agree, or time is up: a report may be under way.
    /// - Returns: what still differs at the end.
    package func lastingViolations(within seconds: Int = 40) throws -> [String] {
        var found: [String] = []
        do {
            try patience.until("ledger and broker agree", within: seconds) {
                found = try Comparison.violations(edgeLedger: edgeLedger, gatewayFolder: gatewayFolder)
                return found.isEmpty
            }
        } catch let trouble as ProcessTrouble where !found.isEmpty {
            _ = trouble
        }
        return found
    }
}
