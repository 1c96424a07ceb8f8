// The gateway's contract, under the names its users know.
package import Values

/// What a contract message or request says of the thing traded. Empty text means "not said".
package struct IBContract: Hashable, Sendable {
    /// 0 = unknown.
    package var conId: Int64 = 0
    package var symbol = ""
    package var secType = ""
    package var lastTradeDateOrContractMonth = ""
    package var strike: Price?
    package var right: OptionRight?
    package var multiplier = ""
    package var exchange = ""
    package var primaryExchange = ""
    package var currency = ""
    package var localSymbol = ""
    package var tradingClass = ""
    package var includeExpired = false
    package var secIdType = ""
    package var secId = ""
    package var issuerId = ""
    package var comboLegsDescrip = ""
    package var comboLegs: [ComboLeg] = []
    package var deltaNeutral: DeltaNeutralContract?
    package init() {}

    /// The contract of an instrument whose number the broker gave: enough to quote and to order it.
    package init(_ instrument: Instrument) {
        conId = instrument.brokerContractID; symbol = instrument.symbol; secType = instrument.securityType.rawValue
        exchange = instrument.exchange; currency = instrument.currency; localSymbol = instrument.localSymbol; tradingClass = instrument.tradingClass
        if let date = instrument.maturityDate { lastTradeDateOrContractMonth = date.compact }
        if instrument.securityType != .stock { multiplier = instrument.multiplier.description }
    }
}

/// The side of an option. The wire's `?`, `0` and empty are none.
package enum OptionRight: String, Hashable, Sendable {
    case call = "C", put = "P"
    /// Reads `C`, `CALL`, `P`, `PUT`.
    package init?(wire text: String) {
        switch text {
        case "C", "CALL": self = .call
        case "P", "PUT": self = .put
        default: return nil
        }
    }
}

/// One leg of a combination (secType `BAG`).
package struct ComboLeg: Hashable, Sendable {
    package var conId: Int64 = 0
    package var ratio: Int64 = 0
    package var action = ""
    package var exchange = ""
    /// 0 same as the combo, 1 open, 2 close, 3 unknown.
    package var openClose: Int64 = 0
    package var shortSaleSlot: Int64 = 0
    package var designatedLocation = ""
    package var exemptCode: Int64 = -1
    package init() {}
}

/// The underlying that hedges an option combination.
package struct DeltaNeutralContract: Hashable, Sendable {
    package var conId: Int64
    package var delta: WireNumber
    package var price: Price
    package init(conId: Int64, delta: WireNumber, price: Price) { self.conId = conId; self.delta = delta; self.price = price }
}

/// A name with its value, in lists that keep their order.
package struct TagValue: Hashable, Sendable {
    package var tag: String
    package var value: String
    package init(_ tag: String, _ value: String) { self.tag = tag; self.value = value }
}
