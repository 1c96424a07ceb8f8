// What one edge, or one that knows a token, can make the cloud hold: bounded, whatever is sent.
import CloudNode
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct BoundsTests {
    private let key = [UInt8](repeating: 3, count: 32)

    /// A used token holds the socket open no longer than its answer may need.
    @Test func theSocketClosesBehindTheLastToken() throws {
        let cloud = try TestCloud()
        let asked = try cloud.send(
            Request(method: "POST", path: "/console/edges/invite", body: Array(#"{"name":"home-1"}"#.utf8), address: "unix", isLocal: true))
        if asked.answer == nil { try cloud.turn([.enrolmentOpen(port: 5_571)]) }
        let answer = try #require(asked.answer ?? cloud.answer(asked.number))
        let token = try EnrolmentToken(text: answer.json?["token"]?.text ?? "")
        try cloud.turn([.enrolment(EnrolmentRequest(edge: TestEdge.id, linkKey: key, token: token).encode(), key: key, from: 1)])
        func sockets() -> [Bool] { cloud.take { if case .enrolmentSocket(let open) = $0 { open } else { nil } } }
        _ = sockets()
        try cloud.tick(after: .seconds(59))
        #expect(sockets() == [], "its answer may be on its way")
        try cloud.tick(after: .seconds(2))
        #expect(sockets() == [false])
    }

    private func bar(_ start: Instant) -> Bar {
        Bar(start: start, open: Price(raw: 1), high: Price(raw: 1), low: Price(raw: 1), close: Price(raw: 1), volume: Quantity(raw: 1))
    }

    /// An edge that makes instruments up takes nobody's chart: what had a bar in the last day stays, also of a bar that is said to come from tomorrow.
    @Test func barsOfManyInstrumentsAreNotKept() throws {
        let cloud = try TestCloud()
        let path = cloud.folder + "/bars.db"
        var store: BarStore? = try BarStore(path: path)
        let now = TestCloud.start
        for number in 0..<(BarStore.instrumentsMax + 9) {
            let taken = try store?.put(InstrumentID("X\(number).CME"), [bar(now + .minutes(Int64(number)))], at: now)
            #expect(taken == (number < BarStore.instrumentsMax ? .kept : .noRoom))
        }
        let last = InstrumentID("X\(BarStore.instrumentsMax).CME")
        #expect(try store?.oldest(InstrumentID("X5.CME")) == now + .minutes(5) && store?.oldest(last) == nil)
        store = nil
        store = try BarStore(path: path)
        #expect(try store?.put(last, [bar(now)], at: now) == .noRoom, "the next process counts those that are there")
        #expect(try store?.oldest(last) == nil)
    }

    /// Contracts end and new ones come: beyond the limit the one that has been quiet for longest goes, in this process and in the next.
    @Test(arguments: [false, true]) func aNewContractTakesThePlaceOfTheQuietest(isRestarted: Bool) throws {
        let cloud = try TestCloud()
        let path = cloud.folder + "/bars.db"
        var store: BarStore? = try BarStore(path: path)
        let start = TestCloud.start
        for number in 0..<BarStore.instrumentsMax {
            try store?.put(InstrumentID("X\(number).CME"), [bar(start + .hours(number == 7 ? -2 : 0))], at: start)
        }
        // One of them goes on, also by an old piece of its history.
        let two = InstrumentID("X2.CME"), new = InstrumentID("NEW.CME"), now = start + .hours(30)
        try store?.put(two, [bar(now)], at: now)
        try store?.put(two, [bar(start + .hours(-9))], at: now)
        if isRestarted {
            store = nil
            store = try BarStore(path: path)
        }
        #expect(try store?.put(new, [bar(now)], at: now) == .keptFor(InstrumentID("X7.CME")))
        #expect(try store?.put(InstrumentID("NEWER.CME"), [bar(now)], at: now) == .keptFor(InstrumentID("X0.CME")))
        #expect(try store?.oldest(InstrumentID("X7.CME")) == nil && store?.bars(new, from: nil, limit: 9).count == 1)
        #expect(try store?.bars(two, from: nil, limit: 9).count == 3)
        store = nil
        let database = try Database(path: path, .init(.readOnly))
        #expect(try database.first("SELECT count(DISTINCT instrument) FROM bar", read: { Int($0.integer(0)) }) == BarStore.instrumentsMax)
    }

    /// An edge whose clock ran ahead keeps no place by it: what it sent counts from when it came, and in the next process from when that was needed.
    @Test(arguments: [false, true]) func barsOfTomorrowAreQuietOneDay(isRestarted: Bool) throws {
        let cloud = try TestCloud()
        let path = cloud.folder + "/bars.db"
        var store: BarStore? = try BarStore(path: path)
        let start = TestCloud.start
        for number in 0..<BarStore.instrumentsMax { try store?.put(InstrumentID("X\(number).CME"), [bar(start + .hours(9_000))], at: start) }
        let new = InstrumentID("NEW.CME")
        if isRestarted {
            store = nil
            store = try BarStore(path: path)
        }
        let later = start + .hours(25)
        #expect(try store?.put(new, [bar(later)], at: later) == (isRestarted ? .noRoom : .keptFor(InstrumentID("X0.CME"))))
        #expect(try store?.put(InstrumentID("NEWER.CME"), [bar(later)], at: later + .hours(24)) != .noRoom)
    }

    /// Old bars go whether they come as history or one by one.
    @Test func barsOneByOneAreBoundedToo() throws {
        let cloud = try TestCloud()
        let store = try BarStore(path: cloud.folder + "/bars.db")
        let id = InstrumentID("X.CME")
        for piece in 0..<24 {
            let bars = (0..<2_000).map { number in
                Bar(
                    start: TestCloud.start + .minutes(Int64(piece * 2_000 + number)), open: Price(raw: 1), high: Price(raw: 1), low: Price(raw: 1),
                    close: Price(raw: 1), volume: Quantity(raw: 1))
            }
            try store.put(id, bars, at: TestCloud.start)
        }
        #expect(try store.bars(id, from: nil, limit: 100_000).count == BarStore.barsMax)
    }

    @Test func longTextsOfLiveItemsAreCut() throws {
        let notice = LiveItem.notice(
            Notice(code: 1, instrument: nil, text: String(repeating: "é", count: 400_000), cure: "short", asOf: TestCloud.start))
        guard case .notice(let read) = try LiveItem(notice.value) else { Issue.record("another item"); return }
        #expect(read.text.utf8.count <= LiveItem.textBytesMax + 3 && read.text.hasPrefix("éé") && read.cure == "short")
    }
}
