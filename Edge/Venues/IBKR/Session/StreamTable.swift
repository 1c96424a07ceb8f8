// What is watched: one entry an instrument, with its requests, its quote and when each part was last heard.
internal import Ledger
internal import Values

/// The streams of one instrument.
struct MarketStream: Sendable {
    var quote: Quote
    var quoteRequest: Int64?
    var barsRequest: Int64?
    var fiveSecondRequest: Int64?
    /// When the last tick came, or the stream was opened.
    var tickAt: Instant
    /// When a tick truly came last; the beginning before the first.
    var heardAt: Instant
    /// A person was told of the silence, and not yet of its end.
    var isToldSilent = false
    /// When the last bar came, or its stream was opened.
    var barAt: Instant
    /// When quotes, bars or a page are to be asked for again.
    var quoteRetryAt: Instant?
    var barsRetryAt: Instant?
    var pageRetryAt: Instant?
    /// The request of a page of missing minutes.
    var pageRequest: Int64?
    /// Which minutes are known and which are missing. Outlives connections.
    var gaps = BarGaps()
    /// How many were wanted before it.
    let place: Int
    /// No market data line is free for it.
    var waitsForLine = false
    /// Times in a row that silence led to a new request: each doubles the patience.
    var silences = 0
    /// The broker serves no updated history of it: minutes are made of five-second bars.
    var usesFiveSeconds = false
    /// The minute that five-second bars add up to.
    var minute: Bar?

    init(place: Int, at now: Instant) { self.place = place; quote = Quote(asOf: now); tickAt = now; barAt = now; heardAt = now }
}

/// All streams, in the order they were wanted.
struct StreamTable: Sendable {
    private var streams: [InstrumentID: MarketStream] = [:]
    private(set) var order: [InstrumentID] = []
    /// Instruments that are wanted and not known yet.
    private(set) var awaited: [InstrumentID] = []
    private var changed: [InstrumentID] = []

    subscript(id: InstrumentID) -> MarketStream? { streams[id] }
    func isWanted(_ id: InstrumentID) -> Bool { streams[id] != nil || awaited.contains(id) }

    mutating func await(_ id: InstrumentID) { awaited.append(id) }
    mutating func add(_ id: InstrumentID, at now: Instant) {
        awaited.removeAll { $0 == id }
        guard streams[id] == nil else { return }
        streams[id] = MarketStream(place: order.count, at: now)
        order.append(id)
    }
    mutating func change(_ id: InstrumentID, _ body: (inout MarketStream) -> Void) {
        guard let index = streams.index(forKey: id) else { return }
        body(&streams.values[index])
    }

    /// A tick: the quote changes and is told at the end of the read.
    mutating func tick(_ id: InstrumentID, at now: Instant, _ body: (inout Quote) -> Void) {
        guard let index = streams.index(forKey: id) else { return }
        streams.values[index].tickAt = now
        streams.values[index].heardAt = now
        streams.values[index].silences = 0
        streams.values[index].quote.asOf = now
        body(&streams.values[index].quote)
        if !changed.contains(id) { changed.append(id) }
    }
    /// The quote as it stands when it has changed in this read and nobody has been told.
    func untold(_ id: InstrumentID) -> Quote? { changed.contains(id) ? streams[id]?.quote : nil }
    mutating func takeChanged() -> [InstrumentID] {
        if changed.isEmpty { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// The connection is gone and all requests with it; what is wanted stays.
    mutating func lose() {
        for id in order {
            change(id) {
                $0.quoteRequest = nil; $0.barsRequest = nil; $0.fiveSecondRequest = nil; $0.minute = nil
                $0.pageRequest = nil; $0.pageRetryAt = nil; $0.waitsForLine = false
            }
        }
        changed = []
    }
    mutating func barsFailed(_ id: InstrumentID, retryAt: Instant) {
        change(id) {
            $0.barsRequest = nil; $0.barsRetryAt = retryAt
        }
    }
}
