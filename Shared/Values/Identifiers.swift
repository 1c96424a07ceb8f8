// The identifiers that cross rooms: who, which run, which entry, which command.

/// Sixteen bytes in two words, compared as the bytes are: what is a key of many tables costs neither a copy nor a walk.
@frozen @usableFromInline struct SixteenBytes: Hashable, Comparable, Sendable {
    @usableFromInline let high: UInt64
    @usableFromInline let low: UInt64
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) }
        low = bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)) }
    }
    var bytes: [UInt8] { SixteenBytes.bytes(high, low) }
    /// Two words, big-endian.
    static func bytes(_ high: UInt64, _ low: UInt64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for place in 0..<8 {
                buffer[place] = UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64(place)))
                buffer[place + 8] = UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64(place)))
            }
            count = 16
        }
    }
    @inlinable static func < (a: SixteenBytes, b: SixteenBytes) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// Sixteen random bytes that name an edge for ever, fixed at enrolment.
@frozen @usableFromInline package struct EdgeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline let raw: SixteenBytes
    /// Always 16 bytes.
    package var bytes: [UInt8] { raw.bytes }
    /// Nil unless there are exactly 16 bytes.
    package init?(bytes: [UInt8]) { guard let raw = SixteenBytes(bytes) else { return nil }; self.raw = raw }
    /// 32 hexadecimal digits.
    package init?(hex: some StringProtocol) { guard let bytes = Hex.bytes(hex) else { return nil }; self.init(bytes: bytes) }
    /// The same bytes as two numbers, big-endian: for whoever writes them somewhere.
    @inlinable package var words: (high: UInt64, low: UInt64) { (raw.high, raw.low) }
    @inlinable package static func < (a: EdgeID, b: EdgeID) -> Bool { a.raw < b.raw }
    @usableFromInline package var description: String { Hex.text(bytes) }
}

/// Sixteen bytes that name one command; made by whoever asks, so that asking twice is asking once.
@frozen @usableFromInline package struct CommandID: Hashable, Comparable, Sendable, CustomStringConvertible {
    @usableFromInline let raw: SixteenBytes
    /// Always 16 bytes.
    package var bytes: [UInt8] { raw.bytes }
    package init?(bytes: [UInt8]) { guard let raw = SixteenBytes(bytes) else { return nil }; self.raw = raw }
    /// 32 hexadecimal digits, dashes allowed (a UUID).
    package init?(hex: some StringProtocol) {
        let text = String(hex)
        guard let bytes = Hex.bytes(text.utf8.contains(UInt8(ascii: "-")) ? text.filter { $0 != "-" } : text) else { return nil }
        self.init(bytes: bytes)
    }
    @inlinable package static func < (a: CommandID, b: CommandID) -> Bool { a.raw < b.raw }
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
    package var bytes: [UInt8] { SixteenBytes.bytes(boot.raw, seq.raw) }
    package init?(bytes: [UInt8]) {
        guard let words = SixteenBytes(bytes) else { return nil }
        self.init(boot: Boot(raw: words.high), seq: Seq(words.low))
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
    private static let digits: StaticString = "0123456789abcdef"
    @inlinable package static func text(_ bytes: some Sequence<UInt8>) -> String { text(Array(bytes)) }
    package static func text(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[2 * index] = digits.utf8Start[Int(byte >> 4)]
                buffer[2 * index + 1] = digits.utf8Start[Int(byte & 15)]
            }
            return 2 * bytes.count
        }
    }
    /// Nil when the length is odd or a digit is not hexadecimal.
    @inlinable package static func bytes(_ text: some StringProtocol) -> [UInt8]? { bytes(String(text)) }
    /// Nil when the length is odd or a digit is not hexadecimal.
    package static func bytes(_ text: String) -> [UInt8]? {
        var text = text
        return text.withUTF8 { digits in
            guard digits.count.isMultiple(of: 2) else { return nil }
            var result: [UInt8] = []
            result.reserveCapacity(digits.count / 2)
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
                result.append(high << 4 | low)
            }
            return result
        }
    }
    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        case 0x41...0x46: digit - 0x37
        default: nil
        }
    }
}
