// The start of one edge's ledger in the cloud from the book in a file beside it.
internal import Control
package import Ledger
internal import Platform
package import Values
package import Views
internal import Wire

/// What a file and the entries after it gave.
package struct RestoredBook {
    package var book: Book
    package var milestones: Milestones
    /// The newest entries, oldest first.
    package var recent: [Entry]
    /// Those behind the file's that tell of commands.
    package var news: [Entry] = []
    /// The entry that the file stood at.
    package let from: Seq
}

/// What lies beside the book in a file: how far the edge's clocks came, and which key of the cloud's its entries say to believe.
struct KeptBeside {
    let milestones: Milestones
    let trust: CloudTrust

    init(_ milestones: Milestones, _ trust: CloudTrust) { self.milestones = milestones; self.trust = trust }
    /// Reads `bytes` back.
    init(_ bytes: [UInt8]) throws {
        var reader = ByteReader(bytes)
        let count = Int(try reader.little(UInt32.self))
        milestones = try Milestones(packed: reader.take(count))
        trust = try CloudTrust(text: String(decoding: bytes.dropFirst(4 + count), as: UTF8.self))
    }

    var bytes: [UInt8] {
        var out = ByteWriter()
        let packed = milestones.packed
        out.little(UInt32(packed.count)); out.append(packed); out.append(trust.text.utf8)
        return out.bytes
    }
}

extension EdgeLedgers {
    /// The file of an edge's book.
    static func bookName(_ edge: EdgeID) -> String { "\(edge).book" }

    /// Opens an edge's ledger and checks it from the entry that its book in the file stands at. Nothing is opened, and nil is the answer, when the
    /// file is not there, damaged, another release's, or does not fit the entries: every entry is to be read then.
    /// - Throws: `StoreError` when the ledger cannot be read.
    package func restore(_ edge: EdgeID, release: String) throws -> RestoredBook? {
        guard let bytes = try? kept?.read(EdgeLedgers.bookName(edge)), let file = try? SnapshotFile(bytes), file.isSound(0..<file.partCount),
            file.header.edge == edge, file.header.release == release, let opened = try? file.open(),
            let beside = try? KeptBeside(opened.beside)
        else { return nil }
        let store = try openFile(edge)
        let head = file.header.head
        guard head.seq.raw <= store.head.seq, let row = try store.read(from: head.seq.raw, limit: 1).first, let anchor = try? Entry(row),
            anchor.head == head, Chain.hash(anchor, edge: edge) == anchor.hash
        else { return nil }
        var restored = RestoredBook(book: opened.book, milestones: beside.milestones, recent: [], from: head.seq)
        var verifier = LedgerVerifier(edge: edge, after: anchor, key: file.header.signer, former: file.header.former, trust: beside.trust)
        let first = head.seq.raw - min(head.seq.raw - 1, UInt64(EdgeRoom.recentMax))
        // What is damaged is named by the walk of a whole start.
        guard let recent = try? checked(edge, store.read(from: first, limit: Int(head.seq.raw - first) + 1)).filter({ $0.seq <= head.seq }) else {
            return nil
        }
        restored.recent = recent
        let holes = store.holes.map { LedgerHole($0) }
        while verifier.head.seq.raw < store.head.seq {
            for row in try store.read(from: verifier.head.seq.next.raw, limit: 1_000) {
                if let hole = verifier.pass(to: row, holes) { restored.book.passOver(hole.last) }
                guard let entry = verifier.accept(row) else { return nil }
                restored.book.apply(entry)
                restored.milestones.note(entry)
                restored.recent.append(entry)
                if ControlRoom.telling.contains(entry.kind) { restored.news.append(entry) }
            }
        }
        restored.recent = Array(restored.recent.suffix(EdgeRoom.recentMax))
        take(edge, store, verifier)
        return restored
    }

    /// Rows as they are stored, unchecked: for whoever checks them.
    func rows(_ edge: EdgeID, from seq: Seq, limit: Int) throws -> [EntryRow] { try file(edge)?.read(from: seq.raw, limit: limit) ?? [] }
}
