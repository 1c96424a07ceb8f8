// The key of the cloud's end of the link and its successor: announced under the key that countersigns, written down before it is used.
internal import Values
package import Wire

/// The cloud is going to answer by another key of its link. The edge writes it down so that the cloud may see that it knows.
package struct ServerKeyFact: Hashable, Sendable {
    /// The CURVE public key that the cloud answers by, and the one that follows, 32 bytes each.
    package var old: [UInt8]
    package var key: [UInt8]
    /// The key that countersigns, 32 bytes, and its signature, 64.
    package var signer: [UInt8]
    package var signature: [UInt8]

    package init(old: [UInt8], key: [UInt8], signer: [UInt8], signature: [UInt8]) {
        self.old = old; self.key = key; self.signer = signer; self.signature = signature
    }

    /// The owner of the key that countersigns announces `key`.
    package init(old: [UInt8], key: [UInt8], keys: SigningKeys) {
        self.init(old: old, key: key, signer: keys.publicKey, signature: keys.sign(ServerKeyFact.signedBytes(old: old, key: key)))
    }

    /// The bytes under the signature: domain, old key, new key.
    package static func signedBytes(old: [UInt8], key: [UInt8]) -> [UInt8] {
        var out = ByteWriter(reserving: 96)
        out.append("tidewire.serverkey1".utf8)
        out.append(old); out.append(key)
        return out.bytes
    }

    /// Whether `signer` signed this.
    package var isSigned: Bool { Signing.verifies(signature, over: ServerKeyFact.signedBytes(old: old, key: key), by: signer) }

    /// The form in which the cloud announces it.
    package var value: JSONValue {
        var out = FieldWriter()
        write(into: &out)
        return out.value
    }
    /// Reads `value` back; the signature is not checked here.
    package init(_ value: JSONValue) throws(CodecError) { try self.init(Fields(value)) }

    func write(into out: inout FieldWriter) {
        out.put("old", Hex.text(old)); out.put("key", Hex.text(key)); out.put("signer", Hex.text(signer))
        out.put("signature", Hex.text(signature))
    }
    init(_ f: Fields) throws(CodecError) {
        self.init(
            old: try f.bytes("old", count: 32), key: try f.bytes("key", count: 32), signer: try f.bytes("signer", count: Signing.keyBytes),
            signature: try f.bytes("signature", count: Signing.signatureBytes))
    }
}
