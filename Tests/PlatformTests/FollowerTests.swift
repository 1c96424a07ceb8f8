// Damage in what only follows the entries: made anew or left behind, and never an end of the log.
import Foundation
import Platform
import Testing
import Wire

@Suite struct FollowerTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func open(segmentRows: UInt64 = 65_536) throws -> EntryStore {
        try EntryStore(path: folder.file("ledger.db"), .init(.create), segmentRows: segmentRows)
    }
    private func hash(_ seq: UInt64) -> [UInt8] { (0..<32).map { UInt8(truncatingIfNeeded: seq &* 31 &+ UInt64($0) &+ seq >> 8) } }
    private func ref(_ seq: UInt64) -> [UInt8] { [UInt8(seq % 7)] + [UInt8](repeating: 9, count: 15) }
    private func rows(_ range: ClosedRange<UInt64>) -> [EntryRow] {
        range.map { seq in
            EntryRow(
                seq: seq, epoch: 1, boot: 1, wall: Int64(seq), mono: 0, hlc: Int64(seq), kind: 21, kver: 2, flags: 0, ref: ref(seq),
                body: Array(#"{"number":\#(seq),"postings":[{"account":"a\#(seq % 3)","amount":5,"asset":"USD"}]}"#.utf8),
                prev: seq == 1 ? LogHead.empty.hash : hash(seq - 1), hash: hash(seq))
        }
    }

    /// 600 entries, all followed, in a file that nobody holds any more and of which pages are none.
    private func spoil(_ tables: [String], segmentRows: UInt64 = 65_536, moves: Bool = false) throws {
        do {
            let store = try open(segmentRows: segmentRows)
            try store.append(rows(1...600))
            while try store.indexSubjects(limit: 1_000) > 0 {}
            if moves { #expect(try store.compact(through: .max, olderThan: .max) != nil) }
        }
        var places: [Int64] = []
        do {
            let database = try Database(path: folder.file("ledger.db"), .init(.readWrite))
            for table in tables {
                places += try database.rows("SELECT rootpage FROM sqlite_schema WHERE name = ?", .text(table)) { $0.integer(0) }
            }
        }
        let file = try #require(FileHandle(forUpdatingAtPath: folder.file("ledger.db")))
        for place in places {
            try file.seek(toOffset: UInt64(place - 1) * 4_096)
            try file.write(contentsOf: [0xFF])
        }
        try file.close()
        #expect(places.count == tables.count)
    }
    /// The page of the table of entries in which these bytes stand, in a file that nobody holds.
    private func spoil(holding bytes: [UInt8]) throws {
        let path = folder.file("ledger.db")
        let all = [UInt8](try #require(FileManager.default.contents(atPath: path)))
        let places = Set(all.ranges(of: bytes).map { $0.lowerBound / 4_096 * 4_096 })
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        for place in places {
            try file.seek(toOffset: UInt64(place))
            try file.write(contentsOf: [0xFF])
        }
        try file.close()
        #expect(!places.isEmpty)
    }
    private func isRenewed(_ store: EntryStore) -> Bool { if case .renewed = store.followers { true } else { false } }
    private func about(_ seq: UInt64, through head: UInt64) -> [UInt64] { (1...head).filter { ref($0) == ref(seq) } }

    @Test(arguments: [["subject"], ["posting"], ["subject", "posting", "account"]]) func damagedOnesAreMadeAnew(tables: [String]) throws {
        try spoil(tables)
        do {
            let store = try open()
            try store.append(rows(601...900))
            #expect(try store.indexSubjects(limit: 256) == 0 && isRenewed(store) && store.failure == nil)
            #expect(try store.entries(ref: ref(3), limit: 1_000).map(\.seq) == about(3, through: 900), "looked for one by one meanwhile")
            while try store.indexSubjects(limit: 256) > 0 {}
            #expect(try store.subjectsBehind == 0 && store.subjectDamage(limit: 9).isEmpty && store.postingCount(through: 900) == 900)
            #expect(try store.read(from: 1, limit: 1_000) == rows(1...900))
            try store.append(rows(901...901))
        }
        let again = try open()
        #expect(again.followers == .sound && again.head.seq == 901)
        #expect(try again.entries(ref: ref(3), limit: 1_000).map(\.seq) == about(3, through: 901))
    }

    /// A reader, a cut and a mend meet the damage before anybody follows.
    @Test(arguments: 0..<3) func whoeverMeetsItGoesOn(way: Int) throws {
        try spoil(["subject", "posting"])
        let store = try open()
        switch way {
        case 0: #expect(try store.entries(ref: ref(3), limit: 1_000).map(\.seq) == about(3, through: 600))
        case 1:
            try store.cut(after: 500, meta: [:])
            #expect(store.head.seq == 500)
        default: try store.mend(rows(300...300)[0], note: "test")
        }
        #expect(isRenewed(store) && store.failure == nil)
        while try store.indexSubjects(limit: 256) > 0 {}
        let head = store.head.seq
        #expect(try store.subjectDamage(limit: 9).isEmpty && store.postingCount(through: .max) == Int(head))
        #expect(try store.read(from: 1, limit: 1_000) == rows(1...head))
    }

    /// Entries have moved, so that nothing is made anew: the log goes on, and whoever asks for a subject is answered, in this run and the next.
    @Test func behindSegmentsTheyAreLeftBehind() throws {
        try spoil(["subject"], segmentRows: 200, moves: true)
        for run in UInt64(0)..<2 {
            let store = try open(segmentRows: 200)
            let head = 700 + run * 100
            try store.append(rows((head - 99)...head))
            #expect(try store.indexSubjects(limit: 256) == 0 && store.subjectsBehind == 0 && store.followers.isDamaged && store.failure == nil)
            #expect(try store.entries(ref: ref(3), limit: 1_000).map(\.seq) == about(3, through: head))
            // What was followed before may move; nothing else does.
            while try store.compact(through: .max, olderThan: .max) != nil {}
            #expect(store.anchor.seq == 600)
        }
    }

    /// The index is damaged, and so is a page of the entries that it is made anew from: that is the log's damage and ends the store, and nobody is told
    /// that only an index is concerned.
    @Test func damageInTheEntriesIsNotTheIndexs() throws {
        try spoil(["subject"])
        try spoil(holding: Array(#""number":300,"#.utf8))
        let store = try open()
        try store.append(rows(601...601))
        #expect(try store.indexSubjects(limit: 256) == 0 && isRenewed(store), "what was read of the entries was sound")
        #expect(try store.indexSubjects(limit: 256) == 256)
        #expect(throws: StoreError.self) { for _ in 0..<20 { _ = try store.indexSubjects(limit: 256) } }
        #expect(store.failure?.isCorrupt == true && isRenewed(store))
    }

    /// The same met by a reader, a cut and a mend: the entries that they touch are damaged, and the index is left as it is.
    @Test(arguments: 0..<3) func whoeverMeetsDamagedEntriesStops(way: Int) throws {
        try spoil([])
        try spoil(holding: Array(#""number":300,"#.utf8))
        let store = try open()
        #expect(throws: StoreError.self) {
            switch way {
            case 0: _ = try store.entries(ref: ref(300), limit: 1_000)
            case 1: try store.cut(after: 200, meta: [:])
            default: try store.mend(rows(300...300)[0], note: "test")
            }
        }
        #expect(store.failure?.isCorrupt == true && store.followers == .sound)
    }

    /// Left behind for good after the eighth time, and made anew when a person asks for it: the next run finds no word of damage.
    @Test func whatWasLeftBehindIsMadeAnewOnDemand() throws {
        try spoil(["subject"])
        do {
            let store = try open()
            try store.setMeta("followers_renewed", "8")
            try store.append(rows(601...601))
            #expect(try store.indexSubjects(limit: 256) == 0 && store.followers.isDamaged && store.failure == nil)
        }
        do {
            let store = try open()
            #expect(store.followers.isDamaged)
            var told: [UInt64] = []
            #expect(try store.remakeFollowers { told.append($0) } == .sound && told == [601])
        }
        let store = try open()
        #expect(store.followers == .sound && store.subjectsBehind == 0)
        #expect(try store.subjectDamage(limit: 9).isEmpty && store.postingCount(through: .max) == 601)
    }

    /// What followed entries that lie in segments is not made anew: that is said, and nothing is changed.
    @Test func whatFollowedMovedEntriesStaysDamaged() throws {
        try spoil(["subject"], segmentRows: 256, moves: true)
        let store = try open(segmentRows: 256)
        #expect(try store.entries(ref: ref(3), limit: 1_000).count == 86 && store.followers.isDamaged)
        let report = try FollowerReport(store) { _ in Issue.record("nothing was made") }
        #expect(!report.isSound && report.text(verify: "").contains("could not be made anew") && store.failure == nil)
        #expect(report.value["sound"]?.boolValue == false && report.value["damage"]?.text == report.damage)
    }

    /// Damage in the entries themselves is the end of the store, as ever.
    @Test func damageInTheEntriesEndsTheStore() throws {
        try spoil(["entry"])
        #expect(throws: StoreError.self) {
            let store = try self.open()
            _ = try store.read(from: 1, limit: 1_000)
        }
    }
}
