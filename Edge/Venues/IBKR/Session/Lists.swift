// Lists whose end marks carry no id: one of a kind at a time, each with a deadline, so that no mark can end the wrong one.
internal import Ledger
internal import Values

/// The lists that the gateway ends with a bare mark.
enum ListKind: Int, CaseIterable, Sendable {
    case openOrders, completedOrders, positions
    /// For a person.
    var words: String {
        switch self {
        case .openOrders: "open orders"
        case .completedOrders: "completed orders"
        case .positions: "positions"
        }
    }
}

/// For whom a list is read.
enum ListUse: Hashable, Sendable { case snapshot, check }

/// What is being read and what waits for its turn.
struct ListReads: Hashable, Sendable {
    /// One list on its way.
    struct Read: Hashable, Sendable {
        var use: ListUse
        /// Counts the reads of a kind: what an earlier one showed proves nothing of a later question.
        let number: Int64
        var deadline: Instant
    }
    private struct Line: Hashable, Sendable {
        var read: Read?
        var count: Int64 = 0
        var waitsForSnapshot = false
        var waitsForCheck = false
    }
    private var lines: [Line] = ListKind.allCases.map { _ in Line() }

    /// The number of the read that began last; 0 before the first.
    func count(_ kind: ListKind) -> Int64 { lines[kind.rawValue].count }
    /// True while a list of this kind has not ended.
    func isReading(_ kind: ListKind) -> Bool { lines[kind.rawValue].read != nil }

    /// True when the list may be asked for now. Otherwise it waits until the one under way has ended: see `next`.
    mutating func begin(_ kind: ListKind, for use: ListUse, until deadline: Instant) -> Bool {
        if lines[kind.rawValue].read != nil {
            if use == .snapshot { lines[kind.rawValue].waitsForSnapshot = true } else { lines[kind.rawValue].waitsForCheck = true }
            return false
        }
        lines[kind.rawValue].count += 1
        lines[kind.rawValue].read = Read(use: use, number: lines[kind.rawValue].count, deadline: deadline)
        return true
    }

    /// Takes an end mark: the list that it ends, or nil when none was asked for.
    mutating func end(_ kind: ListKind) -> Read? {
        defer { lines[kind.rawValue].read = nil }
        return lines[kind.rawValue].read
    }

    /// What is to be read now that the one before has ended. A snapshot's list serves a check too.
    mutating func next(_ kind: ListKind) -> ListUse? {
        guard lines[kind.rawValue].read == nil else { return nil }
        let line = lines[kind.rawValue]
        lines[kind.rawValue].waitsForSnapshot = false
        lines[kind.rawValue].waitsForCheck = false
        return line.waitsForSnapshot ? .snapshot : line.waitsForCheck ? .check : nil
    }

    /// The snapshot is given up: what was asked for it still has to end, and ends nothing.
    mutating func disown() {
        for place in lines.indices {
            if lines[place].read?.use == .snapshot { lines[place].read?.use = .check }
            lines[place].waitsForSnapshot = false
        }
    }

    /// The broker could not be asked for a while: the wait begins anew.
    mutating func extend(to deadline: Instant) { for place in lines.indices { lines[place].read?.deadline = deadline } }

    /// A list whose end did not come in time.
    func overdue(at now: Instant) -> ListKind? {
        ListKind.allCases.first { kind in lines[kind.rawValue].read.map { now >= $0.deadline } ?? false }
    }
}

extension IBKRSession {
    /// Asks for a list, or notes that it is wanted once the one under way has ended.
    mutating func read(_ kind: ListKind, for use: ListUse, at now: Instant, into out: inout SessionOutput) {
        guard lists.begin(kind, for: use, until: now + settings.limits.list) else { return }
        // What came before belongs to an earlier question.
        snapshot?.forget(kind)
        switch kind {
        case .openOrders: send(use == .snapshot ? .allOpenOrders : .openOrders, .order, at: now, into: &out)
        case .completedOrders: send(.completedOrders(apiOnly: false), .order, at: now, into: &out)
        case .positions: send(.positions, .order, at: now, into: &out)
        }
    }

    /// An end mark came. Nil when nobody had asked.
    mutating func endList(_ kind: ListKind, at now: Instant, into out: inout SessionOutput) {
        guard let ended = lists.end(kind) else { return }
        // Later changes come as executions; a stream of positions would only blur the next picture.
        if kind == .positions { send(.cancelPositions, .order, at: now, into: &out) }
        if ended.use == .snapshot { snapshot?.has(kind) }
        if kind == .openOrders { settleQuestions(ofRead: ended.number, at: now, into: &out) }
        if let use = lists.next(kind) { read(kind, for: use, at: now, into: &out) }
        finishSnapshot(at: now, into: &out)
    }

    /// A list that does not end: its mark may still come and end another, so the connection is made anew.
    mutating func checkLists(at now: Instant, into out: inout SessionOutput) {
        guard isLinkUp, let kind = lists.overdue(at: now) else { return }
        hangUp(
            .unreachable, "The gateway did not finish its list of \(kind.words) within \(words(settings.limits.list)); the connection is made anew.",
            cure: "Nothing to do: the account is read again. If this repeats, restart IB Gateway.", at: now, into: &out)
    }
}
