// A JSON document as a value: what bodies, frames and API answers are made of.

/// One JSON value. Integers that fit Int64 are kept as integers; any other number keeps its text, so that no digit is lost.
package enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number that is not an Int64, as written.
    case number(String)
    case string(String)
    case array([JSONValue])
    /// Members in the order they were written; keys are unique (the reader refuses doubles).
    case object([JSONMember])

    /// The same with every text of more than `limit` bytes cut at a character's end, and an ellipsis behind it.
    package func cut(to limit: Int) -> JSONValue {
        switch self {
        case .string(let text) where text.utf8.count > limit:
            var end = text.utf8.index(text.startIndex, offsetBy: limit)
            while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
            return .string(text[..<end] + "\u{2026}")
        case .array(let values): return .array(values.map { $0.cut(to: limit) })
        case .object(let members): return .object(members.map { JSONMember($0.key, $0.value.cut(to: limit)) })
        case .null, .bool, .integer, .number, .string: return self
        }
    }

    /// The value under `key` of an object, or nil.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var integerValue: Int64? { if case .integer(let number) = self { number } else { nil } }
    package var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var elements: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
    package var members: [JSONMember]? { if case .object(let members) = self { members } else { nil } }
}

/// One key and its value.
package struct JSONMember: Hashable, Sendable {
    package var key: String
    package var value: JSONValue
    package init(_ key: String, _ value: JSONValue) { self.key = key; self.value = value }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { JSONMember($0.0, $0.1) }) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}
