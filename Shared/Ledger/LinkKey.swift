// The key of the link and its successors: the edge announces a new one in its ledger, under the ledger's own key.
package import Values
package import Wire

/// The edge links by another key from now on.
package struct LinkKeyFact: Hashable, Sendable {
    /// The CURVE public key that it has linked by, and the one that follows, 32 bytes each.
    package var old: [UInt8]
    package var key: [UInt8]
    /// By the key that signs this ledger, 64 bytes.
    package var signature: [UInt8]

    /// How long the cloud lets the old key in after it has read the announcement.
    package static let overlap = Span.hours(24)

    package init(old: [UInt8], key: [UInt8], signature: [UInt8]) { self.old = old; self.key = key; self.signature = signature }

    /// Announces `key` after the entry `head`.
    package init(old: [UInt8], key: [UInt8], edge: EdgeID, epoch: UInt32, after head: Head, keys: SigningKeys) {
        self.init(
            old: old, key: key, signature: keys.sign(LinkKeyFact.signedBytes(edge: edge, epoch: epoch, after: head, old: old, key: key)))
    }

    /// The bytes under the signature: domain, edge, epoch and number of the entry before little-endian, its hash, old key, new key.
    package static func signedBytes(edge: EdgeID, epoch: UInt32, after head: Head, old: [UInt8], key: [UInt8]) -> [UInt8] {
        var out = ByteWriter(reserving: 160)
        out.append("tidewire.linkkey1".utf8)
        out.append(edge.bytes); out.little(epoch); out.little(head.seq.raw); out.append(head.hash); out.append(old); out.append(key)
        return out.bytes
    }

    /// Whether the owner of `signer` announced this for that edge, right after that entry.
    package func isSigned(edge: EdgeID, epoch: UInt32, after head: Head, by signer: [UInt8]) -> Bool {
        Signing.verifies(signature, over: LinkKeyFact.signedBytes(edge: edge, epoch: epoch, after: head, old: old, key: key), by: signer)
    }

    func write(into out: inout FieldWriter) {
        out.put("old", Hex.text(old)); out.put("key", Hex.text(key)); out.put("signature", Hex.text(signature))
    }
    init(_ f: Fields) throws(CodecError) {
        self.init(
            old: try f.bytes("old", count: 32), key: try f.bytes("key", count: 32), signature: try f.bytes("signature", count: Signing.signatureBytes)
        )
    }
}
