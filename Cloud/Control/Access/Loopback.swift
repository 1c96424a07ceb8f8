// Addresses of this very machine, read strictly: a name that merely looks like one is a name.

/// Texts of IP addresses, as far as "is it this machine" asks.
package enum Loopback {
    /// True for a literal of 127.0.0.0/8, of ::1, or of either inside the other's form (`::ffff:127.0.0.1`); IPv6 with or without brackets.
    package static func isAddress(_ text: String) -> Bool {
        if let bytes = ipv4(text[...]) { return bytes[0] == 127 }
        var inner = text[...]
        if inner.hasPrefix("["), inner.hasSuffix("]") { inner = inner.dropFirst().dropLast() }
        guard let groups = ipv6(inner) else { return false }
        if groups.dropLast().allSatisfy({ $0 == 0 }) { return groups[7] == 1 }
        return groups[..<5].allSatisfy { $0 == 0 } && groups[5] == 0xFFFF && groups[6] >> 8 == 127
    }

    /// Four decimal numbers of 0 to 255 without leading zeros; shorter, octal and hexadecimal forms are no literals here.
    private static func ipv4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part -> UInt8? in
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), part.count == 1 || part.first != "0" else { return nil }
            return UInt8(part)
        }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    /// Eight groups of RFC 4291, one run of zeros perhaps as `::`, the last two perhaps as an IPv4 literal; no zone.
    private static func ipv6(_ text: Substring) -> [UInt16]? {
        guard let gap = text.firstRange(of: "::") else {
            let all = groups(text)
            return all?.count == 8 ? all : nil
        }
        guard let left = groups(text[..<gap.lowerBound]), let right = groups(text[gap.upperBound...]), left.count + right.count < 8 else {
            return nil
        }
        return left + [UInt16](repeating: 0, count: 8 - left.count - right.count) + right
    }

    private static func groups(_ text: Substring) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, let bytes = ipv4(part) {
                groups += [UInt16(bytes[0]) << 8 | UInt16(bytes[1]), UInt16(bytes[2]) << 8 | UInt16(bytes[3])]
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }
}
