// The one-time token of an enrolment: where the cloud listens, which key it has, and a secret that both sides then share.
internal import Wire

/// What a token cannot be read as, in words for the person who pasted it.
package enum EnrolmentTokenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It does not begin with `TWE1.`.
    case notAToken
    /// Letters were lost or changed on the way.
    case damaged

    package var description: String {
        switch self {
        case .notAToken: "This is not an enrolment token: a token begins with TWE1. and comes from `tidewire-cloud edge invite NAME`."
        case .damaged: "The enrolment token is incomplete or was changed on the way. Copy the whole line again, or ask for a new one."
        }
    }
}

/// A one-time token: `TWE1.` and base32 of host, two ports, the cloud's CURVE key and the secret, closed by four check bytes.
/// The secret makes it as good as a password until it is used or 15 minutes are over.
package struct EnrolmentToken: Hashable, Sendable {
    /// Name or address the edge dials, without a port.
    package let host: String
    package let linkPort: UInt16
    package let enrolPort: UInt16
    /// The cloud's CURVE public key, 32 bytes: the edge talks to nobody else.
    package let serverKey: [UInt8]
    /// 16 random bytes.
    package let secret: [UInt8]

    private static let prefix = "TWE1."
    private static let checkLength = 4

    /// Nil unless the key has 32 bytes, the secret 16 and the host 1 to 255.
    package init?(host: String, linkPort: UInt16, enrolPort: UInt16, serverKey: [UInt8], secret: [UInt8]) {
        guard serverKey.count == 32, secret.count == 16, (1...255).contains(host.utf8.count) else { return nil }
        self.host = host; self.linkPort = linkPort; self.enrolPort = enrolPort; self.serverKey = serverKey; self.secret = secret
    }

    /// The form that is printed and pasted: one word without blanks.
    package var text: String {
        var bytes = serverKey + secret
        for port in [linkPort, enrolPort] { bytes += [UInt8(port >> 8), UInt8(port & 0xFF)] }
        bytes += Array(host.utf8)
        return Self.prefix + TextCoding.base32(bytes + Hashing.blake2b(bytes).prefix(Self.checkLength))
    }

    /// Reads a pasted token; blanks and line ends around it do no harm, nor does the case of its letters.
    package init(text: String) throws(EnrolmentTokenError) {
        let word = text.filter { !$0.isWhitespace }
        guard word.uppercased().hasPrefix(Self.prefix) else { throw .notAToken }
        let coded = word.dropFirst(Self.prefix.count)
        guard let bytes = TextCoding.fromBase32(coded.uppercased()), bytes.count > 52 + Self.checkLength
        else { throw .damaged }
        let body = Array(bytes.dropLast(Self.checkLength))
        guard Array(Hashing.blake2b(body).prefix(Self.checkLength)) == Array(bytes.suffix(Self.checkLength)),
            let host = String(validating: body[52...], as: UTF8.self),
            let token = EnrolmentToken(
                host: host, linkPort: UInt16(body[48]) << 8 | UInt16(body[49]), enrolPort: UInt16(body[50]) << 8 | UInt16(body[51]),
                serverKey: Array(body[..<32]), secret: Array(body[32..<48]))
        else { throw .damaged }
        self = token
    }
}
