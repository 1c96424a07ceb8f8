// A snapshot as a file: its parts one after the other, then a table with the hash of each, then the table's own hash.
package import Values
internal import Wire

/// What a snapshot is of.
package struct SnapshotHeader: Hashable, Sendable {
    package var edge: EdgeID
    /// The release that folded: another one may add up otherwise, so it folds anew.
    package var release: String
    /// The last entry that is in it.
    package var head: Head
    /// Who signed the checkpoints up to there; nil before the first.
    package var signer: [UInt8]?
    /// Who signed before that, where the key was changed: its signatures are good for a day after.
    package var former: FormerSigner?
    package init(edge: EdgeID, release: String, head: Head, signer: [UInt8]?, former: FormerSigner? = nil) {
        self.edge = edge; self.release = release; self.head = head; self.signer = signer; self.former = former
    }
}

/// Why a file is no snapshot to start from, as a sentence's end.
package enum SnapshotError: Error, Equatable, Sendable, CustomStringConvertible {
    case damaged(String)
    package var description: String {
        switch self {
        case .damaged(let words): "its file is damaged (\(words))"
        }
    }
}

/// Makes the file piece by piece.
package struct SnapshotBuilder: Sendable {
    private let header: SnapshotHeader
    private let book: BookParts
    private let beside: PackedPiece
    private var next = 0
    private var table: [(bytes: UInt64, hash: [UInt8])] = []
    /// Bytes given out so far; at the end the length of the file.
    package private(set) var byteCount = 0
    /// Of the table; known when all is given out.
    package private(set) var hash: [UInt8]?

    /// What a start would not read back: no file is to be made of it.
    package var isTooLarge: Bool { book.isTooLarge }

    /// - Parameters:
    ///   - beside: what is folded beside the book, in a form of its own.
    ///   - smallBytesMax: of the part that is read whole at a start: production's, but for tests.
    package init(_ header: SnapshotHeader, _ book: Book, beside: [UInt8], smallBytesMax: Int = Book.smallBytesMax) {
        self.header = header
        self.book = BookParts(book, smallBytesMax: smallBytesMax)
        self.beside = PackedPiece(Compression.compress(beside))
    }

    /// A part does not come back from its packed form: no more bytes are given out, and no file is to be made of it.
    package private(set) var isUnpackable = false

    /// The next bytes of the file; nil when all are given out, or `isUnpackable`.
    package mutating func nextBytes() -> [UInt8]? {
        guard hash == nil, !isUnpackable else { return nil }
        var out = ByteWriter()
        if next == 0 { out.append(SnapshotFile.magic) }
        if next <= book.count {
            guard let part = next < book.count ? book.part(next) : beside else {
                isUnpackable = true
                return nil
            }
            table.append((UInt64(part.bytes.count), part.hash))
            out.append(part.bytes)
            next += 1
        } else {
            let bytes = tableBytes
            let hash = Hashing.blake2b(bytes)
            self.hash = hash
            out.append(bytes); out.append(hash); out.little(UInt64(bytes.count)); out.append(SnapshotFile.magic)
        }
        byteCount += out.bytes.count
        return out.bytes
    }

    private var tableBytes: [UInt8] {
        var out = ByteWriter(reserving: 256 + table.count * 40)
        // The form without a former signer is what it always was: releases before this one read it.
        out.text(header.former == nil ? SnapshotFile.form : SnapshotFile.formWithFormer)
        out.append(header.edge.bytes); out.text(header.release); out.little(header.head.seq.raw)
        out.append(header.head.hash); out.optional(header.signer) { $1.append($0) }
        if let former = header.former { out.append(former.key); out.little(former.until.nanoseconds) }
        out.list(table) {
            $1.little($0.bytes); $1.append($0.hash)
        }
        return out.bytes
    }
}

/// What stands at the end of the file: what it is of, where its parts lie, and by which hashes they are known. With it a file can be looked through
/// without having all of it in memory.
package struct SnapshotTable: Sendable {
    package let header: SnapshotHeader
    /// Of the table itself.
    package let hash: [UInt8]
    /// Of the file.
    package let byteCount: Int
    let parts: [(range: Range<Int>, hash: [UInt8])]

    /// Bytes at the file's end that say how long the table before them is.
    package static let tailBytes = 32 + 8 + SnapshotFile.magic.count

    /// Where the table begins in a file of so many bytes.
    /// - Parameter tail: the last `tailBytes` of it.
    package static func start(tail: [UInt8], of byteCount: Int) throws(SnapshotError) -> Int {
        let magic = SnapshotFile.magic
        guard tail.count == tailBytes, byteCount >= magic.count + tailBytes, tail.suffix(magic.count).elementsEqual(magic) else {
            throw .damaged("it does not begin or end as it must")
        }
        do throws(PackError) {
            var reader = Unpacker(tail, in: 32..<40)
            let length = try reader.little(UInt64.self)
            guard length <= UInt64(byteCount - magic.count - tailBytes) else { throw PackError(at: byteCount) }
            return byteCount - tailBytes - Int(length)
        } catch { throw .damaged(error.description) }
    }

    /// Checks the table's hash and that the parts fill the file.
    /// - Parameters:
    ///   - table: the bytes from `start` up to the tail.
    ///   - tail: the last `tailBytes`.
    package init(_ table: [UInt8], tail: [UInt8], of byteCount: Int) throws(SnapshotError) {
        let start = byteCount - tail.count - table.count, stored = Array(tail.prefix(32))
        do throws(PackError) {
            guard Hashing.blake2b(table) == stored else { throw PackError(at: start) }
            var reader = Unpacker(table)
            let form = try reader.text()
            guard form == SnapshotFile.form || form == SnapshotFile.formWithFormer else { throw PackError(at: start) }
            let edge = try reader.known(EdgeID(bytes: try reader.take(16))), release = try reader.text()
            let head = Head(seq: Seq(try reader.little(UInt64.self)), hash: try reader.take(32))
            let signer = try reader.optional { reader throws(PackError) in try reader.take(32) }
            var former: FormerSigner?
            if form == SnapshotFile.formWithFormer {
                let key = try reader.take(32)
                former = FormerSigner(key: key, until: try reader.instant())
            }
            header = SnapshotHeader(edge: edge, release: release, head: head, signer: signer, former: former)
            var parts: [(Range<Int>, [UInt8])] = []
            var at = SnapshotFile.magic.count
            for _ in 0..<(try reader.count(unit: 40)) {
                let count = try reader.little(UInt64.self)
                guard count <= UInt64(start - at) else { throw PackError(at: at) }
                parts.append((at..<at + Int(count), try reader.take(32)))
                at += Int(count)
            }
            try reader.finish()
            // A book has four parts before its lists, and something is folded beside it.
            guard at == start, parts.count >= 5 else { throw PackError(at: at) }
            hash = stored
            self.byteCount = byteCount
            self.parts = parts
        } catch { throw .damaged(error.description) }
    }

    package var partCount: Int { parts.count }

    /// Where parts lie that begin with this one and are together not longer than `limit`; always one, and its bytes at least.
    package func stretch(from part: Int, limit: Int) -> (parts: Range<Int>, bytes: Range<Int>) {
        var end = part + 1
        while end < parts.count, parts[end].range.upperBound - parts[part].range.lowerBound <= limit { end += 1 }
        return (part..<end, parts[part].range.lowerBound..<parts[end - 1].range.upperBound)
    }

    /// Whether these parts give their hashes.
    /// - Parameter bytes: those that `stretch` named, alone.
    package func isSound(_ range: Range<Int>, bytes: [UInt8]) -> Bool {
        agrees(range, bytes, from: parts[range.lowerBound].range.lowerBound)
    }

    /// - Parameter start: where in the file `bytes` begin.
    func agrees(_ range: Range<Int>, _ bytes: [UInt8], from start: Int) -> Bool {
        let places = parts[range].map { $0.range.lowerBound - start..<$0.range.upperBound - start }
        return Hashing.blake2b(bytes, in: places).elementsEqual(parts[range].lazy.flatMap(\.hash))
    }
}

/// The file read back: nothing of it is used before its hash was compared.
package struct SnapshotFile: Sendable {
    package static let magic = Array("tidewire.snap.2\n".utf8)
    /// How the table begins, and how it does when it names a former signer.
    static let form = "tidewire.snapshot2"
    static let formWithFormer = "tidewire.snapshot3"

    private let table: SnapshotTable
    private let bytes: [UInt8]
    package var header: SnapshotHeader { table.header }
    /// Of the table.
    package var hash: [UInt8] { table.hash }
    package var byteCount: Int { bytes.count }
    private var parts: [(range: Range<Int>, hash: [UInt8])] { table.parts }

    /// Reads the table and checks its hash and that the parts fill the file. The parts themselves are checked by `isSound`.
    package init(_ bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.starts(with: SnapshotFile.magic) else { throw .damaged("it does not begin or end as it must") }
        let tail = Array(bytes.suffix(SnapshotTable.tailBytes))
        let start = try SnapshotTable.start(tail: tail, of: bytes.count)
        table = try SnapshotTable(Array(bytes[start..<bytes.count - tail.count]), tail: tail, of: bytes.count)
        self.bytes = bytes
    }

    package var partCount: Int { parts.count }

    /// The first part that lies in the second half of the file.
    package var middle: Int { parts.firstIndex { $0.range.lowerBound >= byteCount / 2 } ?? parts.count }

    /// Whether the bytes of these parts give their hashes.
    package func isSound(_ range: Range<Int>) -> Bool { table.agrees(range, bytes, from: 0) }

    /// The book and what is folded beside it. The parts must have been found sound.
    package func open() throws(SnapshotError) -> (book: Book, beside: [UInt8]) {
        do throws(PackError) {
            let pieces = parts.dropLast().map { PackedPiece(in: bytes, $0.range, hash: $0.hash) }
            let book = try Book(parts: pieces)
            guard book.head == header.head else { throw PackError(at: 0) }
            let last = parts[parts.count - 1]
            do throws(CompressionError) {
                return (book, try Compression.decompress(bytes, in: last.range, limit: SnapshotFile.besideBytesMax))
            } catch { throw PackError(at: last.range.lowerBound) }
        } catch { throw .damaged(error.description) }
    }
    private static let besideBytesMax = 64 << 20

    /// The file of a snapshot up to an entry: names sort as their entries do.
    package static func name(_ seq: Seq) -> String {
        let digits = String(seq.raw)
        return "snapshot-" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits + ".zst"
    }
    /// The entry that a name speaks of; nil for other files.
    package static func seq(of name: String) -> Seq? {
        guard name.hasPrefix("snapshot-"), name.hasSuffix(".zst"), let number = UInt64(name.dropFirst(9).dropLast(4)) else { return nil }
        return SnapshotFile.name(Seq(number)) == name ? Seq(number) : nil
    }
}
