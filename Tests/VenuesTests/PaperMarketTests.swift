// The simulated market: same seed, same prices; history that agrees with what was seen live; hours and zones.
import Testing
import Values
import Venues

@Suite struct PaperMarketTests {
    private func venue(seed: UInt64, start: Instant = friday) throws -> PaperExchange {
        let date = try day(2026, 11, 20)
        return PaperExchange(rules: PaperRules(seed: seed), listings: PaperCatalogue.standard(asOf: date), start: start)
    }

    @Test func theSameSeedGivesTheSameMarketWhateverTheSteps() throws {
        var (one, other, third) = (try venue(seed: 7), try venue(seed: 7, start: friday - .hours(3)), try venue(seed: 8))
        _ = one.handle(.watch(mbt), at: friday)
        for second in 1...60 { _ = one.advance(to: friday + .seconds(Int64(second))) }
        _ = other.advance(to: friday + .seconds(60))
        _ = third.advance(to: friday + .seconds(60))
        #expect(one.touch(mbt) == other.touch(mbt))
        #expect(one.touch(mbt) != third.touch(mbt))
    }

    @Test func quotesAreTwoSidedOnTheGridAndThinnerThanTwentyFive() throws {
        var venue = try venue(seed: 11)
        _ = venue.handle(.watch(mbt), at: friday)
        let quotes = venue.advance(to: friday + .minutes(10)).compactMap { if case .quote(_, let touch, _) = $0 { touch } else { nil } }
        #expect(quotes.count > 500)
        for quote in quotes {
            #expect(quote.bid < quote.ask && quote.bid.isMultiple(of: Price(whole: 5)) && quote.ask.isMultiple(of: Price(whole: 5)))
            #expect(quote.bidSize > .zero && quote.bidSize < Quantity(whole: 25) && quote.askSize > .zero && quote.askSize < Quantity(whole: 25))
        }
        let moves = Set(quotes.map(\.bid)).count
        #expect(moves > 5, "the market moves")
        #expect(quotes.allSatisfy { $0.bid > Price(whole: 40_000) && $0.ask < Price(whole: 190_000) })
    }

    /// A stock that moves a third of a percent a minute is still the same stock weeks later.
    @Test func aLivelyWalkDoesNotWanderAway() throws {
        let stock = InstrumentID("TSLA.NASDAQ")
        var prices: [Price] = []
        for seed in 1...20 {
            for week in 0..<10 {
                var venue = try venue(seed: UInt64(seed), start: friday + .hours(168 * Int64(week)))
                let last = venue.last(stock)
                prices.append(try #require(last).price)
            }
        }
        #expect(prices.allSatisfy { $0 > Price(whole: 204) && $0 < Price(whole: 476) }, "within two fifths of 340")
        #expect(Set(prices).count > 190, "and yet it moves")
    }

    /// Every swing is walked, also the longest: its turning point falls into this very day, and no minute jumps there.
    @Test func noMinuteJumpsFurtherThanTheHourlyGap() throws {
        let turningPoint = Instant(seconds: 428 << 22)
        for seed in 1...12 {
            var venue = try venue(seed: UInt64(seed), start: turningPoint + .hours(12))
            let bars = venue.bars(mbt, length: .minutes(1), count: 1_380, end: turningPoint + .hours(12))
            #expect(bars.first.map { $0.start < turningPoint } == true)
            let moves = zip(bars, bars.dropFirst()).map { abs($0.close.raw - $1.close.raw) }
            // Twice the gap of twelve ticks, and ten times the minute's eight.
            #expect(moves.allSatisfy { $0 < Price(whole: (24 + 80) * 5).raw }, "seed \(seed): \(String(describing: moves.max()))")
        }
    }

    @Test func barsOfThePastEqualTheTradesSeenLive() throws {
        var venue = try venue(seed: 5)
        let start = Timeframe.minute.start(of: friday + .minutes(1))
        _ = venue.advance(to: start)
        _ = venue.handle(.watch(mbt), at: start)
        var bar: Bar?
        for event in venue.advance(to: start + .milliseconds(59_999)) {
            guard case .trade(_, let trade, _) = event else { continue }
            if bar == nil { bar = Bar(start: start, price: trade.price, size: trade.size) } else { bar?.add(price: trade.price, size: trade.size) }
        }
        let told = venue.bars(mbt, length: .minutes(1), count: 1, end: venue.now).first
        // The step at the very start of the minute was played before watching began.
        #expect(told?.close == bar?.close && told?.start == start)
        _ = venue.advance(to: start + .minutes(40))
        let history = venue.bars(mbt, length: .minutes(1), count: 60, end: venue.now)
        #expect(history.count == 60 && history.contains { $0.start == start && $0.close == bar?.close })
        #expect(history.last?.close == venue.last(mbt)?.price, "the forming bar ends at the last trade")
        #expect(zip(history, history.dropFirst()).allSatisfy { $1.start - $0.start == .minutes(1) })
    }

    @Test func longBarsHoldTheShortOnes() throws {
        var venue = try venue(seed: 5)
        let end = Timeframe(seconds: 300).start(of: friday) - .seconds(1)
        let minutes = venue.bars(mbt, length: .minutes(1), count: 5, end: end)
        let five = try #require(venue.bars(mbt, length: .minutes(5), count: 1, end: end).first)
        #expect(minutes.first?.open == five.open && minutes.last?.close == five.close)
        #expect(minutes.map(\.high).max() == five.high && minutes.map(\.low).min() == five.low)
        #expect(venue.bars(mbt, length: .hours(24), count: 30, end: end).count == 30)
    }

    @Test func aTapePlaysItsBarsHighsAndLowsIncluded() throws {
        let bars = [(100, 130, 90, 120), (125, 140, 120, 122)].enumerated().map { index, b in
            Bar(
                start: friday + .minutes(Int64(index)), open: Price(whole: Int64(b.0) * 500), high: Price(whole: Int64(b.1) * 500),
                low: Price(whole: Int64(b.2) * 500), close: Price(whole: Int64(b.3) * 500), volume: Quantity(whole: 1))
        }
        let tape = try #require(PriceTape(bars: bars))
        let chain = PaperCatalogue.microBitcoin(asOf: try day(2026, 11, 20), tape: tape)
        let listing = try #require(chain.first { $0.instrument.id == mbt })
        var venue = PaperExchange(rules: PaperRules(seed: 9), listings: [listing], start: friday + .minutes(2) - .milliseconds(1))
        let told = venue.bars(mbt, length: .minutes(1), count: 2, end: venue.now)
        #expect(told.map { [$0.open, $0.high, $0.low, $0.close] } == bars.map { [$0.open, $0.high, $0.low, $0.close] })
        #expect(PriceTape(bars: bars.reversed()) == nil && PriceTape(bars: []) == nil)
    }

    @Test func theChainHasTrueMonthsAndExpiries() throws {
        let chain = PaperCatalogue.microBitcoin(asOf: try day(2026, 11, 20)).map(\.instrument)
        #expect(chain.map(\.localSymbol).contains("MBTZ6") && chain.map(\.localSymbol).contains("MBTF7"))
        #expect(PaperCatalogue.expiry(year: 2026, month: 11)?.compact == "20261127")
        #expect(PaperCatalogue.expiry(year: 2026, month: 12)?.compact == "20261224", "the last Friday is Christmas Day")
        #expect(PaperCatalogue.expiry(year: 2027, month: 1)?.compact == "20270129")
        #expect(chain.allSatisfy { $0.multiplier == Quantity(raw: 10_000_000) && $0.minPriceIncrement == Price(whole: 5) })
        #expect(Set(chain.map(\.brokerContractID)).count == chain.count)
    }

    @Test func zonesFollowTheirRule() throws {
        func instant(_ year: Int, _ month: Int, _ date: Int, _ seconds: Int64) throws -> Instant {
            try day(year, month, date).startUTC + .seconds(seconds)
        }
        // 2026: 8 March 02:00 and 1 November 02:00 local.
        #expect(USZone.eastern.offset(at: try instant(2026, 3, 8, 7 * 3_600 - 1)) == -18_000)
        #expect(USZone.eastern.offset(at: try instant(2026, 3, 8, 7 * 3_600)) == -14_400)
        #expect(USZone.central.offset(at: try instant(2026, 11, 1, 7 * 3_600 - 1)) == -18_000)
        #expect(USZone.central.offset(at: try instant(2026, 11, 1, 7 * 3_600)) == -21_600)
        #expect(USZone.central.instant(try day(2026, 7, 1), minute: 0) == (try instant(2026, 7, 1, 5 * 3_600)))
    }

    @Test func cryptoFuturesHoursChangedInMay2026() throws {
        let hours = ExchangeHours.cmeCrypto
        func open(_ year: Int, _ month: Int, _ date: Int, _ minute: Int) throws -> Bool {
            hours.isOpen(at: USZone.central.instant(try day(year, month, date), minute: minute))
        }
        // Thursday 2026-03-12: the hour after 16:00 is shut; from June on it is not.
        let march = (try open(2026, 3, 12, 970), try open(2026, 3, 12, 1_020), try open(2026, 3, 14, 600))
        #expect(march == (false, true, false), "a Saturday too was shut before the change")
        let june = (try open(2026, 6, 11, 970), try open(2026, 6, 13, 600), try open(2026, 6, 13, 150))
        #expect(june == (true, true, false), "but for the weekend maintenance")
        #expect(try open(2025, 12, 25, 600) == false)
        let noon = USZone.central.instant(try day(2026, 3, 12), minute: 720)
        #expect(hours.endOfDay(after: noon) == noon + .hours(4))
    }
}
