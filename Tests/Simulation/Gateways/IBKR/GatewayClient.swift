// One connected client: where its handshake stands and what it has subscribed to.
internal import Values
internal import Venues

/// A stream of five-second bars.
struct BarStream: Sendable {
    var id: Int
    var instrument: InstrumentID
    var source: BarSource
    var regularHours: Bool
}

/// History that is kept up to date.
struct HistoryStream: Sendable {
    var id: Int
    var instrument: InstrumentID
    var source: BarSource
    var length: Span
    var formatDate: Int
    var regularHours: Bool
    var lastTold: Bar?
}

/// A subscription to account values under a request id.
struct AccountStream: Sendable {
    var id: Int
    var tags: [String]
    var model: String
    var told: [String: String] = [:]
}

/// One connection.
struct GatewayClient: Sendable {
    let connection: GatewayConnection
    var frames = GatewayFrames()
    /// 0 before the greeting.
    var version = 0
    /// Nil before startApi.
    var clientId: Int?
    /// What reqMarketDataType asked for.
    var dataType = 1
    var messagesThisSecond = 0
    var pacingViolations = 0

    /// What is to be sent at the end of this turn.
    var outbox: [UInt8] = []

    /// Streams of quotes, and the boards they stand on.
    var quotes: [(id: Int, board: Int)] = []
    var bars: [BarStream] = []
    var histories: [HistoryStream] = []
    var ticks: [TickStream] = []
    var depths: [DepthStream] = []
    var hasBulletin = false
    var summaries: [AccountStream] = []
    var updatesMulti: [AccountStream] = []
    var positionsMulti: [(id: Int, model: String)] = []
    var pnls: [Int] = []
    var pnlSingles: [(id: Int, conId: Int64)] = []
    var wantsPositions = false
    var wantsAccount = false
    var accountToldAt: Instant

    init(connection: GatewayConnection, at now: Instant) { self.connection = connection; accountToldAt = now }
    /// Forgets every stream of data; the boards must be told too.
    mutating func dropStreams() { quotes = []; bars = []; histories = []; ticks = []; depths = [] }
    /// How many streams of account values run.
    var accountStreams: Int { summaries.count + updatesMulti.count + positionsMulti.count + pnls.count + pnlSingles.count }
    /// True when a request id already names a stream.
    func uses(_ id: Int) -> Bool {
        quotes.contains { $0.id == id } || bars.contains { $0.id == id } || histories.contains { $0.id == id } || ticks.contains { $0.id == id }
            || depths.contains { $0.id == id }
    }
    /// True when a stream of single ticks or of depth of this instrument runs.
    func watches(_ instrument: InstrumentID) -> Bool {
        ticks.contains { $0.instrument == instrument } || depths.contains { $0.instrument == instrument }
    }
}
