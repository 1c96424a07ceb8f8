// What faults do to messages between the moment a gateway makes them and the moment they leave: held, doubled, dropped, in another order.
package import Values

/// What happens to live executions or statuses.
package enum MessageFault: Hashable, Sendable {
    /// Each is told twice, the second time at once or somewhat later.
    case duplicate
    /// Each comes later, by this much or, without it, by chance.
    case late(Span?)
    /// Each changes places with the next one of its kind.
    case reorder
}

/// What happens to live commission reports.
package enum CommissionFault: Hashable, Sendable {
    case late(Span?)
    /// Not even with the list of executions.
    case never
    /// The amount is the wire's word for "unset"; the list of executions tells the true one.
    case sentinel
}

/// Lists whose end mark may be missing, by the message that ends them.
package enum EndedList: String, CaseIterable, Sendable {
    case orders = "53", executions = "55", positions = "62", completed = "102", account = "54", summary = "64", quotes = "57", contracts = "52"
    /// As it is called in a switch.
    package var word: String {
        switch self {
        case .orders: "orders"
        case .executions: "executions"
        case .positions: "positions"
        case .completed: "completed"
        case .account: "account"
        case .summary: "summary"
        case .quotes: "quotes"
        case .contracts: "contracts"
        }
    }
}

/// The way out of a gateway. What is held dies with its connection, as it does with a real one.
struct GatewayFaults: Sendable {
    private struct Held: Sendable {
        var due: Instant
        var connection: GatewayConnection
        var fields: [String]
        /// Held for being acknowledged after its fill.
        var isAcknowledgement = false
    }
    /// An order of a connection.
    private struct Target: Hashable, Sendable { var connection: GatewayConnection; var order: String }

    /// False for a gateway without faults, whose messages go straight out.
    private(set) var isActive = false
    /// True while a list is told: only what is told live is tampered with.
    var isListing = false
    /// The order that was cancelled in words and filled behind them: its messages wait until this time, and its statuses are not told.
    var behindCancel: (order: String, until: Instant)?
    private var execution: MessageFault?
    private var status: MessageFault?
    private var commission: CommissionFault?
    private var fillsFirst = false
    private var endless: Set<EndedList> = []
    /// True when each list of each kind loses its end mark only the first time.
    private var losesEachEndOnce = false
    private var random: SeededRandom
    private var held: [Held] = []
    private var filled: Set<Target> = []

    init(_ switches: [GatewaySwitch], seed: UInt64) {
        random = SeededRandom(seed: seed)
        for item in switches {
            switch item {
            case .execution(let fault): execution = fault
            case .status(let fault): status = fault
            case .commission(let fault): commission = fault
            case .fillBeforeAck: fillsFirst = true
            case .fillAfterCancel: break
            case .endless(let list):
                losesEachEndOnce = list == nil
                endless = Set(list.map { [$0] } ?? EndedList.allCases)
            default: continue
            }
            isActive = true
        }
    }

    /// When something that is held is due.
    var nextDue: Instant? { held.map(\.due).min() }

    /// A span of this many milliseconds, by chance.
    mutating func milliseconds(_ range: ClosedRange<Int>) -> Span { .milliseconds(Int64(random.int(range))) }
    /// An index below `count`, by chance.
    mutating func pick(_ count: Int) -> Int { random.int(0...count - 1) }
    mutating func chance(_ numerator: Int, in denominator: Int) -> Bool { random.chance(numerator, in: denominator) }

    /// What leaves now because of this message; none when it is held or lost.
    mutating func pass(_ fields: [String], to connection: GatewayConnection, at now: Instant) -> [[String]] {
        guard let kind = fields.first else { return [fields] }
        if let list = EndedList(rawValue: kind), endless.contains(list) {
            if losesEachEndOnce { endless.remove(list) }
            return []
        }
        guard !isListing else { return kind == "59" && commission == .never ? [] : [fields] }
        switch kind {
        case "11": return passExecution(fields, connection, now)
        case "59": return passCommission(fields, connection, now)
        case "3", "5": return passOrder(fields, connection, now)
        default: return [fields]
        }
    }

    /// What was held until now, in the order in which it is due.
    mutating func takeDue(at now: Instant) -> [(GatewayConnection, [String])] {
        guard held.contains(where: { $0.due <= now }) else { return [] }
        var due: [Held] = []
        var rest: [Held] = []
        for item in held { if item.due <= now { due.append(item) } else { rest.append(item) } }
        held = rest
        for item in due where item.isAcknowledgement { filled.insert(Target(connection: item.connection, order: item.fields[1])) }
        // Equal times keep the order in which they were held.
        return due.enumerated().sorted { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }.map {
            ($0.element.connection, $0.element.fields)
        }
    }

    /// A connection is gone, with what waited for it.
    mutating func forget(_ connection: GatewayConnection) {
        held.removeAll { $0.connection == connection }
        filled = filled.filter { $0.connection != connection }
    }

    // MARK: Kinds

    private mutating func passExecution(_ fields: [String], _ connection: GatewayConnection, _ now: Instant) -> [[String]] {
        if let behindCancel, behindCancel.order == fields[2] { return hold(fields, connection, until: behindCancel.until) }
        let target = Target(connection: connection, order: fields[2])
        guard fillsFirst, filled.insert(target).inserted else { return tamper(fields, connection, now, execution) }
        let waiting = held.filter { $0.isAcknowledgement && $0.connection == connection && $0.fields[1] == target.order }
        held.removeAll { $0.isAcknowledgement && $0.connection == connection && $0.fields[1] == target.order }
        return [fields] + waiting.map(\.fields)
    }

    private mutating func passCommission(_ fields: [String], _ connection: GatewayConnection, _ now: Instant) -> [[String]] {
        switch commission {
        case .never: return []
        case .late(let span): return hold(fields, connection, until: now + (span ?? milliseconds(200...3_000)))
        case .sentinel:
            var fields = fields
            fields[3] = Unset.double
            return follow(fields, connection)
        case nil: return follow(fields, connection)
        }
    }

    /// A commission comes behind its execution, however late that is.
    private mutating func follow(_ fields: [String], _ connection: GatewayConnection) -> [[String]] {
        let execution = held.last { $0.connection == connection && $0.fields[0] == "11" && $0.fields[14] == fields[2] }
        guard let execution else { return [fields] }
        return hold(fields, connection, until: execution.due)
    }

    private mutating func passOrder(_ fields: [String], _ connection: GatewayConnection, _ now: Instant) -> [[String]] {
        if let behindCancel, behindCancel.order == fields[1] { return [] }
        // A preview is no acknowledgement: it has no permId.
        let isPreview = fields[0] == "5" && fields[25] == "0"
        if fillsFirst, !isPreview, !filled.contains(Target(connection: connection, order: fields[1])) {
            held.append(Held(due: now + .seconds(2), connection: connection, fields: fields, isAcknowledgement: true))
            return []
        }
        return fields[0] == "3" ? tamper(fields, connection, now, status) : [fields]
    }

    private mutating func tamper(_ fields: [String], _ connection: GatewayConnection, _ now: Instant, _ fault: MessageFault?) -> [[String]] {
        switch fault {
        case nil: return [fields]
        case .duplicate:
            if random.chance(1, in: 2) { return [fields, fields] }
            return [fields] + hold(fields, connection, until: now + milliseconds(1...800))
        case .late(let span): return hold(fields, connection, until: now + (span ?? milliseconds(50...1_500)))
        case .reorder:
            guard let index = held.firstIndex(where: { $0.connection == connection && $0.fields[0] == fields[0] }) else {
                // The last of its kind has no successor and goes out after a second.
                return hold(fields, connection, until: now + .seconds(1))
            }
            let earlier = held.remove(at: index)
            // A commission that waits for the earlier execution goes out behind it.
            let behind = held.filter {
                $0.connection == connection && $0.fields[0] == "59" && fields[0] == "11" && $0.fields[2] == earlier.fields[14]
            }
            held.removeAll { item in behind.contains { $0.fields == item.fields && $0.connection == item.connection } }
            return [fields, earlier.fields] + behind.map(\.fields)
        }
    }

    private mutating func hold(_ fields: [String], _ connection: GatewayConnection, until due: Instant) -> [[String]] {
        held.append(Held(due: due, connection: connection, fields: fields))
        return []
    }
}
