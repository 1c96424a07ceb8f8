// How `rig relay cut` reaches the relay that runs: a file names a loopback port and a secret word; one line is asked, one answered.
import Glibc
import Platform
import Simulation
import Wire

/// What asking brought.
enum RelayAnswer {
    case answer(JSONValue)
    /// Nobody answered, and why.
    case silent(String)
}

/// The relay's ear. The file is there as long as the relay runs, readable by its user alone.
final class RelayControl {
    private static let lineBytesMax = 256
    private static let timeoutMillis = 5_000

    private let relay: TCPRelay
    private let path: String
    private let word: String
    private var listener: TCPListener?

    init(_ loop: EventLoop, _ relay: TCPRelay, path: String) throws {
        self.relay = relay; self.path = path
        var chance = SystemRandomNumberGenerator()
        word = String(chance.next(), radix: 36) + String(chance.next(), radix: 36)
        let listener = try loop.listen(host: "127.0.0.1", port: 0) { [unowned self] _ in
            LineReader(bytesMax: Self.lineBytesMax) { line, connection in
                if let line { _ = connection.send(self.answer(line)) }
                connection.close(flushing: true)
            }
        }
        self.listener = listener
        try Self.store("\(listener.port) \(word)\n", path)
    }

    /// Leaves no file behind.
    func close() {
        listener?.close()
        if Self.load(path)?.word == word { unlink(path) }
    }

    private func answer(_ line: String) -> [UInt8] {
        let parts = line.split(separator: " ").map(String.init)
        var trouble: String?
        if parts.count != 2 || parts[0] != word {
            trouble = "this is not the word of this relay"
        } else if parts[1] == "cut" {
            relay.cut()
        } else if parts[1] == "mend" {
            do throws(TCPListenError) { try relay.mend() } catch { trouble = "\(error)" }
        } else if parts[1].hasPrefix("weather:") {
            if let weather = RelayWeather(parts[1].dropFirst("weather:".count)) {
                relay.weather = weather
            } else {
                trouble = "the relay does not know this weather; it knows \(RelayWeather.help)"
            }
        } else if parts[1] != "status" {
            trouble = "the relay knows cut, mend, weather and status"
        }
        let status = relay.status
        let routes = relay.routes.map { ["listening": .string($0.listen.description), "to": .string($0.to.description)] as JSONValue }
        let answer: JSONValue =
            trouble.map { ["error": .string($0)] } ?? [
                "cut": .bool(status.isCut), "connections": .integer(Int64(status.pairs)), "bytes_forth": .integer(Int64(clamping: status.bytesForth)),
                "bytes_back": .integer(Int64(clamping: status.bytesBack)), "cuts": .integer(Int64(status.cuts)),
                "resets": .integer(Int64(status.resets)), "corrupted": .integer(Int64(status.corrupted)), "routes": .array(routes),
            ]
        return JSONWriter.plain(answer) + [10]
    }

    // MARK: The asking side

    /// Asks the relay that wrote `path`, at most for five seconds.
    static func ask(_ verb: String, _ path: String) -> RelayAnswer {
        guard let (port, word) = load(path) else { return .silent("no relay runs with the control file \(path)") }
        let loop = EventLoop()
        var result: RelayAnswer?
        let reader = LineReader(bytesMax: 65_536) { line, connection in
            connection.close()
            let json = line.flatMap { try? JSONReader.read(Array($0.utf8), limits: .frame) }
            result = json.map { .answer($0) } ?? .silent("the relay of \(path) does not run any more, or did not understand")
        }
        let connection = loop.connect(host: "127.0.0.1", port: port, timeoutMillis: timeoutMillis, owner: reader)
        _ = connection.send(Array("\(word) \(verb)\n".utf8))
        loop.after(milliseconds: timeoutMillis) {
            result = result ?? .silent("the relay of \(path) did not answer within \(timeoutMillis / 1_000) s")
        }
        while true {
            if let result { return result }
            loop.turn()
        }
    }

    private static func load(_ path: String) -> (port: Int, word: String)? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: lineBytesMax)
        guard fgets(&buffer, Int32(buffer.count), file) != nil else { return nil }
        let parts = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard parts.count == 2, let port = Int(parts[0]) else { return nil }
        return (port, String(parts[1]))
    }

    private static func store(_ text: String, _ path: String) throws {
        let draft = path + ".new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw UsageError(text: "cannot write the control file \(path): \(String(cString: strerror(errno)))") }
        let bytes = Array(text.utf8)
        let count = write(descriptor, bytes, bytes.count)
        Glibc.close(descriptor)
        guard count == bytes.count, rename(draft, path) == 0 else {
            throw UsageError(text: "cannot write the control file \(path): \(String(cString: strerror(errno)))")
        }
    }
}

/// Collects one line of a connection; tells nil when the connection ends, or the line grows too long, before it is there.
private final class LineReader: TCPOwner {
    private let bytesMax: Int
    private let told: (String?, TCPConnection) -> Void
    private var bytes: [UInt8] = []
    private var isDone = false
    init(bytesMax: Int, _ told: @escaping (String?, TCPConnection) -> Void) { self.bytesMax = bytesMax; self.told = told }

    func received(_ more: RawSpan, on connection: TCPConnection) {
        bytes += more.withUnsafeBytes { Array($0) }
        if let end = bytes.firstIndex(of: 10) {
            finish(String(decoding: bytes[..<end], as: UTF8.self), connection)
        } else if bytes.count > bytesMax {
            finish(nil, connection)
        }
    }
    func closed(_ connection: TCPConnection, _ reason: TCPClose) { finish(nil, connection) }
    private func finish(_ line: String?, _ connection: TCPConnection) {
        guard !isDone else { return }
        isDone = true
        told(line, connection)
    }
}
