// Reading the members of a body by name, with an error that names the member.
package import Values
package import Wire

/// Why a body could not be read as the fact its kind says.
package enum CodecError: Error, Equatable, Sendable {
    case missing(String)
    case wrongType(String)
    case badValue(String)
    case unknownKind(UInt16)
    case unknownVersion(kind: UInt16, version: UInt16)
    case notJSON
}

/// Typed access to one object; unknown members are kept by the ledger and ignored here.
package struct Fields: Sendable {
    private let value: JSONValue
    package init(_ value: JSONValue) throws(CodecError) {
        guard case .object = value else { throw .wrongType("body") }
        self.value = value
    }
    package func has(_ key: String) -> Bool { value[key] != nil }
    package func raw(_ key: String) throws(CodecError) -> JSONValue {
        guard let member = value[key] else { throw .missing(key) }
        return member
    }
    package func text(_ key: String) throws(CodecError) -> String {
        guard let text = try raw(key).text else { throw .wrongType(key) }
        return text
    }
    package func integer(_ key: String) throws(CodecError) -> Int64 {
        guard let number = try raw(key).integerValue else { throw .wrongType(key) }
        return number
    }
    package func flag(_ key: String) throws(CodecError) -> Bool {
        guard let flag = try raw(key).boolValue else { throw .wrongType(key) }
        return flag
    }
    package func list(_ key: String) throws(CodecError) -> [JSONValue] {
        guard let list = try raw(key).elements else { throw .wrongType(key) }
        return list
    }
    package func word<T: RawRepresentable>(_ key: String, _: T.Type) throws(CodecError) -> T where T.RawValue == String {
        guard let word = T(rawValue: try text(key)) else { throw .badValue(key) }
        return word
    }
    package func price(_ key: String) throws(CodecError) -> Price { Price(raw: try integer(key)) }
    package func quantity(_ key: String) throws(CodecError) -> Quantity { Quantity(raw: try integer(key)) }
    /// A quantity above zero. An order or a fill of nothing is none, and whoever folds it must not have to ask.
    package func size(_ key: String) throws(CodecError) -> Quantity {
        let size = try quantity(key)
        guard size.raw > 0 else { throw .badValue(key) }
        return size
    }
    package func money(_ key: String) throws(CodecError) -> Money { Money(raw: try integer(key)) }
    package func instant(_ key: String) throws(CodecError) -> Instant { Instant(nanoseconds: try integer(key)) }
    package func instrument(_ key: String) throws(CodecError) -> InstrumentID { InstrumentID(try text(key)) }
    package func command(_ key: String) throws(CodecError) -> CommandID {
        guard let id = CommandID(hex: try text(key)) else { throw .badValue(key) }
        return id
    }
    /// Bytes in hex, exactly so many.
    package func bytes(_ key: String, count: Int) throws(CodecError) -> [UInt8] {
        guard let bytes = Hex.bytes(try text(key)), bytes.count == count else { throw .badValue(key) }
        return bytes
    }
    /// The value of `read`, or nil when the member is absent.
    package func optional<T>(_ key: String, _ read: (String) throws(CodecError) -> T) throws(CodecError) -> T? { has(key) ? try read(key) : nil }
}

/// Builds an object, leaving out what is nil.
package struct FieldWriter: Sendable {
    private var members: [JSONMember] = []
    package init() {}
    package var value: JSONValue { .object(members) }
    package mutating func put(_ key: String, _ value: JSONValue?) { if let value { members.append(JSONMember(key, value)) } }
    package mutating func put(_ key: String, _ text: String?) { put(key, text.map { JSONValue.string($0) }) }
    package mutating func put(_ key: String, _ number: Int64?) { put(key, number.map { JSONValue.integer($0) }) }
    package mutating func put(_ key: String, _ flag: Bool) { put(key, JSONValue.bool(flag)) }
    package mutating func put(_ key: String, _ price: Price?) { put(key, price?.raw) }
    package mutating func put(_ key: String, _ quantity: Quantity?) { put(key, quantity?.raw) }
    package mutating func put(_ key: String, _ money: Money?) { put(key, money?.raw) }
    package mutating func put(_ key: String, _ instant: Instant?) { put(key, instant?.nanoseconds) }
    package mutating func put(_ key: String, _ id: CommandID?) { put(key, id?.description) }
    package mutating func put(_ key: String, _ id: InstrumentID?) { put(key, id?.text) }
    package mutating func put(_ key: String, _ id: ClOrdID?) { put(key, id?.text) }
}
