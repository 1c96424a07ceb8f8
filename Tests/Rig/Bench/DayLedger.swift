// A ledger as busy days write it: orders with their sending, reports, fills and commissions.
import EdgeAgent
import Ledger
import Platform
import Values

enum DayLedger {
    /// Entries of one commit while the ledger is made.
    private static let commitSize = 1_000

    /// Writes `count` entries as one run of the edge; the first is its boot.
    /// - Parameter noise: each further entry is a text of so many random bytes instead, which nothing can make shorter; nil writes a day's orders.
    static func write(_ count: Int, to journal: Journal, noise: Int? = nil) throws {
        let boot = Boot(raw: UInt64.random(in: .min ... .max))
        var chain = Chain(edge: journal.edge, boot: boot, last: journal.last)
        var clock = ClockReading(wall: SystemClock.now() - .seconds(86_400), monotonic: .seconds(100))
        var waiting: [Entry] = []
        var number = Int64(journal.head.seq.raw)
        var isFirst = true
        while waiting.count < count - Int(journal.head.seq.raw) {
            let pause = Span(nanoseconds: Int64.random(in: 1_000_000...400_000_000))
            clock.wall = clock.wall + pause
            clock.monotonic = clock.monotonic + pause
            if isFirst {
                isFirst = false
                let fact = BootFact(version: Version.product, mode: .paper, machine: "bench", kernelBoot: "bench", configuration: "bench")
                waiting.append(try chain.append(Draft(.boot(fact)), at: clock))
            } else {
                number += 1
                let facts = noise.map { [self.noise(bytes: $0)] } ?? life(number, chain, at: clock.wall)
                for fact in facts { waiting.append(try chain.append(Draft(fact), at: clock)) }
            }
            let room = count - Int(journal.head.seq.raw)
            if waiting.count > room { waiting.removeLast(waiting.count - room) }
            guard waiting.count >= min(commitSize, room) else { continue }
            _ = try journal.commit(waiting)
            waiting = []
        }
    }

    /// As many random bits as so many bytes have, as text: six bits a letter.
    private static func noise(bytes: Int) -> Fact {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let text = (0..<(bytes * 8 + 5) / 6).map { _ in letters[Int.random(in: 0..<64)] }
        return .halt(HaltFact(level: .normal, source: "bench", reason: String(decoding: text, as: UTF8.self)))
    }

    /// The life of the next order of a run: five facts.
    static func life(_ number: Int64, _ chain: Chain, at now: Instant) -> [Fact] {
        order(number, ClOrdID(edge: chain.edge, intent: IntentID(boot: chain.boot, seq: chain.nextSeq), leg: 0), at: now)
    }

    /// The life of one order, bought and filled or sold and filled by turns.
    private static func order(_ number: Int64, _ tag: ClOrdID, at now: Instant) -> [Fact] {
        let instrument = InstrumentID("MBTZ6.CME")
        let side: Side = number % 2 == 0 ? .sell : .buy
        let price = Price(whole: Int64.random(in: 19_000...20_000) * 5)
        let leg = Leg(
            role: side == .buy ? .open : .close, instrument: instrument, side: side, quantity: Quantity(whole: 1), ordType: .market,
            timeInForce: .day, brokerOrderID: number)
        let fill = Fill(
            execID: "0000e0d5.\(String(UInt32.random(in: .min ... .max), radix: 16)).\(number).01", tag: tag, account: "DU1234567",
            instrument: instrument, side: side,
            lastQty: Quantity(whole: 1), lastPx: price, cumQty: Quantity(whole: 1), permID: Int64.random(in: 1...Int64(Int32.max)), transactTime: now)
        return [
            .intent(Ticket(account: "DU1234567", origin: .bot, bot: "breakout", reason: "breakout above \(price)", legs: [leg])),
            .sent(tags: [tag]),
            .orderReport(OrderReport(tag: tag, status: .new, permID: fill.permID, cumQty: .zero)),
            .fill(fill),
            .commission(Commission(execID: fill.execID, amount: Money(raw: 102_000_000), currency: "USD")),
        ]
    }
}
