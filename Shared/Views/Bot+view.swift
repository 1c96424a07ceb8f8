// Bots as the API shows them: one row a bot, whatever the number of its instruments.
internal import Ledger
internal import Values
package import Wire

extension EdgePicture {
    /// Bots by name.
    package var botRows: [JSONValue] {
        var names = Set(book.bots.values.map(\.fact.bot))
        for item in live.sorted { if case .bot(let bot) = item { names.insert(bot.bot) } }
        return names.sorted().map { botRow($0) }
    }

    private func botRow(_ bot: String) -> JSONValue {
        let told = live.sorted.compactMap { item -> BotLive? in if case .bot(let told) = item, told.bot == bot { told } else { nil } }
        let facts = book.bots.keys.sorted().compactMap { book.bots[$0] }.filter { $0.fact.bot == bot }
        let instruments = Set(told.map(\.instrument) + facts.map(\.fact.instrument)).sorted()
        let words = instruments.compactMap { instrument -> String? in
            let live = told.first { $0.instrument == instrument }
            let fact = facts.first { $0.fact.instrument == instrument }?.fact
            guard let text = live?.text ?? fact.map({ "\($0.state): \($0.reason)" }) else { return nil }
            return instruments.count > 1 ? "\(shortName(instrument)): \(text)" : text
        }
        let states = instruments.map { instrument in
            (told.first { $0.instrument == instrument }?.state ?? facts.first { $0.fact.instrument == instrument }?.fact.state ?? "").lowercased()
        }
        let held = instruments.filter { book.netQuantity($0).raw != 0 && owns(bot, $0) }.map { "\(book.netQuantity($0)) \(shortName($0))" }
        var row = Row()
        row.put("id", bot); row.put("name", bot); row.put("edge", id.description); row.put("state", state(states))
        row.put("words", words.joined(separator: " ")); row.put("instruments", instruments.map(\.text))
        row.put("position", held.isEmpty ? nil : held.joined(separator: ", "))
        row.put("currency", instruments.first.map { currency($0) } ?? "USD")
        row.put("asOf", told.map(\.asOf).max() ?? facts.map(\.at).max() ?? asOf)
        return row.value
    }

    private func state(_ states: [String]) -> String {
        if book.haltLevel > .normal { return "halted" }
        if !states.isEmpty, states.allSatisfy({ $0 == "stopped" }) { return "stopped" }
        if !states.isEmpty, states.allSatisfy({ $0 == "paused" || $0 == "stopped" }) { return "paused" }
        return "running"
    }

    private func owns(_ bot: String, _ instrument: InstrumentID) -> Bool {
        book.fills.last { $0.fill.instrument == instrument }?.fill.tag.flatMap { book.order($0) }?.bot == bot
    }
}
