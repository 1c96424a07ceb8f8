// An edge's next link key, as its ledger announces it: let in at once, beside the old one for a day.
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

/// A key that another one has followed.
struct FormerKey: Hashable, Sendable {
    /// 32 bytes.
    let key: [UInt8]
    let until: Instant

    /// The name of its row in control.db.
    static func key(_ edge: EdgeID) -> String { "former-key:\(edge)" }
    init(key: [UInt8], until: Instant) { self.key = key; self.until = until }

    var text: String {
        var out = FieldWriter()
        out.put("key", Hex.text(key)); out.put("until", until)
        return String(decoding: JSONWriter.plain(out.value), as: UTF8.self)
    }
    /// Reads `text` back; nil for an empty one.
    /// - Throws: `DatabaseError` for a text that is none of ours.
    init?(_ text: String) throws(DatabaseError) {
        if text.isEmpty { return nil }
        do {
            let f = try Fields(JSONReader.read(Array(text.utf8)))
            (key, until) = (try f.bytes("key", count: 32), try f.instant("until"))
        } catch { throw .corrupt("a link key in control.db cannot be read: \(error)") }
    }
}

extension Node {
    /// The wall clock was set by `step`. Set back, it would let a key that was followed in for longer than the day it has.
    func shortenFormerKeys(by step: Span) {
        guard step < .zero else { return }
        for (edge, former) in formerKeys.sorted(by: { $0.key < $1.key }) {
            let moved = FormerKey(key: former.key, until: former.until + step)
            formerKeys[edge] = moved
            store(.meta(key: FormerKey.key(edge), value: moved.text))
        }
    }

    /// An entry that announces the edge's next key is stored; its signature was checked with the ledger's.
    func takeLinkKey(of edge: EdgeID, _ entry: Entry) {
        guard var known = enrolled[edge], case .linkKey(let word)? = try? entry.decoded(), word.key != known.linkKey else { return }
        // Without a signature before it nobody knows whose word it is: whoever has the link's key could say so.
        guard stores.ledgers.checkpointRule(edge)?.key != nil else {
            return log(.warning, "link key not taken", "\(known.name): entry \(entry.seq) announces one in a ledger that was never signed")
        }
        // What was stored before the edge was enrolled is history: its keys may be back from a copy, and the one that followed then is gone.
        guard entry.seq > linkKeysFrom[edge] ?? Seq(0) else { return }
        // Only the key in use has a successor, and the one before it while it is let in: an edge that never took the next one up speaks by that.
        guard word.old == known.linkKey || word.old == formerKeys[edge]?.key else {
            return log(.warning, "link key not taken", "\(known.name): entry \(entry.seq) follows a key that is not the one in use")
        }
        guard ownerOfRevoked(word.key) == nil, !enrolled.values.contains(where: { $0.linkKey == word.key }) else {
            return log(.error, "link key not taken", "\(known.name): entry \(entry.seq) names a key that was revoked or is another edge's")
        }
        known.linkKey = word.key
        enrolled[edge] = known
        store(.edge(known))
        let former = FormerKey(key: word.old, until: now + LinkKeyFact.overlap)
        formerKeys[edge] = former
        store(.meta(key: FormerKey.key(edge), value: former.text))
        effect(.admit(linkKeys))
        log(.warning, "link key changed", "\(known.name): entry \(entry.seq) announced it; the old one is let in until \(former.until)")
    }

    /// The ledger is durable before control.db: a process that died in between finds the newest announcement here.
    func followLinkKey(of edge: EdgeID) throws {
        // Kinds have no index. An announcement that control.db missed is among the last that this cloud stored.
        let head = stores.ledgers.head(edge).seq.raw
        let from = max(linkKeysFrom[edge]?.raw ?? 0, head > Node.linkKeysReach ? head - Node.linkKeysReach : 0) + 1
        let words = try stores.ledgers.matching(
            edge, kinds: [Kind.linkKey.rawValue], from: Seq(from), below: nil, newestFirst: true, limit: Node.linkKeysMax
        ).reversed()
        // Those up to the one that named the key in use were followed before; more than one may be missing.
        let known = words.lastIndex { entry in
            if case .linkKey(let word)? = try? entry.decoded() { word.key == enrolled[edge]?.linkKey } else { false }
        }
        for entry in known.map({ words[words.index(after: $0)...] }) ?? words[...] { takeLinkKey(of: edge, entry) }
    }

    /// Entries from the newest on in which an announcement is looked for at a start.
    private static let linkKeysReach: UInt64 = 65_536
    /// Of them, the newest that are followed.
    private static let linkKeysMax = 64

    /// The edge is enrolled by a key: what its ledger says of others is over, here and as far as the edge said that it goes.
    func beginLinkKeys(of edge: EdgeID, after head: Seq) {
        forgetFormerKey(of: edge)
        let last = max(stores.ledgers.storedHead(edge), head)
        linkKeysFrom[edge] = last
        store(.meta(key: Node.linkKeysName(edge), value: String(last.raw)))
    }
    /// A session opens. A ledger that was set back since its edge was enrolled writes those numbers again, and what it announces by them counts.
    func lowerLinkKeys(of edge: EdgeID) {
        guard let from = linkKeysFrom[edge], let announced = receiver.link(edge)?.announced.seq, announced < from else { return }
        linkKeysFrom[edge] = announced
        store(.meta(key: Node.linkKeysName(edge), value: String(announced.raw)))
    }
    /// Where control.db keeps it.
    static func linkKeysName(_ edge: EdgeID) -> String { "link-keys-from:\(edge)" }

    /// The old key is no longer let in.
    func forgetFormerKey(of edge: EdgeID) {
        guard formerKeys[edge] != nil else { return }
        formerKeys[edge] = nil
        store(.meta(key: FormerKey.key(edge), value: ""))
    }

    /// Ends each overlap when its day is over.
    func tickLinkKeys() {
        let over = formerKeys.filter { now > $0.value.until }.keys.sorted()
        guard !over.isEmpty else { return }
        for edge in over { forgetFormerKey(of: edge) }
        effect(.admit(linkKeys))
    }
}
