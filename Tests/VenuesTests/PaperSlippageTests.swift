// Slippage and fees: takers pay by the rule, never better than the touch, never beyond their limit; resting orders pay nothing.
import Testing
import Values
import Venues

@Suite struct PaperSlippageTests {
    private func venue(_ rule: SlippageRule, seed: UInt64 = 1) throws -> PaperExchange {
        PaperExchange(
            rules: PaperRules(seed: seed, step: .seconds(1), slippage: rule), listings: [try market([95_000, 95_000, 95_000])], start: friday)
    }
    /// Ticks by which market buys of one lot each were worse than the ask they met.
    private func slips(_ rule: SlippageRule, seed: UInt64 = 1, lots: Int64 = 1) throws -> [Int64] {
        var venue = try venue(rule, seed: seed)
        return try (Int64(1)...40).map { id in
            let at = friday + .seconds(id)
            _ = venue.advance(to: at)
            let shown = venue.touch(mbt)
            let ask = try #require(shown).ask
            let fill = try #require(venue.handle(.place(ticket(id, .buy, lots)), at: at).fills.first)
            return (fill.price.raw - ask.raw) / 500_000_000
        }
    }

    @Test func drawnTicksAreBoundedVariedAndTheSeedsOwn() throws {
        let drawn = try slips(.ticks(3))
        #expect(Set(drawn) == [0, 1, 2, 3])
        #expect(try slips(.ticks(3)) == drawn && slips(.ticks(3), seed: 2) != drawn)
        #expect(try slips(.none).allSatisfy { $0 == 0 })
    }

    @Test func spreadAndSizeRulesAreExact() throws {
        // The tape's spread is one tick: a half of it is rounded up to one.
        #expect(try slips(.ofSpread(Ratio(raw: 500_000))).allSatisfy { $0 == 1 })
        #expect(try slips(.ofSpread(Ratio(raw: 2_000_000))).allSatisfy { $0 == 2 })
        #expect(try slips(.perLots(lots: 1, ticks: 2), lots: 3).contains(4), "three lots of one level: two beyond the first")
    }

    @Test func limitsHoldAndRestingOrdersPayNothing() throws {
        var venue = try venue(.ticks(50))
        let shown = venue.touch(mbt)
        let ask = try #require(shown).ask
        var order = ticket(1, .buy, 2, .limit)
        order.limitPrice = Price(raw: ask.raw + 500_000_000)
        let fills = venue.handle(.place(order), at: friday).fills
        #expect(!fills.isEmpty && fills.allSatisfy { $0.price >= ask && $0.price.raw <= ask.raw + 500_000_000 })
        var events: [PaperEvent] = []
        for second in 1..<100 where venue.touch(mbt)?.ask == Price(whole: 95_000) { events += venue.advance(to: friday + .seconds(Int64(second))) }
        events += venue.handle(.place(ticket(2, .buy, 30, .limit, limit: 95_000)), at: venue.now)
        events += venue.advance(to: friday + .seconds(150))
        #expect(events.fills.contains { $0.added } && events.fills.allSatisfy { $0.price == Price(whole: 95_000) })
    }
}

@Suite struct PaperFeeTests {
    private func total(_ rule: CommissionRule, _ lots: Int64, _ dollars: Int64) -> Money? {
        rule.total(for: Quantity(whole: lots), value: Money(whole: dollars))
    }

    @Test func everyModelCountsAnOrderAsAWhole() throws {
        let plain = CommissionRule(perUnit: Money(raw: 500_000), minimum: Money(whole: 1))
        #expect(total(plain, 100, 23_000) == Money(whole: 1) && total(plain, 1_000, 230_000) == Money(whole: 5))
        let capped = CommissionRule.perUnit(Money(raw: 500_000), minimum: Money(whole: 1), mostOfValue: Ratio(raw: 10_000))
        #expect(total(capped, 10, 50) == Money(raw: 50_000_000), "one percent of fifty dollars")
        let part = CommissionRule.ofValue(Ratio(raw: 1_800), minimum: Money(raw: 175_000_000))
        #expect(total(part, 1, 95_000) == Money(whole: 171) && total(part, 1, 100) == Money(raw: 175_000_000))
        let tiers = CommissionRule.tiered(
            [
                CommissionTier(upTo: Quantity(whole: 10), perUnit: Money(whole: 3)),
                CommissionTier(upTo: Quantity(whole: 100), perUnit: Money(whole: 2)),
            ],
            minimum: Money(whole: 5))
        #expect(total(tiers, 1, 1) == Money(whole: 5) && total(tiers, 10, 1) == Money(whole: 30))
        #expect(total(tiers, 110, 1) == Money(whole: 230), "beyond the last tier its price goes on")
        #expect(total(plain, 0, 0) == .zero && part.total(for: Quantity(whole: 1), value: nil) == nil)
    }

    @Test func partsOfAnOrderPayTogetherWhatTheWholeWouldHave() throws {
        var listing = try market([95_000, 95_000])
        listing.commission = .ofValue(Ratio(raw: 1_000), minimum: Money(whole: 3))
        var venue = PaperExchange(rules: PaperRules(seed: 1, step: .seconds(1)), listings: [listing], start: friday)
        let events = venue.handle(.place(ticket(1, .buy, 25)), at: friday) + venue.advance(to: friday + .seconds(30))
        let value = events.fills.reduce(Int64(0)) { $0 + $1.price.raw / 10 * ($1.quantity.raw / 100_000_000) }
        #expect(events.fills.count > 1 && events.fills.reduce(0) { $0 + $1.commission.raw } == value / 1_000)
        let preview = try venue.preview(ticket(2, .sell, 10))
        #expect(preview.commission > Money(whole: 94) && preview.commission < Money(whole: 96))
    }
}
