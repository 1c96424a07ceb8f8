// Reading JSON text with limits and positions: depth, size and every byte are checked before a value exists.

/// Why a JSON text was refused, with the byte offset.
package enum JSONError: Error, Equatable, Sendable {
    case tooLarge(bytes: Int, limit: Int)
    case tooDeep(at: Int, limit: Int)
    case unexpected(at: Int)
    case endOfText
    case doubleKey(String, at: Int)
    case badEscape(at: Int)
    case badUTF8
    case trailing(at: Int)
}

/// Bounds of one reading.
package struct JSONLimits: Sendable {
    package var depth: Int
    package var bytes: Int
    package init(depth: Int, bytes: Int) { self.depth = depth; self.bytes = bytes }
    /// A ledger body: 64 KiB, depth 8.
    package static let body = JSONLimits(depth: 8, bytes: 65_536)
    /// A control frame on the link: 1 MiB, depth 12.
    package static let frame = JSONLimits(depth: 12, bytes: 1_048_576)
}

/// A strict RFC 8259 reader.
package struct JSONReader {
    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var at = 0

    private init(_ bytes: [UInt8], _ limits: JSONLimits) { self.bytes = bytes; self.limits = limits }

    /// The one value that `bytes` hold.
    package static func read(_ bytes: [UInt8], limits: JSONLimits = .body) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytes else { throw .tooLarge(bytes: bytes.count, limit: limits.bytes) }
        var reader = JSONReader(bytes, limits)
        let value = try reader.value(depth: 1)
        reader.skipBlanks()
        guard reader.at == bytes.count else { throw .trailing(at: reader.at) }
        return value
    }

    private mutating func skipBlanks() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= limits.depth else { throw .tooDeep(at: at, limit: limits.depth) }
        skipBlanks()
        guard at < bytes.count else { throw .endOfText }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount {
            guard at + offset < bytes.count else { throw .endOfText }
            guard bytes[at + offset] == word.utf8Start[offset] else { throw .unexpected(at: at + offset) }
        }
        at += word.utf8CodeUnitCount
        return value
    }

    private mutating func expect(_ byte: UInt8) throws(JSONError) {
        skipBlanks()
        guard at < bytes.count else { throw .endOfText }
        guard bytes[at] == byte else { throw .unexpected(at: at) }
        at += 1
    }

    /// Consumes `byte` when it is next.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        at += 1
        var members: [JSONMember] = []
        var keys: Set<String> = []
        if take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            skipBlanks()
            let start = at
            guard at < bytes.count else { throw .endOfText }
            guard bytes[at] == UInt8(ascii: "\"") else { throw .unexpected(at: at) }
            let key = try string()
            guard isNew(key, among: members, &keys) else { throw .doubleKey(key, at: start) }
            try expect(UInt8(ascii: ":"))
            members.append(JSONMember(key, try value(depth: depth + 1)))
        } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"))
        return .object(members)
    }

    /// A few members are compared one by one; with many a set is kept.
    private func isNew(_ key: String, among members: [JSONMember], _ keys: inout Set<String>) -> Bool {
        let few = 16
        if members.count < few { return !members.contains { $0.key == key } }
        if keys.isEmpty { keys = Set(members.map(\.key)) }
        return keys.insert(key).inserted
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        at += 1
        var values: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array([]) }
        repeat { values.append(try value(depth: depth + 1)) } while take(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"))
        return .array(values)
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = at
        if at < bytes.count, bytes[at] == UInt8(ascii: "-") { at += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[at - whole] != UInt8(ascii: "0") else { throw at < bytes.count ? .unexpected(at: at) : .endOfText }
        var isInteger = true
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1; isInteger = false
            guard digits() > 0 else { throw .unexpected(at: at) }
        }
        if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            at += 1; isInteger = false
            if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw .unexpected(at: at) }
        }
        if isInteger, let integer = integer(start..<at) { return .integer(integer) }
        return .number(String(decoding: bytes[start..<at], as: UTF8.self))
    }

    /// The integer that these digits, with or without a minus, make; nil when it does not fit. Counted below zero, where there is one more.
    private func integer(_ range: Range<Int>) -> Int64? {
        let isNegative = bytes[range.lowerBound] == UInt8(ascii: "-")
        var value: Int64 = 0
        for index in range.lowerBound + (isNegative ? 1 : 0)..<range.upperBound {
            let (tens, over) = value.multipliedReportingOverflow(by: 10)
            let (next, under) = tens.subtractingReportingOverflow(Int64(bytes[index] - UInt8(ascii: "0")))
            if over || under { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    private mutating func digits() -> Int {
        let start = at
        while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
        return at - start
    }

    private mutating func string() throws(JSONError) -> String {
        at += 1
        let start = at
        var union: UInt8 = 0
        while at < bytes.count, bytes[at] >= 0x20, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\") {
            union |= bytes[at]
            at += 1
        }
        if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
            // Without an escape the text stands there as it is.
            let end = at
            at += 1
            // Nearly all of ours is ASCII, which needs no look of its own.
            if union < 0x80 {
                return String(unsafeUninitializedCapacity: end - start) { room in
                    bytes.withUnsafeBufferPointer { room.initialize(fromContentsOf: UnsafeBufferPointer(rebasing: $0[start..<end])) }
                }
            }
            guard let string = bytes.withUnsafeBufferPointer({ String(validating: $0[start..<end], as: UTF8.self) }) else { throw .badUTF8 }
            return string
        }
        var text = Array(bytes[start..<at])
        while true {
            guard at < bytes.count else { throw .endOfText }
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                guard let string = String(validating: text, as: UTF8.self) else { throw .badUTF8 }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw .unexpected(at: at)
            default: text.append(byte); at += 1
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        let start = at
        guard at + 1 < bytes.count else { throw .endOfText }
        at += 2
        switch bytes[start + 1] {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case let plain where plain == UInt8(ascii: "\"") || plain == UInt8(ascii: "\\") || plain == UInt8(ascii: "/"): text.append(plain)
        case UInt8(ascii: "u"):
            var code = try hex4()
            if (0xD800..<0xDC00).contains(code) {
                guard at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") else { throw .badEscape(at: start) }
                at += 2
                let low = try hex4()
                guard (0xDC00..<0xE000).contains(low) else { throw .badEscape(at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw .badEscape(at: start) }
            text.append(contentsOf: Array(String(Character(scalar)).utf8))
        default: throw .badEscape(at: start)
        }
    }

    private mutating func hex4() throws(JSONError) -> UInt32 {
        guard at + 4 <= bytes.count else { throw .endOfText }
        var code: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            switch byte {
            case 0x30...0x39: code = code << 4 | UInt32(byte - 0x30)
            case 0x41...0x46: code = code << 4 | UInt32(byte - 0x37)
            case 0x61...0x66: code = code << 4 | UInt32(byte - 0x57)
            default: throw .badEscape(at: at)
            }
        }
        at += 4
        return code
    }
}
