// RFC 4648 base32 (upper case, no padding) and base64url, for tags and tokens.

/// Bytes as short text.
package enum TextCoding {
    private static let base32Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Five bits a digit, most significant first, without padding.
    package static func base32(_ bytes: [UInt8]) -> String { encode(bytes, bits: 5, digits: base32Digits) }
    /// Base64 with `-` and `_`, without padding (RFC 4648 section 5).
    package static func base64url(_ bytes: [UInt8]) -> String { encode(bytes, bits: 6, digits: base64Digits) }
    /// Nil on a foreign character or bits left over that are not zero.
    package static func fromBase32(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8), bits: 5, digits: base32Digits) }
    /// Nil on a foreign character or bits left over that are not zero.
    package static func fromBase64url(_ text: some StringProtocol) -> [UInt8]? { decode(Array(text.utf8), bits: 6, digits: base64Digits) }

    private static func encode(_ bytes: [UInt8], bits: Int, digits: [UInt8]) -> String {
        var out: [UInt8] = []
        var buffer: UInt32 = 0
        var held = 0
        let mask = UInt32(1 << bits) - 1
        for byte in bytes {
            buffer = (buffer << 8 | UInt32(byte)) & 0xFFFF
            held += 8
            while held >= bits { held -= bits; out.append(digits[Int(buffer >> UInt32(held) & mask)]) }
        }
        if held > 0 { out.append(digits[Int(buffer << UInt32(bits - held) & mask)]) }
        return String(decoding: out, as: UTF8.self)
    }

    private static func decode(_ text: [UInt8], bits: Int, digits: [UInt8]) -> [UInt8]? {
        var out: [UInt8] = []
        var buffer: UInt32 = 0
        var held = 0
        for character in text {
            guard let value = digits.firstIndex(of: character) else { return nil }
            buffer = (buffer << UInt32(bits) | UInt32(value)) & 0xFFFF
            held += bits
            if held >= 8 { held -= 8; out.append(UInt8(truncatingIfNeeded: buffer >> UInt32(held))) }
        }
        guard held < bits, buffer & (UInt32(1) << UInt32(held) - 1) == 0 else { return nil }
        return out
    }
}
