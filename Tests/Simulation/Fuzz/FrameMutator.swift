// Spoils frames with their structure in mind: fields replaced, cut, doubled and spliced, counts and sentinels in the wrong place, then bytes.
package import Values

/// A frame to begin with, and the server version that it is read at.
package struct FuzzSeed: Sendable {
    package var version: Int
    package var fields: [String]
    /// A program really sends this; what was only made up may be refused.
    package var isReal: Bool
    package init(version: Int, fields: [String], isReal: Bool = true) { self.version = version; self.fields = fields; self.isReal = isReal }
    /// The payload without its length, each field ended by NUL.
    package var payload: [UInt8] { FuzzSeed.payload(fields) }
    static func payload(_ fields: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for field in fields { bytes += Array(field.utf8); bytes.append(0) }
        return bytes
    }
}

/// A seeded mutator of our own: it knows fields, numbers, counts and sentinels, and nothing of coverage.
package struct FrameMutator: Sendable {
    private let seeds: [FuzzSeed]

    /// What breaks readers: ends of ranges, spellings of unset, words for numbers, dates beyond the clock, escapes cut short.
    private static let nasty = [
        "", "0", "1", "-1", "-2", "2147483647", "2147483648", "-2147483648", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
        "1.7976931348623157E308", "1.7976931348623157e+308", "-1.7976931348623157E308", "99999999999999999999", "0.00000001", "0.000000005", "1e-400",
        "1E5", "92233720368.54775807", "92233720368.54775808", "-92233720369", "9007199254740993", "123456789012.123456789", "NaN", "Infinity",
        "-Infinity", "Infinite", "true", "false", "None", "?", "20261120", "20261120 09:30:00 US/Eastern", "20261120  09:30:00", "99991231-23:59:59",
        "1795186800", "9999999999999", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\u12", "\\", "BAG", "BOT", "SLD", "VOL", "PEG BENCH", "TRAIL",
        "230.5;100;1795186800000;1;1;true", ";;;;;", "a=b;c=d;", "1,2,3", "+5", " 7", "7 ", ".5", "5.", "-", "--1", "0x10", "é", "\u{FFFD}", "100000",
    ]

    /// - Parameter seeds: at least one.
    package init(_ seeds: [FuzzSeed]) {
        precondition(!seeds.isEmpty, "a mutator needs a frame to begin with")
        self.seeds = seeds
    }

    /// The next input: a payload, its version, and whether it is a seed's own frame, untouched.
    package func next(_ chance: inout SeededRandom) -> (payload: [UInt8], version: Int, isWhole: Bool) {
        let seed = seeds[chance.int(0...seeds.count - 1)]
        // One in sixteen is read at another version than it was written for.
        let version = chance.chance(1, in: 16) ? chance.int(157...178) : seed.version
        if chance.chance(1, in: 16) { return (seed.payload, version, seed.isReal && version == seed.version) }
        var fields = seed.fields
        for _ in 0..<chance.int(1...4) { spoil(&fields, &chance) }
        var payload = FuzzSeed.payload(fields)
        if chance.chance(1, in: 6) { spoil(&payload, &chance) }
        return (payload, version, false)
    }

    private func spoil(_ fields: inout [String], _ chance: inout SeededRandom) {
        guard !fields.isEmpty else { return fields.append(FrameMutator.nasty[chance.int(0...FrameMutator.nasty.count - 1)]) }
        // The message id is spoilt seldom: an unknown one is soon read.
        let at = fields.count > 1 && !chance.chance(1, in: 40) ? chance.int(1...fields.count - 1) : 0
        switch chance.int(0...11) {
        case 0...3: fields[at] = FrameMutator.nasty[chance.int(0...FrameMutator.nasty.count - 1)]
        case 4: fields[at] = number(fields[at], &chance)
        case 5: fields.remove(at: at)
        case 6: fields.insert(fields[at], at: at)
        case 7: fields.swapAt(at, chance.int(0...fields.count - 1))
        case 8: fields.removeLast(chance.int(1...fields.count))
        case 9: splice(&fields, at, &chance)
        case 10: fields += fields[at...].prefix(64)
        default: fields[at] = String(repeating: String(fields[at].prefix(3)), count: chance.int(0...400))
        }
    }

    /// The tail of another frame from the same place on.
    private func splice(_ fields: inout [String], _ at: Int, _ chance: inout SeededRandom) {
        let other = seeds[chance.int(0...seeds.count - 1)].fields
        fields = Array(fields[..<at]) + other.dropFirst(at)
    }

    /// A number near the one that stands there: a count that is off by one finds what a wild one does not.
    private func number(_ text: String, _ chance: inout SeededRandom) -> String {
        guard let value = Int64(text) else { return String(chance.int(-3...300)) }
        switch chance.int(0...5) {
        case 0: return String(value &+ 1)
        case 1: return String(value &- 1)
        case 2: return String(0 &- value)
        case 3: return text + String(chance.int(0...9))
        case 4: return text + "." + String(chance.int(0...999_999_999))
        default: return String(value &* 10)
        }
    }

    private func spoil(_ bytes: inout [UInt8], _ chance: inout SeededRandom) {
        guard !bytes.isEmpty else { return }
        let at = chance.int(0...bytes.count - 1)
        switch chance.int(0...4) {
        case 0: bytes[at] ^= UInt8(1 << chance.int(0...7))
        case 1: bytes[at] = UInt8(chance.int(0...255))
        case 2: bytes.removeLast(chance.int(1...min(9, bytes.count)))
        case 3: bytes.insert(0, at: at)
        default: bytes.insert(contentsOf: [0xC3, 0x28, 0xF0, 0x9F], at: at)
        }
    }
}
