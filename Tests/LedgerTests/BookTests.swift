// Facts to bodies and back, and what the book makes of them.
import Ledger
import Testing
import Values
import Wire

struct BookTests {
    static let mbt = InstrumentID("MBTZ6.CME")
    static var instrument: Instrument {
        Instrument(
            id: mbt, symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: "MBTZ6", tradingClass: "MBT",
            multiplier: Quantity(raw: 10_000_000), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1),
            maturityDate: CivilDate("20261224"),
            brokerContractID: 99)
    }
    static func leg(_ side: Side = .buy, quantity: Int64 = 3, id: Int64 = 1) -> Leg {
        Leg(role: .open, instrument: mbt, side: side, quantity: Quantity(whole: quantity), ordType: .market, timeInForce: .day, brokerOrderID: id)
    }
    static func fill(_ id: String, _ tag: ClOrdID?, _ side: Side, _ quantity: Int64, _ price: Int64) -> Fact {
        .fill(
            Fill(
                execID: id, tag: tag, account: "DU1", instrument: mbt, side: side, lastQty: Quantity(whole: quantity), lastPx: Price(whole: price),
                cumQty: Quantity(whole: quantity), permID: 7, transactTime: Instant(seconds: 1)))
    }
    static let command = CommandID(bytes: Array(16..<32)) ?? { preconditionFailure("16 bytes") }()

    private static let hash = [UInt8](repeating: 0xAB, count: 32)
    static var everyFact: [Fact] {
        let tag = ClOrdID("TW1X")
        let stop = Leg(
            role: .protect, instrument: mbt, side: .sell, quantity: Quantity(whole: 3), ordType: .trailingStop, stopPrice: Price(whole: 90_000),
            trailing: .percent(Ratio(raw: 100_000)), timeInForce: .gtc, parent: 0, brokerOrderID: 2)
        let outcome = CommandOutcome(command: command, kind: "order", issuer: "admin", code: "expired", text: "too late")
        let halt = HaltFact(level: .halt, source: "console", reason: "test", command: command)
        return [
            .boot(BootFact(version: "v", mode: .live, machine: "m", kernelBoot: "k", configuration: "c")), .shutdown(reason: "asked"),
            .checkpoint(
                CheckpointFact(
                    head: Head(seq: Seq(70_000), hash: [UInt8](repeating: 0x11, count: 32)), digest: [UInt8](repeating: 0x22, count: 32),
                    signature: [UInt8](repeating: 0x33, count: 64), key: [UInt8](repeating: 0x44, count: 32))),
            .snapshot(
                SnapshotFact(
                    seq: Seq(70_000), book: [UInt8](repeating: 0x55, count: 32), milestones: [UInt8](repeating: 0x66, count: 32),
                    file: "snapshot-00000000000000070000.zst", bytes: 1_000, hash: [UInt8](repeating: 0x77, count: 32))),
            .healed(HealedFact(from: Seq(5), to: Seq(9), source: "cloud")),
            .lineage(
                LineageFact(oldEpoch: 1, other: .sealed(Head(seq: Seq(7), hash: hash)), ours: Head(seq: Seq(3), hash: hash), decidedBy: "cloud:a")),
            .gap(GapFact(from: Seq(5), to: Seq(9), hash: hash)),
            .countersigned(
                CountersignedFact(
                    head: Head(seq: Seq(3), hash: hash), signature: [UInt8](repeating: 0x33, count: 64), key: [UInt8](repeating: 0x44, count: 32))),
            .keyRotated(
                KeyRotatedFact(
                    old: [UInt8](repeating: 0x44, count: 32), key: [UInt8](repeating: 0x55, count: 32),
                    signature: [UInt8](repeating: 0x33, count: 64), proof: [UInt8](repeating: 0x66, count: 64))),
            .cloudKey(
                CloudKeyFact(
                    CloudKeyChange(
                        old: [UInt8](repeating: 0x44, count: 32), key: [UInt8](repeating: 0x55, count: 32),
                        signature: [UInt8](repeating: 0x33, count: 64), proof: [UInt8](repeating: 0x66, count: 64)))),
            .linkKey(
                LinkKeyFact(
                    old: [UInt8](repeating: 0x44, count: 32), key: [UInt8](repeating: 0x55, count: 32), signature: [UInt8](repeating: 0x33, count: 64)
                )),
            .serverKey(
                ServerKeyFact(
                    old: [UInt8](repeating: 0x44, count: 32), key: [UInt8](repeating: 0x55, count: 32), signer: [UInt8](repeating: 0x66, count: 32),
                    signature: [UInt8](repeating: 0x33, count: 64))),
            .intent(Ticket(account: "DU1", origin: .manual, command: command, bot: "b", reason: "why", legs: [leg(), stop])), .sent(tags: [tag]),
            .cancelIntent(CancelIntent(tag: tag, origin: .manual, command: command, reason: "r")),
            .modifyIntent(ModifyIntent(tag: tag, quantity: Quantity(whole: 2), limitPrice: Price(whole: 5), stopPrice: Price(whole: 4), reason: "r")),
            .orderReport(OrderReport(tag: tag, status: .rejected, permID: 4, cumQty: .zero, code: 201, text: "no")),
            fill("e1", tag, .buy, 1, 98_000), fill("e2", nil, .sell, 1, 98_000),
            .commission(Commission(execID: "e1", amount: Money(whole: 2), currency: "USD")), .orderDead(tag: tag, evidence: "d"),
            .stopMoved(tag: tag, level: Price(whole: 9)), .cancelRefused(CancelRefusal(tag: tag, code: 161, text: "no")), .commandAccepted(outcome),
            .commandRefused(outcome),
            .denied(Denial(rule: "quantityMax", instrument: mbt, side: .buy, quantity: Quantity(whole: 9), origin: .bot, bot: "b", text: "t")),
            .halt(halt), .resume(halt), .instrumentHalt(instrument: mbt, halted: true, reason: "R9"),
            .brokerSession(BrokerSessionFact(connected: true, generation: 1, account: "DU1", text: "t")),
            .reconciled(ReconciledFact(generation: 1, evidence: "e", differences: 0)),
            .difference(Difference(rule: "R9", instrument: mbt, text: "t")),
            .instrument(instrument), .bot(BotFact(bot: "b", instrument: mbt, state: "ARMED", reason: "r", until: Instant(seconds: 9))),
        ] + everyMovement
    }

    static var everyMovement: [Fact] {
        func move(_ amount: Int64, _ instrument: InstrumentID? = nil) -> CashMove {
            CashMove(
                account: "DU1", currency: "USD", amount: Money(whole: amount), at: Instant(seconds: 2), source: "console", note: "n",
                instrument: instrument)
        }
        return [
            .transfer(move(1_000)), .dividend(move(5, InstrumentID("AAPL.NASDAQ"))), .interest(move(-2)), .accountFee(move(-10)),
            .exchange(
                CashExchange(
                    account: "DU1", soldCurrency: "USD", sold: Money(whole: 108), boughtCurrency: "EUR", bought: Money(whole: 100),
                    at: Instant(seconds: 3), source: "console", note: "n")),
            .correction(Correction(execID: "e1", by: "e3", reason: "r")),
            .suspense(Suspense(rule: "R9", account: "DU1", asset: mbt.text, amount: 100_000_000, instrument: mbt, text: "t")),
            .borrowFee(move(-3, InstrumentID("AAPL.NASDAQ"))),
        ]
    }

    @Test func everyFactRoundTripsThroughItsBody() throws {
        var ledger = try TestLedger()
        for fact in Self.everyFact { #expect(try ledger.add(fact).decoded() == fact) }
        #expect(Set(Self.everyFact.map(\.kind)) == Set(Kind.allCases), "a kind without an example")
    }

    @Test func unknownKindsAreKeptAndCounted() throws {
        var ledger = try TestLedger()
        var entry = try ledger.chain.append(Draft(.shutdown(reason: "x")), at: ledger.clock)
        entry.kind = 999
        ledger.book.apply(entry)
        #expect(ledger.book.unreadable == 1 && ledger.book.head.seq == Seq(2))
        #expect(throws: CodecError.unknownKind(999)) { try entry.decoded() }
    }

    /// What an edge sends up is folded in the cloud: whatever it says, the fold goes on and counts what it could not take.
    @Test func impossibleFactsAreCountedAndEndNothing() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(Self.instrument))
        let ticket = Ticket(account: "DU1", origin: .manual, reason: "r", legs: [Self.leg(id: 7)])
        let intent = try ledger.add(.intent(ticket))
        let tag = try #require(try intent.intentTags().first)
        let nothing = try ledger.add(Self.fill("zero", tag, .buy, 0, 98_000))
        #expect(ledger.book.unreadable == 1 && ledger.book.fills.isEmpty)
        #expect(throws: CodecError.badValue("lastQty")) { try nothing.decoded() }
        for number in 0..<4 {
            var fill = Fill(
                execID: "huge-\(number)", tag: tag, account: "DU1", instrument: Self.mbt, side: .buy, lastQty: Quantity(raw: .max),
                lastPx: Price(raw: .max),
                cumQty: Quantity(raw: .max), permID: 1, transactTime: Instant(seconds: 1))
            fill.lastQty = Quantity(raw: .max)
            try ledger.add(.fill(fill))
        }
        #expect(ledger.book.positions[Self.mbt]?.hasOverflowed == true)
    }

    /// Sizes that no order can have are not read, and what executions and corrections leave below zero is no size either.
    @Test func whatIsStillToFillIsNeverBelowZeroAndNeverATrap() throws {
        var ledger = try TestLedger()
        let huge = Leg(
            role: .open, instrument: Self.mbt, side: .buy, quantity: Quantity(raw: .max), ordType: .market, timeInForce: .day, brokerOrderID: 1)
        let intent = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [huge])))
        let tag = try #require(try intent.intentTags().first)
        try ledger.add(Self.fill("a", tag, .buy, 1, 98_000))
        for size in [Int64.min, -1, 0] {
            let modify = try ledger.add(.modifyIntent(ModifyIntent(tag: tag, quantity: Quantity(raw: size), reason: "r")))
            #expect(throws: CodecError.badValue("quantity")) { try modify.decoded() }
            var leg = huge
            leg.quantity = Quantity(raw: size)
            let other = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [leg])))
            #expect(throws: CodecError.badValue("quantity")) { try other.decoded() }
        }
        #expect(ledger.book.unreadable == 6 && ledger.book.orders.count == 1)
        #expect(ledger.book.order(tag)?.leavesQty == Quantity(raw: .max - 100_000_000))
        // The second of two is not counted, for the sum does not fit; both are taken back all the same.
        for name in ["b", "c"] {
            try ledger.add(
                .fill(
                    Fill(
                        execID: name, tag: tag, account: "DU1", instrument: Self.mbt, side: .buy, lastQty: Quantity(raw: .max - 200_000_000),
                        lastPx: Price(raw: 1), cumQty: .zero, permID: 7, transactTime: Instant(seconds: 1))))
        }
        for name in ["b", "c"] { try ledger.add(.correction(Correction(execID: name, by: name + "2", reason: "r"))) }
        #expect(ledger.book.order(tag)?.cumQty.raw ?? 0 < 0)
        #expect(ledger.book.order(tag)?.leavesQty == Quantity(raw: .max))
    }

    @Test func fillsMoveOrderAndPosition() throws {
        var ledger = try TestLedger()
        try ledger.add(.instrument(Self.instrument))
        let intent = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, command: Self.command, reason: "r", legs: [Self.leg()])))
        let tag = try #require(try intent.intentTags().first)
        try ledger.add(Self.fill("a", tag, .buy, 1, 98_000))
        #expect(ledger.book.order(tag)?.status == .partiallyFilled)
        try ledger.add(Self.fill("a", tag, .buy, 1, 98_000))
        try ledger.add(.commission(Commission(execID: "b", amount: Money(whole: 2), currency: "USD")))
        try ledger.add(Self.fill("b", tag, .buy, 2, 98_300))
        let order = try #require(ledger.book.order(tag))
        #expect(order.status == .filled && order.cumQty == Quantity(whole: 3) && order.avgPx == Price(whole: 98_200))
        try ledger.add(Self.fill("c", nil, .sell, 5, 98_500))
        let position = try #require(ledger.book.positions[Self.mbt])
        #expect(position.quantity == Quantity(whole: -2) && position.averagePrice == Price(whole: 98_500))
        #expect(position.realizedPnL == Money(whole: 90) && position.commissions == Money(whole: 2))
        #expect(position.unrealizedPnL(mark: Price(whole: 98_000), multiplier: Self.instrument.multiplier) == Money(whole: 100))
        #expect(ledger.book.commandOrders[Self.command] == [tag])
    }

    @Test func aLateFillAfterACancelCountsAndARankNeverFalls() throws {
        var ledger = try TestLedger()
        let intent = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [Self.leg()])))
        let tag = try #require(try intent.intentTags().first)
        try ledger.add(.orderReport(OrderReport(tag: tag, status: .canceled, permID: 7)))
        try ledger.add(.orderReport(OrderReport(tag: tag, status: .new, permID: 7)))
        #expect(ledger.book.order(tag)?.status == .canceled)
        try ledger.add(Self.fill("late", tag, .buy, 1, 98_000))
        #expect(ledger.book.order(tag)?.status == .canceled && ledger.book.netQuantity(Self.mbt) == Quantity(whole: 1))
    }

    @Test func aRestartMakesOrdersInFlightUnknownAndProofEndsIt() throws {
        var ledger = try TestLedger()
        let intent = try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [Self.leg()])))
        let tag = try #require(try intent.intentTags().first)
        try ledger.add(.orderReport(OrderReport(tag: tag, status: .pendingCancel, permID: 7)))
        try ledger.restart(boot: 78)
        #expect(ledger.book.order(tag)?.status == .unknown && ledger.book.workingOrders.count == 1)
        try ledger.add(.orderReport(OrderReport(tag: tag, status: .new, permID: 7)))
        #expect(ledger.book.order(tag)?.status == .new)
        try ledger.add(.orderDead(tag: tag, evidence: "two snapshots"))
        #expect(ledger.book.order(tag)?.status == .dead)
        try ledger.add(.orderReport(OrderReport(tag: tag, status: .new, permID: 7)))
        #expect(ledger.book.order(tag)?.status == .zombie)
    }

    /// A second, simpler model: average cost by exact fractions over random fills.
    @Test func positionsAgreeWithASimplerModel() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<200 {
            var position = Position(instrument: Self.mbt)
            var lots: [Int64] = []
            var cash: Int64 = 0
            for _ in 0..<30 {
                let side: Side = random.chance(1, in: 2) ? .buy : .sell
                let size = Int64(random.int(1...5)), price = Int64(random.int(1...50)) * 5
                position.apply(side: side, quantity: Quantity(whole: size), price: Price(whole: price), multiplier: Quantity(whole: 1))
                lots.append(side.sign * size); cash -= side.sign * size * price
            }
            let held = lots.reduce(0, +)
            #expect(position.quantity == Quantity(whole: held))
            // Equity is the same whatever the split into realised and unrealised; rounding of the average stays under a cent.
            let unrealised = position.unrealizedPnL(mark: Price(whole: 100), multiplier: Quantity(whole: 1))?.raw ?? 0
            let difference = position.realizedPnL.raw + unrealised - (cash + held * 100) * 100_000_000
            #expect(abs(difference) < 1_000)
        }
    }
}
