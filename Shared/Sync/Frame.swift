// One frame on the link: a fixed header and a bounded body, and every way in which bytes fail to be one.
package import Ledger
package import Wire

/// Which of the two connections a frame travels on: a backlog must not delay a kill switch.
package enum Lane: UInt8, Hashable, Sendable, CaseIterable {
    /// Session, heartbeats, commands, acks, live state.
    case control = 0
    /// Ledger batches, and market frames when no batch waits.
    case bulk = 1
}

/// What a frame is; the raw value is the byte on the wire and is never used again for something else.
package enum FrameType: UInt8, Hashable, Sendable, CaseIterable {
    case hello = 1, welcome = 2, prove = 3, proof = 4, behind = 5, settle = 6
    case batch = 10, ack = 11, nack = 12, credit = 13, range = 14, rangeHash = 15, fetch = 16, heal = 17, countersigned = 18
    case beat = 20, state = 21, market = 22
    case command = 30, commandAck = 31
    case bye = 40, error = 41

    /// The lane that frames of this type take.
    package var lane: Lane {
        switch self {
        case .batch, .market: .bulk
        case .hello, .welcome, .prove, .proof, .behind, .settle, .range, .rangeHash, .fetch, .heal, .countersigned, .ack, .nack, .credit, .beat,
            .state, .command,
            .commandAck, .bye,
            .error:
            .control
        }
    }
}

/// Why bytes are not a frame, or a frame's body not the message its type says. Nothing of such a frame is used.
package enum FrameError: Error, Equatable, Sendable {
    /// Shorter than the header.
    case truncated(bytes: Int)
    case tooLarge(bytes: Int, limit: Int)
    case version(UInt8)
    case unknownType(UInt8)
    case notJSON(JSONError)
    case body(CodecError)
    case batch(BatchError)
}

/// A frame as it travels: 20 bytes of header, little-endian, and the body.
package struct Frame: Hashable, Sendable {
    /// The version this release writes and reads.
    package static let version: UInt8 = 1
    /// version, type, flags, session, number.
    package static let headerBytes = 20
    /// 1 MiB: libzmq's MAXMSGSIZE is set just above, so that an oversize frame is ours to name.
    package static let bodyBytesMax = 1 << 20

    package var type: FrameType
    /// Reserved; written as 0 and ignored when read.
    package var flags: UInt16
    /// 0 before a session is open.
    package var session: UInt64
    /// Counts the sender's frames of one session, from 1; tells an old STATE from a newer one.
    package var number: UInt64
    package var body: [UInt8]

    package init(type: FrameType, flags: UInt16 = 0, session: UInt64, number: UInt64, body: [UInt8]) {
        precondition(body.count <= Frame.bodyBytesMax, "a body of \(body.count) bytes was built for a frame")
        self.type = type; self.flags = flags; self.session = session; self.number = number; self.body = body
    }

    /// The bytes on the wire.
    package var bytes: [UInt8] {
        var out = ByteWriter(reserving: Frame.headerBytes + body.count)
        out.little(Frame.version); out.little(type.rawValue); out.little(flags); out.little(session); out.little(number)
        out.append(body)
        return out.bytes
    }

    /// Reads one frame; its body is not looked at.
    package init(_ bytes: [UInt8]) throws(FrameError) {
        guard bytes.count <= Frame.headerBytes + Frame.bodyBytesMax else {
            throw .tooLarge(bytes: bytes.count, limit: Frame.headerBytes + Frame.bodyBytesMax)
        }
        guard bytes.count >= Frame.headerBytes else { throw .truncated(bytes: bytes.count) }
        guard bytes[0] == Frame.version else { throw .version(bytes[0]) }
        guard let type = FrameType(rawValue: bytes[1]) else { throw .unknownType(bytes[1]) }
        self.type = type
        flags = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
        session = Frame.word(bytes, at: 4)
        number = Frame.word(bytes, at: 12)
        body = Array(bytes[Frame.headerBytes...])
    }

    private static func word(_ bytes: [UInt8], at index: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[index + $1]) << UInt64(8 * $1) }
    }
}
