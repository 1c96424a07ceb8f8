// Records as bytes and back, without names: the form that digests are made of and that snapshots hold.
package import Values
internal import Wire

extension ByteWriter {
    mutating func text(_ text: String) { little(UInt32(truncatingIfNeeded: text.utf8.count)); append(text.utf8) }
    mutating func flag(_ flag: Bool) { little(flag ? UInt8(1) : 0) }
    mutating func optional<Value>(_ value: Value?, _ write: (Value, inout ByteWriter) -> Void) {
        flag(value != nil)
        if let value { write(value, &self) }
    }
    mutating func optional(_ value: Int64?) { optional(value) { $1.little($0) } }
    mutating func command(_ id: CommandID?) { optional(id) { $1.append($0.bytes) } }
    mutating func list<Value>(_ values: [Value], _ write: (Value, inout ByteWriter) -> Void) {
        little(UInt64(values.count))
        for value in values { write(value, &self) }
    }
}

/// Packed bytes that no packing of ours can have written.
package struct PackError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Where the reading stopped.
    package let at: Int
    package init(at: Int) { self.at = at }
    package var description: String { "packed bytes cannot be read at byte \(at)" }
}

/// Reads what a `ByteWriter` wrote, in the same order; every length is checked before it is used.
package struct Unpacker: Sendable {
    private let bytes: [UInt8]
    package private(set) var at: Int
    private let end: Int

    /// - Parameter range: the part of `bytes` to read; nil for all of it.
    package init(_ bytes: [UInt8], in range: Range<Int>? = nil) {
        self.bytes = bytes
        at = range?.lowerBound ?? 0
        end = min(range?.upperBound ?? bytes.count, bytes.count)
    }

    package var isAtEnd: Bool { at == end }
    package mutating func finish() throws(PackError) { guard isAtEnd else { throw PackError(at: at) } }

    package mutating func little<T: FixedWidthInteger>(_: T.Type) throws(PackError) -> T {
        let width = T.bitWidth / 8
        guard end - at >= width else { throw PackError(at: at) }
        defer { at += width }
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
    }
    package mutating func take(_ count: Int) throws(PackError) -> [UInt8] {
        guard count >= 0, end - at >= count else { throw PackError(at: at) }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }
    /// A count that something of at least `unit` bytes follows each time.
    package mutating func count(unit: Int = 1) throws(PackError) -> Int {
        let number = try little(UInt64.self)
        guard number <= UInt64((end - at) / max(1, unit)) else { throw PackError(at: at) }
        return Int(number)
    }
    package mutating func text() throws(PackError) -> String {
        let count = Int(try little(UInt32.self))
        guard end - at >= count else { throw PackError(at: at) }
        defer { at += count }
        return String(decoding: bytes[at..<at + count], as: UTF8.self)
    }
    package mutating func flag() throws(PackError) -> Bool {
        switch try little(UInt8.self) {
        case 0: false
        case 1: true
        default: throw PackError(at: at)
        }
    }
    package mutating func optional<Value>(_ read: (inout Unpacker) throws(PackError) -> Value) throws(PackError) -> Value? {
        try flag() ? try read(&self) : nil
    }
    package mutating func list<Value>(_ read: (inout Unpacker) throws(PackError) -> Value) throws(PackError) -> [Value] {
        let count = try count()
        var values: [Value] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }
    package mutating func word<T: RawRepresentable>(_: T.Type) throws(PackError) -> T where T.RawValue == String {
        guard let word = T(rawValue: try text()) else { throw PackError(at: at) }
        return word
    }
    /// What `make` gives of the next value; nothing else is taken for it.
    package mutating func known<Value>(_ value: Value?) throws(PackError) -> Value {
        guard let value else { throw PackError(at: at) }
        return value
    }
    package mutating func price() throws(PackError) -> Price { Price(raw: try little(Int64.self)) }
    package mutating func quantity() throws(PackError) -> Quantity { Quantity(raw: try little(Int64.self)) }
    package mutating func money() throws(PackError) -> Money { Money(raw: try little(Int64.self)) }
    package mutating func instant() throws(PackError) -> Instant { Instant(nanoseconds: try little(Int64.self)) }
    package mutating func command() throws(PackError) -> CommandID { try known(CommandID(bytes: try take(16))) }
    package mutating func instrument() throws(PackError) -> InstrumentID { InstrumentID(try text()) }
}
