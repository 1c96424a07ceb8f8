// The verdict table: every generated pair of histories gets the verdict that a plain comparison of the two lists gives.
import Ledger
import Sync
import Testing
import Values

struct VerdictTests {
    static func hello(_ entries: [Entry], acked: Head = .start, oldest: UInt64 = 1, minimum: Int64 = 1, maximum: Int64 = 1) -> Hello {
        Hello(
            edge: Samples.edge, protocolMin: minimum, protocolMax: maximum, release: "test", boot: Boot(raw: 1), attempt: 1, epoch: 1,
            head: entries.last?.head ?? .start, acked: acked, oldest: Seq(oldest), stamp: Stamp(sentAt: .zero, wall: Instant(seconds: 0)),
            isClockSound: true,
            commandKinds: [])
    }

    /// Judges as the receiver does, answering every question from the two histories.
    static func verdict(_ hello: Hello, _ memory: EdgeMemory, edge: [Entry], cloud: [Entry]) -> RefusalCase? {
        var evidence = Evidence()
        for _ in 0..<3 {
            switch Verdict.judge(hello, memory, evidence) {
            case .goOn: return nil
            case .refused(let refusal):
                #expect(!refusal.text.isEmpty && refusal.cure == refusal.verdict.cure && refusal.edge == Samples.edge)
                return refusal.verdict
            case .prove(let seqs):
                evidence.proof = seqs.filter { $0 >= hello.oldest && $0.raw <= UInt64(edge.count) }.map { edge[Int($0.raw) - 1].head }
            case .compare(let head): evidence.isHeadOurs = head.seq.raw <= UInt64(cloud.count) && cloud[Int(head.seq.raw) - 1].head == head
            }
        }
        Issue.record("the questions did not end")
        return nil
    }

    /// Two histories with a common beginning, and every length of what the cloud holds and what was announced and acknowledged.
    @Test func everyPairOfHistories() throws {
        let common = try Samples.Ledger(seed: 1)
        var seen: [RefusalCase?: Int] = [:]
        for shared in [1, 3] {
            var ours = common
            try ours.grow(shared - 1)
            var theirs = ours
            try ours.grow(4); try theirs.restart(); try theirs.grow(4)
            for edge in [ours.entries, theirs.entries] {
                for edgeCount in 0...edge.count {
                    for have in 0...ours.entries.count {
                        for announced in have...ours.entries.count {
                            for acked in [0, have / 2, have, have + 1] where acked <= edgeCount {
                                let edgeNow = Array(edge.prefix(edgeCount)), cloud = Array(ours.entries.prefix(have))
                                let memory = EdgeMemory(have: head(cloud), announced: head(Array(ours.entries.prefix(announced))))
                                let found = Self.verdict(
                                    Self.hello(edgeNow, acked: head(Array(edge.prefix(acked)))), memory, edge: edgeNow, cloud: cloud)
                                #expect(found == expected(edgeNow, cloud, Array(ours.entries.prefix(announced)), acked: acked))
                                seen[found, default: 0] += 1
                            }
                        }
                    }
                }
            }
        }
        for verdict in [nil, RefusalCase.edgeBehind, .rollbackUnsynced, .fork, .cloudRestored] { #expect(seen[verdict, default: 0] > 10) }
    }

    /// The table of LEDGER-AND-SYNC 3.4 by comparing whole lists.
    private func expected(_ edge: [Entry], _ cloud: [Entry], _ announced: [Entry], acked: Int) -> RefusalCase? {
        let together = min(edge.count, cloud.count)
        if !edge.prefix(together).elementsEqual(cloud.prefix(together)) {
            // Beyond a fork the other rows may apply as well; those that need no hash are found first.
            if edge.count <= cloud.count { return .fork }
            if acked > cloud.count { return .cloudRestored }
            return edge.count < announced.count ? .rollbackUnsynced : .fork
        }
        if edge.count < cloud.count { return .edgeBehind }
        if acked > cloud.count { return .cloudRestored }
        if edge.count < announced.count { return .rollbackUnsynced }
        return edge.prefix(announced.count).elementsEqual(announced) ? nil : .fork
    }

    private func head(_ entries: [Entry]) -> Head { entries.last?.head ?? .start }

    @Test func versionsMustOverlap() throws {
        let entries = try Samples.Ledger(seed: 1).entries
        #expect(Self.verdict(Self.hello(entries, minimum: 2, maximum: 3), EdgeMemory(), edge: entries, cloud: []) == .version)
        #expect(Self.verdict(Self.hello(entries, minimum: 0, maximum: 0), EdgeMemory(), edge: entries, cloud: []) == .version)
        #expect(Self.verdict(Self.hello(entries, minimum: 0, maximum: 9), EdgeMemory(), edge: entries, cloud: []) == nil)
    }

    @Test func whatIsCompactedIsNotAskedFor() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let entries = ledger.entries
        func verdict(have: Int, oldest: UInt64) -> RefusalCase? {
            let cloud = Array(entries.prefix(have))
            return Self.verdict(
                Self.hello(entries, oldest: oldest), EdgeMemory(have: head(cloud), announced: head(cloud)), edge: entries, cloud: cloud)
        }
        #expect(verdict(have: 5, oldest: 5) == nil)
        #expect(verdict(have: 5, oldest: 6) == nil)
        #expect(verdict(have: 5, oldest: 7) == .cloudRestored)
    }

    @Test func aHashAskedForAndNotShownIsAFork() throws {
        var ledger = try Samples.Ledger(seed: 1)
        try ledger.grow(9)
        let have = ledger.entries[4].head
        guard case .refused(let refusal) = Verdict.judge(Self.hello(ledger.entries), EdgeMemory(have: have, announced: have), Evidence(proof: []))
        else {
            Issue.record("no refusal")
            return
        }
        #expect(refusal.verdict == .fork)
    }
}
