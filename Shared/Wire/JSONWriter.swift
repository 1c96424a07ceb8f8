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
            let sorted = inOrder(members)
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
        case .integer(let number): writeInteger(number, into: &out)
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

    /// By the bytes of their keys; most bodies have a dozen members, for which inserting beats sorting.
    private static func inOrder(_ members: [JSONMember]) -> [JSONMember] {
        func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
        guard members.count <= 16 else { return members.sorted { precedes($0.key, $1.key) } }
        var sorted = members
        for index in sorted.indices.dropFirst() {
            var place = index
            while place > 0, precedes(sorted[place].key, sorted[place - 1].key) {
                sorted.swapAt(place, place - 1)
                place -= 1
            }
        }
        return sorted
    }

    private static func writeInteger(_ number: Int64, into out: inout [UInt8]) {
        if number < 0 { out.append(UInt8(ascii: "-")) }
        let start = out.count
        var rest = number.magnitude
        repeat {
            out.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        out[start...].reverse()
    }

    /// Only the quote, the backslash and control bytes are escaped; everything else is UTF-8 as it is.
    private static func writeString(_ text: String, into out: inout [UInt8]) {
        func hex(_ half: UInt8) -> UInt8 { half < 10 ? UInt8(ascii: "0") + half : UInt8(ascii: "a") + half - 10 }
        func isPlain(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") }
        out.append(UInt8(ascii: "\""))
        defer { out.append(UInt8(ascii: "\"")) }
        if text.utf8.allSatisfy(isPlain) { return out.append(contentsOf: text.utf8) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(UInt8(ascii: "\\")); out.append(byte)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0..<0x20: out.append(contentsOf: "\\u00".utf8); out.append(hex(byte >> 4)); out.append(hex(byte & 15))
            default: out.append(byte)
            }
        }
    }
}
