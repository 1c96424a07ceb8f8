// The identifiers that cross rooms: who, which run, which entry, which command.

/// Sixteen random bytes that name an edge for ever, fixed at enrolment.
package struct EdgeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Always 16 bytes.
    package let bytes: [UInt8]
    /// Nil unless there are exactly 16 bytes.
    package init?(bytes: [UInt8]) { guard bytes.count == 16 else { return nil }; self.bytes = bytes }
    /// 32 hexadecimal digits.
    package init?(hex: some StringProtocol) { guard let bytes = Hex.bytes(hex) else { return nil }; self.init(bytes: bytes) }
    package static func < (a: EdgeID, b: EdgeID) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    @usableFromInline package var description: String { Hex.text(bytes) }
}

/// Sixteen bytes that name one command; made by whoever asks, so that asking twice is asking once.
package struct CommandID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Always 16 bytes.
    package let bytes: [UInt8]
    package init?(bytes: [UInt8]) { guard bytes.count == 16 else { return nil }; self.bytes = bytes }
    /// 32 hexadecimal digits, dashes allowed (a UUID).
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.bytes(String(hex.filter { $0 != "-" })) else { return nil }
        self.init(bytes: bytes)
    }
    package static func < (a: CommandID, b: CommandID) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
    @usableFromInline package var description: String { Hex.text(bytes) }
}

/// 63 random bits drawn at each process start, so that no two runs, clones or restores share one.
@frozen @usableFromInline package struct Boot: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var raw: UInt64
    /// The top bit is cleared: SQLite integers are signed.
    @inlinable package init(raw: UInt64) { self.raw = raw & 0x7FFF_FFFF_FFFF_FFFF }
    @inlinable package static func < (a: Boot, b: Boot) -> Bool { a.raw < b.raw }
    @usableFromInline package var description: String { Hex.text((0..<8).map { UInt8(truncatingIfNeeded: raw >> (56 - 8 * UInt64($0))) }) }
}

/// The number of a ledger entry inside one edge's history: 1, 2, 3 without holes; 0 means "before the first".
@frozen @usableFromInline package struct Seq: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var raw: UInt64
    @inlinable package init(_ raw: UInt64) { self.raw = raw }
    @inlinable package var next: Seq { Seq(raw + 1) }
    @inlinable package static func < (a: Seq, b: Seq) -> Bool { a.raw < b.raw }
    @usableFromInline package var description: String { String(raw) }
}

/// The intent that a ticket, an order and its executions belong to: the run and the entry that recorded it.
@frozen @usableFromInline package struct IntentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline package var boot: Boot
    @usableFromInline package var seq: Seq
    @inlinable package init(boot: Boot, seq: Seq) { self.boot = boot; self.seq = seq }
    @inlinable package static func < (a: IntentID, b: IntentID) -> Bool { (a.seq, a.boot) < (b.seq, b.boot) }
    /// boot||seq, 16 bytes big-endian: the `ref` of every entry about this intent.
    package var bytes: [UInt8] { [boot.raw, seq.raw].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) } } }
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let words = [bytes[0..<8], bytes[8..<16]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        self.init(boot: Boot(raw: words[0]), seq: Seq(words[1]))
    }
    /// `boot-seq`, the form shown to people and accepted by the API.
    @usableFromInline package var description: String { "\(boot)-\(seq)" }
    /// Reads `description` back.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-")
        guard parts.count == 2, let boot = Hex.bytes(parts[0]), boot.count == 8, let seq = UInt64(parts[1]) else { return nil }
        self.init(boot: Boot(raw: boot.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }), seq: Seq(seq))
    }
}

/// Lower-case hexadecimal text.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
    /// Nil when the length is odd or a digit is not hexadecimal.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var result: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x61...0x66: value = byte - 0x57
            case 0x41...0x46: value = byte - 0x37
            default: return nil
            }
            if let top = high { result.append(top << 4 | value); high = nil } else { high = value }
        }
        return high == nil ? result : nil
    }
}
