// Corrections: the account is as if the right price had been told at once, whatever has happened since.
import Testing
import Values
import Venues

@Suite struct PaperCorrectionTests {
    /// Buys, adds, turns and closes over some minutes.
    private func played() throws -> (PaperExchange, [PaperFill]) {
        var venue = try exchange([95_000, 95_500, 94_000, 96_000])
        var events = venue.handle(.place(ticket(1, .buy, 10)), at: friday)
        events += venue.handle(.place(ticket(2, .buy, 7)), at: friday + .seconds(65))
        events += venue.handle(.place(ticket(3, .sell, 30)), at: friday + .seconds(130))
        events += venue.handle(.place(ticket(4, .buy, 4)), at: friday + .seconds(190))
        events += venue.advance(to: friday + .seconds(230))
        return (venue, events.fills)
    }

    /// The account that these fills give, each realising what it then does.
    private func folded(_ fills: [PaperFill]) throws -> PaperAccount {
        let listing = try market([95_000])
        var account = PaperAccount(cash: Money(whole: 1_000_000))
        for fill in fills {
            var fill = fill
            fill.realised = try account.realised(by: (fill.side, fill.quantity, fill.price), in: listing)
            try account.apply(fill, in: listing)
        }
        return account
    }

    @Test func theAccountIsThatOfTheCorrectedFills() throws {
        let (played, fills) = try played()
        try #require(fills.count > 6)
        for index in fills.indices {
            var venue = played
            let price = Price(raw: fills[index].price.raw - 25 * 500_000_000)
            let events = venue.handle(.correct(serial: fills[index].serial, price: price), at: venue.now)
            guard case .corrected(let old, let new)? = events.first else { Issue.record("no correction of \(index)"); continue }
            #expect(old == fills[index] && new.price == price && new.serial == old.serial && new.quantity == old.quantity)
            var right = fills
            right[index].price = price
            #expect(venue.account == (try folded(right)), "fill \(index)")
            #expect(venue.fill(old.serial) == new)
            let order = try #require(venue.order(new.order))
            let its = right.filter { $0.order == new.order }
            let value = its.reduce(Int128(0)) { $0 + Int128($1.price.raw) * Int128($1.quantity.raw) }
            #expect(order.filledValue == value && its.last.flatMap { venue.fill($0.serial)?.averagePrice } == order.averagePrice)
        }
    }

    @Test func aSecondCorrectionTakesThePlaceOfTheFirstAndARestartKeepsBoth() throws {
        var (venue, fills) = try played()
        let first = try #require(fills.first)
        _ = venue.handle(.correct(serial: first.serial, price: Price(whole: 90_000)), at: venue.now)
        _ = venue.handle(.correct(serial: first.serial, price: Price(whole: 91_000)), at: venue.now)
        var right = fills
        right[0].price = Price(whole: 91_000)
        #expect(venue.account == (try folded(right)))
        var again = try exchange([95_000, 95_500, 94_000, 96_000])
        for fill in fills { try again.restore(fill) }
        try again.restore(correction: first.serial, price: Price(whole: 90_000))
        try again.restore(correction: first.serial, price: Price(whole: 91_000))
        #expect(again.account == venue.account)
    }

    @Test func whatIsNotRememberedOrSenselessIsRefused() throws {
        var (venue, fills) = try played()
        let before = venue.account
        #expect(venue.handle(.correct(serial: 4_711, price: Price(whole: 95_000)), at: venue.now).refusals == [.unknownOrder])
        let serial = try #require(fills.first).serial
        #expect(venue.handle(.correct(serial: serial, price: Price(whole: 95_001)), at: venue.now).refusals == [.price(increment: Price(whole: 5))])
        #expect(venue.handle(.correct(serial: serial, price: Price(raw: 0)), at: venue.now).refusals == [.price(increment: Price(whole: 5))])
        #expect(venue.account == before)
    }
}
