// The book's digest: equal for equal folds, another for every change, and never a matter of a dictionary's order.
import Ledger
import Testing
import Values
import Wire

struct DigestTests {
    /// One of everything, in an order that makes sense: an intent with its reports, fills and what follows.
    static func history() throws -> TestLedger {
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        try ledger.add(.brokerSession(BrokerSessionFact(connected: true, generation: 1, account: "DU1", text: "t")))
        var stop = BookTests.leg(.sell, id: 2)
        stop.role = .protect; stop.ordType = .trailingStop; stop.stopPrice = Price(whole: 90_000); stop.trailing = .percent(Ratio(raw: 100_000))
        stop.parent = 0
        let ticket = Ticket(account: "DU1", origin: .bot, command: BookTests.command, bot: "b", reason: "why", legs: [BookTests.leg(), stop])
        let tags = try ledger.add(.intent(ticket)).intentTags()
        try ledger.add(.sent(tags: [tags[0]]))
        try ledger.add(BookTests.fill("e1", tags[0], .buy, 1, 98_000))
        try ledger.add(.commission(Commission(execID: "e1", amount: Money(whole: 2), currency: "USD")))
        try ledger.add(.commission(Commission(execID: "early", amount: Money(whole: 3), currency: "USD")))
        try ledger.add(BookTests.fill("e2", tags[0], .buy, 2, 98_500))
        try ledger.add(.orderReport(OrderReport(tag: tags[0], status: .new, permID: 4, code: 1, text: "taken")))
        try ledger.add(.modifyIntent(ModifyIntent(tag: tags[0], quantity: Quantity(whole: 2), stopPrice: Price(whole: 4), reason: "r")))
        try ledger.add(.stopMoved(tag: tags[1], level: Price(whole: 91_000)))
        try ledger.add(.cancelIntent(CancelIntent(tag: tags[1], origin: .manual, reason: "r")))
        try ledger.add(.cancelRefused(CancelRefusal(tag: tags[1], code: 161, text: "no")))
        try ledger.add(.commandAccepted(CommandOutcome(command: BookTests.command, kind: "order", issuer: "a", code: "done", text: "x")))
        try ledger.add(
            .denied(Denial(rule: "r", instrument: BookTests.mbt, side: .buy, quantity: Quantity(whole: 9), origin: .bot, bot: "b", text: "t")))
        try ledger.add(.halt(HaltFact(level: .reducing, source: "console", reason: "test", command: BookTests.command)))
        try ledger.add(.instrumentHalt(instrument: BookTests.mbt, halted: true, reason: "R9"))
        try ledger.add(.reconciled(ReconciledFact(generation: 1, evidence: "e", differences: 0)))
        try ledger.add(.difference(Difference(rule: "R9", instrument: BookTests.mbt, text: "t")))
        try ledger.add(.bot(BotFact(bot: "b", instrument: BookTests.mbt, state: "ARMED", reason: "r", until: Instant(seconds: 9))))
        var corrected = Fill(
            execID: "e3", tag: tags[0], account: "DU1", instrument: BookTests.mbt, side: .buy, lastQty: Quantity(whole: 1),
            lastPx: Price(whole: 97_000),
            cumQty: Quantity(whole: 3), permID: 0, transactTime: Instant(seconds: 1))
        corrected.corrects = "e1"
        for fact in BookTests.everyMovement { try ledger.add(fact) }
        try ledger.add(.fill(corrected))
        return ledger
    }

    /// Members that no fold keeps: words for the reader of the ledger, advice of the broker, and what only names the subject.
    static let unfolded: Set<String> = [
        // Of money only the lines are folded; the words beside them say how they came about.
        "transfer.account", "transfer.amount", "transfer.currency", "transfer.at", "transfer.note", "transfer.source",
        "dividend.account", "dividend.amount", "dividend.currency", "dividend.at", "dividend.note", "dividend.source", "dividend.instrument",
        "interest.account", "interest.amount", "interest.currency", "interest.at", "interest.note", "interest.source",
        "accountFee.account", "accountFee.amount", "accountFee.currency", "accountFee.at", "accountFee.note", "accountFee.source",
        "borrowFee.account", "borrowFee.amount", "borrowFee.currency", "borrowFee.at", "borrowFee.note", "borrowFee.source", "borrowFee.instrument",
        "exchange.account", "exchange.sold", "exchange.soldCurrency", "exchange.bought", "exchange.boughtCurrency", "exchange.at", "exchange.note",
        "exchange.source", "correction.reason",
        "suspense.account", "suspense.amount", "suspense.rule", "suspense.text",
        "cancelIntent.origin", "cancelIntent.reason", "modifyIntent.reason", "cancelIntent.tag", "stopMoved.tag", "commission.currency",
    ]

    func fold(_ entries: [Entry]) -> Book {
        var book = Book()
        for entry in entries { book.apply(entry) }
        return book
    }

    @Test func equalFoldsHaveOneDigestAndTheSumsAreSound() throws {
        let entries = try Self.history().entries
        var book = Book()
        var seen: Set<[UInt8]> = []
        for entry in entries {
            book.apply(entry)
            #expect(book.digest() == book.recountedDigest(), "a change went past the sums at entry \(entry.seq)")
            #expect(seen.insert(book.digest()).inserted, "entry \(entry.seq) changed nothing")
        }
        #expect(fold(entries).digest() == book.digest())
        #expect(Book(edge: TestLedger.edge).digest() == Book().digest())
    }

    /// Every leaf of every body is changed, one at a time: the book says so, or the leaf is among those that are not folded.
    @Test func everySingleChangeGivesAnotherDigest() throws {
        let entries = try Self.history().entries
        let good = fold(entries).digest()
        var changed = 0
        for (index, entry) in entries.enumerated() {
            let kind = try #require(Kind(rawValue: entry.kind))
            for (name, body) in Self.mutations(of: try JSONReader.read(entry.body)) where !Self.unfolded.contains("\(kind).\(name)") {
                var other = entries
                other[index].body = try JSONWriter.canonical(body)
                // A body that says nothing any more is counted and leaves its fact out.
                #expect(fold(other).digest() != good, "\(kind).\(name) may change unnoticed")
                #expect(fold(other).digest() == fold(other).recountedDigest(), "\(kind).\(name)")
                changed += 1
            }
        }
        #expect(changed > 100)
    }

    /// The same state reached over other ways, so that dictionaries hold the same in another order.
    @Test func theOrderOfDictionariesIsNoPartOfIt() throws {
        let ids = (0..<40).map { InstrumentID("I\($0)") }
        func digest(_ order: [InstrumentID]) throws -> [UInt8] {
            var ledger = try TestLedger()
            for id in order {
                var instrument = BookTests.instrument
                instrument.id = id
                try ledger.add(.instrument(instrument))
                try ledger.add(.instrumentHalt(instrument: id, halted: true, reason: "r"))
                try ledger.add(.commission(Commission(execID: id.text, amount: Money(whole: 1), currency: "USD")))
            }
            return ledger.book.digest()
        }
        let first = try digest(ids)
        for seed in 0..<5 {
            var random = SeededRandom(seed: UInt64(seed))
            var order = ids
            for place in order.indices.reversed() { order.swapAt(place, random.int(0...place)) }
            #expect(try digest(order) == first)
        }
    }

    /// The value with one leaf changed, once for each leaf, named by its path without places in lists.
    static func mutations(of value: JSONValue, _ name: String = "") -> [(String, JSONValue)] {
        switch value {
        case .bool(let flag): return [(name, .bool(!flag))]
        case .integer(let number): return [(name, .integer(number + 1))]
        case .string(let text): return [(name, .string(text + "x"))]
        case .array(let values):
            return values.indices.flatMap { place in
                mutations(of: values[place], name).map { name, changed in
                    var all = values
                    all[place] = changed
                    return (name, .array(all))
                }
            }
        case .object(let members):
            return members.indices.flatMap { place in
                mutations(of: members[place].value, name.isEmpty ? members[place].key : name + "." + members[place].key).map { name, changed in
                    var all = members
                    all[place].value = changed
                    return (name, .object(all))
                }
            }
        case .null, .number: return []
        }
    }
}
