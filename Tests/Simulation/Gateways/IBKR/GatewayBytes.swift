// The gateway's side of the TWS framing: the greeting, length-prefixed frames, fields ended by NUL.

/// What the gateway could not read.
package enum GatewayFault: Error, Equatable, Sendable {
    /// The stream does not begin with `API` and a version range.
    case badGreeting
    /// A frame longer than `GatewayFrames.frameBytesMax`.
    case frameTooLong(Int)
    /// The message ended before its fields did.
    case tooFewFields(message: Int)
    /// A field that must be a number is none.
    case notANumber(message: Int, text: String)
    /// A message id that this gateway does not serve.
    case unknownMessage(Int)
}

/// The version range a client offers.
package struct GatewayGreeting: Equatable, Sendable {
    package var lowest: Int
    package var highest: Int
    package init(lowest: Int, highest: Int) { self.lowest = lowest; self.highest = highest }
}

/// Cuts a byte stream into a greeting and frames, whatever pieces it arrives in.
package struct GatewayFrames: Sendable {
    /// Real clients cap a frame at this size; so does the gateway.
    package static let frameBytesMax = 0xFF_FFFF

    /// One piece of the stream.
    package enum Piece: Equatable, Sendable {
        case greeting(GatewayGreeting)
        /// The fields of one frame, without their NULs.
        case fields([String])
    }

    private var buffer: [UInt8] = []
    private var start = 0
    private var greeted = false
    package init() {}

    /// Takes bytes in.
    package mutating func append(_ bytes: [UInt8]) {
        if start > 0, start == buffer.count { buffer.removeAll(keepingCapacity: true); start = 0 }
        if start > 65_536 { buffer.removeFirst(start); start = 0 }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole piece, nil when more bytes are needed.
    /// - Throws: `.badGreeting`, `.frameTooLong`; the stream is of no use after either.
    package mutating func next() throws(GatewayFault) -> Piece? {
        if !greeted {
            let prefix = Array("API\0".utf8)
            let given = Array(buffer[start...].prefix(prefix.count))
            guard prefix.starts(with: given) else { throw .badGreeting }
            guard given.count == prefix.count, let text = try frame(after: prefix.count) else { return nil }
            greeted = true
            return .greeting(try Self.greeting(text))
        }
        guard let payload = try frame(after: 0) else { return nil }
        return .fields(Self.fields(payload))
    }

    private mutating func frame(after skip: Int) throws(GatewayFault) -> [UInt8]? {
        let from = start + skip
        guard buffer.count - from >= 4 else { return nil }
        let length = buffer[from..<from + 4].reduce(0) { $0 << 8 | Int($1) }
        guard length <= Self.frameBytesMax else { throw .frameTooLong(length) }
        guard buffer.count - from - 4 >= length else { return nil }
        start = from + 4 + length
        return Array(buffer[from + 4..<start])
    }

    private static func greeting(_ payload: [UInt8]) throws(GatewayFault) -> GatewayGreeting {
        // `v157..178`, or `v178`, perhaps followed by a blank and connect options.
        let text = String(decoding: payload.prefix { $0 != 0x20 && $0 != 0 }, as: UTF8.self)
        guard text.hasPrefix("v") else { throw .badGreeting }
        let parts = text.dropFirst().split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
        guard let first = parts.first, let lowest = first, let last = parts.last, let highest = last, lowest <= highest, parts.count <= 2 else {
            throw .badGreeting
        }
        return GatewayGreeting(lowest: lowest, highest: highest)
    }

    /// The fields of a payload; a last field without its NUL counts too.
    package static func fields(_ payload: [UInt8]) -> [String] {
        var fields = payload.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        if payload.last == 0 { fields.removeLast() }
        return fields
    }

    /// The bytes of a frame; characters beyond ASCII go out as `\uXXXX`, as real gateways do.
    package static func bytes(_ fields: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        write(fields, into: &bytes)
        return bytes
    }

    /// Appends the bytes of a frame.
    static func write(_ fields: [String], into out: inout [UInt8]) {
        let start = out.count
        for _ in 0..<4 { out.append(0) }
        for field in fields {
            if field.utf8.allSatisfy({ $0 < 0x80 }) {
                out.append(contentsOf: field.utf8)
            } else {
                out.append(contentsOf: escaped(field).utf8)
            }
            out.append(0)
        }
        let count = UInt32(out.count - start - 4)
        for (index, shift) in [24, 16, 8, 0].enumerated() { out[start + index] = UInt8(truncatingIfNeeded: count >> shift) }
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for unit in text.utf16 {
            if unit < 0x80, let scalar = UnicodeScalar(UInt32(unit)) { result.unicodeScalars.append(scalar); continue }
            let digits = String(unit, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
        return result
    }
}

/// Reads the fields of one message in order.
struct GatewayReader {
    let fields: [String]
    private(set) var at = 0
    /// Field 0; 0 when it is no number.
    let message: Int

    init(_ fields: [String]) { self.fields = fields; message = fields.first.flatMap { Int($0) } ?? 0 }
    var isAtEnd: Bool { at >= fields.count }

    mutating func text() throws(GatewayFault) -> String {
        guard at < fields.count else { throw .tooFewFields(message: message) }
        at += 1
        return fields[at - 1]
    }
    /// An integer; empty reads as 0.
    mutating func integer() throws(GatewayFault) -> Int64 {
        let text = try text()
        if text.isEmpty { return 0 }
        guard let value = Int64(text) else { throw .notANumber(message: message, text: text) }
        return value
    }
    mutating func int() throws(GatewayFault) -> Int {
        guard let value = Int(exactly: try integer()) else { throw .notANumber(message: message, text: fields[at - 1]) }
        return value
    }
    mutating func bool() throws(GatewayFault) -> Bool { try integer() != 0 }
    /// Over a counted list, so many fields a part. A count that the message cannot hold is no number.
    mutating func skipList(of width: Int) throws(GatewayFault) {
        let count = try int()
        guard (0...fields.count).contains(count) else { throw .notANumber(message: message, text: fields[at - 1]) }
        try skip(count * width)
    }
    mutating func skip(_ count: Int) throws(GatewayFault) { for _ in 0..<count { _ = try text() } }
}

/// Words for numbers that are not set.
package enum Unset {
    package static let double = "1.7976931348623157E308"
    package static let integer = "2147483647"
    package static let long = "9223372036854775807"
    /// True for all the ways clients and servers write "not set".
    package static func matches(_ text: String) -> Bool {
        text.isEmpty || text == integer || text == long || text == "-9223372036854775808" || text.uppercased() == "1.7976931348623157E308"
            || text.uppercased() == "1.7976931348623157E+308"
    }
}
