// JSON Web Tokens with HS256 and nothing else: the algorithm is fixed here, never read from a token.
package import Values
internal import Wire

/// Why a token was not taken.
package enum BearerError: Error, Equatable, Sendable {
    /// Not three base64url parts, or not the header that this product writes.
    case malformed
    /// The signature is not of this key.
    case forged
    /// The claims are missing or of another audience.
    case badClaims
    case expired
    /// Issued more than a minute in the future.
    case notYet
}

/// What a token of this product says.
package struct BearerClaims: Hashable, Sendable {
    package var user: String
    /// The session it stands for: ending the session ends the token.
    package var session: String
    package var issuedAt: Instant
    package var expiresAt: Instant
    package init(user: String, session: String, issuedAt: Instant, expiresAt: Instant) {
        self.user = user; self.session = session; self.issuedAt = issuedAt; self.expiresAt = expiresAt
    }
}

/// Writing and checking tokens.
package enum BearerToken {
    private static let audience = "tidewire"
    private static let header = TextCoding.base64url(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
    /// A token is a few hundred bytes; longer ones are not looked at.
    package static let bytesMax = 2_048

    /// The compact form. Times are whole seconds.
    package static func issue(_ claims: BearerClaims, key: [UInt8]) -> String {
        let body: JSONValue = [
            "aud": .string(audience), "exp": .integer(claims.expiresAt.seconds), "iat": .integer(claims.issuedAt.seconds),
            "jti": .string(claims.session), "sub": .string(claims.user),
        ]
        let signed = header + "." + TextCoding.base64url(JSONWriter.plain(body))
        return signed + "." + TextCoding.base64url(Hashing.hmacSHA256(Array(signed.utf8), key: key))
    }

    /// The claims of a token signed with `key` and in force at `now`. The signature is checked before anything in it is read.
    package static func verify(_ token: String, key: [UInt8], at now: Instant) throws(BearerError) -> BearerClaims {
        guard token.utf8.count <= bytesMax else { throw .malformed }
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == header, let signature = TextCoding.fromBase64url(parts[2]), let body = TextCoding.fromBase64url(parts[1])
        else { throw .malformed }
        let expected = Hashing.hmacSHA256(Array("\(parts[0]).\(parts[1])".utf8), key: key)
        guard Hashing.constantTimeEqual(signature, expected) else { throw .forged }
        guard let claims = try? JSONReader.read(body), claims["aud"]?.text == audience, let user = claims["sub"]?.text,
            let session = claims["jti"]?.text, let issued = claims["iat"]?.integerValue, let expires = claims["exp"]?.integerValue,
            (0...4_102_444_800).contains(issued), (0...4_102_444_800).contains(expires)
        else { throw .badClaims }
        guard now < Instant(seconds: expires) else { throw .expired }
        guard now + .minutes(1) >= Instant(seconds: issued) else { throw .notYet }
        return BearerClaims(user: user, session: session, issuedAt: Instant(seconds: issued), expiresAt: Instant(seconds: expires))
    }
}
