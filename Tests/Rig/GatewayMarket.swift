// What `rig gateway` lists, how fast it moves, what trading costs there, and when it stops.
import Platform
import Simulation
import Values
import Venues

enum GatewayMarket {
    /// The time between two moves of the market.
    static func step(_ options: RigOptions) throws -> Span { .milliseconds(1_000 / (try options.number("ticks", in: 1...100, default: 4))) }

    static func listings(_ options: RigOptions, _ date: CivilDate, _ realHours: Bool, _ tape: PriceTape?) throws -> [PaperInstrument] {
        let all =
            PaperCatalogue.everything(asOf: date, realHours: realHours, tape: tape)
            + PaperCatalogue.many(try options.number("instruments", in: 0...5_000, default: 0))
        guard let rule = try fees(options) else { return all }
        return all.map { listing in
            var listing = listing
            listing.commission = rule
            return listing
        }
    }

    static func slippage(_ options: RigOptions) throws -> SlippageRule {
        guard let text = options.text("slippage") else { return .none }
        let parts = text.split(separator: ":").map(String.init)
        switch (parts.first, parts.dropFirst().map { Int64($0) ?? 0 }) {
        case ("ticks", let n) where n.count == 1 && (1...1_000).contains(n[0]): return .ticks(n[0])
        case ("spread", let n) where n.count == 1 && (1...1_000).contains(n[0]): return .ofSpread(Ratio(raw: n[0] * 10_000))
        case ("lots", let n) where n.count == 2 && n[0] > 0 && (1...1_000).contains(n[1]): return .perLots(lots: n[0], ticks: n[1])
        default: throw UsageError(text: "--slippage wants ticks:N, spread:PERCENT or lots:N:TICKS, not '\(text)'")
        }
    }

    private static func fees(_ options: RigOptions) throws -> CommissionRule? {
        guard let text = options.text("fees") else { return nil }
        let parts = text.split(separator: ":").map(String.init)
        if parts.count == 3, let minimum = try? Money(parts[2]), minimum.raw >= 0 {
            if parts[0] == "unit", let each = try? Money(parts[1]), each.raw >= 0 { return CommissionRule(perUnit: each, minimum: minimum) }
            // A percent at four decimals is the part at six.
            if parts[0] == "value", let raw = try? Decimals.parse(parts[1], scale: 4), (0...1_000_000).contains(raw) {
                return .ofValue(Ratio(raw: raw), minimum: minimum)
            }
        }
        throw UsageError(text: "--fees wants unit:MONEY:MINIMUM or value:PERCENT:MINIMUM, not '\(text)'")
    }

    /// What will stop and go on, the latest first.
    static func halts(_ options: RigOptions, from start: Instant) throws -> [(at: Instant, incident: GatewayIncident)] {
        var halts: [(at: Instant, incident: GatewayIncident)] = []
        for text in options.list("halt") {
            let parts = text.split(whereSeparator: { $0 == "@" || $0 == "+" }).map(String.init)
            guard parts.count == 3, let after = Int64(parts[1]), let length = Int64(parts[2]), after >= 0, length > 0, after + length < 1_000_000
            else {
                throw UsageError(text: "--halt wants ID@AFTER+FOR, like MBTZ6.CME@30+10, not '\(text)'")
            }
            halts.append((at: start + .seconds(after), incident: .halt(InstrumentID(parts[0]))))
            halts.append((at: start + .seconds(after + length), incident: .resume(InstrumentID(parts[0]))))
        }
        return halts.sorted { $0.at > $1.at }
    }
}
