// One instrument's quotes and everybody who wants them: what changed is written once, and goes to each under its own number.
internal import Values
internal import Venues

/// A stream of quotes.
struct QuoteStream: Sendable {
    var connection: GatewayConnection
    var id: Int
    var instrument: InstrumentID
    /// Numbers of the generic ticks asked for.
    var generics: [Int]
    /// 1 live, 2 frozen, 3 delayed, 4 delayed and frozen.
    var dataType: Int
    var isDelayed: Bool { dataType > 2 }
    /// Generic ticks that come with each trade.
    var wantsTrades: Bool { !generics.allSatisfy { ![233, 375, 293].contains($0) } }
}

/// What is known of an instrument's day, as its newest quotes tell it.
struct QuoteDay: Sendable {
    var last: Price?
    var lastSize = Quantity.zero
    var high: Price?
    var low: Price?
    var open: Price?
    var close: Price?
    /// At 10^-8.
    var volume: Int64 = 0
    var trades: Int64 = 0
}

/// One instrument.
struct QuoteBoard: Sendable {
    let instrument: InstrumentID
    let hasTrades: Bool
    let isOption: Bool
    /// Sizes may be parts of one.
    let isFractional: Bool
    var touch: PaperTouch?
    var day = QuoteDay()
    var isHalted = false
    var streams: [QuoteStream] = []
}

/// Tick types of live and delayed data.
struct TickTypes: Sendable {
    let bid, ask, last, bidSize, askSize, lastSize, high, low, volume, close, open, lastTime, halted: Int
    static let live = TickTypes(
        bid: 1, ask: 2, last: 4, bidSize: 0, askSize: 3, lastSize: 5, high: 6, low: 7, volume: 8, close: 9, open: 14, lastTime: 45, halted: 49)
    static let delayed = TickTypes(
        bid: 66, ask: 67, last: 68, bidSize: 69, askSize: 70, lastSize: 71, high: 72, low: 73, volume: 74, close: 75, open: 76, lastTime: 88,
        halted: 90)
}

/// Frames of ticks without the request they answer: written once, told to many.
struct TickBatch: Sendable {
    private struct Frame: Sendable { var start: Int; var head: Int; var end: Int }
    private var bytes: [UInt8] = []
    private var frames: [Frame] = []
    /// Sizes are written as whole numbers, for clients before 163.
    let isWhole: Bool
    init(isWhole: Bool = false) { self.isWhole = isWhole }
    private var version: Int { isWhole ? 0 : .max }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        frames.removeAll(keepingCapacity: true)
    }

    /// A price with its size; bit 0 of the mask says that it can be traded at once.
    mutating func price(_ type: Int, _ price: Price, _ size: Quantity?, mask: Int = 0) {
        add("1", type, [price.description, size.map { GatewayText.size($0, version: version) } ?? "0", String(mask)])
    }
    mutating func size(_ type: Int, _ size: Quantity) { add("2", type, [GatewayText.size(size, version: version)]) }
    mutating func generic(_ type: Int, _ value: String) { add("45", type, [value]) }
    mutating func text(_ type: Int, _ text: String) { add("46", type, [text]) }

    private mutating func add(_ message: String, _ type: Int, _ fields: [String]) {
        let start = bytes.count
        bytes.append(contentsOf: message.utf8)
        // The version of all four kinds.
        bytes.append(contentsOf: [0, 0x36, 0])
        let head = bytes.count
        field(String(type))
        for text in fields { field(text) }
        frames.append(Frame(start: start, head: head, end: bytes.count))
    }
    private mutating func field(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        bytes.append(0)
    }

    /// Writes every frame as the answer to a request.
    func write(_ id: Int, into out: inout [UInt8]) {
        var number: [UInt8] = Array(String(id).utf8)
        number.append(0)
        bytes.withUnsafeBufferPointer { bytes in
            for frame in frames {
                let count = frame.end - frame.start + number.count
                out.append(UInt8(truncatingIfNeeded: count >> 24))
                out.append(UInt8(truncatingIfNeeded: count >> 16))
                out.append(UInt8(truncatingIfNeeded: count >> 8))
                out.append(UInt8(truncatingIfNeeded: count))
                out.append(contentsOf: bytes[frame.start..<frame.head])
                out.append(contentsOf: number)
                out.append(contentsOf: bytes[frame.head..<frame.end])
            }
        }
    }
}

extension QuoteBoard {
    /// What of a new touch differs from the old one.
    func changes(to new: PaperTouch, _ types: TickTypes, into batch: inout TickBatch) {
        if touch?.bid != new.bid { batch.price(types.bid, new.bid, new.bidSize, mask: types.bid == 1 ? 1 : 0) }
        if touch?.bid != new.bid || touch?.bidSize != new.bidSize { batch.size(types.bidSize, new.bidSize) }
        if touch?.ask != new.ask { batch.price(types.ask, new.ask, new.askSize, mask: types.ask == 2 ? 1 : 0) }
        if touch?.ask != new.ask || touch?.askSize != new.askSize { batch.size(types.askSize, new.askSize) }
    }

    /// What a trade tells; the day is still as before it.
    func changes(by trade: PaperTrade, _ types: TickTypes, at now: Instant, into batch: inout TickBatch) {
        batch.text(types.lastTime, String(now.seconds))
        if day.last != trade.price { batch.price(types.last, trade.price, trade.size) }
        batch.size(types.lastSize, trade.size)
        batch.size(types.volume, Quantity(raw: day.volume + trade.size.raw))
        if let high = day.high, trade.price > high { batch.price(types.high, trade.price, nil) }
        if let low = day.low, trade.price < low { batch.price(types.low, trade.price, nil) }
    }

    /// The generic ticks that a trade brings to those who asked for them.
    func generics(by trade: PaperTrade, _ stream: QuoteStream, at now: Instant, into batch: inout TickBatch) {
        for (generic, type) in [(233, 48), (375, 77)] where stream.generics.contains(generic) {
            let volume = Quantity(raw: day.volume + trade.size.raw)
            batch.text(type, "\(trade.price);\(trade.size);\(now.milliseconds);\(volume);\(trade.price);true")
        }
        if stream.generics.contains(293) { batch.generic(54, String(day.trades + 1)) }
    }

    mutating func take(_ trade: PaperTrade) {
        day.last = trade.price
        day.lastSize = trade.size
        day.volume += trade.size.raw
        day.trades += 1
        day.high = day.high.map { max($0, trade.price) }
        day.low = day.low.map { min($0, trade.price) }
    }
}
