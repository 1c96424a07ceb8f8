// The gateway's codec under its oracles: what it reads of a client's frame, our client writes again, and the gateway reads the same.
package import Values
internal import Venues

/// Judges `GatewayRequest`, `OrderFields` and `GatewayFrames`.
package struct GatewayCodecFuzz: FuzzedCodec {
    /// How a frame's fields are read at a version; a test puts a bad reader in.
    package typealias Reader = @Sendable ([String], Int) -> Result<GatewayRequest, GatewayFault>
    private let reader: Reader
    package private(set) var read = 0
    package private(set) var returned = 0

    package init(_ reader: @escaping Reader = GatewayCodecFuzz.decode) { self.reader = reader }

    /// The real decoder.
    package static let decode: Reader = { fields, version in
        do throws(GatewayFault) { return .success(try GatewayRequest(fields, version: version)) } catch { return .failure(error) }
    }

    package mutating func judge(_ payload: [UInt8], version: Int, isWhole: Bool, _ chance: inout SeededRandom) throws(FuzzFault) {
        if chance.chance(1, in: 8) { try judgePieces(payload, &chance) }
        let fields = GatewayFrames.fields(payload)
        let first = reader(fields, version)
        // Describing a value costs more than reading it.
        if chance.chance(1, in: 16), GatewayCodecFuzz.words(first) != GatewayCodecFuzz.words(reader(fields, version)) {
            throw FuzzFault("read twice, it gives two values")
        }
        guard case .success(let request) = first else {
            if isWhole { throw FuzzFault("a frame that was really sent cannot be read: \(first)") }
            return
        }
        read += 1
        if case .placeOrder(let order) = request {
            guard order.names.count == order.values.count, fields.starts(with: order.values) else {
                throw FuzzFault("an order has \(order.names.count) names, \(order.values.count) values and \(fields.count) fields")
            }
            returned += 1
        }
        try judgeReturn(request, version)
    }

    /// An order's fields stand in a table without an order of its own: told as lists.
    private static func words(_ result: Result<GatewayRequest, GatewayFault>) -> String {
        if case .success(.placeOrder(let order)) = result { "\(order.names) \(order.values)" } else { "\(result)" }
    }

    private mutating func judgeReturn(_ request: GatewayRequest, _ version: Int) throws(FuzzFault) {
        // What a client of ours would refuse to send proves nothing.
        guard let asked = GatewayRewrite.request(request), let frame = try? IBEncoder(version: version).encode(asked) else { return }
        let again = reader(GatewayFrames.fields(Array(frame.dropFirst(4))), version)
        returned += 1
        guard case .success(let second) = again, GatewayRewrite.request(second) == asked else {
            throw FuzzFault("\(asked), written by the client, was read as \(again)")
        }
    }

    /// However the stream is cut, the same frames come out.
    private func judgePieces(_ payload: [UInt8], _ chance: inout SeededRandom) throws(FuzzFault) {
        let frame = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + payload
        let stream = IBEncoder.hello(maximum: 178) + frame + frame
        var frames = GatewayFrames()
        var pieces: [GatewayFrames.Piece] = []
        var at = 0
        do throws(GatewayFault) {
            while at < stream.count {
                let end = min(stream.count, at + chance.int(1...max(1, stream.count / 2)))
                frames.append(Array(stream[at..<end]))
                at = end
                while let piece = try frames.next() { pieces.append(piece) }
            }
        } catch { throw FuzzFault("cut in pieces the stream broke: \(error)") }
        let whole = GatewayFrames.Piece.fields(GatewayFrames.fields(payload))
        guard pieces == [.greeting(GatewayGreeting(lowest: 157, highest: 178)), whole, whole] else {
            throw FuzzFault("cut in pieces it gave \(pieces.count) frames")
        }
    }
}
