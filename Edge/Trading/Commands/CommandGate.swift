// What a run of the edge remembers of commands beside its ledger: who waits for whom, and how many came lately.
internal import Ledger
internal import Values

/// So many events in a minute: the share of a minute may come at once, afterwards one at a time as the share grows again.
struct TokenBucket: Hashable, Sendable {
    /// When the share will be whole again.
    private(set) var wholeAt: Instant?

    /// Takes one, if there is one left.
    mutating func take(perMinute limit: Int, at now: Instant) -> Bool {
        let each = Span(nanoseconds: Span.seconds(60).nanoseconds / Int64(max(1, limit)))
        let whole = max(wholeAt ?? now, now)
        guard whole - now + each <= .seconds(60) else { return false }
        wholeAt = whole + each
        return true
    }

    func isWhole(at now: Instant) -> Bool { wholeAt.map { $0 <= now } ?? true }
    mutating func clockWasSet(by step: Span) { wholeAt = wholeAt.map { $0 + step } }
}

/// The gate's memory. A command is bound to one run of the edge, so nothing of this outlives the run: a new one begins at the first number.
struct CommandGate: Sendable {
    /// A command that came before its turn.
    struct Waiting: Hashable, Sendable {
        var command: Command
        var deadline: Instant?
        var since: Instant
    }
    /// All commands of one key.
    struct Lane: Hashable, Sendable {
        /// Every number below has been decided.
        var next: Int64 = 1
        /// Decided out of turn: taken back, replaced or too late while they waited.
        var decided: Set<Int64> = []
        var waiting: [Int64: Waiting] = [:]

        /// Notes that a number needs no waiting for any more.
        mutating func decide(_ number: Int64) {
            waiting[number] = nil
            if number >= next { decided.insert(number) }
            advance(to: next)
        }
        mutating func advance(to number: Int64) {
            next = max(next, number)
            decided = decided.filter { $0 >= next }
            while decided.remove(next) != nil { next += 1 }
        }
    }

    private(set) var lanes: [String: Lane] = [:]
    private var issuers: [String: (all: TokenBucket, orders: TokenBucket)] = [:]
    private var everybody = (all: TokenBucket(), orders: TokenBucket())

    /// Different issuers whose commands are counted at a time.
    private static let issuersMax = 64
    /// Keys remembered; the cloud makes one for each instrument.
    private static let lanesMax = 1_024

    // MARK: - Order

    /// What is to be done with a command that came.
    enum Turn { case now, wait, passed, full }

    /// Whose turn it is; a command that has to wait is kept.
    mutating func turn(of command: Command, deadline: Instant?, at now: Instant, _ rules: CommandRules) -> Turn {
        guard let place = command.place, !rules.noOrderKeys else { return .now }
        guard lanes[place.key] != nil || lanes.count < CommandGate.lanesMax else { return .full }
        lanes[place.key, default: Lane()].advance(to: place.floor)
        guard let lane = lanes[place.key] else { return .now }
        if place.number < lane.next || lane.decided.contains(place.number) { return .passed }
        if place.number == lane.next { return .now }
        guard waitingCount < rules.waitingMax else { return .full }
        lanes[place.key]?.waiting[place.number] = Waiting(command: command, deadline: deadline, since: now)
        return .wait
    }

    private var waitingCount: Int { lanes.values.reduce(0) { $0 + $1.waiting.count } }

    /// Nobody waits for this command any more.
    mutating func decide(_ command: Command) {
        if let place = command.place { lanes[place.key]?.decide(place.number) }
    }

    /// True while the command waits for its turn.
    func isWaiting(_ id: CommandID) -> Bool { waiting(id) != nil }
    func waiting(_ id: CommandID) -> Waiting? {
        for lane in lanes.values { for waiting in lane.waiting.values where waiting.command.id == id { return waiting } }
        return nil
    }

    /// The next command whose turn has come, taken out; nil when none has.
    mutating func takeReady() -> Waiting? {
        for key in lanes.keys.sorted() {
            guard let lane = lanes[key], let waiting = lane.waiting[lane.next] else { continue }
            lanes[key]?.waiting[lane.next] = nil
            return waiting
        }
        return nil
    }

    /// Those whose time was up while they waited, in order; taken out.
    mutating func takeExpired(at now: Instant) -> [Waiting] {
        var found: [Waiting] = []
        for key in lanes.keys.sorted() {
            for waiting in (lanes[key]?.waiting ?? [:]).values.sorted(by: CommandGate.isEarlier) where waiting.deadline.map({ $0 <= now }) ?? false {
                decide(waiting.command)
                found.append(waiting)
            }
        }
        return found
    }

    /// Those that waited too long for one that was asked before them, with all behind them; the lane goes on after the last.
    mutating func takeStuck(at now: Instant, _ rules: CommandRules) -> [Waiting] {
        var found: [Waiting] = []
        for key in lanes.keys.sorted() {
            guard let lane = lanes[key], lane.waiting[lane.next] == nil, let first = lane.waiting.values.map(\.since).min(),
                now - first >= rules.gapWait, !rules.gapNeverEnds
            else { continue }
            let stuck = lane.waiting.values.sorted(by: CommandGate.isEarlier)
            lanes[key]?.waiting = [:]
            if let last = stuck.last?.command.place?.number { lanes[key]?.advance(to: last + 1) }
            found += stuck
        }
        return found
    }

    private static func isEarlier(_ a: Waiting, _ b: Waiting) -> Bool { (a.command.place?.number ?? 0) < (b.command.place?.number ?? 0) }

    // MARK: - Number

    /// Counts a command; the name of the limit that it is over, or nil.
    mutating func count(_ command: Command, at now: Instant, _ rules: CommandRules) -> String? {
        if issuers[command.issuer] == nil, issuers.count >= CommandGate.issuersMax {
            issuers = issuers.filter { !$0.value.all.isWhole(at: now) || !$0.value.orders.isWhole(at: now) }
            if issuers.count >= CommandGate.issuersMax { return "tooManyCommands" }
        }
        var own = issuers[command.issuer] ?? (all: TokenBucket(), orders: TokenBucket())
        defer { issuers[command.issuer] = own }
        guard own.all.take(perMinute: rules.commandsPerMinute, at: now), everybody.all.take(perMinute: 2 * rules.commandsPerMinute, at: now) else {
            return "tooManyCommands"
        }
        guard command.body.isOrderLike else { return nil }
        guard own.orders.take(perMinute: rules.ordersPerMinute, at: now), everybody.orders.take(perMinute: 2 * rules.ordersPerMinute, at: now) else {
            return "tooManyOrders"
        }
        return nil
    }

    /// The time that everything here is told was set by `step`.
    mutating func clockWasSet(by step: Span) {
        for key in lanes.keys {
            for number in lanes[key]?.waiting.keys.sorted() ?? [] {
                guard var waiting = lanes[key]?.waiting[number] else { continue }
                waiting.since = waiting.since + step
                waiting.deadline = waiting.deadline.map { $0 + step }
                lanes[key]?.waiting[number] = waiting
            }
        }
        for issuer in issuers.keys {
            issuers[issuer]?.all.clockWasSet(by: step); issuers[issuer]?.orders.clockWasSet(by: step)
        }
        everybody.all.clockWasSet(by: step); everybody.orders.clockWasSet(by: step)
    }
}
