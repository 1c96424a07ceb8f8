// The trading sessions of the past, as history that shows the schedule.
internal import Values
internal import Venues

extension IBKRGateway {
    /// The first version that has them.
    private static var scheduleVersion: Int { 165 }
    /// Most sessions in one answer: two years of days.
    private static var sessionsMax: Int { 520 }

    mutating func tellSchedule(_ connection: GatewayConnection, _ id: Int, _ request: HistoryRequest, _ listing: PaperInstrument) {
        func invalid(_ what: String) { error(connection, Int64(id), 321, "Error validating request.-'bN' : cause - \(what)") }
        guard let version = client(connection)?.version, version >= Self.scheduleVersion else {
            return invalid("Historical data request for SCHEDULE is not supported.")
        }
        guard request.barSize == "1 day" else { return invalid("Only one-day bars are allowed when historical schedule is requested.") }
        guard !request.keepUpToDate else { return invalid("A schedule is not kept up to date") }
        guard let count = Self.tradeDates(request.duration), count <= Self.sessionsMax else {
            return invalid("Invalid duration for a schedule: \(request.duration)")
        }
        var end = now
        if !request.end.isEmpty {
            guard let given = GatewayText.instant(request.end, zone: settings.zone) else {
                return error(connection, Int64(id), 10_314, "End Date/Time: The date, time, or time-zone entered is invalid.")
            }
            end = given
        }
        let hours = request.regularHours ? listing.liquidHours : listing.tradingHours
        let rows = Self.sessions(hours, count, before: end)
        func stamp(_ instant: Instant) -> String { GatewayText.dashed(instant, zone: hours.zone) }
        guard let first = rows.first, let last = rows.last else {
            return error(
                connection, Int64(id), 162, "Historical Market Data Service error message:HMDS query returned no data: \(listing.instrument.symbol)")
        }
        send(
            connection,
            GatewayMessages.schedule(
                id: id, start: stamp(first.open), end: stamp(last.close), zone: hours.zone.rawValue,
                rows.map { (start: stamp($0.open), end: stamp($0.close), date: $0.tradeDate.compact) }))
    }

    /// Trade dates that a duration spans.
    private static func tradeDates(_ duration: String) -> Int? {
        let parts = duration.split(separator: " ")
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000).contains(count) else { return nil }
        return ["D": 1, "W": 5, "M": 21, "Y": 252][parts[1]].map { $0 * count }
    }

    /// The sessions of the last `count` trade dates that have begun before `end`, oldest first.
    private static func sessions(_ hours: ExchangeHours, _ count: Int, before end: Instant) -> [TradingSession] {
        var found: [[TradingSession]] = []
        var date = hours.zone.local(end).date.adding(days: 1)
        // Weekends and holidays make three dates of two at most.
        for _ in 0..<count * 3 + 14 where found.count < count {
            let sessions = hours.sessions(of: date).filter { $0.open < end }
            if !sessions.isEmpty { found.append(sessions) }
            date = date.adding(days: -1)
        }
        return found.reversed().flatMap { $0 }
    }
}
