// The streams to browsers: who listens, what is new since the last turn, and the missed messages for those who come back.
internal import Control
internal import Ledger
internal import Values
internal import Wire

/// One open WebSocket.
struct OpenStream {
    enum Kind { case full, candles }
    let number: UInt64
    let kind: Kind
    let session: WebSession
}

/// What changed in one edge since the screens were last brought up to date.
struct EdgeNews {
    var link = false
    var entries: [Entry] = []
    /// Keys of live items.
    var live: [String: LiveItem] = [:]
    var commands: Set<CommandID> = []
    var closedBars: [InstrumentID: Bar] = [:]
    var isEmpty: Bool { !link && entries.isEmpty && live.isEmpty && commands.isEmpty && closedBars.isEmpty }
}

/// Listeners, news and the ring of sent messages.
struct StreamDesk {
    /// Messages held for those who come back, and their bytes together: minutes of a busy day.
    static let ringMessagesMax = 2_000
    static let ringBytesMax = 8 << 20
    /// Entries shown of one turn; the ledger page reads older ones itself.
    static let entriesMax = 200
    /// After the last listener left, the screens are kept up to date for this long, so that he may resume.
    static let patience = Span.seconds(60)
    static let beatEvery = Span.seconds(2)

    private(set) var open: [UInt64: OpenStream] = [:]
    var screen = Screen()
    /// Number of the last delta.
    private(set) var seq: Int64 = 0
    private(set) var news: [EdgeID: EdgeNews] = [:]
    private(set) var hasRefusalNews = false
    /// The screen is not maintained and is built anew for the next listener.
    private(set) var isCold = true
    var beatAt = Instant(nanoseconds: 0)
    private var idleSince = Instant(nanoseconds: 0)
    private var ring: [(seq: Int64, text: [UInt8])] = []
    private var ringBytes = 0

    /// The numbers of a process start at its start in microseconds, so that no number of an older process is ever met again.
    mutating func start(at now: Instant) { seq = now.nanoseconds / 1_000 }

    /// Streams of one kind, in order of opening.
    func numbers(_ kind: OpenStream.Kind) -> [UInt64] { open.values.filter { $0.kind == kind }.map(\.number).sorted() }
    var sorted: [OpenStream] { open.values.sorted { $0.number < $1.number } }

    mutating func add(_ stream: OpenStream) { open[stream.number] = stream }
    mutating func close(_ number: UInt64, at now: Instant) {
        guard open.removeValue(forKey: number) != nil else { return }
        if open.isEmpty { idleSince = now }
    }

    /// Times are told by a clock that was set by `step`: beats and patience go on as they were.
    mutating func clockWasSet(by step: Span) {
        beatAt = beatAt + step
        idleSince = idleSince + step
    }

    /// What was shown no longer holds: the next listener gets everything anew, and nobody resumes.
    mutating func spoil() { isCold = true; ring = []; ringBytes = 0 }

    // MARK: - News

    mutating func note(_ change: ControlChange) {
        switch change {
        case .refusals: hasRefusalNews = true
        case .edge(let id): news[id, default: EdgeNews()].link = true
        case .entries(let id, let entries):
            let kept = (news[id]?.entries ?? []) + entries.suffix(StreamDesk.entriesMax)
            news[id, default: EdgeNews()].entries = Array(kept.suffix(StreamDesk.entriesMax))
        case .live(let id, let items): for item in items { news[id, default: EdgeNews()].live[item.key] = item }
        // Whose command it is stands in its record; the turn's end looks it up.
        case .command(let id): commands.insert(id)
        }
    }
    private(set) var commands: Set<CommandID> = []

    /// A minute ended; the forming bar of the next replaces this row.
    mutating func noteClosed(_ edge: EdgeID, _ instrument: InstrumentID, _ bar: Bar) {
        news[edge, default: EdgeNews()].closedBars[instrument] = bar
    }

    /// Takes the news; empty when nobody listens and nobody may come back.
    mutating func takeNews(at now: Instant) -> (edges: [(EdgeID, EdgeNews)], commands: [CommandID], refusals: Bool)? {
        defer { news = [:]; commands = []; hasRefusalNews = false }
        if open.isEmpty, now - idleSince > StreamDesk.patience { isCold = true }
        guard !isCold else { return nil }
        return (news.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, commands.sorted(), hasRefusalNews)
    }

    // MARK: - Messages

    /// The next delta, remembered for those who come back.
    mutating func delta(_ change: ScreenChange, at now: Instant) -> [UInt8] {
        seq += 1
        var members = StreamDesk.head("delta", seq, now)
        if let put = change.putValue { members.append(JSONMember("put", put)) }
        if let drop = change.dropValue { members.append(JSONMember("drop", drop)) }
        let text = JSONWriter.plain(.object(members))
        ring.append((seq, text))
        ringBytes += text.count
        var over = 0
        while ring.count - over > StreamDesk.ringMessagesMax || ringBytes > StreamDesk.ringBytesMax { ringBytes -= ring[over].text.count; over += 1 }
        if over > 0 { ring.removeFirst(over) }
        return text
    }

    /// What a listener gets first: the missed deltas when they are all held, else everything.
    func greeting(from: Int64?, at now: Instant) -> [[UInt8]] {
        if let from, from == seq || (from < seq && ring.first.map { $0.seq <= from + 1 } ?? false) {
            let resumed = JSONWriter.plain(.object(StreamDesk.head("resumed", seq, now) + [JSONMember("from", .integer(from))]))
            return [resumed] + ring.filter { $0.seq > from }.map(\.text)
        }
        return [JSONWriter.plain(.object(StreamDesk.head("snap", seq, now) + [JSONMember("put", screen.snapshot)]))]
    }

    func beat(at now: Instant) -> [UInt8] { JSONWriter.plain(.object(StreamDesk.head("beat", seq, now))) }

    /// The screen begins anew; what was sent before can no longer be resumed.
    mutating func warm(_ fresh: Screen) {
        screen = fresh
        forget()
        isCold = false
    }
    mutating func cool() { isCold = true }

    /// Makes every listener begin anew with the next turn.
    mutating func restart(at now: Instant) {
        forget()
        isCold = true
    }

    private mutating func forget() {
        ring = []; ringBytes = 0
        seq += 1
    }

    private static func head(_ type: String, _ seq: Int64, _ now: Instant) -> [JSONMember] {
        [JSONMember("type", .string(type)), JSONMember("seq", .integer(seq)), JSONMember("at", .string(now.description))]
    }
}
