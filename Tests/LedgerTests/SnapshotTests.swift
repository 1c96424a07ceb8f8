// The book out of its parts: the same digest, the same answers, and the same fold of whatever follows; spoilt bytes are refused.
import Ledger
import Testing
import Values
import Wire

struct SnapshotTests {
    static let header = SnapshotHeader(edge: TestLedger.edge, release: "r", head: .start, signer: nil)

    static func file(_ book: Book, beside: [UInt8] = [1, 2, 3]) -> [UInt8] {
        var header = header
        header.head = book.head
        var builder = SnapshotBuilder(header, book, beside: beside)
        var bytes: [UInt8] = []
        while let more = builder.nextBytes() { bytes += more }
        #expect(builder.byteCount == bytes.count && builder.hash != nil)
        return bytes
    }

    static func reopened(_ book: Book) throws -> Book {
        let file = try SnapshotFile(file(book))
        #expect(file.isSound(0..<file.partCount))
        let (again, beside) = try file.open()
        #expect(beside == [1, 2, 3])
        return again
    }

    /// Everything that anybody asks of a book.
    static func expectSame(_ a: Book, _ b: Book, _ tags: [ClOrdID]) {
        #expect(a.head == b.head && a.edge == b.edge && a.unreadable == b.unreadable)
        #expect(a.digest() == b.digest() && b.digest() == b.recountedDigest())
        #expect(a.orders.elementsEqual(b.orders) && a.fills.elementsEqual(b.fills) && a.workingOrders == b.workingOrders)
        #expect(a.commands == b.commands && a.commandOrders == b.commandOrders && a.positions == b.positions && a.instruments == b.instruments)
        #expect(a.bots == b.bots && a.denials == b.denials && a.differences == b.differences && a.balances == b.balances)
        #expect(a.suspended == b.suspended && a.haltedInstruments == b.haltedInstruments && a.haltFact == b.haltFact && a.boot == b.boot)
        for tag in tags { #expect(a.order(tag) == b.order(tag)) }
        for instrument in Set(a.orders.map(\.leg.instrument)) {
            // The list that is kept of them says what the orders say.
            let unknown = a.workingOrders.first { $0.status == .unknown && $0.leg.instrument == instrument }?.tag
            #expect(a.unknownOrder(of: instrument) == unknown && b.unknownOrder(of: instrument) == unknown)
        }
        for fill in a.fills {
            #expect(b.hasExecution(fill.fill.execID) && b.fill(fill.fill.execID) == fill)
            #expect(a.hasCommission(fill.fill.execID) == b.hasCommission(fill.fill.execID))
        }
        for order in a.orders { #expect(b.order(brokerOrderID: order.leg.brokerOrderID) == a.order(brokerOrderID: order.leg.brokerOrderID)) }
        #expect(!b.hasExecution("never") && b.order(ClOrdID("never")) == nil && b.order(brokerOrderID: 1_000_000) == nil)
    }

    /// Two names of an execution that look the same and differ in a byte are two executions, fresh or out of a snapshot, and to the last entry alike.
    @Test func textsThatOnlyLookTheSameAreTwo() throws {
        let composed = "caf\u{E9}", spelled = "cafe\u{301}"
        #expect(composed == spelled && Array(composed.utf8) != Array(spelled.utf8))
        var ledger = try TestLedger()
        try ledger.add(BookTests.fill(composed, nil, .buy, 1, 98_000))
        var again = try Self.reopened(ledger.book)
        for book in [ledger.book, again] { #expect(book.hasExecution(composed) && !book.hasExecution(spelled)) }
        let second = try ledger.add(BookTests.fill(spelled, nil, .buy, 2, 98_000))
        again.apply(second)
        #expect(ledger.book.fills.count == 2 && again.fills.count == 2 && ledger.book.digest() == again.digest())
        for book in [ledger.book, again, try Self.reopened(again)] {
            #expect(book.fill(composed)?.fill.lastQty == Quantity(whole: 1) && book.fill(spelled)?.fill.lastQty == Quantity(whole: 2))
        }
    }

    /// A record that does not come back from its packed form.
    private struct Faulty: Packable {
        let number: UInt64
        var canonical: [UInt8] { [1] }
        init(_ number: UInt64) { self.number = number }
        init(_ reader: inout Unpacker) throws(PackError) { number = UInt64(try reader.little(UInt8.self)) }
    }

    /// Whoever makes a snapshot hears that there is none to be made; the records stay at hand.
    @Test func whatDoesNotPackIsNotPacked() {
        var records = Records<Faulty>()
        for number in 0..<300 { records.append(Faulty(UInt64(number))) }
        let isPacked = records.packNext()
        #expect(!isPacked && records.packed(0) == nil && records.packed(1) == nil)
        #expect(records[299] == Faulty(299))
    }

    /// Each body is as long as one may be, and an order holds the texts of two.
    @Test func theLongestTextsOfAnEdgePack() throws {
        var ledger = try TestLedger()
        let reason = String(repeating: "r", count: 63_000), words = String(repeating: "w", count: 64_000)
        var tags: [ClOrdID] = []
        for number in 0..<32 {
            let legs = (0..<8).map { BookTests.leg(id: Int64(number * 8 + $0)) }
            tags += try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: reason, legs: legs))).intentTags()
        }
        for tag in tags { try ledger.add(.orderReport(OrderReport(tag: tag, status: .new, permID: 1, text: words))) }
        let isPrepared = ledger.book.prepareParts()
        #expect(isPrepared)
        let again = try Self.reopened(ledger.book)
        #expect(again.order(tags[255]) == ledger.book.order(tags[255]) && again.digest() == ledger.book.digest())
    }

    /// The keys that are not sorted yet stay few, however many are added in one go: a large dictionary holds up whoever makes it grow.
    @Test func anIndexSortsItsKeysAsTheyCome() {
        var index = KeyIndex<Int64>()
        var freshMax = 0
        for place in 0..<40_000 {
            index.add(Int64(place) * 3, at: place)
            freshMax = max(freshMax, index.freshCount)
        }
        #expect(freshMax <= 16_384)
        for place in stride(from: 0, to: 40_000, by: 37) {
            #expect(index.place(of: Int64(place) * 3) { $0 == place } == place && index.place(of: Int64(place) * 3 + 1) { _ in false } == nil)
        }
    }

    /// At every entry of a history with one of everything: kept, read back, and folded on to the end.
    @Test func atEveryEntryTheBookComesBackAndFoldsOnTheSame() throws {
        let history = try DigestTests.history()
        let tags = history.entries.flatMap { (try? $0.intentTags()) ?? [] }
        for cut in 0...history.entries.count {
            var book = Book(edge: TestLedger.edge)
            for entry in history.entries.prefix(cut) { book.apply(entry) }
            var again = try Self.reopened(book)
            Self.expectSame(book, again, tags)
            for entry in history.entries.dropFirst(cut) {
                book.apply(entry)
                again.apply(entry)
                #expect(book.digest() == again.digest(), "kept after \(cut), other at \(entry.seq)")
            }
            Self.expectSame(book, again, tags)
        }
    }

    /// An order whose fate is unknown keeps its instrument from the next one, behind a snapshot as before it, until somebody proves what became of it.
    @Test func anUnknownFateStaysUnknown() throws {
        var ledger = try TestLedger()
        let tag = try #require(
            try ledger.add(.intent(Ticket(account: "DU1", origin: .manual, reason: "r", legs: [BookTests.leg()]))).intentTags().first)
        try ledger.restart(boot: 78)
        var again = try Self.reopened(ledger.book)
        #expect(ledger.book.unknownOrder(of: BookTests.mbt) == tag && again.unknownOrder(of: BookTests.mbt) == tag)
        again.apply(try ledger.add(.orderReport(OrderReport(tag: tag, status: .new, permID: 7))))
        #expect(ledger.book.unknownOrder(of: BookTests.mbt) == nil && again.unknownOrder(of: BookTests.mbt) == nil)
        Self.expectSame(ledger.book, again, [tag])
    }

    /// A long history over many pieces, by chance: late fills, commissions and reversals reach into pieces that lie packed.
    static func long(_ orders: Int, seed: UInt64) throws -> TestLedger {
        var random = SeededRandom(seed: seed)
        var ledger = try TestLedger()
        try ledger.add(.instrument(BookTests.instrument))
        var open: [(tag: ClOrdID, id: String)] = []
        for number in 0..<orders {
            let leg = BookTests.leg(random.chance(1, in: 2) ? .buy : .sell, quantity: 2, id: Int64(number % 700 + 1))
            let ticket = Ticket(account: "DU1", origin: .bot, bot: "b", reason: "reason \(number)", legs: [leg])
            let tag = try ledger.add(.intent(ticket)).intentTags()[0]
            open.append((tag, "e\(number)"))
            switch random.int(0...5) {
            case 0: try ledger.add(.orderReport(OrderReport(tag: tag, status: .canceled, permID: Int64(number), text: "gone")))
            case 1: break
            default:
                try ledger.add(BookTests.fill("e\(number)", tag, leg.side, 2, Int64(random.int(90_000...99_000))))
                if random.chance(3, in: 4) {
                    try ledger.add(.commission(Commission(execID: "e\(number)", amount: Money(whole: 1), currency: "USD")))
                }
            }
            if random.chance(1, in: 10) {
                let old = open[random.int(0...open.count - 1)]
                switch random.int(0...2) {
                case 0: try ledger.add(BookTests.fill("late-\(number)", old.tag, .buy, 1, 95_000))
                case 1: try ledger.add(.commission(Commission(execID: old.id, amount: Money(whole: 2), currency: "USD")))
                default: try ledger.add(.correction(Correction(execID: old.id, by: "late-\(number)", reason: "test")))
                }
            }
        }
        return ledger
    }

    @Test(arguments: [UInt64(1), 2]) func aLongBookIsTheSameFoldedOrReopened(seed: UInt64) throws {
        let history = try Self.long(700, seed: seed)
        let tags = history.entries.flatMap { (try? $0.intentTags()) ?? [] }
        #expect(history.book.orders.pieceCount == 3)
        var book = Book(edge: TestLedger.edge), other = Book(edge: TestLedger.edge)
        for (number, entry) in history.entries.enumerated() {
            book.apply(entry)
            other.apply(entry)
            guard number % 397 == 396 else { continue }
            other = try Self.reopened(other)
            #expect(book.digest() == other.digest(), "reopened at \(entry.seq)")
        }
        Self.expectSame(book, other, tags)
        // Made ready and opened, it says the same again.
        while other.prepareParts() {}
        #expect(other.digest() == book.digest() && Self.file(other) == Self.file(book))
        var packed = try Self.reopened(other)
        Self.expectSame(book, packed, tags)
        while packed.openNext() {}
        Self.expectSame(book, packed, tags)
        #expect(packed.orders.newest(300) == Array(book.orders.reversed().prefix(300)))
        #expect(packed.fills.last { $0.fill.side == .sell } == book.fills.last { $0.fill.side == .sell })
    }

    /// Every byte, one bit each: the table or a part says so, and nothing of it is folded.
    @Test func everyFlippedByteIsNoticed() throws {
        let bytes = Self.file(try Self.long(20, seed: 3).book)
        for place in bytes.indices {
            var spoilt = bytes
            spoilt[place] ^= 1 << UInt8(place % 8)
            guard let file = try? SnapshotFile(spoilt) else { continue }
            #expect(!file.isSound(0..<file.partCount), "byte \(place) of \(bytes.count)")
        }
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: SnapshotError.self) { try SnapshotFile(Array(bytes.prefix(length))) }
        }
        // The control: the file as it was written.
        let file = try SnapshotFile(bytes)
        #expect(file.isSound(0..<file.partCount))
    }

    /// Who signed before the key was changed comes back with the header; where nobody did, the form is that of the releases before.
    @Test func theFormerSignerIsInTheHeader() throws {
        let key = [UInt8](repeating: 1, count: 32), former = FormerSigner(key: [UInt8](repeating: 2, count: 32), until: Instant(seconds: 9))
        let book = try TestLedger().book
        for (former, form) in [(nil, "tidewire.snapshot2"), (former, "tidewire.snapshot3")] as [(FormerSigner?, String)] {
            let header = SnapshotHeader(edge: TestLedger.edge, release: "r", head: book.head, signer: key, former: former)
            var builder = SnapshotBuilder(header, book, beside: [])
            var bytes: [UInt8] = []
            while let more = builder.nextBytes() { bytes += more }
            #expect(try SnapshotFile(bytes).header == header && String(decoding: bytes, as: UTF8.self).contains(form))
        }
    }

    @Test func namesSortAsTheirEntriesDo() {
        #expect(SnapshotFile.name(Seq(70_000)) == "snapshot-00000000000000070000.zst")
        #expect(SnapshotFile.seq(of: SnapshotFile.name(Seq(9))) == Seq(9))
        for name in ["snapshot-9.zst", "snapshot-x.zst", "ledger.db", "snapshot-00000000000000070000.zst.new", ""] {
            #expect(SnapshotFile.seq(of: name) == nil)
        }
    }
}
