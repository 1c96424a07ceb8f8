// The breakout bot: a buy stop above the last price with a trailing stop attached; its state is read from the book.
internal import Ledger
package import Values

/// One breakout bot.
package struct BreakoutSettings: Hashable, Sendable {
    package var name: String
    package var instruments: [InstrumentID]
    /// How far above the last price the entry rests.
    package var entryOffset: Ratio
    /// The trailing distance of the protection.
    package var trail: Ratio
    /// How much money one entry may use.
    package var notional: Money
    /// How long the bot stays out after its position closed.
    package var cooldown: Span
    /// An entry that did not trigger in this time is placed anew at the present price.
    package var entryLifetime: Span
    package init(
        name: String, instruments: [InstrumentID], entryOffset: Ratio, trail: Ratio, notional: Money, cooldown: Span, entryLifetime: Span
    ) {
        self.name = name; self.instruments = instruments; self.entryOffset = entryOffset; self.trail = trail; self.notional = notional
        self.cooldown = cooldown; self.entryLifetime = entryLifetime
    }
}

extension Desk {
    /// One look of the bot at each of its instruments.
    mutating func run(_ bot: BreakoutSettings, at now: Instant, into out: inout Outcome) {
        for id in bot.instruments { run(bot, on: id, at: now, into: &out) }
    }

    private mutating func run(_ bot: BreakoutSettings, on id: InstrumentID, at now: Instant, into out: inout Outcome) {
        let own = book.workingOrders.filter { $0.bot == bot.name && $0.leg.instrument == id }
        if book.netQuantity(id).raw != 0 || own.contains(where: { $0.leg.role == .protect && $0.cumQty.raw > 0 }) {
            return report(bot, id, "IN_POSITION", holdingText(id), nil, at: now, into: &out)
        }
        if let entry = own.last(where: { $0.leg.role == .open }) {
            // An entry of a time to come was placed before the wall clock was set back; how long it has rested nobody knows.
            let age = now - entry.createdAt
            if isTrading, age > bot.entryLifetime || age < .minutes(-1), entry.status == .new || entry.status == .pendingNew {
                cancel(entry, origin: .bot, command: nil, reason: "the entry did not trigger in time", into: &out)
            }
            return report(bot, id, "ARMED", "A buy stop rests at \(entry.stopPrice.map(\.description) ?? "?").", nil, at: now, into: &out)
        }
        if let end = cooldownEnd(bot, id), now < end {
            return report(bot, id, "COOLDOWN", "Out until \(end).", end, at: now, into: &out)
        }
        arm(bot, on: id, at: now, into: &out)
    }

    /// Counts from the last sale, whoever sold: a person who closes the position does not want it back in the same second.
    private func cooldownEnd(_ bot: BreakoutSettings, _ id: InstrumentID) -> Instant? {
        let last = book.fills.last { $0.fill.instrument == id && $0.fill.side == .sell }
        return last.map { $0.recordedAt + bot.cooldown }
    }

    private mutating func arm(_ bot: BreakoutSettings, on id: InstrumentID, at now: Instant, into out: inout Outcome) {
        guard isTrading, programs[id] == nil, book.haltLevel == .normal, book.haltedInstruments[id] == nil, let instrument = book.instruments[id],
            let mark = try? freshMark(of: id, at: now),
            let offset = Decimals.product(mark.raw, bot.entryOffset.raw, scale: 6), let above = mark.adding(Price(raw: offset)),
            let shares = Decimals.divide(Int128(bot.notional.raw) * 100_000_000, by: Int128(max(1, mark.raw)))
        else { return report(bot, id, "WAITING", waitingText(id, at: now), nil, at: now, into: &out) }
        let stop = above.rounded(to: instrument.minPriceIncrement, up: true)
        let wish = OrderWish(
            instrument: id, side: .buy, quantity: Quantity(raw: shares).floored(to: instrument.lotStep), role: .open, origin: .bot, bot: bot.name,
            ordType: .stop, stopPrice: stop)
        do { try check(wish, at: now) } catch { return report(bot, id, "WAITING", error.text, nil, at: now, into: &out) }
        place(wish, trailing: .percent(bot.trail), reason: "breakout above \(mark)", at: now, into: &out)
        report(bot, id, "ARMED", "A buy stop rests at \(stop).", nil, at: now, into: &out)
    }

    /// What is known of the stop, no more.
    private func holdingText(_ id: InstrumentID) -> String {
        let stops = working(on: id).filter { $0.leg.role == .protect && $0.leg.side == .sell }
        guard let stop = stops.last(where: { $0.status != .pendingCancel }) ?? stops.last else {
            return "Holding WITHOUT a stop: close the position, or protect it at the broker's own screen."
        }
        switch stop.status {
        case .pendingNew: return "Holding; the broker has not confirmed the trailing stop yet."
        case .unknown, .zombie: return "Holding; whether the trailing stop rests is not known until the broker has told it."
        case .pendingCancel: return "Holding; the trailing stop is being cancelled."
        default: return "Holding; the trailing stop rests at the broker."
        }
    }

    private func waitingText(_ id: InstrumentID, at now: Instant) -> String {
        if book.haltLevel > .normal { return "Trading is \(book.haltLevel.word)." }
        if let reason = book.haltedInstruments[id] { return "The instrument is halted: \(reason)" }
        if !isTrading { return "The broker is not connected or not yet compared." }
        return "Waiting for a fresh quote of \(id)."
    }

    /// A change of state is a fact; the words of the moment are live state.
    private func report(
        _ bot: BreakoutSettings, _ id: InstrumentID, _ state: String, _ text: String, _ until: Instant?, at now: Instant, into out: inout Outcome
    ) {
        if book.bots["\(bot.name)/\(id)"]?.fact.state != state {
            out.add(.bot(BotFact(bot: bot.name, instrument: id, state: state, reason: text, until: until)))
        }
        let item = LiveItem.bot(BotLive(bot: bot.name, instrument: id, state: state, text: text, asOf: now))
        out.live.append(item)
    }
}
