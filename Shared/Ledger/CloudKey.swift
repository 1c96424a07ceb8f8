// Which key of the cloud's an edge believes: pinned by an entry, changed only by a person or under the key before it.
package import Values
package import Wire

/// From this entry on only heads countersigned by this key are believed.
package struct CloudKeyFact: Hashable, Sendable {
    /// Why it is believed.
    package enum Ground: String, Hashable, Sendable, CaseIterable {
        /// The cloud showed it when a person enrolled the edge, proved by the token.
        case enrolled
        /// It came first, on the link whose key the enrolment fixed, before anything else was believed.
        case firstUse
        /// The key before it says so.
        case announced
        /// A person said so at the edge's console.
        case person
    }
    /// The public half of the cloud's signing key, 32 bytes.
    package var key: [UInt8]
    package var ground: Ground
    /// Which enrolment, 8 bytes as `EnrolmentRequest.invitation` names it; of `.enrolled` only.
    package var enrolment: [UInt8]?
    /// The word of the key before it; of `.announced` only.
    package var change: CloudKeyChange?

    package init(key: [UInt8], ground: Ground, enrolment: [UInt8]? = nil, change: CloudKeyChange? = nil) {
        self.key = key; self.ground = ground; self.enrolment = enrolment; self.change = change
    }
    /// What the key before it announced.
    package init(_ change: CloudKeyChange) { self.init(key: change.key, ground: .announced, change: change) }

    func write(into out: inout FieldWriter) {
        out.put("key", Hex.text(key)); out.put("ground", ground.rawValue); out.put("enrolment", enrolment.map { Hex.text($0) })
        guard let change else { return }
        out.put("old", Hex.text(change.old)); out.put("signature", Hex.text(change.signature)); out.put("proof", Hex.text(change.proof))
    }
    init(_ f: Fields) throws(CodecError) {
        self.init(key: try f.bytes("key", count: Signing.keyBytes), ground: try f.word("ground", Ground.self))
        if f.has("enrolment") { enrolment = try f.bytes("enrolment", count: CloudKeyFact.enrolmentBytes) }
        if f.has("old") { change = try CloudKeyChange(f) }
    }
    /// Of an enrolment's name.
    package static let enrolmentBytes = 8
}

/// The cloud signs by another key from now on: said by the old one, and by the new one, which whoever announces it holds.
package struct CloudKeyChange: Hashable, Sendable {
    /// 32 bytes each.
    package var old: [UInt8]
    package var key: [UInt8]
    /// By the old key and by the new one, 64 bytes each.
    package var signature: [UInt8]
    package var proof: [UInt8]

    package init(old: [UInt8], key: [UInt8], signature: [UInt8], proof: [UInt8]) {
        self.old = old; self.key = key; self.signature = signature; self.proof = proof
    }

    /// The owner of both keys announces the new one.
    package init(from old: SigningKeys, to new: SigningKeys) {
        let said = CloudKeyChange.signedBytes(old: old.publicKey, key: new.publicKey)
        self.old = old.publicKey; key = new.publicKey; signature = old.sign(said); proof = new.sign(said)
    }

    /// The bytes under both signatures: domain, old key, new key.
    package static func signedBytes(old: [UInt8], key: [UInt8]) -> [UInt8] {
        var out = ByteWriter(reserving: 96)
        out.append("tidewire.cloudkey1".utf8)
        out.append(old); out.append(key)
        return out.bytes
    }

    /// Whether the owners of both keys signed this.
    package var isSigned: Bool {
        let said = CloudKeyChange.signedBytes(old: old, key: key)
        return Signing.verifies(signature, over: said, by: old) && Signing.verifies(proof, over: said, by: key)
    }

    /// The form in which the cloud keeps and announces it.
    package var value: JSONValue {
        var out = FieldWriter()
        out.put("old", Hex.text(old)); out.put("key", Hex.text(key)); out.put("signature", Hex.text(signature)); out.put("proof", Hex.text(proof))
        return out.value
    }
    /// Reads `value` back; the signatures are not checked here.
    package init(_ value: JSONValue) throws(CodecError) { try self.init(Fields(value)) }
    init(_ f: Fields) throws(CodecError) {
        old = try f.bytes("old", count: Signing.keyBytes); key = try f.bytes("key", count: Signing.keyBytes)
        signature = try f.bytes("signature", count: Signing.signatureBytes); proof = try f.bytes("proof", count: Signing.signatureBytes)
    }
}

/// What a ledger believes of its cloud's key, as its entries say.
package struct CloudTrust: Hashable, Sendable {
    /// The believed key; nil while nothing was said.
    package private(set) var key: [UInt8]?
    /// The key before an announced one, and how long its heads are still good: they may have been signed before it was announced.
    package private(set) var before: (key: [UInt8], until: Instant)?
    /// The enrolment that was taken up last.
    package private(set) var enrolment: [UInt8]?

    package init() {}
    package static func == (a: CloudTrust, b: CloudTrust) -> Bool {
        a.key == b.key && a.enrolment == b.enrolment && a.before?.key == b.before?.key && a.before?.until == b.before?.until
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// Whether a head signed by this key is believed at that time.
    package func believes(_ signer: [UInt8], at wall: Instant) -> Bool {
        guard let key else { return true }
        return signer == key || before.map { $0.key == signer && wall <= $0.until } ?? false
    }

    /// Looks at the next entry of a verified chain.
    /// - Returns: what is wrong with it, in words: a word about the cloud's key that does not hold, or a head signed by another key; else nil.
    package mutating func accept(_ entry: Entry) -> String? {
        switch entry.kind {
        case Kind.cloudKey.rawValue:
            guard let fact = try? entry.decoded(), case .cloudKey(let word) = fact else { return "the cloud's key \(entry.seq) cannot be read" }
            return accept(word, at: entry.seq, entry.wall)
        case Kind.serverKey.rawValue:
            guard let fact = try? entry.decoded(), case .serverKey(let word) = fact else {
                return "the key of the cloud's link \(entry.seq) cannot be read"
            }
            guard word.isSigned else { return "the signature of the cloud's link key \(entry.seq) is wrong" }
            return believes(word.signer, at: entry.wall) ? nil : "the cloud's link key \(entry.seq) is announced by another key than the one believed"
        case Kind.countersigned.rawValue:
            guard let fact = try? entry.decoded(), case .countersigned(let word) = fact, !believes(word.key, at: entry.wall) else { return nil }
            return "countersigned head \(entry.seq) is signed by another key than the one this ledger believes"
        default: return nil
        }
    }

    /// Takes up an entry's word.
    /// - Returns: what is wrong with it, in words; nil for a good one.
    private mutating func accept(_ fact: CloudKeyFact, at seq: Seq, _ wall: Instant) -> String? {
        switch fact.ground {
        case .announced:
            guard let change = fact.change, change.key == fact.key, change.isSigned else { return "the signature of the cloud's key \(seq) is wrong" }
            guard key == nil || key == change.old else { return "the cloud's key \(seq) is announced by another key than the one believed" }
            before = (change.old, wall + KeyRotatedFact.overlap)
        case .firstUse:
            // A walk that began in the middle, or a cut, may come upon it a second time.
            guard key == nil || key == fact.key else { return "the cloud's key \(seq) is taken for the first one, and there is one" }
            before = nil
        case .enrolled, .person: before = nil
        }
        key = fact.key
        if let enrolment = fact.enrolment { self.enrolment = enrolment }
        return nil
    }

    /// What a walk over the newest entries found, on top of what was kept of those before it.
    package func over(_ kept: CloudTrust) -> CloudTrust {
        guard key != nil else { return kept }
        var merged = self
        merged.enrolment = enrolment ?? kept.enrolment
        return merged
    }

    /// As it is kept beside a ledger: the next start need not walk to the entry.
    package var text: String {
        var out = FieldWriter()
        out.put("key", key.map { Hex.text($0) }); out.put("enrolment", enrolment.map { Hex.text($0) })
        out.put("before", before.map { Hex.text($0.key) }); out.put("until", before?.until)
        return String(decoding: JSONWriter.plain(out.value), as: UTF8.self)
    }
    /// Reads `text` back; nothing is believed by an empty one.
    package init(text: String) throws(CodecError) {
        guard !text.isEmpty else { return }
        guard let value = try? JSONReader.read(Array(text.utf8)) else { throw .notJSON }
        let f = try Fields(value)
        if f.has("key") { key = try f.bytes("key", count: Signing.keyBytes) }
        if f.has("enrolment") { enrolment = try f.bytes("enrolment", count: CloudKeyFact.enrolmentBytes) }
        if f.has("before") { before = (try f.bytes("before", count: Signing.keyBytes), try f.instant("until")) }
    }
}
