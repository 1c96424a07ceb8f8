// The contracts that are known: the broker's numbers, our names, and when each trades.
internal import Ledger
internal import Values

/// Which instruments the session knows, and what is still to be asked.
struct ContractBook: Sendable {
    /// What became of one wish.
    struct WishState: Sendable {
        var found: [IBContractDetails] = []
        var askAt: Instant?
        var tries = 0
    }
    private(set) var instruments: [InstrumentID: Instrument] = [:]
    private var names: [Int64: InstrumentID] = [:]
    private var hours: [InstrumentID: TradingSchedule] = [:]
    var wishes: [Int: WishState] = [:]
    /// Contract numbers that nobody could describe.
    private(set) var nameless: Set<Int64> = []
    /// How often nobody answered what a contract is, in this connection.
    private var unanswered: [Int64: Int] = [:]
    /// The day the wishes were last asked for: at the next, the front month may be another.
    var askedOn: CivilDate?

    func instrument(_ id: InstrumentID) -> Instrument? { instruments[id] }
    func name(_ conId: Int64) -> InstrumentID? { names[conId] }

    mutating func learn(_ instrument: Instrument, hours schedule: TradingSchedule? = nil) {
        instruments[instrument.id] = instrument
        if instrument.brokerContractID != 0 { names[instrument.brokerContractID] = instrument.id }
        if let schedule { hours[instrument.id] = schedule }
    }
    mutating func giveUp(_ conId: Int64) { nameless.insert(conId) }
    /// Counts one more question without an answer, and gives their number.
    mutating func countUnanswered(_ conId: Int64) -> Int {
        unanswered[conId, default: 0] += 1
        return unanswered[conId, default: 0]
    }
    mutating func retry(_ wish: Int, at instant: Instant) { wishes[wish, default: WishState()].askAt = instant }
    /// True when the instrument trades now, as far as anybody said.
    func isOpen(_ id: InstrumentID, at now: Instant) -> Bool { hours[id]?.isOpen(at: now) ?? true }
    /// When the session began that is under way, the beginning of time when nobody said; nil while it does not trade.
    func opened(_ id: InstrumentID, at now: Instant) -> Instant? {
        guard let schedule = hours[id] else { return Instant(nanoseconds: .min) }
        return schedule.opened(at: now)
    }
    /// True when the instrument trades at some time in the range, as far as anybody said.
    func isOpen(_ id: InstrumentID, within range: Range<Instant>) -> Bool { hours[id]?.isOpen(within: range) ?? true }
    mutating func lose() { wishes = [:]; nameless = []; unanswered = [:]; askedOn = nil }

    /// Our name for a contract that a message mentions. Without a number we know it is made of the contract's own words, and never of the place
    /// where it happened to trade: an execution, a position and an order of one contract must have one name.
    func name(of contract: IBContract) -> InstrumentID {
        if contract.conId != 0, let known = names[contract.conId] { return known }
        let own = contract.localSymbol.isEmpty ? contract.symbol : contract.localSymbol
        let place = [contract.primaryExchange, contract.secType].first { !$0.isEmpty } ?? "UNKNOWN"
        return InstrumentID("\(own).\(place)")
    }
    /// True when the broker may still be asked what the contract is.
    func isUnnamed(_ contract: IBContract) -> Bool { contract.conId != 0 && names[contract.conId] == nil && !nameless.contains(contract.conId) }
}

/// Sessions of the next days, as contract details list them: `20261120:1700-20261121:1600;20261122:CLOSED`.
struct TradingSchedule: Hashable, Sendable {
    private var sessions: [Range<Instant>] = []
    /// The days that are listed.
    private var since: Instant?
    private var until: Instant?

    /// Nil when the text cannot be read: then nothing is claimed.
    init?(_ text: String, zone: Zone) {
        for part in text.split(separator: ";") {
            let ends = part.split(separator: "-").map { TradingSchedule.instant($0, zone) }
            if ends.count == 1, part.hasSuffix(":CLOSED"), let day = CivilDate(part.prefix(8)), WireTime.years.contains(day.year) {
                let start = zone.instant(of: day, secondOfDay: 0)
                since = min(start, since ?? start)
                until = zone.instant(of: day.adding(days: 1), secondOfDay: 0)
            } else if ends.count == 2, let open = ends[0], let close = ends[1], open < close {
                sessions.append(open..<close)
                since = min(open, since ?? open)
                until = max(close, until ?? close)
            } else {
                return nil
            }
        }
        if until == nil { return nil }
    }

    private static func instant(_ text: some StringProtocol, _ zone: Zone) -> Instant? {
        let parts = text.split(separator: ":")
        guard parts.count == 2, let day = CivilDate(parts[0]), WireTime.years.contains(day.year), parts[1].utf8.count == 4, let clock = Int(parts[1]),
            clock < 2_400, clock % 100 < 60
        else { return nil }
        return zone.instant(of: day, secondOfDay: clock / 100 * 3_600 + clock % 100 * 60)
    }

    /// True inside a session, and beyond the days that are listed.
    func isOpen(at now: Instant) -> Bool {
        guard let until, now < until else { return true }
        return sessions.contains { $0.contains(now) }
    }

    /// When the session began that holds this instant; the beginning of time beyond the days that are listed, nil outside of sessions.
    func opened(at now: Instant) -> Instant? {
        guard let until, now < until else { return Instant(nanoseconds: .min) }
        return sessions.first { $0.contains(now) }?.lowerBound
    }

    /// True unless the range lies in the days that are listed and outside of their sessions.
    func isOpen(within range: Range<Instant>) -> Bool {
        guard let since, let until, range.lowerBound >= since, range.upperBound <= until else { return true }
        return sessions.contains { $0.overlaps(range) }
    }
}
