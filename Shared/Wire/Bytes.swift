// Little-endian and big-endian integers in byte strings, checked at every read.

/// A read went past the end of the bytes.
@frozen @usableFromInline package struct BytesError: Error, Equatable, Sendable {
    /// Where the read began.
    @usableFromInline package let at: Int
    /// How many bytes it wanted.
    @usableFromInline package let wanted: Int
    @inlinable package init(at: Int, wanted: Int) { self.at = at; self.wanted = wanted }
}

/// Appends fixed-width integers.
@frozen @usableFromInline package struct ByteWriter: Sendable {
    @usableFromInline var written: [UInt8]
    @inlinable package var bytes: [UInt8] { written }
    @inlinable package init(reserving capacity: Int = 0) { written = []; written.reserveCapacity(capacity) }
    @inlinable package mutating func little(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { written.append(contentsOf: $0) }
    }
    @inlinable package mutating func big(_ value: some FixedWidthInteger) { withUnsafeBytes(of: value.bigEndian) { written.append(contentsOf: $0) } }
    @inlinable package mutating func append(_ more: some Sequence<UInt8>) { written.append(contentsOf: more) }
}

/// Writes fixed-width integers and bytes into room that somebody else has, never past its end.
@frozen @usableFromInline package struct RawWriter: ~Copyable {
    @usableFromInline let room: UnsafeMutableRawBufferPointer
    @usableFromInline package internal(set) var count = 0
    @inlinable package init(_ room: UnsafeMutableRawBufferPointer) { self.room = room }
    @inlinable package mutating func little<T: FixedWidthInteger>(_ value: T) {
        precondition(room.count - count >= T.bitWidth / 8, "no room for \(T.bitWidth) bits")
        room.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
        count += T.bitWidth / 8
    }
    @inlinable package mutating func append(_ bytes: [UInt8]) {
        precondition(room.count - count >= bytes.count, "no room for \(bytes.count) bytes")
        bytes.withUnsafeBytes { source in
            if !source.isEmpty { UnsafeMutableRawBufferPointer(rebasing: room[count..<count + source.count]).copyMemory(from: source) }
        }
        count += bytes.count
    }
    /// A part of some bytes.
    @inlinable package mutating func append(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(room.count - count >= range.count, "no room for \(range.count) bytes")
        bytes.withUnsafeBytes { source in
            if !range.isEmpty {
                UnsafeMutableRawBufferPointer(rebasing: room[count..<count + range.count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
            }
        }
        count += range.count
    }
}

/// Reads fixed-width integers in order.
@frozen @usableFromInline package struct ByteReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline package internal(set) var at: Int
    @inlinable package init(_ bytes: [UInt8], at: Int = 0) { self.bytes = bytes; self.at = at }
    @inlinable package var remaining: Int { bytes.count - at }
    @inlinable package mutating func little<T: FixedWidthInteger>(_: T.Type) throws(BytesError) -> T { T(littleEndian: try raw(T.self)) }
    @inlinable package mutating func big<T: FixedWidthInteger>(_: T.Type) throws(BytesError) -> T { T(bigEndian: try raw(T.self)) }
    package mutating func take(_ count: Int) throws(BytesError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw BytesError(at: at, wanted: count) }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }
    @inlinable mutating func raw<T: FixedWidthInteger>(_: T.Type) throws(BytesError) -> T {
        let width = T.bitWidth / 8
        guard remaining >= width else { throw BytesError(at: at, wanted: width) }
        defer { at += width }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: T.self) }
    }
}
