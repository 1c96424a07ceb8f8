// Edges of which nothing is taken for now: their stored ledger is damaged, its file fails, or they send what they may not. The others go on.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values

/// Why nothing of an edge is taken.
struct SetAside {
    let words: String
    /// Which rule broke what the edge sent; nil for what lies here.
    var offered: BrokenRule?
    var trouble: Trouble {
        switch offered {
        case nil: .ledgerDamaged
        case .signature: .unsigned(words)
        case .clocks:
            Trouble(
                code: SetAside.outOfOrder, text: "The cloud takes nothing of this edge: what it sent would not start as a ledger (\(words)).",
                cure: "The edge trades on. Let tidewire-edge ledger verify check its ledger, and report what it prints; then start the cloud again.",
                ends: true)
        }
    }
    /// The name of that on the page Edges.
    static let outOfOrder = "ENTRIES_OUT_OF_ORDER"
    /// The event in the log.
    var event: String {
        switch offered {
        case nil: "ledger damaged"
        case .signature: "entries not signed"
        case .clocks: "entries out of order"
        }
    }
}

extension Node {
    /// Takes up an edge, or sets it aside when its ledger is damaged: the others go on, and nothing of this one is shown or taken.
    func openOrSetAside(_ edge: EnrolledEdge) throws {
        do {
            try open(edge)
            damaged[edge.id] = nil
        } catch let damage as LedgerDamage {
            try setAside(edge, SetAside(words: damage.words))
        } catch StoreError.failed(let cause) {
            try setAside(edge, SetAside(words: cause.description))
        } catch StoreError.database(let cause) where cause.isCorrupt {
            try setAside(edge, SetAside(words: cause.description))
        }
    }

    func setAside(_ edge: EnrolledEdge, _ why: SetAside) throws {
        damaged[edge.id] = why
        log(.error, why.event, "\(edge.name): \(why.words)")
        try link(.setAside(edge.id, why.trouble))
        tell(.revoked(edge.id))
        books.caughtUp(edge.id)
        audits.wanted[edge.id] = nil
        stores.ledgers.close(edge.id)
        // A start says it once, when all edges are known.
        if !isStarting { effect(.admit(linkKeys)) }
        tellDamage()
    }

    static func damagedID(_ edge: EdgeID) -> String { "damaged-\(edge.description.prefix(8))" }

    /// Keeps the word of damage on the Edges page for as long as it is so.
    func tellDamage() {
        for (id, why) in damaged.sorted(by: { $0.key < $1.key }) {
            let row = Node.damagedID(id)
            guard !control.refusals.contains(where: { $0.id == row }) else { continue }
            switch why.offered {
            case .signature:
                show(
                    row, of: id, "UNSIGNED_ENTRIES", "It sent entries that are not signed as they must be: \(why.words). None of them is stored.",
                    cure: "The copy here is sound. Look who uses this edge's link key. If it is not your machine: tidewire-cloud edge revoke "
                        + "\(name(id)). If it is, put back the copy of its keys/ that belongs to its ledger, and start both again.")
            case .clocks:
                show(
                    row, of: id, SetAside.outOfOrder, "It sent entries that no start would take: \(why.words). None of them is stored.",
                    cure: "The copy here is sound. Let tidewire-edge ledger verify check the edge's, and report what it prints: the program that "
                        + "wrote these entries is at fault, or it is not yours, and then: tidewire-cloud edge revoke \(name(id)). Start both again.")
            case nil:
                show(
                    row, of: id, "LEDGER_DAMAGED", "The stored ledger is damaged: \(why.words).",
                    cure:
                        "Stop the cloud, move edges/\(id).db* away and keep them, put the newest copy in their place if there is one, and start it again: "
                        + "the edge sends what is missing, and says CLOUD_RESTORED (deploy/guide/ledger.md, 'The cloud lost its data').")
            }
        }
    }

    /// Does something with the file of one edge; when it fails, whatever is to be done with the others' goes on.
    func bearing(_ work: () throws -> Void) throws {
        do { try work() } catch StoreError.failed(let cause) { try bear(cause) }
    }

    /// One edge's file has failed. Damage in it ends this edge's part and no other's; after an error of the disk only a new process knows what is on
    /// it, and one that meets the same error again when it starts does without this edge.
    /// - Throws: for an error of the disk in a cloud that runs, and for one that is no edge's.
    func bear(_ cause: DatabaseError) throws {
        let failed = stores.ledgers.failures
        guard !failed.isEmpty, isStarting || failed.allSatisfy({ $0.cause.isCorrupt }) else { throw StoreError.failed(cause) }
        for (id, cause) in failed {
            guard let edge = enrolled[id] else { throw StoreError.failed(cause) }
            try setAside(edge, SetAside(words: cause.description))
        }
    }

    /// Entries of an edge were not stored: they are not signed or not timed as they must be, or what they are held to cannot be read here.
    func notTaken(_ damage: LedgerDamage) throws {
        guard let rule = damage.offered else {
            try link(.commitFailed(damage.edge, reason: damage.words))
            return try found(damage)
        }
        if let known = enrolled[damage.edge] { try setAside(known, SetAside(words: damage.words, offered: rule)) }
    }

    // MARK: - What the receiver asks of the stored hashes

    /// No verdict rests on a row that rotted here: it is what the chain names, or nothing is said.
    func lookUp(_ edge: EdgeID, _ seqs: [Seq]) throws {
        var damage: LedgerDamage?
        do {
            let heads = try stores.ledgers.heads(edge, seqs) { damage = $0 }
            try link(.lookedUp(edge, seqs, heads))
        } catch let error as LedgerDamage {
            // The edge asks again by its next HELLO.
            tellRotten(error)
            damage = error
        }
        if let damage { try found(damage) }
    }

    func compare(_ edge: EdgeID, _ head: Head) throws {
        var damage: LedgerDamage?
        do {
            let heads = try stores.ledgers.heads(edge, [head.seq]) { damage = $0 }
            try link(.compared(edge, head, isEqual: heads.first == head))
        } catch let error as LedgerDamage {
            tellRotten(error)
            damage = error
        }
        if let damage { try found(damage) }
    }

    /// Puts a damaged entry on the Edges page that the edge's copy will put right, if it comes.
    func tellRotten(_ damage: LedgerDamage) {
        let row = Node.rottenID(damage.edge)
        guard !control.refusals.contains(where: { $0.id == row }) else { return }
        show(
            row, of: damage.edge, "ENTRY_DAMAGED", "A stored entry is damaged: \(damage.words).",
            cure: "It is put right from the edge's copy as soon as the edge is linked. If that cannot be, stop the cloud and put the newest copy of "
                + "edges/\(damage.edge).db back.", stays: true)
    }
    static func rottenID(_ edge: EdgeID) -> String { "entry-\(edge.description.prefix(8))" }

    // MARK: - The index

    /// Damage in what only follows the entries is told, and stops nothing.
    func tellIndexes() {
        for (edge, state) in stores.ledgers.followers {
            let words: String
            switch state {
            case .sound: continue
            case .renewed(let cause): words = "The index beside its stored entries was damaged and is made anew from them (\(cause))."
            case .damaged(let cause): words = "The index beside its stored entries is damaged; they are looked for one by one (\(cause))."
            }
            if keeping.indexesTold.updateValue(words, forKey: edge) != words { log(.error, "index damaged", "\(name(edge)): \(words)") }
            let row = "index-\(edge.description.prefix(8))"
            guard !control.refusals.contains(where: { $0.id == row }) else { continue }
            show(
                row, of: edge, "INDEX_DAMAGED", words,
                cure: "No entry is concerned. Look at the disk: what damaged these pages may damage others. "
                    + (state.isDamaged ? "Then, with the cloud stopped: tidewire-cloud ledger reindex \(name(edge))." : ""), stays: true)
        }
    }

    /// Entries as far as each follows the one before, over the holes that are known.
    func inOrder(_ entries: [Entry], of edge: EdgeID, after seq: Seq) -> [Entry] {
        let holes = stores.ledgers.holes(edge)
        var before = seq
        let end = entries.firstIndex { entry in
            let known = before
            before = entry.seq
            return entry.seq != known.next && !holes.contains { $0.after.seq == known && $0.last.seq.next == entry.seq }
        }
        return Array(entries[..<(end ?? entries.count)])
    }
}

extension Receiver.Action {
    /// The edge into whose files this writes.
    var writesTo: EdgeID? {
        switch self {
        case .commit(let edge, _), .hole(let edge, _), .mend(let edge, _), .openBranch(let edge, _, _), .keepBranch(let edge, _, _),
            .cut(let edge, _):
            edge
        default: nil
        }
    }
}
