// From the fields a client wrote to a ticket the exchange takes; what cannot be is refused with the code a gateway would use.
internal import Values
internal import Venues

/// An error for a client.
struct GatewayComplaint: Error {
    var code: Int
    var text: String
    static func invalid(_ cause: String) -> GatewayComplaint {
        GatewayComplaint(code: 321, text: "Error validating request.-'bN' : cause - \(cause)")
    }
    /// What a gateway whose API only reads says to anything that would change an order.
    static var readOnly: GatewayComplaint { .invalid("The API interface is currently in Read-Only mode.") }
}

/// Reads order fields.
struct OrderTranslation {
    let fields: OrderFields
    let listing: PaperInstrument
    let zone: USZone
    let now: Instant
    /// What one costs, for orders of an amount of money; nil when there is no market.
    let mark: Price?

    /// - Parameter parent: the permId of the parent, when there is one.
    func ticket(permId: Int64, parent: Int64?) throws(GatewayComplaint) -> PaperTicket {
        guard let side = Side(rawValue: fields["action"] == "SSHORT" ? "SELL" : fields["action"]) else {
            throw .invalid("Invalid side: \(fields["action"])")
        }
        let quantity = try quantity(side)
        guard listing.instrument.securityType.rawValue == fields["contract.secType"] || fields["contract.secType"].isEmpty else {
            throw .invalid("Invalid security type")
        }
        var ticket = PaperTicket(id: PaperOrderID(permId), instrument: listing.instrument.id, side: side, quantity: quantity)
        try setType(&ticket)
        try setTime(&ticket)
        ticket.outsideHours = fields["outsideRth"] == "1"
        ticket.parent = parent.map { PaperOrderID($0) }
        if fields.isSet("ocaGroup") {
            ticket.group = "client:" + fields["ocaGroup"]
            ticket.groupRule = fields["ocaType"] == "1" ? .cancel : .reduce
        } else if let parent {
            // Children of one parent exclude each other, as if in a group named by the parent.
            ticket.group = "parent:\(parent)"
        }
        return ticket
    }

    /// As written, or what an amount of money buys.
    private func quantity(_ side: Side) throws(GatewayComplaint) -> Quantity {
        let hasCash = fields.isSet("cashQty") && (try? Quantity(fields["cashQty"])) != .zero
        let isMarketBuyOfCoins = listing.instrument.securityType == .crypto && side == .buy && fields["orderType"] == "MKT"
        guard hasCash || !isMarketBuyOfCoins else {
            throw GatewayComplaint(code: 10_289, text: "You must set Cash Quantity for this order.")
        }
        if fields.isSet("totalQuantity"), let quantity = try? Quantity(fields["totalQuantity"]), quantity > .zero { return quantity }
        guard hasCash else { throw GatewayComplaint(code: 434, text: "The order size cannot be zero.") }
        guard !listing.isFuture else { throw GatewayComplaint(code: 10_244, text: "Cash quantity is not allowed for this order.") }
        guard let cash = try? Quantity(fields["cashQty"]), cash > .zero, let mark, mark.raw > 0 else { throw .invalid("Invalid cash quantity") }
        let raw = Int64(clamping: Int128(cash.raw) * 100_000_000 / Int128(mark.raw))
        let step = listing.instrument.lotStep.raw
        guard raw >= step else { throw GatewayComplaint(code: 434, text: "The order size cannot be zero.") }
        return Quantity(raw: raw / step * step)
    }

    private func setType(_ ticket: inout PaperTicket) throws(GatewayComplaint) {
        switch fields["orderType"] {
        case "MKT": ticket.type = .market
        case "LMT":
            ticket.type = .limit
            ticket.limitPrice = try price("lmtPrice")
        case "STP":
            ticket.type = .stop
            ticket.stopPrice = try price("auxPrice")
        case "STP LMT":
            ticket.type = .stopLimit
            ticket.stopPrice = try price("auxPrice")
            ticket.limitPrice = try price("lmtPrice")
        case "TRAIL", "TRAIL LIMIT":
            ticket.type = .trailingStop
            if fields.isSet("trailStopPrice") { ticket.stopPrice = try price("trailStopPrice") }
            ticket.trail = try trail()
            if fields["orderType"] == "TRAIL LIMIT" { ticket.limitOffset = try limitOffset() }
        default: throw GatewayComplaint(code: 387, text: "Unsupported order type for this exchange and security type")
        }
    }

    private func trail() throws(GatewayComplaint) -> Trail {
        if fields.isSet("trailingPercent") {
            // Percent at four decimals is the fraction at six.
            guard let raw = try? Decimals.parse(fields["trailingPercent"], scale: 4, rounding: .halfEven) else {
                throw .invalid("Invalid trailing percent")
            }
            return .fraction(Ratio(raw: raw))
        }
        return .amount(try price("auxPrice"))
    }
    private func limitOffset() throws(GatewayComplaint) -> Price {
        if fields.isSet("lmtPriceOffset") { return try price("lmtPriceOffset") }
        let (limit, stop) = (try price("lmtPrice"), try price("trailStopPrice"))
        guard let offset = limit.subtracting(stop), offset.raw > .min else { throw .invalid("Invalid lmtPrice: \(fields["lmtPrice"])") }
        return Price(raw: abs(offset.raw))
    }
    private func price(_ name: String) throws(GatewayComplaint) -> Price {
        guard fields.isSet(name) else { throw .invalid("Missing \(name)") }
        guard let price = try? Price(fields[name]) else { throw .invalid("Invalid \(name): \(fields[name])") }
        return price
    }

    private func setTime(_ ticket: inout PaperTicket) throws(GatewayComplaint) {
        let word = fields["tif"].isEmpty ? "DAY" : fields["tif"]
        // Coins know an order that lives for some minutes.
        if word == "Minutes", listing.instrument.securityType == .crypto {
            ticket.timeInForce = .gtd
            ticket.goodTill = now + .minutes(fields.isSet("duration") ? min(max(Int64(fields["duration"]) ?? 5, 1), 1_440) : 5)
            return
        }
        guard let tif = TimeInForce(rawValue: word) else {
            throw GatewayComplaint(code: 111, text: "The TIF (\(word)) and the order type are incompatible.")
        }
        ticket.timeInForce = tif
        guard tif == .gtd else { return }
        guard let until = GatewayText.instant(fields["goodTillDate"], zone: zone) else {
            throw .invalid("Invalid goodTillDate: \(fields["goodTillDate"])")
        }
        ticket.goodTill = until
    }

    /// The error for what the exchange refused.
    static func complaint(_ refusal: PaperRefusal) -> GatewayComplaint {
        switch refusal {
        case .price: GatewayComplaint(code: 110, text: "The price does not conform to the minimum price variation for this contract.")
        case .margin(let equity, let required):
            GatewayComplaint(
                code: 201,
                text: "Order rejected - reason:YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH LOAN VALUE "
                    + "[\(GatewayText.amount(equity)) USD] MUST EXCEED THE INITIAL MARGIN [\(GatewayText.amount(required)) USD]")
        case .quantity: GatewayComplaint(code: 201, text: "Order rejected - reason:The size does not conform to the minimum size of this contract.")
        case .instrumentExpired: GatewayComplaint(code: 201, text: "Order rejected - reason:This contract has expired.")
        case .incomplete(let what): .invalid("Missing \(what)")
        case .goodTillPassed: GatewayComplaint(code: 201, text: "Order rejected - reason:The good-till time has passed.")
        case .duplicateID: GatewayComplaint(code: 103, text: "Duplicate order id")
        case .unknownParent, .unknownOrder: GatewayComplaint(code: 135, text: "Can't find order with id")
        case .final(.filled): GatewayComplaint(code: 104, text: "Cannot modify a filled order.")
        case .final: GatewayComplaint(code: 103, text: "Duplicate order id")
        case .cannotChange: GatewayComplaint(code: 105, text: "Order being modified does not match original order")
        case .unknownInstrument: GatewayComplaint(code: 200, text: "No security definition has been found for the request")
        case .overflow: .invalid("Number out of range")
        }
    }
}
