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
    /// Its quote changed in this read.
    var isChanged = false
    /// What a person was told of the broker's sources of its data; empty while they work.
    var sourceWords = ""
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
    /// Times in a row that its bars were lost before the next live one came.
    var barLosses = 0
    /// Times in a row that silence led to a new request for bars: each doubles the patience.
    var barSilences = 0
    /// Its last request for bars was for plain history: minutes are made of five-second bars.
    var usesFiveSeconds = false
    /// Until then updated history is not asked for: the broker refused it, or too many have it.
    var keepsAgainAt: Instant?
    /// The minute that five-second bars add up to.
    var minute: Bar?
    /// The stream of five-second bars began in the midst of that minute.
    var isPart = false
    /// A person was told that minutes are missing, and not yet of their coming.
    var isToldMissing = false

    init(place: Int, at now: Instant) { self.place = place; quote = Quote(asOf: now); tickAt = now; barAt = now; heardAt = now }
}

/// All streams, in the order they were wanted. Ticks find theirs by the number of their request.
struct StreamTable: Sendable {
    /// By place; never taken out.
    private var streams: [MarketStream] = []
    private(set) var order: [InstrumentID] = []
    private var places: [InstrumentID: Int] = [:]
    /// Open requests for quotes, with the place of their stream.
    private var quotes: [Int64: Int] = [:]
    /// Instruments that are wanted and not known yet.
    private(set) var awaited: [InstrumentID] = []
    /// Places of streams with a quote to tell.
    private var changed: [Int] = []

    subscript(id: InstrumentID) -> MarketStream? { places[id].map { streams[$0] } }
    func isWanted(_ id: InstrumentID) -> Bool { places[id] != nil || awaited.contains(id) }

    mutating func await(_ id: InstrumentID) { awaited.append(id) }
    mutating func add(_ id: InstrumentID, at now: Instant) {
        awaited.removeAll { $0 == id }
        guard places[id] == nil else { return }
        places[id] = streams.count
        streams.append(MarketStream(place: streams.count, at: now))
        order.append(id)
    }
    mutating func change(_ id: InstrumentID, _ body: (inout MarketStream) -> Void) {
        guard let place = places[id] else { return }
        let request = streams[place].quoteRequest
        body(&streams[place])
        guard streams[place].quoteRequest != request else { return }
        if let request { quotes[request] = nil }
        if let new = streams[place].quoteRequest { quotes[new] = place }
    }

    // MARK: Ticks

    /// The place of the stream that a request for quotes is of; nil for requests that are closed.
    func place(ofQuotes request: Int64) -> Int? { quotes[request] }

    /// A tick: the quote changes and is told at the end of the read.
    mutating func tick(_ place: Int, at now: Instant, _ body: (inout Quote) -> Void) {
        streams[place].tickAt = now
        streams[place].heardAt = now
        streams[place].silences = 0
        streams[place].quote.asOf = now
        body(&streams[place].quote)
        guard !streams[place].isChanged else { return }
        streams[place].isChanged = true
        changed.append(place)
    }
    /// The quote as it stands when it has changed in this read and nobody has been told.
    func untold(_ place: Int) -> Quote? { streams[place].isChanged ? streams[place].quote : nil }

    /// Hands over the quotes that have changed since the last time, one an instrument. The list of them keeps its memory.
    mutating func tellChanged(_ tell: (InstrumentID, MarketStream) -> Void) {
        for place in changed {
            streams[place].isChanged = false
            tell(order[place], streams[place])
        }
        changed.removeAll(keepingCapacity: true)
    }

    /// The connection is gone and all requests with it; what is wanted stays.
    mutating func lose() {
        for place in streams.indices {
            streams[place].quoteRequest = nil; streams[place].barsRequest = nil; streams[place].fiveSecondRequest = nil
            streams[place].minute = nil; streams[place].pageRequest = nil; streams[place].pageRetryAt = nil
            streams[place].usesFiveSeconds = false; streams[place].keepsAgainAt = nil
            streams[place].waitsForLine = false; streams[place].isChanged = false
        }
        quotes = [:]
        changed = []
    }
    mutating func barsFailed(_ id: InstrumentID, retryAt: Instant) {
        change(id) {
            $0.barsRequest = nil; $0.barsRetryAt = retryAt
        }
    }
}
