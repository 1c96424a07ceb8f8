// Signed checkpoints: the edge's word, under its ledger key, for where its chain stood and what it added up to.
package import Values
package import Wire

/// A signed position of the ledger. It speaks of the entry before its own and of the fold up to there.
package struct CheckpointFact: Hashable, Sendable {
    /// The entry just before the checkpoint.
    package var head: Head
    /// `Book.digest()` after that entry; 32 bytes.
    package var digest: [UInt8]
    /// Ed25519, 64 bytes.
    package var signature: [UInt8]
    /// The public half of the edge's ledger key, 32 bytes.
    package var key: [UInt8]
    package init(head: Head, digest: [UInt8], signature: [UInt8], key: [UInt8]) {
        self.head = head; self.digest = digest; self.signature = signature; self.key = key
    }

    /// Signs where `edge` stands in `epoch`.
    package init(head: Head, digest: [UInt8], edge: EdgeID, epoch: UInt32, keys: SigningKeys) {
        let said = CheckpointFact.signedBytes(edge: edge, epoch: epoch, head: head, digest: digest)
        self.init(head: head, digest: digest, signature: keys.sign(said), key: keys.publicKey)
    }

    /// The bytes under the signature: domain, edge, epoch and number little-endian, hash, digest.
    package static func signedBytes(edge: EdgeID, epoch: UInt32, head: Head, digest: [UInt8]) -> [UInt8] {
        var out = ByteWriter(reserving: 112)
        out.append("tidewire.checkpoint1".utf8)
        out.append(edge.bytes); out.little(epoch); out.little(head.seq.raw); out.append(head.hash); out.append(digest)
        return out.bytes
    }

    /// Whether the owner of `key` signed this for that edge and epoch.
    /// - Parameter check: says so of bytes under a signature.
    package func isSigned(edge: EdgeID, epoch: UInt32, check: SignatureCheck = Signing.check) -> Bool {
        check(signature, CheckpointFact.signedBytes(edge: edge, epoch: epoch, head: head, digest: digest), key)
    }
}

/// The key that signed before the present one, and until when its signatures are still good, by the entries' wall clock.
package struct FormerSigner: Hashable, Sendable {
    package var key: [UInt8]
    package var until: Instant
    package init(key: [UInt8], until: Instant) { self.key = key; self.until = until }
}

/// Follows the checkpoints of one ledger: each signs the entry before it, under the key of the ledger or, for a day, the one before that.
package struct CheckpointRule: Sendable {
    package let edge: EdgeID
    /// The key that signs; the first checkpoint tells it when nobody did before.
    package private(set) var key: [UInt8]?
    /// The key before that.
    package private(set) var before: FormerSigner?
    /// Keys that followed one another in the entries looked at.
    package private(set) var rotations: UInt64 = 0
    /// Checkpoints found good.
    package private(set) var count: UInt64 = 0
    /// The newest of them.
    package private(set) var last: CheckpointFact?

    private let check: SignatureCheck

    /// - Parameters:
    ///   - key: known from elsewhere (the edge's own file, the enrolment, a person); nil trusts the first checkpoint.
    ///   - before: who signed before that, for a walk that begins after the change.
    ///   - check: of a checkpoint's signature.
    package init(edge: EdgeID, key: [UInt8]? = nil, before: FormerSigner? = nil, check: @escaping SignatureCheck = Signing.check) {
        self.edge = edge; self.key = key; self.before = before; self.check = check
    }

    /// Looks at the next entry of a verified chain.
    /// - Returns: what is wrong with it as a checkpoint, in words; nil for a good one and for every other kind.
    package mutating func accept(_ entry: Entry) -> String? {
        if entry.kind == Kind.keyRotated.rawValue { return rotate(entry) }
        if entry.kind == Kind.linkKey.rawValue { return announce(entry) }
        guard entry.kind == Kind.checkpoint.rawValue else { return nil }
        guard let fact = try? entry.decoded(), case .checkpoint(let checkpoint) = fact else {
            return "checkpoint \(entry.seq) cannot be read"
        }
        guard checkpoint.head.seq.next == entry.seq, checkpoint.head.hash == entry.previous else {
            return "checkpoint \(entry.seq) signs another entry than the one before it"
        }
        let isOlder = before.map { $0.key == checkpoint.key && entry.wall <= $0.until } ?? false
        if let key, key != checkpoint.key, !isOlder { return "checkpoint \(entry.seq) is signed by another key than this ledger's" }
        guard checkpoint.isSigned(edge: edge, epoch: entry.epoch, check: check) else { return "the signature of checkpoint \(entry.seq) is wrong" }
        if !isOlder { key = checkpoint.key }
        count += 1
        last = checkpoint
        return nil
    }

    /// A new key of the link: whoever signs this ledger must have said so.
    private func announce(_ entry: Entry) -> String? {
        guard let fact = try? entry.decoded(), case .linkKey(let word) = fact else { return "link key \(entry.seq) cannot be read" }
        // Before the first signature, or in a walk that has not come to one, nobody knows who signs.
        guard let key else { return nil }
        let head = Head(seq: Seq(entry.seq.raw - 1), hash: entry.previous)
        let signers = [key] + (before.map { entry.wall <= $0.until ? [$0.key] : [] } ?? [])
        guard signers.contains(where: { word.isSigned(edge: edge, epoch: entry.epoch, after: head, by: $0) }) else {
            return "link key \(entry.seq) is not announced by this ledger's key"
        }
        return nil
    }

    /// A new key: the ledger's own key must have said so, and the new one must be held by whoever announces it.
    private mutating func rotate(_ entry: Entry) -> String? {
        guard let fact = try? entry.decoded(), case .keyRotated(let word) = fact else { return "key change \(entry.seq) cannot be read" }
        if let key, key != word.old { return "key change \(entry.seq) is signed by another key than this ledger's" }
        let head = Head(seq: Seq(entry.seq.raw - 1), hash: entry.previous)
        guard word.isSigned(edge: edge, epoch: entry.epoch, after: head) else { return "the signature of key change \(entry.seq) is wrong" }
        before = FormerSigner(key: word.old, until: entry.wall + KeyRotatedFact.overlap)
        key = word.key
        rotations += 1
        return nil
    }
}
