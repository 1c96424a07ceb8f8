// Ed25519 signatures by libsodium: what one machine said, proved to whoever holds its public key.
internal import CSodium

/// An Ed25519 key pair. The seed is the secret: whoever stores the pair stores the seed and nothing else.
package struct SigningKeys: Sendable {
    /// 32 bytes each.
    package let seed: [UInt8]
    package let publicKey: [UInt8]
    /// libsodium's own form: the seed, then the public key.
    private let secret: [UInt8]

    /// The pair that follows from 32 random bytes; nil for another length. The same seed gives the same pair on every machine (RFC 8032).
    package init?(seed: [UInt8]) {
        guard seed.count == Signing.keyBytes, Signing.isReady else { return nil }
        var publicKey = [UInt8](repeating: 0, count: Int(crypto_sign_PUBLICKEYBYTES))
        var secret = [UInt8](repeating: 0, count: Int(crypto_sign_SECRETKEYBYTES))
        guard crypto_sign_seed_keypair(&publicKey, &secret, seed) == 0 else { return nil }
        self.seed = seed
        self.publicKey = publicKey
        self.secret = secret
    }

    /// 64 bytes over exactly these bytes; the same every time, no randomness goes into it.
    package func sign(_ bytes: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Signing.signatureBytes)
        let status = crypto_sign_detached(&signature, nil, bytes, UInt64(bytes.count), secret)
        precondition(status == 0, "crypto_sign_detached refused its arguments")
        return signature
    }
}

/// How a reader checks a signature over bytes by a key: `Signing.verifies`, or something that answers the same for the same bytes and remembers.
package typealias SignatureCheck = @Sendable (_ signature: [UInt8], _ bytes: [UInt8], _ key: [UInt8]) -> Bool

/// The reader's half of Ed25519.
package enum Signing {
    /// The check by arithmetic, which knows nothing from before.
    package static let check: SignatureCheck = { verifies($0, over: $1, by: $2) }
    /// Bytes of a seed and of a public key.
    package static let keyBytes = 32
    package static let signatureBytes = 64
    static let isReady = sodium_init() >= 0

    /// Whether the owner of `key` signed these bytes. False also for a key or signature of the wrong length, and for a key that is no point.
    package static func verifies(_ signature: [UInt8], over bytes: [UInt8], by key: [UInt8]) -> Bool {
        guard signature.count == signatureBytes, key.count == keyBytes, isReady else { return false }
        return crypto_sign_verify_detached(signature, bytes, UInt64(bytes.count), key) == 0
    }
}
