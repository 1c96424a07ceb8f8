// The checker of the books sees every way in which they can be wrong, and nothing in books that are right.
import Simulation
import Testing
import Values
import Wire

struct PostingCheckerTests {
    private static let buy = #""execID":"a","instrument":"A","side":"BUY","lastQty":5"#
    private static let held = #"{"account":"position:U","amount":5,"asset":"A"},{"account":"trading:U","amount":-5,"asset":"A"}"#

    private func look(_ bodies: [(kind: UInt16, version: UInt16, body: String)]) -> String? {
        var checker = PostingChecker()
        let rows = bodies.enumerated().map { index, entry in
            EntryRow(
                seq: UInt64(index + 1), epoch: 1, boot: 1, wall: 0, mono: 0, hlc: 0, kind: entry.kind, kver: entry.version, flags: 0, ref: nil,
                body: Array(entry.body.utf8), prev: [], hash: [])
        }
        return checker.look(.rows(.edge, StoredRows(rows)), at: .zero)
    }

    @Test func booksThatAreRightPass() {
        let fee = #"{"amount":2,"postings":[{"account":"fee:U","amount":2,"asset":"USD"},{"account":"cash:U","amount":-2,"asset":"USD"}]}"#
        let reversal = #"{"execID":"a","postings":[{"account":"position:U","amount":-5,"asset":"A"},{"account":"trading:U","amount":5,"asset":"A"}]}"#
        let suspense = #"{"asset":"A","amount":5,"postings":[\#(Self.held.replacing("trading", with: "suspense"))]}"#
        #expect(
            look([
                (21, 1, "{\(Self.buy)}"), (21, 2, "{\(Self.buy),\"postings\":[]}"), (21, 2, "{\(Self.buy),\"postings\":[\(Self.held)]}"),
                (22, 2, fee), (52, 1, #"{"instrument":"A"}"#), (86, 1, suspense), (85, 1, reversal), (999, 9, "{}"),
            ]) == nil)
    }

    @Test func booksThatAreWrongAreTold() {
        let oneSided = Self.held.split(separator: "},").map { $0.hasSuffix("}") ? String($0) : $0 + "}" }[0]
        #expect(look([(21, 2, "{\(Self.buy),\"postings\":[\(oneSided)]}")]) == "entry 1 is off by 5 of A")
        #expect(look([(21, 2, "{\(Self.buy)}")]) == "entry 1 lists no postings")
        #expect(look([(21, 2, "{\(Self.buy),\"postings\":[{}]}")]) == "a posting of entry 1 cannot be read")
        let three = Self.held.replacing("5", with: "3")
        #expect(look([(21, 2, "{\(Self.buy),\"postings\":[\(three)]}")]) == "3 of A are posted, executions and suspense come to 5")
        let fee = #"{"amount":3,"postings":[{"account":"fee:U","amount":2,"asset":"USD"},{"account":"cash:U","amount":-2,"asset":"USD"}]}"#
        #expect(look([(22, 2, fee)]) == "the fee of entry 1 is not what was posted")
        let suspense = #"{"asset":"A","amount":5,"postings":[\#(Self.held.replacing("trading", with: "suspense"))]}"#
        #expect(look([(86, 1, suspense)]) == "A stands in suspense and nobody was told")
    }
}
