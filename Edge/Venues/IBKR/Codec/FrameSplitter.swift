// The gateway's framing: four big-endian bytes of length, then the payload; frames may span or share reads.

/// Why a stream of frames cannot go on.
package enum FrameFault: Error, Equatable, Sendable {
    /// A length over `FrameSplitter.payloadMax`: the stream is out of step, or not the text protocol.
    case tooLong(UInt32)
}

/// Holds the pieces of a frame that spans reads. `begin` gives what is to be walked with `frame(in:at:)`, `end` takes the rest back.
package struct FrameSplitter: Sendable {
    /// The largest payload in bytes, as real clients have it: 16 MiB - 1.
    package static let payloadMax: UInt32 = 0xFF_FFFF
    private var kept: [UInt8] = []
    /// The kept bytes are not looked at again before there are this many.
    private var needed = 4

    package init() {}

    /// How many bytes of an unfinished frame are kept.
    package var pendingBytes: Int { kept.count }

    /// The payload of the frame that starts at `at`, or nil while it is not whole.
    package static func frame(in bytes: RawSpan, at: Int) throws(FrameFault) -> Range<Int>? {
        guard at + 4 <= bytes.byteCount else { return nil }
        let length = try length(in: bytes, at: at)
        let end = at + 4 + Int(length)
        return end <= bytes.byteCount ? at + 4..<end : nil
    }

    private static func length(in bytes: RawSpan, at: Int) throws(FrameFault) -> UInt32 {
        var length: UInt32 = 0
        for index in at..<at + 4 { length = length << 8 | UInt32(bytes.byte(index)) }
        guard length <= payloadMax else { throw .tooLong(length) }
        return length
    }

    /// Joins `bytes` to what was kept. Nil when the kept frame still lacks bytes; else all of it, to be walked and given to `end`.
    package mutating func begin(_ bytes: RawSpan) -> [UInt8]? {
        bytes.withUnsafeBytes { kept.append(contentsOf: $0) }
        guard kept.count >= needed else { return nil }
        var all: [UInt8] = []
        swap(&all, &kept)
        return all
    }

    /// Keeps what follows the first `used` bytes for the next read.
    package mutating func end(_ all: consuming [UInt8], used: Int) {
        precondition(kept.isEmpty && used <= all.count, "a splitter is walked by one reader")
        if used > 0 { all.removeFirst(used) }
        needed = FrameSplitter.needed(all)
        kept = all
    }

    /// How many bytes make the first frame whole. A length over the limit asks for no more: the walk is to meet it.
    private static func needed(_ bytes: [UInt8]) -> Int {
        let span = bytes.span.bytes
        guard span.byteCount >= 4, let length = try? length(in: span, at: 0) else { return 4 }
        return 4 + Int(length)
    }

    /// Keeps the rest of a read that was walked where it lay; for when nothing was kept before.
    package mutating func keep(_ bytes: RawSpan, from used: Int) {
        guard used < bytes.byteCount else { return }
        var rest: [UInt8] = []
        bytes.extracting(used..<bytes.byteCount).withUnsafeBytes { rest.append(contentsOf: $0) }
        end(rest, used: 0)
    }
}

extension RawSpan {
    /// One byte; the index is checked.
    @inline(__always) func byte(_ index: Int) -> UInt8 { unsafeLoad(fromByteOffset: index, as: UInt8.self) }
    /// Eight bytes, the first one lowest; the range is checked.
    @inline(__always) func word(_ index: Int) -> UInt64 { UInt64(littleEndian: unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) }
}
