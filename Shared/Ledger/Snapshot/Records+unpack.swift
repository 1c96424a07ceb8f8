// The records of a book read back from their canonical form; the writing half stands in Book+digest.swift, in the same order.
internal import Values
internal import Wire

extension OrderRecord: Packable {
    package init(_ reader: inout Unpacker) throws(PackError) {
        let tag = ClOrdID(try reader.text())
        let intent = try reader.known(IntentID(bytes: try reader.take(16)))
        let legIndex = try reader.known(Int(exactly: try reader.little(Int64.self)))
        let account = try reader.text(), origin = try reader.word(OrderOrigin.self)
        let command = try reader.optional { reader throws(PackError) in try reader.command() }
        let bot = try reader.optional { reader throws(PackError) in try reader.text() }
        let reason = try reader.text(), createdAt = try reader.instant(), status = try reader.word(OrdStatus.self)
        let permID = try reader.little(Int64.self), wasSent = try reader.flag(), cumQty = try reader.quantity()
        let filledValue = try reader.little(Int128.self), quantity = try reader.quantity()
        let limitPrice = try reader.optional { reader throws(PackError) in try reader.price() }
        let stopPrice = try reader.optional { reader throws(PackError) in try reader.price() }
        let updatedAt = try reader.instant()
        let cancelRefusedAt = try reader.optional { reader throws(PackError) in try reader.instant() }
        let text = try reader.text()
        let code = try reader.optional { reader throws(PackError) in try reader.little(Int64.self) }
        self.init(
            tag: tag, intent: intent, leg: try Leg(&reader), legIndex: legIndex, account: account, origin: origin, command: command, bot: bot,
            reason: reason, createdAt: createdAt, status: status, permID: permID, wasSent: wasSent, cumQty: cumQty, filledValue: filledValue,
            quantity: quantity, limitPrice: limitPrice, stopPrice: stopPrice, updatedAt: updatedAt, cancelRefusedAt: cancelRefusedAt, text: text,
            code: code)
    }
}

extension Leg {
    fileprivate init(_ reader: inout Unpacker) throws(PackError) {
        let role = try reader.word(LegRole.self), instrument = try reader.instrument(), side = try reader.word(Side.self)
        let quantity = try reader.quantity(), ordType = try reader.word(OrdType.self)
        let limitPrice = try reader.optional { reader throws(PackError) in try reader.price() }
        let stopPrice = try reader.optional { reader throws(PackError) in try reader.price() }
        let trailing: TrailingOffset? =
            switch try reader.little(UInt8.self) {
            case 0: nil
            case 1: .amount(try reader.price())
            case 2: .percent(Ratio(raw: try reader.little(Int64.self)))
            default: throw PackError(at: reader.at)
            }
        let timeInForce = try reader.word(TimeInForce.self)
        let parent = try reader.optional { reader throws(PackError) in try reader.known(Int(exactly: try reader.little(Int64.self))) }
        self.init(
            role: role, instrument: instrument, side: side, quantity: quantity, ordType: ordType, limitPrice: limitPrice, stopPrice: stopPrice,
            trailing: trailing, timeInForce: timeInForce, parent: parent, brokerOrderID: try reader.little(Int64.self))
    }
}

extension FillRecord: Packable {
    package init(_ reader: inout Unpacker) throws(PackError) {
        let seq = Seq(try reader.little(UInt64.self)), recordedAt = try reader.instant()
        let marks = try reader.little(UInt8.self)
        guard marks < 4 else { throw PackError(at: reader.at) }
        let commission = try reader.optional { reader throws(PackError) in try reader.money() }
        let execID = try reader.text()
        let tag = try reader.optional { reader throws(PackError) in ClOrdID(try reader.text()) }
        let account = try reader.text(), instrument = try reader.instrument(), side = try reader.word(Side.self)
        let lastQty = try reader.quantity(), lastPx = try reader.price(), cumQty = try reader.quantity()
        let permID = try reader.little(Int64.self), transactTime = try reader.instant()
        var fill = Fill(
            execID: execID, tag: tag, account: account, instrument: instrument, side: side, lastQty: lastQty, lastPx: lastPx, cumQty: cumQty,
            permID: permID, transactTime: transactTime)
        fill.corrects = try reader.optional { reader throws(PackError) in try reader.text() }
        let reversedBy = try reader.optional { reader throws(PackError) in try reader.text() }
        self.init(
            seq: seq, fill: fill, recordedAt: recordedAt, wasReplayed: marks & 1 != 0, wasPosted: marks & 2 == 0, commission: commission,
            reversedBy: reversedBy)
    }
}

extension CommandOutcome {
    init(_ reader: inout Unpacker) throws(PackError) {
        self.init(
            command: try reader.command(), kind: try reader.text(), issuer: try reader.text(), code: try reader.text(), text: try reader.text())
    }
}

extension Instrument {
    init(_ reader: inout Unpacker) throws(PackError) {
        let id = try reader.instrument(), symbol = try reader.text(), type = try reader.word(SecurityType.self)
        let exchange = try reader.text(), currency = try reader.text(), localSymbol = try reader.text(), tradingClass = try reader.text()
        let multiplier = try reader.quantity(), increment = try reader.price(), lotStep = try reader.quantity()
        let maturity = try reader.optional { reader throws(PackError) in try reader.known(CivilDate(try reader.text())) }
        self.init(
            id: id, symbol: symbol, securityType: type, exchange: exchange, currency: currency, localSymbol: localSymbol, tradingClass: tradingClass,
            multiplier: multiplier, minPriceIncrement: increment, lotStep: lotStep, maturityDate: maturity,
            brokerContractID: try reader.little(Int64.self))
    }
}

extension BotRecord {
    init(_ reader: inout Unpacker) throws(PackError) {
        let bot = try reader.text(), instrument = try reader.instrument(), state = try reader.text(), reason = try reader.text()
        let until = try reader.optional { reader throws(PackError) in try reader.instant() }
        self.init(
            fact: BotFact(bot: bot, instrument: instrument, state: state, reason: reason, until: until), seq: Seq(try reader.little(UInt64.self)),
            at: try reader.instant())
    }
}

extension HaltFact {
    init(_ reader: inout Unpacker) throws(PackError) {
        let source = try reader.text(), reason = try reader.text()
        let level = try reader.known(HaltLevel(rawValue: try reader.little(Int64.self)))
        self.init(level: level, source: source, reason: reason, command: try reader.optional { reader throws(PackError) in try reader.command() })
    }
}

extension BootFact {
    init(_ reader: inout Unpacker) throws(PackError) {
        self.init(
            version: try reader.text(), mode: try reader.word(TradingMode.self), machine: try reader.text(), kernelBoot: try reader.text(),
            configuration: try reader.text())
    }
}

extension Denial {
    package init(_ reader: inout Unpacker) throws(PackError) {
        let rule = try reader.text(), instrument = try reader.instrument(), side = try reader.word(Side.self), quantity = try reader.quantity()
        let origin = try reader.word(OrderOrigin.self), command = try reader.optional { reader throws(PackError) in try reader.command() }
        let bot = try reader.optional { reader throws(PackError) in try reader.text() }
        self.init(
            rule: rule, instrument: instrument, side: side, quantity: quantity, origin: origin, command: command, bot: bot, text: try reader.text())
    }

    /// Every member, in a fixed order.
    package var canonical: [UInt8] {
        var out = ByteWriter(reserving: 160)
        out.text(rule); out.text(instrument.text); out.text(side.rawValue); out.little(quantity.raw); out.text(origin.rawValue)
        out.command(command); out.optional(bot) { $1.text($0) }; out.text(text)
        return out.bytes
    }
}
