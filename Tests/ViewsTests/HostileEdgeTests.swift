// A ledger and live state with any numbers at all: an edge in other hands may send them, and every view must have an answer.
import Ledger
import Testing
import Values
import Views
import Wire

@Suite struct HostileEdgeTests {
    /// Numbers at which sums and products leave their range, and a few that lie between.
    private static let extremes: [Int64] = [
        .min, .min + 1, .min / 2, -100_000_000, -1, 0, 1, 99_999_999, 100_000_000, 1_000_000, 9_223_372_036_854_775_500, .max / 2 + 1, .max - 1, .max,
    ]

    private struct Maker {
        var random: SeededRandom
        mutating func raw() -> Int64 {
            random.chance(1, in: 5) ? Int64(truncatingIfNeeded: random.next()) : extremes[random.int(0...extremes.count - 1)]
        }
        mutating func size() -> Quantity { Quantity(raw: max(1, raw())) }
        mutating func side() -> Side { random.chance(1, in: 2) ? .buy : .sell }
        mutating func price() -> Price? { random.chance(1, in: 4) ? nil : Price(raw: raw()) }

        mutating func instrument(_ id: InstrumentID, _ type: SecurityType) -> Instrument {
            Instrument(
                id: id, symbol: "X", securityType: type, exchange: "CME", currency: "USD", localSymbol: id.text, tradingClass: "X",
                multiplier: Quantity(raw: raw()), minPriceIncrement: Price(raw: raw()), lotStep: Quantity(raw: raw()),
                maturityDate: CivilDate("20261224"), brokerContractID: raw())
        }
        mutating func trailing() -> TrailingOffset? {
            switch random.int(0...2) {
            case 0: nil
            case 1: .amount(Price(raw: raw()))
            default: .percent(Ratio(raw: raw()))
            }
        }
        mutating func ticket(_ id: InstrumentID) -> Ticket {
            let leg = Leg(
                role: random.chance(3, in: 4) ? .open : .protect, instrument: id, side: side(), quantity: size(), ordType: .limit,
                limitPrice: price(), stopPrice: price(), trailing: trailing(), timeInForce: .day, brokerOrderID: raw())
            return Ticket(account: "DU1", origin: .manual, command: Scene.longCommand, reason: "r", legs: [leg])
        }
        mutating func fill(_ exec: String, _ tag: ClOrdID?, _ id: InstrumentID) -> Fill {
            Fill(
                execID: exec, tag: tag, account: "DU1", instrument: id, side: side(), lastQty: size(), lastPx: Price(raw: raw()),
                cumQty: Quantity(raw: raw()), permID: raw(), transactTime: Instant(nanoseconds: raw()))
        }
        mutating func quote() -> Quote {
            var quote = Quote(asOf: Instant(nanoseconds: raw()))
            quote.bid = price(); quote.ask = price(); quote.last = price(); quote.close = price()
            quote.bidSize = Quantity(raw: raw()); quote.askSize = Quantity(raw: raw()); quote.lastSize = Quantity(raw: raw())
            return quote
        }
        mutating func account() -> AccountValues {
            var values = AccountValues(account: "DU1", currency: "USD", asOf: Instant(nanoseconds: raw()))
            values.netLiquidation = Money(raw: raw()); values.availableFunds = Money(raw: raw())
            values.initialMargin = Money(raw: raw()); values.maintenanceMargin = Money(raw: raw())
            return values
        }
        mutating func bar() -> Bar {
            Bar(
                start: Instant(nanoseconds: raw()), open: Price(raw: raw()), high: Price(raw: raw()), low: Price(raw: raw()),
                close: Price(raw: raw()),
                volume: Quantity(raw: raw()))
        }
    }

    private static let instruments = [Scene.mbt, Scene.nvda]

    private func scene(_ make: inout Maker) -> Scene {
        var scene = Scene()
        scene.write(.boot(BootFact(version: "v", mode: .live, machine: "m", kernelBoot: "k", configuration: "c")))
        for (index, id) in Self.instruments.enumerated() { scene.write(.instrument(make.instrument(id, index == 0 ? .future : .stock))) }
        scene.write(.brokerSession(BrokerSessionFact(connected: true, generation: make.raw(), account: "DU1", text: "")))
        var tags: [ClOrdID] = [], fills: [String] = []
        for number in 0..<12 {
            let id = Self.instruments[make.random.int(0...1)]
            let tag = tags.isEmpty ? nil : tags[make.random.int(0...tags.count - 1)]
            switch make.random.int(0...7) {
            case 0, 1: tags.append(scene.tag(scene.write(.intent(make.ticket(id)))))
            case 2, 3:
                scene.write(.fill(make.fill("e\(number)", tag, id)))
                fills.append("e\(number)")
            case 4: scene.write(.commission(Commission(execID: fills.last ?? "e", amount: Money(raw: make.raw()), currency: "USD")))
            case 5: scene.write(.correction(Correction(execID: fills.first ?? "e", by: "c\(number)", reason: "r")))
            case 6 where tag != nil:
                scene.write(
                    .modifyIntent(
                        ModifyIntent(
                            tag: tag ?? ClOrdID(""), quantity: Quantity(raw: make.raw()), limitPrice: make.price(), stopPrice: make.price(),
                            reason: "r")))
            default:
                let denial = Denial(
                    rule: "r", instrument: id, side: make.side(), quantity: Quantity(raw: make.raw()), origin: .manual, command: Scene.longCommand,
                    text: "t")
                scene.write(.denied(denial))
            }
        }
        scene.write(.suspense(Suspense(rule: "R9", account: "DU1", asset: Scene.mbt.text, amount: make.raw(), instrument: Scene.mbt, text: "t")))
        scene.write(.transfer(CashMove(account: "DU1", currency: "USD", amount: Money(raw: make.raw()), at: Scene.now, source: "s", note: "n")))
        scene.live.apply(.account(make.account()))
        for id in Self.instruments {
            scene.live.apply(.quote(id, make.quote()))
            scene.live.apply(.formingBar(id, make.bar(), asOf: Instant(nanoseconds: make.raw())))
            let margin = ContractMargin(
                initial: Money(raw: make.raw()), maintenance: Money(raw: make.raw()), asOf: Instant(nanoseconds: make.raw()))
            scene.live.apply(.margin(id, margin))
        }
        let gateway = GatewayState(
            condition: .connected, since: Instant(nanoseconds: make.raw()), text: "t", cure: "", account: "DU1", isTrading: true)
        scene.live.apply(.gateway(gateway))
        scene.live.apply(.notice(Notice(code: make.raw(), instrument: nil, text: "t", cure: "c", asOf: Instant(nanoseconds: make.raw()))))
        scene.link.clockOffset = Span(nanoseconds: make.raw()); scene.link.roundTrip = Span(nanoseconds: make.raw())
        return scene
    }

    /// Everything that anybody asks of a picture.
    /// - Returns: how many rows there were.
    private func askForEverything(_ scene: Scene, _ make: inout Maker) -> Int {
        let picture = scene.picture
        var rows = picture.positionRows + picture.orderRows() + picture.orderRows(workingOnly: true) + picture.fillRows() + picture.accountRows
        rows += picture.botRows + picture.noticeRows(at: Scene.now) + [picture.edgeRow] + scene.entries.map { picture.entryRow($0) }
        for order in picture.book.orders { _ = (order.leavesQty, order.avgPx, picture.follow(OrderName.text(order))) }
        let command = Command(
            id: Scene.longCommand, edge: Scene.id, issuer: "cloud:a", tier: 2, issuedAt: Scene.now, expiresAt: Scene.now,
            body: .order(instrument: Scene.mbt, side: .buy, size: .max, trailing: nil, reverse: false))
        rows.append(
            picture.commandRow(
                CommandPicture(
                    command: command, user: "a", title: "t", walk: [(stage: "queued", at: Scene.now)], isFinal: false, reason: nil, cure: nil)))
        for id in Self.instruments {
            rows += [picture.instrumentRow(id), picture.quoteRow(id)].compactMap { $0 } + [picture.gateRow(id, at: Scene.now)]
            rows.append(picture.candles(id, closed: [make.bar()], oldest: nil, wantsNewest: true))
            for side in Side.allCases {
                for size in [OrderSize.max, .quantity(make.size()), .quantity(Quantity(raw: make.raw()))] {
                    let ask = PreviewAsk(
                        instrument: id, kind: .order(side, reverse: make.random.chance(1, in: 2)), size: size, trailing: make.trailing())
                    let preview = picture.preview(ask, at: Scene.now)
                    rows.append(picture.row(preview, at: Scene.now))
                    _ = picture.title(.order(instrument: id, side: side, size: size, trailing: ask.trailing, reverse: false), preview: preview)
                }
            }
            rows.append(picture.row(picture.preview(PreviewAsk(instrument: id, kind: .close, size: .max), at: Scene.now), at: Scene.now))
            _ = picture.title(.close(instrument: id), preview: nil)
        }
        return rows.count
    }

    @Test(arguments: 0..<8) func anyNumbersHaveAView(seed: Int) {
        print("seed \(seed)")
        var make = Maker(random: SeededRandom(seed: UInt64(seed)))
        for _ in 0..<250 {
            let scene = scene(&make)
            let rows = askForEverything(scene, &make)
            #expect(rows > scene.entries.count)
        }
    }

    /// A leverage that fits and, rounded up to two places, no longer does.
    @Test func aLeverageAtTheEndOfTheRangeIsShownAsItIs() throws {
        #expect(Plain.two(Ratio(raw: 9_223_372_036_854_775_500)) == Ratio(raw: 9_223_372_036_854_775_500))
        #expect(Plain.two(Ratio(raw: 1_234_567)) == Ratio(raw: 1_230_000))
        #expect(Plain.two(Ratio(raw: .min)) == Ratio(raw: .min))
    }

    /// Of two orders that one command brought about, the money together leaves 128 bits: there is no average, and no end of the process.
    @Test func whatTwoOrdersFilledAtMayLeaveTheRange() throws {
        var scene = Scene()
        scene.write(.boot(BootFact(version: "v", mode: .live, machine: "m", kernelBoot: "k", configuration: "c")))
        let command = Scene.longCommand
        for number in 0..<2 {
            let leg = Leg(
                role: .open, instrument: Scene.mbt, side: .buy, quantity: Quantity(raw: .max), ordType: .market, timeInForce: .day,
                brokerOrderID: Int64(number))
            let intent = scene.write(.intent(Ticket(account: "DU1", origin: .manual, command: command, reason: "r", legs: [leg])))
            for piece in 0..<2 {
                scene.write(
                    .fill(
                        Fill(
                            execID: "\(number)/\(piece)", tag: scene.tag(intent), account: "DU1", instrument: Scene.mbt, side: .buy,
                            lastQty: Quantity(raw: .max), lastPx: Price(raw: .max), cumQty: Quantity(raw: .max), permID: 1, transactTime: scene.wall))
                )
            }
        }
        var make = Maker(random: SeededRandom(seed: 1))
        let rows = askForEverything(scene, &make)
        #expect(rows > scene.entries.count)
    }
}
