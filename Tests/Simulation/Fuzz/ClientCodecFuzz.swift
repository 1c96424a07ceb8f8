// The client's codec under its oracles: what it reads, it reads again, as a tick too, in any pieces, and after the gateway wrote it anew.
package import Values
package import Venues

/// Judges `IBDecoder`, `FrameSplitter` and the tick path.
package struct ClientCodecFuzz: FuzzedCodec {
    /// How a payload is read at a version; a test puts a bad reader in.
    package typealias Reader = @Sendable ([UInt8], Int) -> Result<IBMessage, FieldFault>
    private let reader: Reader
    package private(set) var read = 0
    package private(set) var returned = 0

    package init(_ reader: @escaping Reader = ClientCodecFuzz.decode) { self.reader = reader }

    /// The real decoder.
    package static let decode: Reader = { payload, version in
        do throws(FieldFault) { return .success(try IBDecoder(version: version).decode(payload.span.bytes)) } catch { return .failure(error) }
    }

    package mutating func judge(_ payload: [UInt8], version: Int, isWhole: Bool, _ chance: inout SeededRandom) throws(FuzzFault) {
        let first = reader(payload, version)
        guard first == reader(payload, version) else { throw FuzzFault("read twice, it gives two values") }
        try judgeTick(payload, version, first)
        if chance.chance(1, in: 8) { try judgePieces(payload, &chance) }
        guard case .success(let message) = first else {
            if isWhole { throw FuzzFault("a frame that was really sent cannot be read: \(first)") }
            return
        }
        read += 1
        try judgeSurplus(payload, version, message)
        try judgeReturn(message, version, &chance)
    }

    /// The quick way for ticks and the way for everything agree.
    private func judgeTick(_ payload: [UInt8], _ version: Int, _ slow: Result<IBMessage, FieldFault>) throws(FuzzFault) {
        let quick: IBTick?
        do throws(FieldFault) { quick = try IBDecoder(version: version).tick(payload.span.bytes) } catch {
            if case .failure = slow { return }
            throw FuzzFault("no tick (\(error)), and yet a message: \(slow)")
        }
        guard let quick else { return }
        guard case .success(let message) = slow else { throw FuzzFault("a tick (\(quick)), and yet no message: \(slow)") }
        let agrees =
            switch (quick, message) {
            case (.price(let a), .tickPrice(let b)): a == b
            case (.size(let id, let type, let size), .tickSize(let id2, let type2, let size2)): id == id2 && type == type2 && size == size2
            case (.generic(let id, let type, let value), .tickGeneric(let id2, let type2, let value2)): id == id2 && type == type2 && value == value2
            case (.trade(let id, let type, _), .tickString(let id2, let type2, _)): id == id2 && type == type2
            case (.text(let id, let type), .tickString(let id2, let type2, _)): id == id2 && type == type2
            case (.stamp(let id, let type, let seconds), .tickString(let id2, let type2, let text)):
                id == id2 && type == type2 && (Int64(text) ?? seconds) == seconds
            case (.byTick(let id, let tick), .tickByTick(let id2, let tick2)): id == id2 && tick == tick2
            default: false
            }
        guard agrees else { throw FuzzFault("as a tick \(quick), as a message \(message)") }
    }

    /// Servers add fields at the end: they change nothing.
    private func judgeSurplus(_ payload: [UInt8], _ version: Int, _ message: IBMessage) throws(FuzzFault) {
        // An error's last field may be missing; then the next one takes its place.
        if case .error = message { return }
        guard payload.last == 0 else { return }
        let more = reader(payload + Array("surplus\u{0}7\u{0}".utf8), version)
        guard more == .success(message) else { throw FuzzFault("with two more fields it is \(more), not \(message)") }
    }

    /// Written again by the other codec, it is the same.
    private mutating func judgeReturn(_ message: IBMessage, _ version: Int, _ chance: inout SeededRandom) throws(FuzzFault) {
        var rewrite = ClientRewrite(turn: chance.int(0...29))
        guard let fields = rewrite.fields(message, version: version), fields.allSatisfy({ ClientCodecFuzz.isPlain($0) }) else { return }
        let again = reader(FuzzSeed.payload(fields), version)
        returned += 1
        guard again == .success(message) else {
            throw FuzzFault("written again as \(fields.joined(separator: "|")) it is \(again), not \(message)")
        }
    }
    /// Escapes are read once, and what is too long is cut: text with either is another text the second time.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= FieldCursor.nameBytesMax && !text.utf8.contains(UInt8(ascii: "\\")) && !text.hasSuffix("\u{2026}")
    }

    /// However the stream is cut, the same frames come out.
    private func judgePieces(_ payload: [UInt8], _ chance: inout SeededRandom) throws(FuzzFault) {
        let frame = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + payload
        let stream = frame + [0, 0, 0, 2, 0x35, 0] + frame
        var splitter = FrameSplitter()
        var found: [[UInt8]] = []
        var at = 0
        while at < stream.count {
            let end = min(stream.count, at + chance.int(1...max(1, stream.count / 2)))
            let piece = Array(stream[at..<end])
            at = end
            if splitter.pendingBytes > 0 {
                guard let joined = splitter.begin(piece.span.bytes) else { continue }
                splitter.end(joined, used: try ClientCodecFuzz.walk(joined, &found))
            } else {
                splitter.keep(piece.span.bytes, from: try ClientCodecFuzz.walk(piece, &found))
            }
        }
        guard found == [payload, [0x35, 0], payload], splitter.pendingBytes == 0 else {
            throw FuzzFault("cut in pieces it gave \(found.count) frames")
        }
    }
    private static func walk(_ bytes: [UInt8], _ found: inout [[UInt8]]) throws(FuzzFault) -> Int {
        var used = 0
        do throws(FrameFault) {
            while let range = try FrameSplitter.frame(in: bytes.span.bytes, at: used) {
                found.append(Array(bytes[range]))
                used = range.upperBound
            }
        } catch { throw FuzzFault("the splitter gave up: \(error)") }
        return used
    }
}
