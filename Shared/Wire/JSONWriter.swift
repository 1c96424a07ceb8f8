// Writing JSON: the canonical form that is hashed, and the plain form for API answers.

/// Why a value has no canonical form.
package enum CanonicalError: Error, Equatable, Sendable {
    /// Null and numbers that are not Int64 have no place in a ledger body.
    case notAllowed(key: String)
    case doubleKey(String)
    case tooLarge(bytes: Int)
    case tooDeep
}

/// JSON text of a value.
package enum JSONWriter {
    /// Keys sorted by bytes, no blanks, only strings, Int64, bools, arrays and objects: one value has exactly one text.
    package static func canonical(_ value: JSONValue, limits: JSONLimits = .body) throws(CanonicalError) -> [UInt8] {
        var out: [UInt8] = []
        try write(value, key: "", depth: 1, limits: limits, into: &out)
        guard out.count <= limits.bytes else { throw .tooLarge(bytes: out.count) }
        return out
    }

    /// Compact text in the order given; null and foreign numbers are written as they are.
    package static func plain(_ value: JSONValue) -> [UInt8] {
        var out: [UInt8] = []
        writePlain(value, into: &out)
        return out
    }

    private static func write(_ value: JSONValue, key: String, depth: Int, limits: JSONLimits, into out: inout [UInt8]) throws(CanonicalError) {
        guard depth <= limits.depth else { throw .tooDeep }
        switch value {
        case .null, .number: throw .notAllowed(key: key)
        case .bool, .integer, .string: writePlain(value, into: &out)
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (index, element) in values.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                try write(element, key: key, depth: depth + 1, limits: limits, into: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 {
                    guard sorted[index - 1].key != member.key else { throw .doubleKey(member.key) }
                    out.append(UInt8(ascii: ","))
                }
                writeString(member.key, into: &out)
                out.append(UInt8(ascii: ":"))
                try write(member.value, key: member.key, depth: depth + 1, limits: limits, into: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func writePlain(_ value: JSONValue, into out: inout [UInt8]) {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let flag): out.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number): out.append(contentsOf: String(number).utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): writeString(text, into: &out)
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (index, element) in values.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                writePlain(element, into: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                writeString(member.key, into: &out)
                out.append(UInt8(ascii: ":"))
                writePlain(member.value, into: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    /// Only the quote, the backslash and control bytes are escaped; everything else is UTF-8 as it is.
    private static func writeString(_ text: String, into out: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(UInt8(ascii: "\\")); out.append(byte)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0..<0x20: out.append(contentsOf: "\\u00".utf8); out.append(digits[Int(byte >> 4)]); out.append(digits[Int(byte & 15)])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
