// Countersigned heads: the cloud's word, under its own key, that it holds the chain up to an entry; kept in the edge's ledger as a witness.
package import Values
package import Wire

/// The cloud has everything up to this entry on its disk.
package struct CountersignedFact: Hashable, Sendable {
    package var head: Head
    /// Ed25519, 64 bytes.
    package var signature: [UInt8]
    /// The public half of the cloud's signing key, 32 bytes.
    package var key: [UInt8]
    package init(head: Head, signature: [UInt8], key: [UInt8]) { self.head = head; self.signature = signature; self.key = key }

    /// Signs that `edge`'s chain is stored up to `head`.
    package init(head: Head, edge: EdgeID, keys: SigningKeys) {
        self.init(head: head, signature: keys.sign(CountersignedFact.signedBytes(edge: edge, head: head)), key: keys.publicKey)
    }

    /// The bytes under the signature: domain, edge, number little-endian, hash.
    package static func signedBytes(edge: EdgeID, head: Head) -> [UInt8] {
        var out = ByteWriter(reserving: 80)
        out.append("tidewire.countersign1".utf8)
        out.append(edge.bytes); out.little(head.seq.raw); out.append(head.hash)
        return out.bytes
    }

    /// Whether the owner of `key` signed this for that edge.
    package func isSigned(edge: EdgeID) -> Bool {
        Signing.verifies(signature, over: CountersignedFact.signedBytes(edge: edge, head: head), by: key)
    }

    func write(into out: inout FieldWriter) {
        out.put("seq", Int64(head.seq.raw)); out.put("hash", Hex.text(head.hash)); out.put("signature", Hex.text(signature))
        out.put("key", Hex.text(key))
    }
    init(_ f: Fields) throws(CodecError) {
        guard let seq = UInt64(exactly: try f.integer("seq")) else { throw .badValue("seq") }
        func bytes(_ key: String, _ count: Int) throws(CodecError) -> [UInt8] {
            guard let bytes = Hex.bytes(try f.text(key)), bytes.count == count else { throw .badValue(key) }
            return bytes
        }
        self.init(
            head: Head(seq: Seq(seq), hash: try bytes("hash", 32)), signature: try bytes("signature", Signing.signatureBytes),
            key: try bytes("key", Signing.keyBytes))
    }
}

extension CountersignedFact {
    /// Looks at an entry that follows in a verified chain.
    /// - Parameter hash: of the same ledger's entry of that number; nil where it is not known.
    /// - Returns: what is wrong with it as a countersigned head, in words; nil for a good one and for every other kind.
    package static func fault<Failure: Error>(
        in entry: Entry, edge: EdgeID, hash: (Seq) throws(Failure) -> [UInt8]?
    ) throws(Failure) -> String? {
        guard entry.kind == Kind.countersigned.rawValue else { return nil }
        guard let fact = try? entry.decoded(), case .countersigned(let word) = fact else { return "countersigned head \(entry.seq) cannot be read" }
        guard word.head.seq > Seq(0), word.head.seq < entry.seq, entry.seq.raw - word.head.seq.raw < CountersignRule.reach else {
            return "countersigned head \(entry.seq) speaks of entry \(word.head.seq), which is not among the \(CountersignRule.reach) before it"
        }
        if let known = try hash(word.head.seq), known != word.head.hash {
            return "countersigned head \(entry.seq) speaks of another entry \(word.head.seq) than this ledger has"
        }
        return word.isSigned(edge: edge) ? nil : "the signature of countersigned head \(entry.seq) is wrong"
    }
}

/// Follows the countersigned heads of one ledger: each speaks of an entry not far before it, by its true hash, under a true signature.
package struct CountersignRule: Sendable {
    /// How far back one may speak: what a reader has to remember.
    package static let reach: UInt64 = 4_096

    package let edge: EdgeID
    /// Found good.
    package private(set) var count: UInt64 = 0
    /// The newest of them.
    package private(set) var last: CountersignedFact?
    /// Which key of the cloud's the entries so far say to believe.
    package private(set) var trust = CloudTrust()
    /// Hashes of the newest entries, each at its number modulo `reach`; empty where the walk has not been.
    private var hashes = [[UInt8]](repeating: [], count: Int(CountersignRule.reach))

    /// - Parameter trust: what the entries before the first one that is looked at say.
    package init(edge: EdgeID, trust: CloudTrust = CloudTrust()) { self.edge = edge; self.trust = trust }

    /// Looks at the next entry of a verified chain.
    /// - Returns: what is wrong with it as a countersigned head, in words; nil for a good one and for every other kind.
    package mutating func accept(_ entry: Entry) -> String? {
        defer { hashes[Int(entry.seq.raw % CountersignRule.reach)] = entry.hash }
        if let words = trust.accept(entry) { return words }
        let fault = CountersignedFact.fault(in: entry, edge: edge) { seq in
            // A walk that began in the middle has not seen all of them.
            let known = hashes[Int(seq.raw % CountersignRule.reach)]
            return known.isEmpty ? nil : known
        }
        if let fault { return fault }
        guard entry.kind == Kind.countersigned.rawValue, case .countersigned(let word)? = try? entry.decoded() else { return nil }
        count += 1
        last = word
        return nil
    }
}
