// Digests over stored bytes, which entries of a range hash into the chain, and which bytes may take a damaged entry's place.
import Ledger
import Testing
import Values
import Wire

@Suite struct StoredRangeTests {
    private let edge: EdgeID
    private let entries: [Entry]

    init() throws {
        edge = try #require(EdgeID(bytes: [UInt8](1...16)))
        var chain = Chain(edge: edge, boot: Boot(raw: 5), last: nil)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        var all = [try chain.append(Draft(.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))), at: clock)]
        for number in 0..<99 { all.append(try chain.append(Draft(.shutdown(reason: "\(number)")), at: clock)) }
        entries = all
    }

    private func range(_ from: Int = 1, _ all: [Entry?]? = nil) -> StoredRange { StoredRange(edge: edge, from: Seq(UInt64(from)), all ?? entries) }

    @Test func theDigestIsWhatAnybodyCanCompute() {
        let first = entries[0], second = entries[1]
        var said = Array("tidewire.range1".utf8) + edge.bytes + [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]
        said += first.hash + first.hash + second.hash + second.hash
        #expect(range(1, [first, second]).digests(step: 1_024) == [Hashing.blake2b(said)])
        #expect(range().digests(step: 32).count == 4 && range().digests(step: 1).count == 100)
    }

    /// Whatever is changed of an entry, its digest changes, and no other; and the check names it.
    @Test(arguments: 0..<13) func everyColumnIsUnderTheDigest(column: Int) {
        var bad = entries[41]
        switch column {
        case 0: bad.epoch += 1
        case 1: bad.boot = Boot(raw: 6)
        case 2: bad.wall = bad.wall + .seconds(1)
        case 3: bad.mono = bad.mono + .seconds(1)
        case 4: bad.hlc += 1
        case 5: bad.kind += 1
        case 6: bad.kindVersion += 1
        case 7: bad.flags = .degraded
        case 8: bad.ref = [1]
        case 9: bad.body[3] ^= 1
        case 10: bad.previous[3] ^= 1
        case 11: bad.hash[3] ^= 1
        default: bad.seq = Seq(43)
        }
        var all: [Entry?] = entries
        all[41] = bad
        let (good, rotten) = (range().digests(step: 1), range(1, all).digests(step: 1))
        #expect(good.indices.filter { good[$0] != rotten[$0] } == [41])
        #expect(range(1, all).check(endingAt: entries[99].head) == .wrong(entries[41].head))
        #expect(range(1, all).sound(from: Seq(42)) == nil)
    }

    @Test func aWholeRangeNamesWhatStandsBeforeIt() {
        #expect(range().check(endingAt: entries[99].head) == .whole(before: .start))
        #expect(range(51, Array(entries[50...])).check(endingAt: entries[99].head) == .whole(before: entries[49].head))
        var all: [Entry?] = entries
        all[7] = nil
        all[3] = nil
        #expect(range(1, all).check(endingAt: entries[99].head) == .wrong(entries[7].head), "the highest one")
        // An end that is another's is no end of this range: nothing under it is believed.
        #expect(range().check(endingAt: Head(seq: Seq(100), hash: entries[98].hash)) == .wrong(Head(seq: Seq(100), hash: entries[98].hash)))
    }

    @Test func onlyTheBytesThatTheChainNamesMayTakeAPlace() {
        let end = entries[99].head
        func refusal(_ entry: Entry, _ after: Entry?) -> String? { Chain.refusal(of: entry, before: after, end: end, edge: edge) }
        #expect(refusal(entries[41], entries[42]) == nil && refusal(entries[99], nil) == nil)
        var forged = entries[41]
        forged.body = Array(#"{"reason":"forged"}"#.utf8)
        #expect(refusal(forged, entries[42]) != nil, "not its hash")
        forged.hash = Chain.hash(forged, edge: edge)
        #expect(refusal(forged, entries[42]) != nil, "a hash of its own, which nobody names")
        #expect(refusal(entries[41], entries[43]) != nil && refusal(entries[41], nil) != nil)
        var after = entries[42]
        after.body[3] ^= 1
        #expect(refusal(entries[41], after) != nil, "what names it is damaged itself")
        after = entries[42]
        after.previous = forged.hash
        after.hash = Chain.hash(after, edge: edge)
        #expect(refusal(entries[41], after) != nil)
    }
}
