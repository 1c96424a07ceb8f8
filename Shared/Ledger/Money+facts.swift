// Facts about money and holdings that no order brought about: deposits, dividends, interest, fees, exchanges, corrections, suspense.
package import Values

/// Cash that came to the account or left it.
package struct CashMove: Hashable, Sendable {
    package var account: String
    package var currency: String
    /// What it did to the cash: above zero came in. Never zero.
    package var amount: Money
    /// When it happened at the broker, as far as known.
    package var at: Instant
    /// `console` for what a person wrote down.
    package var source: String
    package var note: String
    /// What paid the dividend, or was borrowed, when it was one thing.
    package var instrument: InstrumentID?
    package init(account: String, currency: String, amount: Money, at: Instant, source: String, note: String, instrument: InstrumentID? = nil) {
        self.account = account; self.currency = currency; self.amount = amount; self.at = at; self.source = source; self.note = note
        self.instrument = instrument
    }
}

/// One currency given for another outside of an order: the broker's own conversion.
package struct CashExchange: Hashable, Sendable {
    package var account: String
    package var soldCurrency: String
    /// Above zero.
    package var sold: Money
    package var boughtCurrency: String
    /// Above zero.
    package var bought: Money
    package var at: Instant
    package var source: String
    package var note: String
    package init(
        account: String, soldCurrency: String, sold: Money, boughtCurrency: String, bought: Money, at: Instant, source: String, note: String
    ) {
        self.account = account; self.soldCurrency = soldCurrency; self.sold = sold; self.boughtCurrency = boughtCurrency; self.bought = bought
        self.at = at; self.source = source; self.note = note
    }
}

/// The reversal of an execution that the broker corrected. The corrected one follows as a fill that names the same original.
package struct Correction: Hashable, Sendable {
    /// The execution that no longer counts.
    package var execID: String
    /// The execution that the broker put in its place.
    package var by: String
    /// Why this reading of the correction was taken.
    package var reason: String
    package init(execID: String, by: String, reason: String) { self.execID = execID; self.by = by; self.reason = reason }
}

/// A difference that nobody can explain yet, put on the books so that they say what the broker says.
package struct Suspense: Hashable, Sendable {
    /// The rule that found it: `R9` for positions, `R11` for cash.
    package var rule: String
    package var account: String
    /// An instrument's id or a currency.
    package var asset: String
    /// What is added to the position or the cash, at 10⁻⁸; below zero takes away. Never zero.
    package var amount: Int64
    /// The instrument that takes no new exposure while this stands; nil for cash.
    package var instrument: InstrumentID?
    package var text: String
    package init(rule: String, account: String, asset: String, amount: Int64, instrument: InstrumentID?, text: String) {
        self.rule = rule; self.account = account; self.asset = asset; self.amount = amount; self.instrument = instrument; self.text = text
    }
}
