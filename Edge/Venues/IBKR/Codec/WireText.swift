// Text of the wire: `\uXXXX` escapes read, and the ASCII rule for what is sent.

/// Rules for text in fields.
package enum WireText {
    /// Replaces each `\uXXXX` by its character, pairs of surrogates joined. Any other backslash stays as it is.
    package static func unescaped(_ text: String) -> String {
        guard text.utf8.contains(0x5C) else { return text }
        let bytes = Array(text.utf8)
        var units: [UInt16] = []
        var out = ""
        var plain: [UInt8] = []
        var at = 0
        func flush() {
            out += String(decoding: units, as: UTF16.self) + String(decoding: plain, as: UTF8.self)
            units = []; plain = []
        }
        while at < bytes.count {
            if let unit = escape(bytes, at) {
                if !plain.isEmpty { flush() }
                units.append(unit)
                at += 6
            } else {
                if !units.isEmpty { flush() }
                plain.append(bytes[at])
                at += 1
            }
        }
        flush()
        return out
    }

    private static func escape(_ bytes: [UInt8], _ at: Int) -> UInt16? {
        guard at + 6 <= bytes.count, bytes[at] == 0x5C, bytes[at + 1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[at + 2..<at + 6] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// True when the gateway takes the text: printable ASCII, no NUL, tab or line feed.
    package static func isSendable(_ text: String) -> Bool { text.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
}
