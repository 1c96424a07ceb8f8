// CURVE key pairs and their printable form.
internal import CZMQ

/// An X25519 key pair of one end of the link. The secret half never leaves the machine that made it.
package struct CurveKeys: Sendable {
    /// 32 bytes each.
    package let publicKey: [UInt8]
    package let secretKey: [UInt8]

    /// A fresh pair from the system's randomness.
    package static func generate() -> CurveKeys {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        let status = zmq_curve_keypair(&publicText, &secretText)
        precondition(status == 0, "zmq_curve_keypair failed: libzmq without CURVE")
        guard let publicKey = CurveKeys.bytes(z85: text(publicText)), let secretKey = CurveKeys.bytes(z85: text(secretText)) else {
            preconditionFailure("libzmq wrote a key it cannot read")
        }
        return CurveKeys(publicKey: publicKey, checked: secretKey)
    }

    /// A stored pair; nil unless both halves have 32 bytes and belong together.
    package init?(publicKey: [UInt8], secretKey: [UInt8]) {
        guard publicKey.count == 32, CurveKeys(secretKey: secretKey)?.publicKey == publicKey else { return nil }
        self.init(publicKey: publicKey, checked: secretKey)
    }

    /// The pair of a stored secret half of 32 bytes.
    package init?(secretKey: [UInt8]) {
        guard let secretText = CurveKeys.z85(secretKey) else { return nil }
        var publicText = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&publicText, secretText) == 0, let publicKey = CurveKeys.bytes(z85: CurveKeys.text(publicText)) else { return nil }
        self.init(publicKey: publicKey, checked: secretKey)
    }

    private init(publicKey: [UInt8], checked secretKey: [UInt8]) { self.publicKey = publicKey; self.secretKey = secretKey }

    /// 32 bytes as 40 printable characters; nil for another length.
    package static func z85(_ key: [UInt8]) -> String? {
        guard key.count == 32 else { return nil }
        var text = [CChar](repeating: 0, count: 41)
        guard zmq_z85_encode(&text, key, key.count) != nil else { return nil }
        return CurveKeys.text(text)
    }

    /// The 32 bytes of 40 printable characters; nil for anything else.
    package static func bytes(z85 text: String) -> [UInt8]? {
        // The library's decoder reads any length and only some versions check the characters.
        let alphabet = Set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#".utf8)
        guard text.utf8.count == 40, text.utf8.allSatisfy(alphabet.contains) else { return nil }
        var key = [UInt8](repeating: 0, count: 32)
        return zmq_z85_decode(&key, text) == nil ? nil : key
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
