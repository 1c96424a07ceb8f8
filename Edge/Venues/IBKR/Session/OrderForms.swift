// A leg of ours as an order of the broker's.
internal import Ledger
internal import Values

/// Why a leg cannot be written as an order.
enum FormFault: Error, Hashable, Sendable {
    case missing(String)
    case unsupported(String)
    var text: String {
        switch self {
        case .missing(let what): "The order lacks its \(what). It was not sent."
        case .unsupported(let what): "\(what) is not supported at this broker. The order was not sent."
        }
    }
}

enum OrderForms {
    /// The order of a leg. Family and transmit flag are set by who knows the siblings.
    static func order(_ leg: Leg, tag: ClOrdID, account: String, instrument: Instrument) throws(FormFault) -> IBOrder {
        var order = IBOrder()
        order.orderId = leg.brokerOrderID; order.action = leg.side.rawValue; order.totalQuantity = WireSize(leg.quantity)
        order.account = account; order.orderRef = tag.text; order.tif = leg.timeInForce.rawValue
        // Good-till-date needs a date, which a leg does not carry.
        if leg.timeInForce == .gtd { throw .unsupported("Good-till-date") }
        // A future trades around the clock, and so must its protection.
        order.outsideRth = instrument.securityType == .future && leg.ordType != .market
        switch leg.ordType {
        case .market: order.orderType = "MKT"
        case .limit:
            order.orderType = "LMT"; order.lmtPrice = try price(leg.limitPrice, "limit price")
        case .stop:
            order.orderType = "STP"; order.auxPrice = try price(leg.stopPrice, "stop price")
        case .stopLimit:
            order.orderType = "STP LMT"; order.lmtPrice = try price(leg.limitPrice, "limit price");
            order.auxPrice = try price(leg.stopPrice, "stop price")
        case .trailingStop:
            order.orderType = "TRAIL"; order.trailStopPrice = leg.stopPrice
            switch leg.trailing {
            case .amount(let amount): order.auxPrice = amount
            // A fraction at 10^-6 as a percentage at 10^-8.
            case .percent(let part):
                guard part.raw > 0, part.raw < 1_000_000 else { throw .unsupported("A trailing distance of \(part)") }
                order.trailingPercent = WireNumber(raw: part.raw * 10_000)
            case nil: throw .missing("trailing distance")
            }
        }
        return order
    }

    private static func price(_ price: Price?, _ name: String) throws(FormFault) -> Price {
        guard let price else { throw .missing(name) }
        return price
    }

    /// True for the last leg of its family: the one that lets all of them go.
    static func isLast(_ index: Int, of legs: [Leg]) -> Bool {
        let root = root(index, of: legs)
        return !legs.indices.contains { $0 > index && self.root($0, of: legs) == root }
    }

    private static func root(_ index: Int, of legs: [Leg]) -> Int {
        var at = index
        // A parent stands before its children, so this ends.
        while let parent = legs[at].parent, parent < at { at = parent }
        return at
    }
}
