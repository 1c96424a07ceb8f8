// The edge's ledger key and its successors: a new key counts once the old one has said so in the ledger.
package import Values
package import Wire

/// From this entry on the ledger is signed by another key.
package struct KeyRotatedFact: Hashable, Sendable {
    /// The key that the ledger was signed by, 32 bytes.
    package var old: [UInt8]
    /// The key that follows it, 32 bytes.
    package var key: [UInt8]
    /// The old key's word for the new one, 64 bytes.
    package var signature: [UInt8]
    /// The new key's word for itself: whoever announces it holds it. 64 bytes.
    package var proof: [UInt8]

    /// How long the old key's signatures are still good after the announcement.
    package static let overlap = Span.hours(24)

    package init(old: [UInt8], key: [UInt8], signature: [UInt8], proof: [UInt8]) {
        self.old = old; self.key = key; self.signature = signature; self.proof = proof
    }

    /// Announces `new` after the entry `head`.
    package init(old: SigningKeys, new: SigningKeys, edge: EdgeID, epoch: UInt32, after head: Head) {
        let said = KeyRotatedFact.signedBytes(edge: edge, epoch: epoch, after: head, old: old.publicKey, key: new.publicKey)
        self.init(old: old.publicKey, key: new.publicKey, signature: old.sign(said), proof: new.sign(said))
    }

    /// The bytes under both signatures: domain, edge, epoch and number of the entry before little-endian, its hash, old key, new key.
    package static func signedBytes(edge: EdgeID, epoch: UInt32, after head: Head, old: [UInt8], key: [UInt8]) -> [UInt8] {
        var out = ByteWriter(reserving: 160)
        out.append("tidewire.keyrotate1".utf8)
        out.append(edge.bytes); out.little(epoch); out.little(head.seq.raw); out.append(head.hash); out.append(old); out.append(key)
        return out.bytes
    }

    /// Whether both keys signed this for that edge, right after that entry.
    package func isSigned(edge: EdgeID, epoch: UInt32, after head: Head) -> Bool {
        let said = KeyRotatedFact.signedBytes(edge: edge, epoch: epoch, after: head, old: old, key: key)
        return Signing.verifies(signature, over: said, by: old) && Signing.verifies(proof, over: said, by: key)
    }

    func write(into out: inout FieldWriter) {
        out.put("old", Hex.text(old)); out.put("key", Hex.text(key)); out.put("signature", Hex.text(signature)); out.put("proof", Hex.text(proof))
    }
    init(_ f: Fields) throws(CodecError) {
        func bytes(_ key: String, _ count: Int) throws(CodecError) -> [UInt8] {
            guard let bytes = Hex.bytes(try f.text(key)), bytes.count == count else { throw .badValue(key) }
            return bytes
        }
        self.init(
            old: try bytes("old", Signing.keyBytes), key: try bytes("key", Signing.keyBytes),
            signature: try bytes("signature", Signing.signatureBytes), proof: try bytes("proof", Signing.signatureBytes))
    }
}
