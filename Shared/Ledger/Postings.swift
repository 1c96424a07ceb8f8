// From a fact and the book before it to the lines of double entry: what each fill, fee and movement of money posts.
package import Values

/// Switches that only tests turn: a fault planted here must be found by those who check.
package struct PostingRules: Hashable, Sendable {
    /// False forgets the other side of a purchase or sale.
    package var postsCounterLeg = true
    /// False lets lines through that do not add up to zero.
    package var checksBalance = true
    package init() {}
}

/// Why a fact with money was recorded without lines. The fact itself stands; a person must look.
package enum PostingRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// A product or a sum left the range of ±92 bn.
    case overflow(String)
    /// The book does not know what was traded, so neither its currency nor its multiplier.
    case unknownInstrument(InstrumentID)
    /// A kind of instrument whose executions are told leg by leg.
    case notPostable(InstrumentID, SecurityType)
    /// The lines of an asset do not add up to zero: a fault of this program.
    case unbalanced(asset: String)

    package var description: String {
        switch self {
        case .overflow(let what): "The money of \(what) leaves the range of the books; nothing is posted for it."
        case .unknownInstrument(let id): "\(id) was traded and the ledger does not know its currency and size; nothing is posted for it."
        case .notPostable(let id, let type): "\(id) is of type \(type.rawValue), whose executions are posted leg by leg; nothing is posted for it."
        case .unbalanced(let asset): "The lines of \(asset) would not add up to zero; nothing is posted."
        }
    }
}

/// What a fact posts.
package struct Posted: Hashable, Sendable {
    package var lines: [Posting] = []
    package var refusal: PostingRefusal?
    package init(_ lines: [Posting] = [], refusal: PostingRefusal? = nil) { self.lines = lines; self.refusal = refusal }
}

extension Instrument {
    /// How a trade in it is paid.
    package enum Payment: Hashable, Sendable {
        /// The whole value at once: shares, options, bonds, coins.
        case value
        /// Only the difference when it is closed: futures and contracts for difference.
        case difference
        /// One currency for another.
        case exchange
    }

    /// Nil for what is never held itself.
    package var payment: Payment? {
        switch securityType {
        case .future, .continuousFuture, .cfd: .difference
        case .stock, .option, .futureOption, .crypto, .bond, .fund, .warrant, .commodity: .value
        case .currency: .exchange
        case .index, .combo, .news: nil
        }
    }

    /// The asset that a holding in it is counted in: the pair's first currency for an exchange, else the instrument itself.
    package var asset: String { payment == .exchange ? symbol : id.text }
}

extension Book {
    /// The lines of `fact`, which must be the next this book takes in. None for kinds without money and for what the book already has.
    package func postings(of fact: Fact, rules: PostingRules = PostingRules()) -> Posted {
        var posted = Posted()
        do throws(PostingRefusal) { posted.lines = try lines(of: fact, rules) } catch { return Posted(refusal: error) }
        guard rules.checksBalance, let first = Posting.imbalance(of: posted.lines).first else { return posted }
        return Posted(refusal: .unbalanced(asset: first.asset))
    }

    private func lines(of fact: Fact, _ rules: PostingRules) throws(PostingRefusal) -> [Posting] {
        switch fact {
        case .fill(let fill): return try lines(of: fill, rules)
        case .commission(let commission): return try lines(of: commission)
        case .correction(let correction): return try lines(reversing: correction.execID)
        case .transfer(let move): return try lines(of: move, against: .transfer)
        case .dividend(let move): return try lines(of: move, against: .dividend)
        case .interest(let move): return try lines(of: move, against: .interest)
        case .accountFee(let move), .borrowFee(let move): return try lines(of: move, against: .fee)
        case .exchange(let exchange):
            guard exchange.sold.raw != .min, exchange.bought.raw != .min else { throw .overflow("an exchange of \(exchange.soldCurrency)") }
            return Posting.pair(.cash, .trading, exchange.account, nil, exchange.soldCurrency, -exchange.sold.raw)
                + Posting.pair(.cash, .trading, exchange.account, nil, exchange.boughtCurrency, exchange.bought.raw)
        case .suspense(let suspense):
            guard suspense.amount != .min else { throw .overflow(suspense.asset) }
            let isCash = suspense.instrument.map { instruments[$0]?.payment == .exchange } ?? true
            return Posting.pair(isCash ? .cash : .position, .suspense, suspense.account, nil, suspense.asset, suspense.amount)
        default: return []
        }
    }

    private func lines(of fill: Fill, _ rules: PostingRules) throws(PostingRefusal) -> [Posting] {
        guard !hasExecution(fill.execID), fill.lastQty.raw > 0 else { return [] }
        guard let instrument = instruments[fill.instrument] else { throw .unknownInstrument(fill.instrument) }
        let before = positions[fill.instrument] ?? Position(instrument: fill.instrument)
        var after = before
        guard after.apply(fill, multiplier: instrument.multiplier) else { throw .overflow("execution \(fill.execID)") }
        guard let value = Money.value(fill.lastPx, fill.signedQuantity, multiplier: instrument.multiplier) else {
            throw .overflow("execution \(fill.execID)")
        }
        return try lines(instrument, from: before, to: after, value: Int128(value.raw), fill, rules)
    }

    private func lines(reversing execID: String) throws(PostingRefusal) -> [Posting] {
        guard let record = fill(execID), record.reversedBy == nil, record.wasPosted else { return [] }
        guard let instrument = instruments[record.fill.instrument] else { throw .unknownInstrument(record.fill.instrument) }
        guard let value = Money.value(record.fill.lastPx, record.fill.signedQuantity, multiplier: instrument.multiplier) else {
            throw .overflow("execution \(execID)")
        }
        let before = positions[instrument.id] ?? Position(instrument: instrument.id)
        let after = position(of: instrument.id, without: execID)
        guard !after.hasOverflowed else { throw .overflow("execution \(execID)") }
        return try lines(instrument, from: before, to: after, value: -Int128(value.raw), record.fill, PostingRules())
    }

    /// From what the position was to what it is: the holding, what was paid for it, and what closing it brought.
    private func lines(
        _ instrument: Instrument, from before: Position, to after: Position, value: Int128, _ fill: Fill, _ rules: PostingRules
    ) throws(PostingRefusal) -> [Posting] {
        guard let payment = instrument.payment else { throw .notPostable(instrument.id, instrument.securityType) }
        let bot = fill.tag.flatMap { order($0)?.bot }
        let held = Int128(after.quantity.raw) - Int128(before.quantity.raw)
        let profit = Int128(after.realizedPnL.raw) - Int128(before.realizedPnL.raw)
        let rounded = after.rounding - before.rounding
        let paid = payment == .difference ? rounded - profit : value
        let cost = payment == .difference ? 0 : value + profit - rounded
        var lines: [Posting] = []
        func post(_ kind: AccountClass, _ asset: String, _ amount: Int128) throws(PostingRefusal) {
            guard let amount = Int64(exactly: amount) else { throw .overflow("execution \(fill.execID)") }
            if amount != 0 { lines.append(Posting(PostingAccount(kind, fill.account, strategy: bot), asset, amount)) }
        }
        try post(payment == .exchange ? .cash : .position, instrument.asset, held)
        if rules.postsCounterLeg { try post(.trading, instrument.asset, -held) }
        try post(.cash, instrument.currency, -paid)
        try post(.trading, instrument.currency, cost)
        try post(.pnlRealised, instrument.currency, -profit)
        try post(.rounding, instrument.currency, rounded)
        return lines
    }

    /// A fee belongs to its execution's account and bot. One that comes before its execution belongs to the account of the session.
    private func lines(of commission: Commission) throws(PostingRefusal) -> [Posting] {
        guard !hasCommission(commission.execID) else { return [] }
        guard commission.amount.raw != .min else { throw .overflow("the commission of execution \(commission.execID)") }
        let fill = fill(commission.execID)?.fill
        let bot = fill?.tag.flatMap { order($0)?.bot }
        return Posting.pair(.fee, .cash, fill?.account ?? session?.account ?? "", bot, commission.currency, commission.amount.raw)
    }

    private func lines(of move: CashMove, against other: AccountClass) throws(PostingRefusal) -> [Posting] {
        guard move.amount.raw != .min else { throw .overflow("an amount of \(move.currency)") }
        return Posting.pair(.cash, other, move.account, nil, move.currency, move.amount.raw)
    }
}

extension Posting {
    /// `amount` on one account and its opposite on another; nothing for zero. `amount` is not `Int64.min`.
    fileprivate static func pair(
        _ kind: AccountClass, _ other: AccountClass, _ broker: String, _ bot: String?, _ asset: String, _ amount: Int64
    ) -> [Posting] {
        guard amount != 0 else { return [] }
        return [
            Posting(PostingAccount(kind, broker, strategy: bot), asset, amount),
            Posting(PostingAccount(other, broker, strategy: bot), asset, -amount),
        ]
    }
}

extension Fill {
    /// Above zero for a purchase.
    package var signedQuantity: Quantity { side == .buy ? lastQty : lastQty.negated }
}
