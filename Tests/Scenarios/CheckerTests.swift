// Checkers whose breach no planted mutant brings about, each shown to see it.
import Ledger
import Simulation
import Testing
import Values
import Wire

struct CheckerTests {
    private static let edge = EdgeID(bytes: [UInt8](repeating: 7, count: 16)) ?? { preconditionFailure("16 bytes") }()

    private static func row(_ seq: UInt64, _ kind: UInt16, _ body: String) -> EntryRow {
        EntryRow(
            seq: seq, epoch: 1, boot: 1, wall: Int64(seq), mono: Int64(seq), hlc: Int64(seq), kind: kind, kver: kind == 21 || kind == 22 ? 2 : 1,
            flags: 0, ref: nil, body: Array(body.utf8), prev: [UInt8](repeating: 0, count: 32), hash: [UInt8](repeating: UInt8(seq), count: 32))
    }

    private static let rows = StoredRows([
        row(
            1, 21,
            #"{"account":"A","cumQty":300,"execID":"1","instrument":"X.Y","lastPx":5,"lastQty":300,"permID":1,"postings":[],"side":"BUY","transactTime":1}"#
        ),
        row(
            2, 21,
            #"{"account":"A","cumQty":100,"execID":"2","instrument":"X.Y","lastPx":5,"lastQty":100,"permID":2,"postings":[],"side":"SELL","transactTime":2}"#
        ),
    ])

    @Test func theAuditorAddsUpWhatIsWritten() {
        let audit = LedgerAuditor(Self.rows)
        #expect(audit.positions == ["X.Y": 200] && audit.working.isEmpty && audit.halt == 0)
        let halted = LedgerAuditor([Self.row(1, 40, #"{"level":3,"reason":"r","source":"s"}"#)])
        #expect(halted.halt == 3)
    }

    @Test func anOrderNumberThatIsUsedAgainIsSeen() {
        func intent(_ seq: UInt64, _ numbers: Int...) -> EntryRow {
            Self.row(seq, 10, "{\"legs\":[" + numbers.map { "{\"brokerOrderID\":\($0),\"tag\":\"\($0)\"}" }.joined(separator: ",") + "]}")
        }
        var once = OnceChecker()
        #expect(once.look(.rows(.edge, StoredRows([intent(1, 1, 2), intent(2, 3)])), at: .zero) == nil)
        #expect(once.look(.rows(.edge, StoredRows([intent(1, 1, 2), intent(2, 3), intent(3, 2)])), at: .zero)?.contains("number 2") == true)
        var twins = OnceChecker()
        #expect(twins.look(.rows(.edge, StoredRows([intent(1, 4, 4)])), at: .zero) != nil)
    }

    /// A book that missed a row is not what the auditor adds up.
    @Test func aBookThatForgetsIsSeen() throws {
        let quiet = Observation.quiet(edge: Self.rows, cloud: Self.rows, BrokerBooks(executions: [:], working: [], believed: []))
        var right = BookChecker(edge: Self.edge)
        let book = try #require(BookChecker.book(Self.rows, Self.edge))
        #expect(book.positions.count == 1)
        #expect(right.look(quiet, at: .zero) == nil)
        var wrong = BookChecker(edge: Self.edge) { rows, edge in BookChecker.book(StoredRows(Array(rows.dropLast())), edge) }
        #expect(wrong.look(quiet, at: .zero)?.contains("positions") == true)
    }

    @Test func moreThanTheCreditIsSeen() {
        var bounds = BoundsChecker(entries: 6, bytes: 1_000)
        #expect(bounds.look(.sent(after: 0, upTo: 3, bytes: 400), at: .zero) == nil)
        #expect(bounds.look(.sent(after: 3, upTo: 6, bytes: 400), at: .zero) == nil)
        #expect(bounds.look(.sent(after: 3, upTo: 6, bytes: 400), at: .zero) == nil, "sent again")
        #expect(bounds.look(.sent(after: 6, upTo: 7, bytes: 100), at: .zero) != nil)
        _ = bounds.look(.acked(seq: 6, hash: []), at: .zero)
        #expect(bounds.look(.sent(after: 7, upTo: 9, bytes: 950), at: .zero) != nil, "too many bytes")
    }

    @Test func aShortLedgerMustSaySo() {
        var mark = MarkChecker()
        _ = mark.look(.injected(.edgeRestored(losesKnown: false, isFair: false, short: 2)), at: .zero)
        #expect(mark.look(.rows(.edge, Self.rows), at: .zero) == nil, "no run has written yet")
        var boot = Self.row(3, 1, "{}")
        #expect(mark.look(.rows(.edge, StoredRows(Array(Self.rows) + [boot])), at: .zero) == nil, "it came back")
        boot.boot = 77
        _ = mark.look(.begins(boot: 77), at: .zero)
        var silent = mark
        #expect(silent.look(.rows(.edge, StoredRows(Array(Self.rows) + [boot])), at: .zero) != nil)
        var halt = Self.row(4, 40, #"{"level":2,"reason":"r","source":"rule:rollback"}"#)
        halt.boot = 77
        #expect(mark.look(.rows(.edge, StoredRows(Array(Self.rows) + [boot, halt])), at: .zero) == nil)
    }

    @Test func accusationsAndSilencesAreSeen() {
        var told = TellChecker()
        #expect(told.look(.reported("FORK"), at: .zero) != nil, "nothing was done")
        told = TellChecker()
        _ = told.look(.injected(.edgeRestored(losesKnown: true, isFair: false, short: nil)), at: .zero)
        var silent = told
        #expect(silent.look(.opened(.edge), at: .zero) != nil)
        _ = silent.look(.injected(.edgeRestored(losesKnown: nil, isFair: false, short: nil)), at: .zero)
        #expect(silent.look(.opened(.edge), at: .zero) != nil, "a copy of the same leaves the first one to be told")
        #expect(told.look(.reported("EDGE_BEHIND"), at: .zero) == nil && told.look(.opened(.edge), at: .zero) == nil)
        _ = told.look(.greeted(.edge, epoch: 1), at: .zero)
        #expect(told.look(.refused(.edge, "FORK", stored: 1), at: .zero) == nil)
        #expect(told.look(.refused(.edge, "FORK", stored: 2), at: .zero) != nil, "another lineage goes on")
        _ = told.look(.chosen(epoch: 2), at: .zero)
        #expect(told.look(.reported("FORK"), at: .zero) == nil, "the chosen copy may have vanished")
        #expect(told.look(.opened(.edge), at: .zero) != nil, "another lineage was chosen")
        _ = told.look(.greeted(.edge, epoch: 2), at: .zero)
        #expect(told.look(.opened(.edge), at: .zero) == nil)
        _ = told.look(.injected(.twinStarted(meetsOriginal: true)), at: .zero)
        #expect(told.look(.injected(.twinHadTime), at: .zero) != nil)
    }

    /// What a restored cloud lacks is to be told, unless a copy of the edge has sent it again before the edge could ask.
    @Test func whatACopySentAgainIsNotMissed() {
        for (seq, hasCopy) in [(UInt64(1), true), (2, true), (3, true), (3, false)] {
            var told = TellChecker()
            _ = told.look(.injected(.cloudRestored(isRenamed: false, mayBeKnown: true, lacks: 2)), at: .zero)
            if hasCopy { _ = told.look(.opened(.twin), at: .zero) }
            _ = told.look(.copyAcked(seq: seq), at: .zero)
            #expect((told.look(.opened(.edge), at: .zero) == nil) == (seq >= 2 && hasCopy), "without a copy it is a late word of the store that was")
        }
    }

    /// A WELCOME of a store that was put back since acknowledges nothing that the present one has to have.
    @Test func onlyTheStoreOfNowAcknowledges() {
        let (first, second) = (Self.row(1, 1, "{}"), Self.row(2, 1, "{}"))
        for isLate in [true, false] {
            var acked = AckChecker()
            _ = acked.look(.setBack(.cloud), at: .zero)
            _ = acked.look(isLate ? .openedLate(.edge) : .opened(.edge), at: .zero)
            _ = acked.look(.acked(seq: 2, hash: second.hash), at: .zero)
            #expect((acked.look(.rows(.cloud, StoredRows([first])), at: .zero) == nil) == isLate)
        }
    }

    @Test func aHaltThatFallsByItselfIsSeen() {
        let halt = Self.row(1, 40, #"{"level":3,"reason":"r","source":"link:FORK"}"#)
        let resume = Self.row(2, 41, #"{"level":0,"reason":"r","source":"console"}"#)
        for isAsked in [true, false] {
            var checker = HaltChecker()
            if isAsked { _ = checker.look(.lowers, at: .zero) }
            #expect(checker.look(.rows(.edge, StoredRows([halt])), at: .zero) == nil)
            #expect((checker.look(.rows(.edge, StoredRows([halt, resume])), at: .zero) == nil) == isAsked)
        }
        var falls = HaltChecker()
        let lower = Self.row(2, 40, #"{"level":2,"reason":"r","source":"rule:rollback"}"#)
        #expect(falls.look(.rows(.edge, StoredRows([halt, lower])), at: .zero) != nil)
        var remote = HaltChecker()
        _ = remote.look(.lowers, at: .zero)
        let other = Self.row(2, 41, #"{"level":0,"reason":"r","source":"cloud:admin"}"#)
        #expect(remote.look(.rows(.edge, StoredRows([halt, other])), at: .zero) != nil)
    }

    @Test func anEpochThatNobodyDecidedIsSeen() {
        var lineage = LineageChecker()
        var next = Self.row(3, 1, "{}")
        next.epoch = 2
        #expect(lineage.look(.rows(.edge, StoredRows(Array(Self.rows) + [next])), at: .zero) != nil)
    }

    @Test func damageThatIsTakenForGoodIsSeen() {
        let rotten = Observation.injected(.rotten(.cloud, seq: 2))
        var rot = RotChecker()
        #expect(rot.look(.compared(.healed, "entry 2"), at: .seconds(1)) != nil, "nothing was damaged")
        #expect(rot.look(.troubled("entry 2"), at: .seconds(1)) != nil)
        #expect(rot.look(.compared(.agrees, ""), at: .zero) == nil && rot.look(.shown(seq: 2), at: .zero) != nil)
        _ = rot.look(rotten, at: .zero)
        #expect(rot.look(.compared(.healed, "entry 2"), at: .zero) == nil)
        #expect(rot.look(.started(.cloud, refused: true, isSpared: false), at: .zero) == nil)
        #expect(rot.look(.started(.edge, refused: false, isSpared: true), at: .zero) == nil)
        #expect(rot.look(.started(.cloud, refused: false, isSpared: false), at: .zero) != nil)
        #expect(rot.look(.injected(.rotHadTime(isMended: false, isFair: true)), at: .zero) != nil)
        _ = rot.look(rotten, at: .zero)
        #expect(rot.look(.injected(.rotHadTime(isMended: false, isFair: false)), at: .zero) == nil, "somebody died meanwhile")
    }

    /// The cloud's signed word is held to what its disk has, and an entry that repeats it to what the ledger has.
    @Test func aWordForWhatIsNotThereIsSeen() {
        let last = [UInt8](repeating: 2, count: 32)
        var words = CountersignChecker()
        _ = words.look(.countersigned(seq: 2, hash: last), at: .zero)
        #expect(words.look(.rows(.cloud, Self.rows), at: .zero) == nil)
        #expect(words.look(.rows(.cloud, StoredRows(Array(Self.rows.prefix(1)))), at: .zero) != nil)
        _ = words.look(.setBack(.cloud), at: .zero)
        #expect(words.look(.rows(.cloud, StoredRows()), at: .zero) == nil, "it was put back")
        func word(_ hash: [UInt8]) -> StoredRows {
            StoredRows(Array(Self.rows) + [Self.row(3, 8, #"{"hash":"\#(Hex.text(hash))","key":"","seq":2,"signature":""}"#)])
        }
        #expect(words.look(.rows(.edge, word(last)), at: .zero) == nil)
        #expect(words.look(.rows(.edge, word([UInt8](repeating: 9, count: 32))), at: .zero) != nil)
    }

    @Test func whatMovesTooEarlyIsSeen() {
        var shelf = ShelfChecker()
        _ = shelf.look(.acked(seq: 9, hash: []), at: .zero)
        _ = shelf.look(.backedUp(through: 8), at: .zero)
        #expect(shelf.look(.moved(through: 8), at: .zero) == nil && shelf.look(.moved(through: 9), at: .zero) != nil)
        _ = shelf.look(.backedUp(through: 20), at: .zero)
        #expect(shelf.look(.moved(through: 16), at: .zero) != nil, "the cloud has nine")
    }
}
