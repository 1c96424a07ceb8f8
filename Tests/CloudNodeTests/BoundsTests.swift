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

    @Test func barsOfManyInstrumentsAreNotKept() throws {
        let cloud = try TestCloud()
        let path = cloud.folder + "/bars.db"
        var store: BarStore? = try BarStore(path: path)
        let bar = Bar(
            start: TestCloud.start, open: Price(raw: 1), high: Price(raw: 1), low: Price(raw: 1), close: Price(raw: 1), volume: Quantity(raw: 1))
        for number in 0..<(BarStore.instrumentsMax + 9) { try store?.put(InstrumentID("X\(number).CME"), [bar]) }
        let last = InstrumentID("X\(BarStore.instrumentsMax).CME")
        #expect(try store?.oldest(InstrumentID("X5.CME")) == TestCloud.start && store?.oldest(last) == nil)
        store = nil
        store = try BarStore(path: path)
        try store?.put(last, [bar])
        #expect(try store?.oldest(last) == nil, "the next process counts those that are there")
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
            try store.put(id, bars)
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
