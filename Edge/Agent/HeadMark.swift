// The head mark: a small file outside the database that says how far the ledger once reached, so that a database put back is noticed.
package import Ledger
package import Platform
package import Values
internal import Wire

/// How far the ledger had come, with a checksum: 256 bytes that are there whole or not at all.
package struct HeadMark: Hashable, Sendable {
    package let edge: EdgeID
    package let epoch: UInt32
    package let head: Head
    package let writtenAt: Instant
    package init(edge: EdgeID, epoch: UInt32, head: Head, writtenAt: Instant) {
        self.edge = edge; self.epoch = epoch; self.head = head; self.writtenAt = writtenAt
    }

    package static let byteCount = 256
    private static let domain = Array("tidewire.mark1".utf8)
    private static let checkedBytes = 224

    /// Domain, edge, epoch, number, hash and time, zeros up to byte 224, then BLAKE2b-256 of all that.
    package var bytes: [UInt8] {
        var out = ByteWriter(reserving: HeadMark.byteCount)
        out.append(HeadMark.domain); out.append(edge.bytes); out.little(epoch); out.little(head.seq.raw); out.append(head.hash)
        out.little(writtenAt.nanoseconds)
        out.append(repeatElement(0, count: HeadMark.checkedBytes - out.bytes.count))
        out.append(Hashing.blake2b(out.bytes))
        return out.bytes
    }

    /// Nil for anything that is not, byte for byte, a mark as written above.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == HeadMark.byteCount, Array(bytes.prefix(HeadMark.domain.count)) == HeadMark.domain,
            Hashing.blake2b(Array(bytes.prefix(HeadMark.checkedBytes))) == Array(bytes.suffix(32))
        else { return nil }
        var reader = ByteReader(bytes, at: HeadMark.domain.count)
        guard let edge = (try? reader.take(16)).flatMap({ EdgeID(bytes: $0) }), let epoch = try? reader.little(UInt32.self),
            let seq = try? reader.little(UInt64.self), let hash = try? reader.take(32), let wall = try? reader.little(Int64.self)
        else { return nil }
        self.init(edge: edge, epoch: epoch, head: Head(seq: Seq(seq), hash: hash), writtenAt: Instant(nanoseconds: wall))
    }
}

/// Why a mark could not be read or written: as for every file beside the ledger.
package typealias MarkError = KeptFileError

/// Where the mark is kept: a file beside the ledger, real or simulated. One owner, one thread.
package protocol MarkStore: AnyObject {
    /// Nil when there is none.
    func read() throws(MarkError) -> [UInt8]?
    /// Durable on return, and never half there: written beside, synced, put in place, the folder synced.
    func write(_ bytes: [UInt8]) throws(MarkError)
}

/// The mark as a file.
package final class FileMark: MarkStore {
    private let path: String
    package init(path: String) { self.path = path }

    package func read() throws(MarkError) -> [UInt8]? {
        do throws(FileError) { return try PrivateFiles.read(path) } catch {
            if error.isMissing { return nil }
            throw KeptFileError(error)
        }
    }

    package func write(_ bytes: [UInt8]) throws(MarkError) {
        do throws(FileError) { try PrivateFiles.write(path, bytes) } catch { throw KeptFileError(error) }
    }
}

/// What the comparison of a ledger with its mark gives.
package enum MarkFinding: Hashable, Sendable {
    /// The ledger holds the mark's entry, or is new and has none.
    case agrees
    /// There are entries and no mark.
    case missing
    /// There is a mark that no writer of ours left, or another edge's: it proves nothing.
    case unreadable
    /// The ledger ends before the mark, or holds another entry in its place: it was put back, or lost its end.
    case rolledBack(HeadMark)

    /// Compares what lies on the disk.
    package static func compare(_ bytes: [UInt8]?, with journal: Journal) throws(JournalError) -> MarkFinding {
        guard let bytes else { return journal.head.seq == Seq(0) ? .agrees : .missing }
        guard let mark = HeadMark(bytes), mark.edge == journal.edge else { return .unreadable }
        return try isHeld(mark, by: journal) ? .agrees : .rolledBack(mark)
    }

    /// True when the ledger holds exactly the entry that the mark speaks of.
    package static func isHeld(_ mark: HeadMark, by journal: Journal) throws(JournalError) -> Bool {
        guard mark.head.seq > Seq(0) else { return true }
        guard mark.head.seq <= journal.head.seq else { return false }
        return try journal.read(from: mark.head.seq, limit: 1).first?.head == mark.head
    }
}
