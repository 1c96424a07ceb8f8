// The stop rule: after any error of the store but a full disk nothing more is written, decided or sent by this process.
import EdgeAgent
import Ledger
import Platform
import Simulation
import Testing
import Trading
import Values
import Venues
import Wire

/// A store on the simulated disk that answers one error of SQLite's at a given commit, and counts what is asked of it afterwards.
private final class FailingStore: ForwardingStore {
    let store: EntryStore
    let error: StoreError
    var commitsLeft: Int
    var commitsAfter = 0
    init(_ store: EntryStore, _ error: StoreError, after commits: Int) { self.store = store; self.error = error; commitsLeft = commits }
    func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) {
        commitsLeft -= 1
        if commitsLeft < 0 { commitsAfter += 1 }
        if commitsLeft <= 0 { throw error }
        try store.append(rows, meta: meta)
    }
}

/// A store that notes how many rows each commit had.
private final class CountedStore: ForwardingStore {
    let store: EntryStore
    var commits: [Int] = []
    init(_ store: EntryStore) { self.store = store }
    func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) {
        commits.append(rows.count)
        try store.append(rows, meta: meta)
    }
}

@Suite struct StopRuleTests {
    /// READ, SHORT_READ, WRITE, FSYNC, DIR_FSYNC, TRUNCATE, FSTAT, LOCK, ACCESS, CLOSE, SHMOPEN, SHMSIZE, SHMMAP, DATA; CORRUPT; NOTADB.
    static let codes: [Int32] = [1, 2, 3, 4, 5, 6, 7, 15, 13, 16, 18, 19, 21, 32].map { 10 | $0 << 8 } + [11, 11 | 1 << 8, 26]

    @Test(arguments: codes) func afterAnyErrorOfTheStoreNothingMoreIsTriedOrSent(code: Int32) throws {
        for commits in [3, 6] {
            let disk = FaultyDisk(seed: 1)
            let store = try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name))
            let failing = FailingStore(store, .failed(DatabaseError(extendedCode: code, message: "told by the test")), after: commits)
            let journal = try Journal(store: failing, edge: LedgerWriter.edge)
            let rig = DiskRig()
            let agent = rig.agent(over: journal)
            var failure: AgentFailure?
            do throws(AgentFailure) {
                _ = try agent.start(DiskRig.bootFact, at: rig.clock)
                for _ in 0..<40 { rig.now = rig.now + .milliseconds(250); _ = try agent.turn([.tick], at: rig.clock) }
                for number in 0..<9 { _ = try agent.turn([.desk(rig.wish(of: agent, number))], at: rig.clock) }
            } catch { failure = error }
            guard case .journal(.store(.failed(let cause))) = failure else { Issue.record("\(String(describing: failure))"); return }
            #expect(cause.extendedCode == code)
            let placed = rig.placed(by: agent)
            for _ in 0..<5 {
                rig.now = rig.now + .milliseconds(250)
                #expect(throws: AgentFailure.self) { try agent.turn([.tick], at: rig.clock) }
                #expect(throws: AgentFailure.self) { try agent.keep(at: rig.clock) }
                #expect(throws: AgentFailure.self) { try agent.shutdown(reason: "asked", at: rig.clock) }
            }
            #expect(failing.commitsAfter == 0, "no further commit is tried")
            #expect(rig.placed(by: agent) == placed)
            var tags: Set<String> = []
            try store.each(from: 1) { row in
                for tag in (try? Entry(row).intentTags()) ?? [] { tags.insert(tag.text) }
                return true
            }
            #expect(placed.allSatisfy { tags.contains($0) })
        }
    }

    /// All that one turn brings about is one transaction, so that no power cut keeps a part of it.
    @Test func aTurnIsOneTransaction() throws {
        func commits(_ split: ([AgentInput]) -> [[AgentInput]]) throws -> (rows: [Int], placed: Int) {
            let disk = FaultyDisk(seed: 1)
            let counting = CountedStore(try EntryStore(path: "ledger.db", .init(.create, vfs: disk.name)))
            let rig = DiskRig()
            let agent = rig.agent(over: try Journal(store: counting, edge: LedgerWriter.edge))
            _ = try agent.start(DiskRig.bootFact, at: rig.clock)
            for _ in 0..<40 { rig.now = rig.now + .milliseconds(250); _ = try agent.turn([.tick], at: rig.clock) }
            while agent.hasPending { _ = try agent.turn([], at: rig.clock) }
            let head = agent.journal.head.seq.raw
            counting.commits = []
            let inputs: [AgentInput] = [
                .desk(rig.wish(of: agent, 0)), .desk(rig.wish(of: agent, 1)), .desk(.halt(source: "file", reason: "KILL")),
            ]
            for turn in split(inputs) { _ = try agent.turn(turn, at: rig.clock) }
            #expect(counting.commits.reduce(0, +) == Int(agent.journal.head.seq.raw - head))
            return (counting.commits, rig.placed(by: agent).count)
        }
        let together = try commits { [$0] }
        #expect(together.rows.count == 1 && together.rows[0] >= 3 && together.placed == 2, "\(together)")
        // The control: the same as three turns is three of them.
        let apart = try commits { $0.map { [$0] } }
        #expect(apart.rows.count == 3 && apart.placed == 2, "\(apart)")
    }

    /// At every call and every read of a start, a session, two orders, checkpoint, mark and shutdown, the power cut right after: what left is
    /// written.
    @Test(arguments: [DiskFault.Operation.call, .read]) func atEveryCallNoOrderLeavesUnwritten(operation: DiskFault.Operation) throws {
        var ends = (refused: 0, stopped: 0, undisturbed: 0, sent: 0)
        for index in 1...400 {
            guard ends.undisturbed == 0 else { break }
            let rig = DiskRig(seed: UInt64(index))
            rig.disk.fault = DiskFault(operation, index)
            do {
                try rig.start()
                try rig.settle(seconds: 2)
                try rig.buy(1, trailing: .percent(Ratio(raw: 100_000)))
                try rig.settle(seconds: 1)
                _ = try rig.command(.close(instrument: rig.front))
                try rig.settle(seconds: 2)
                _ = try rig.agent?.shutdown(reason: "asked", at: rig.clock)
                if !rig.disk.faultIsOver { ends.undisturbed += 1 }
            } catch is JournalError {
                ends.refused += 1
            } catch let error as AgentFailure {
                ends.stopped += 1
                switch error {
                case .journal(.store(.failed)), .mark: break
                default: Issue.record("\(operation) \(index): \(error)")
                }
                #expect(throws: AgentFailure.self) { try rig.turn([.tick]) }
            }
            let placed = rig.placed
            ends.sent += placed.isEmpty ? 0 : 1
            rig.crash(.nothing)
            var tags: Set<String> = []
            _ = try Journal(path: "ledger.db", edge: LedgerWriter.edge, vfs: rig.disk.name) { entry in
                for tag in (try? entry.intentTags()) ?? [] { tags.insert(tag.text) }
            }
            #expect(placed.allSatisfy { tags.contains($0) }, "\(operation) \(index): \(placed)")
            // The next run reads what is true and goes on.
            rig.now = rig.now + .seconds(5)
            try rig.start()
            try rig.settle(seconds: 3)
            #expect(rig.agent?.desk.isTrading == true, "\(operation) \(index)")
        }
        #expect(ends.undisturbed == 1, "every index was met: \(ends)")
        #expect(operation == .read ? ends.refused > 1 : ends.refused > 1 && ends.stopped > 20 && ends.sent > 6, "\(ends)")
    }

    /// The control: over a disk that answers before it has written, the same look finds an order without its intent.
    @Test func anOrderSentBeforeTheCommitIsSeen() throws {
        let rig = DiskRig()
        let store = LyingStore(try EntryStore(path: "ledger.db", .init(.create, vfs: rig.disk.name)))
        let agent = rig.agent(over: try Journal(store: store, edge: LedgerWriter.edge))
        _ = try agent.start(DiskRig.bootFact, at: rig.clock)
        for _ in 0..<40 { rig.now = rig.now + .milliseconds(250); _ = try agent.turn([.tick], at: rig.clock) }
        _ = try agent.turn([.desk(rig.wish(of: agent, 0))], at: rig.clock)
        let placed = rig.placed(by: agent)
        #expect(!placed.isEmpty)
        var tags: Set<String> = []
        try store.store.each(from: 1) { row in
            for tag in (try? Entry(row).intentTags()) ?? [] { tags.insert(tag.text) }
            return true
        }
        #expect(!placed.allSatisfy { tags.contains($0) })
    }
}
