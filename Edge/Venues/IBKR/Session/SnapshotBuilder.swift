// A picture of the account while it is being taken: what came so far, and which end marks are missing.
internal import Ledger
internal import Values

/// An execution with the contract it was reported in: its name may be learnt later.
struct ContractFill: Hashable, Sendable {
    var fill: BrokerFill
    var contract: IBContract
}

/// One snapshot under way.
struct SnapshotBuilder: Sendable {
    let startedAt: Instant
    let deadline: Instant
    /// Attempts before this one that something disturbed.
    var attempts = 0
    var hasOpen = false
    var hasCompleted = false
    var hasExecutions = false
    var hasPositions = false
    var hasAccount = false
    /// The account changed while the picture was taken: parts of it may be older than others.
    var isDisturbed = false
    private(set) var open: [IBOpenOrder] = []
    private(set) var statuses: [Int64: IBOrderStatus] = [:]
    private(set) var completed: [IBOpenOrder] = []
    private(set) var fills: [ContractFill] = []
    private(set) var positions: [IBPositionLine] = []

    init(startedAt: Instant, deadline: Instant, attempts: Int) { self.startedAt = startedAt; self.deadline = deadline; self.attempts = attempts }

    var isWhole: Bool { hasOpen && hasCompleted && hasExecutions && hasPositions && hasAccount }
    /// What has not come, for a person.
    var missing: String {
        [
            (hasOpen, "open orders"), (hasCompleted, "completed orders"), (hasExecutions, "executions"), (hasPositions, "positions"),
            (hasAccount, "account"),
        ]
        .filter { !$0.0 }.map(\.1).joined(separator: ", ")
    }
    /// Numbers of contracts that the picture mentions.
    var contracts: [Int64] {
        open.map(\.contract.conId) + completed.map(\.contract.conId) + positions.map(\.contract.conId) + fills.map(\.contract.conId)
    }

    mutating func take(open order: IBOpenOrder) {
        guard !hasOpen else { return }
        open.removeAll {
            $0.order.permId == order.order.permId && $0.order.orderId == order.order.orderId && $0.order.clientId == order.order.clientId
        }
        open.append(order)
    }
    mutating func take(_ status: IBOrderStatus) { if status.permId != 0 { statuses[status.permId] = status } }
    /// What came of a list belongs to an earlier question.
    mutating func forget(_ kind: ListKind) {
        switch kind {
        case .openOrders: if !hasOpen { open = [] }
        case .completedOrders: if !hasCompleted { completed = [] }
        case .positions: if !hasPositions { positions = [] }
        }
    }
    /// The end of a list of its own came.
    mutating func has(_ kind: ListKind) {
        switch kind {
        case .openOrders: hasOpen = true
        case .completedOrders: hasCompleted = true
        case .positions: hasPositions = true
        }
    }
    mutating func take(completed order: IBOpenOrder) { if !hasCompleted { completed.append(order) } }
    mutating func take(_ fill: ContractFill) { if !fills.contains(where: { $0.fill.fill.execID == fill.fill.fill.execID }) { fills.append(fill) } }
    mutating func take(_ line: IBPositionLine) {
        guard !hasPositions else { return }
        positions.removeAll { $0.account == line.account && $0.contract.conId == line.contract.conId }
        positions.append(line)
    }
}
