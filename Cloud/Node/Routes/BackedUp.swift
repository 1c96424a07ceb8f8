// How far a backup reaches that was put back on trial: from the console, into the store, down to the edges.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// Where control.db keeps how far the newest verified backup holds an edge's ledger.
enum BackupMark {
    static func key(_ edge: EdgeID) -> String { "backup:\(edge)" }
}

extension Node {
    /// POST /console/store/backed-up. What this store does not have as the backup has it is not taken: it would be another store's. Edges whose
    /// ledger is not open here, since they were revoked, wait to be confirmed or are set aside, cannot be compared with it; they are left out, which
    /// keeps nobody else from hearing of the backup.
    func consoleBackedUp(_ call: Call) throws -> Reply {
        let heads = try BackedUpHead.list(call.request.body)
        let told = heads.filter { enrolled[$0.0] != nil && stores.ledgers.isOpen($0.0) }
        for (edge, head) in told {
            guard try stores.ledgers.has(edge, head) else {
                throw Problem.badRequest("the backup has another entry \(head.seq) of \(name(edge)) than this cloud.", cure: "Make a new backup.")
            }
        }
        for (edge, head) in told {
            backups[edge] = head.seq
            store(.meta(key: BackupMark.key(edge), value: String(head.seq.raw)))
            try link(.backedUp(edge, head.seq))
            log(.info, "backup verified", "\(name(edge)): up to entry \(head.seq)")
        }
        let leftOut = heads.map(\.0).filter { edge in !told.contains { $0.0 == edge } }
        let rows: [JSONValue] = leftOut.map {
            ["edge": .string($0.description), "name": .string(name($0)), "why": .string(whyNotOpen($0))]
        }
        return .answer(
            Answer(200, ["edges": .integer(Int64(told.count)), "told": .array(told.map { .string($0.0.description) }), "leftOut": .array(rows)]))
    }

    /// What the backup has behind `common` are a sealed branch's entries: no edge may take them for its own. Durable before the branch is sealed: of a
    /// process that dies between the two the next one believes too little of the backup, and never too much.
    func lowerBackup(of edge: EdgeID, to common: Seq) throws {
        guard let seq = backups[edge], seq > common else { return }
        let row = StoreWrite.meta(key: BackupMark.key(edge), value: String(common.raw))
        try stores.control.commit([row])
        backups[edge] = common
        // Also behind whatever of this turn waits to be stored: a higher mark may be among it.
        store(row)
        try link(.backedUp(edge, common))
    }

    private func whyNotOpen(_ edge: EdgeID) -> String {
        switch enrolled[edge]?.status {
        case nil: "it is not enrolled here"
        case .revoked: "it was revoked"
        case .pending: "it waits to be confirmed"
        case .confirmed: "it is set aside"
        }
    }
}

/// The body of the call.
private enum BackedUpHead {
    static func list(_ body: [UInt8]) throws(Problem) -> [(EdgeID, Head)] {
        guard let value = try? JSONReader.read(body, limits: .frame), let rows = value["heads"]?.elements else {
            throw .notJSON("There are no heads.")
        }
        var heads: [(EdgeID, Head)] = []
        for row in rows {
            guard let edge = EdgeID(hex: row["edge"]?.text ?? ""), let seq = row["seq"]?.integerValue, seq >= 0,
                let hash = Hex.bytes(row["hash"]?.text ?? ""), hash.count == 32
            else { throw .badRequest("a head has edge, seq and hash.") }
            heads.append((edge, Head(seq: Seq(UInt64(seq)), hash: hash)))
        }
        return heads
    }
}
