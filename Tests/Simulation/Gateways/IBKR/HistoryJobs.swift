// History that takes long: made piece by piece between other work, from bars that were made before where there are any.
internal import Values
internal import Venues

/// What makes bars the same, whoever asks for them.
struct BarKey: Hashable {
    var instrument: InstrumentID
    /// Nanoseconds.
    var length: Int64
    var source: BarSource
    var regularHours: Bool
}

/// Bars that are over, in blocks: a market's past never changes.
struct BarShelf: Sendable {
    /// Bars of one block. Blocks begin at multiples of it, so that requests that overlap share them.
    static let block: Int64 = 32
    /// Bars that are kept; then the shelf is cleared.
    private static let barsMax = 200_000

    /// The block that the bar of this start belongs to, the start of the block's first bar, and the bar's place in it.
    static func block(of start: Instant, length: Span) -> (number: Int64, first: Instant, place: Int64) {
        let bar = floorDivide(start.nanoseconds, length.nanoseconds)
        let number = floorDivide(bar, block)
        let place = bar - number * block
        return (number, start - Span(nanoseconds: place * length.nanoseconds), place)
    }
    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 { a / b - (a % b < 0 ? 1 : 0) }

    private struct Place: Hashable { var key: BarKey; var number: Int64 }
    private var blocks: [Place: [Bar]] = [:]

    /// The bars of a block; nil when nobody has made them yet. Minutes in which the market was shut have none.
    func bars(_ key: BarKey, _ number: Int64) -> [Bar]? { blocks[Place(key: key, number: number)] }
    mutating func keep(_ bars: [Bar], _ key: BarKey, _ number: Int64) {
        if blocks.count >= Self.barsMax / Int(Self.block) { blocks = [:] }
        blocks[Place(key: key, number: number)] = bars
    }
}

/// A request for history, and how far its answer is.
struct HistoryJob: Sendable {
    var connection: GatewayConnection
    /// Becomes the client's when the bars are to go on.
    var stream: HistoryStream
    var isBidAsk: Bool
    var goesOn: Bool
    /// What was asked for, as the answer repeats it.
    var start, end: String
    /// Starts of the next bar to be made and of the last one.
    var next, newest: Instant
    var made: [Bar] = []
}

extension IBKRGateway {
    /// Steps of the market that one turn looks at for history; an answer that needs more waits for further turns, in which others are served.
    private static var stepsAtOnce: Int64 { 40_000 }
    /// Requests of one client that may wait.
    static var historyJobsMax: Int { 50 }

    /// True when a request id names a stream or history that is being made.
    func isTaken(_ id: Int, _ index: Int) -> Bool {
        clients[index].uses(id) || historyJobs.contains { $0.connection == clients[index].connection && $0.stream.id == id }
    }

    /// Answers at once when the work is little, and otherwise after the requests that wait already.
    mutating func begin(_ job: HistoryJob) {
        var job = job
        var steps = historyJobs.isEmpty ? Self.stepsAtOnce : 0
        work(on: &job, &steps)
        if job.next <= job.newest { historyJobs.append(job) } else { tell(job) }
    }

    /// One turn's work on what waits; every request has its turn.
    mutating func workOnHistory() {
        guard !historyJobs.isEmpty else { return }
        var job = historyJobs.removeFirst()
        var steps = Self.stepsAtOnce
        work(on: &job, &steps)
        if job.next <= job.newest { historyJobs.append(job) } else { tell(job) }
    }

    private mutating func work(on job: inout HistoryJob, _ steps: inout Int64) {
        let length = job.stream.length
        let sources: [BarSource] = job.isBidAsk ? [.bid, .ask] : [job.stream.source]
        while job.next <= job.newest, steps > 0 {
            let (number, first, place) = BarShelf.block(of: job.next, length: length)
            // A block that is not wanted whole, or not over yet, is made for this request alone.
            let isWhole = place == 0 && first + Span(nanoseconds: length.nanoseconds * BarShelf.block) <= min(now, job.newest + length)
            let count = min(BarShelf.block - place, (job.newest - job.next).nanoseconds / length.nanoseconds + 1)
            let last = job.next + Span(nanoseconds: length.nanoseconds * (count - 1))
            let parts = sources.map { source -> [Bar] in
                let key = BarKey(
                    instrument: job.stream.instrument, length: length.nanoseconds, source: source, regularHours: job.stream.regularHours)
                if isWhole, let known = shelf.bars(key, number) { steps -= 1; return known }
                steps -= count * exchange.stepsPerBar(of: length)
                let bars = exchange.bars(
                    key.instrument, length: length, count: Int(count), end: last, source: source, regularHours: key.regularHours)
                if isWhole { shelf.keep(bars, key, number) }
                return bars
            }
            job.made += parts.count == 2 ? zip(parts[0], parts[1]).map(Self.bidAsk) : parts[0]
            job.next = last + length
        }
    }

    private mutating func tell(_ job: HistoryJob) {
        guard let index = index(of: job.connection) else { return }
        let version = clients[index].version
        let bars = job.made.map { wire($0, job.stream, version) }
        send(job.connection, GatewayMessages.historicalData(id: job.stream.id, start: job.start, end: job.end, bars))
        guard job.goesOn, let index = self.index(of: job.connection) else { return }
        var stream = job.stream
        stream.lastTold = job.made.last
        clients[index].histories.append(stream)
    }

    /// A bar that opens at the bid, closes at the ask, and spans the lowest bid and the highest ask.
    private static func bidAsk(_ bid: Bar, _ ask: Bar) -> Bar {
        Bar(start: bid.start, open: bid.open, high: ask.high, low: bid.low, close: ask.close, volume: .zero)
    }
}
