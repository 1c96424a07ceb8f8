// Two connections tied together, with a pipe each way in which the weather holds, spoils and drops bytes.
internal import Platform
internal import Values

/// What a pair tells its relay.
enum RelayNote {
    case passed(RelayWay, Int)
    case corrupted
    case reset
    case over
}

/// One way of a pair: bytes wait here until their time has come and the other side takes them.
private final class RelayPipe {
    private let loop: EventLoop
    private var queue: [(due: Span, bytes: [UInt8])] = []
    private var first = 0
    private(set) var bytes = 0
    private var lastDue = Span.zero, freeAt = Span.zero
    private var timer: LoopTimer?
    /// Nothing of this connection arrives any more, whatever the weather.
    var isDeaf = false
    /// The sender has gone: what waits still arrives, then the other side is told.
    var isEnding = false
    /// Its sender is not read for now.
    var isHeld = false
    let pass: ([UInt8]) -> Bool

    /// - Parameter pass: hands bytes to the other side; false when it takes none for now.
    init(_ loop: EventLoop, pass: @escaping ([UInt8]) -> Bool) { self.loop = loop; self.pass = pass }

    var isEmpty: Bool { first == queue.count }

    func put(_ piece: [UInt8], _ weather: RelayWeather, _ chance: inout SeededRandom) {
        let now = SystemClock.monotonic()
        var start = 0
        // In small pieces, so that a slow line drips and does not gush.
        let most = weather.bytesPerSecond > 0 ? max(512, weather.bytesPerSecond / 20) : max(1, piece.count)
        while start < piece.count {
            let end = min(piece.count, start + most)
            if weather.bytesPerSecond > 0 {
                freeAt = max(now, freeAt) + Span(nanoseconds: Int64(end - start) * 1_000_000_000 / Int64(weather.bytesPerSecond))
            }
            let jitter = weather.jitterMillis > 0 ? chance.int(0...weather.jitterMillis) : 0
            lastDue = max(lastDue, max(now, freeAt) + .milliseconds(Int64(weather.delayMillis + jitter)))
            queue.append((lastDue, Array(piece[start..<end])))
            start = end
        }
        bytes += piece.count
    }

    /// Passes on what is due; sets a timer for the rest.
    func flow(_ weather: RelayWeather, again: @escaping () -> Void) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard !weather.isStalled else { return }
        let now = SystemClock.monotonic()
        while first < queue.count, queue[first].due <= now {
            guard pass(queue[first].bytes) else { return }
            bytes -= queue[first].bytes.count
            queue[first].bytes = []
            first += 1
        }
        if first == queue.count {
            queue = []
            first = 0
        } else {
            if first > 4_096 { queue.removeFirst(first); first = 0 }
            timer = loop.after(milliseconds: max(1, Int((queue[first].due - now).nanoseconds / 1_000_000)), again)
        }
    }
}

/// Both connections and both pipes. The relay and the two connections hold it.
final class RelayPair: TCPOwner {
    /// Above this many bytes with the kernel's side the other side is not read until they have gone.
    private static let waitingBytesMax = 256 << 10
    /// What a line of 25 ms holds at six hundred megabytes a second; a slow line holds less, so that its sender feels it.
    private static let lineBytesMax = 16 << 20, slowLineBytesMax = 256 << 10
    private let client: TCPConnection
    private var server: TCPConnection?
    private let weather: () -> RelayWeather
    private let tell: (RelayNote) -> Void
    private var chance: SeededRandom
    private var forth: RelayPipe?
    private var back: RelayPipe?
    private var untilCorrupt = 0, untilReset = 0
    private var isOver = false

    init(_ loop: EventLoop, client: TCPConnection, seed: UInt64, weather: @escaping () -> RelayWeather, tell: @escaping (RelayNote) -> Void) {
        self.client = client; self.weather = weather; self.tell = tell
        chance = SeededRandom(seed: seed)
        forth = RelayPipe(loop) { [unowned self] in give($0, to: server) }
        back = RelayPipe(loop) { [unowned self] in give($0, to: self.client) }
        let muted = weather().muted
        forth?.isDeaf = muted.contains(.forth)
        back?.isDeaf = muted.contains(.back)
    }

    /// The other side is dialled; what has come meanwhile follows.
    func join(_ server: TCPConnection) {
        guard !isOver else { return server.close() }
        self.server = server
        flow()
    }

    /// The weather has changed.
    func feel() {
        let now = weather()
        if now.muted.contains(.forth) { forth?.isDeaf = true }
        if now.muted.contains(.back) { back?.isDeaf = true }
        if let way = now.halfOpen {
            forth?.isDeaf = true
            back?.isDeaf = true
            let gone = way == .forth ? server : client
            gone?.close()
            if way == .forth { server = nil }
        }
        flow()
    }

    func drop() {
        isOver = true
        client.close()
        server?.close()
    }

    // MARK: - Bytes

    private func pipe(from connection: TCPConnection) -> RelayPipe? { connection === client ? forth : back }

    func received(_ bytes: RawSpan, on connection: TCPConnection) {
        guard let pipe = pipe(from: connection) else { return }
        tell(.passed(connection === client ? .forth : .back, bytes.byteCount))
        guard !pipe.isDeaf else { return }
        let weather = weather()
        var piece = bytes.withUnsafeBytes { Array($0) }
        corrupt(&piece, weather)
        let isLast = breaksOff(&piece, weather)
        pipe.put(piece, weather, &chance)
        flow()
        guard !isLast else { return end(.reset) }
        if pipe.bytes > (weather.bytesPerSecond > 0 ? RelayPair.slowLineBytesMax : RelayPair.lineBytesMax) { hold(pipe, connection) }
    }

    private func hold(_ pipe: RelayPipe, _ sender: TCPConnection) {
        pipe.isHeld = true
        sender.pause()
    }

    private func corrupt(_ piece: inout [UInt8], _ weather: RelayWeather) {
        guard weather.corruptEvery > 0, !piece.isEmpty else { return }
        if untilCorrupt <= 0 { untilCorrupt = chance.int(weather.corruptEvery / 2...weather.corruptEvery * 3 / 2) }
        untilCorrupt -= piece.count
        guard untilCorrupt <= 0 else { return }
        piece[chance.int(0...(piece.count - 1))] ^= 1 << UInt8(chance.int(0...7))
        tell(.corrupted)
    }

    /// True when this piece is the last of its connection; half of it still goes.
    private func breaksOff(_ piece: inout [UInt8], _ weather: RelayWeather) -> Bool {
        guard weather.resetEvery > 0 else { return false }
        if untilReset <= 0 { untilReset = chance.int(weather.resetEvery / 2...weather.resetEvery * 3 / 2) }
        untilReset -= piece.count
        guard untilReset <= 0 else { return false }
        piece.removeLast(piece.count / 2)
        return true
    }

    private func flow() {
        guard !isOver else { return }
        let now = weather()
        for (pipe, from, to) in [(forth, client, server), (back, server ?? client, client)] as [(RelayPipe?, TCPConnection, TCPConnection?)] {
            guard let pipe, let to else { continue }
            pipe.flow(now) { [weak self] in self?.flow() }
            if pipe.isEmpty, pipe.isEnding { to.close(flushing: true) }
            if pipe.isHeld, !pipe.isEnding, pipe.bytes < RelayPair.slowLineBytesMax, to.queuedBytes <= RelayPair.waitingBytesMax {
                pipe.isHeld = false
                from.resume()
            }
        }
        if forth?.isEnding == true, forth?.isEmpty == true || server == nil, back?.isEnding == true || back?.isEmpty == true { end(.over) }
    }

    private func give(_ bytes: [UInt8], to connection: TCPConnection?) -> Bool {
        guard let connection, connection.queuedBytes <= RelayPair.waitingBytesMax else { return false }
        let sent = connection.send(bytes)
        if connection.queuedBytes > RelayPair.waitingBytesMax {
            if connection === client { if let back, let server { hold(back, server) } } else if let forth { hold(forth, client) }
        }
        return sent != .full && sent != .closed
    }

    func drained(_ connection: TCPConnection) { flow() }

    func closed(_ connection: TCPConnection, _ reason: TCPClose) {
        guard !isOver, let pipe = pipe(from: connection) else { return }
        // A silent end of a half-open pair goes by itself.
        guard !pipe.isDeaf, !pipe.isEmpty else { return end(.over) }
        pipe.isEnding = true
        flow()
    }

    private func end(_ note: RelayNote) {
        guard !isOver else { return }
        isOver = true
        switch note {
        case .over:
            client.close(flushing: true)
            server?.close(flushing: true)
        case .reset, .passed, .corrupted: drop()
        }
        if case .reset = note { tell(.reset) }
        tell(.over)
    }
}
