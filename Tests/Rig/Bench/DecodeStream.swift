// A stream of the gateway's messages in the shares of a trading hour, for `rig bench decode` without a recorded one.
import Venues

enum DecodeStream {
    /// Frames of `version`: of 100 messages 50 prices, 40 sizes, 4 order states, 3 orders and 3 executions, well mixed.
    static func bytes(messages: Int, version: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(messages * 64)
        // 37 and 100 have no common divisor: each hundred holds every kind in its share.
        for index in 0..<messages { append(fields((index * 37) % 100, index / 100, version), to: &out) }
        return out
    }

    private static func append(_ fields: [String], to out: inout [UInt8]) {
        let length = fields.reduce(0) { $0 + $1.utf8.count + 1 }
        for shift in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: length >> shift)) }
        for field in fields { out += Array(field.utf8); out.append(0) }
    }

    private static func fields(_ kind: Int, _ block: Int, _ version: Int) -> [String] {
        let order = String(1 + block % 40)
        let stream = String(1 + (block + kind) % 20)
        switch kind {
        case ..<50:
            return ["1", "6", stream, ["1", "2", "4"][kind % 3], "\(91_000 + block % 997).\(kind % 2 == 0 ? "25" : "5")", String(1 + kind), "0"]
        case ..<90: return ["2", "6", stream, ["0", "3", "5", "8"][kind % 4], String(1 + (block * 7 + kind) % 900)]
        case ..<94:
            return ["3", order, kind % 2 == 0 ? "Submitted" : "PreSubmitted", "0", "1", "0.0", "9000000" + order, "0", "0.0", "7", "", "0.0"]
        case ..<97: return openOrder(order, version)
        default: return execution(order, "\(block).\(kind)", version)
        }
    }

    private static let unset = "1.7976931348623157E308"
    private static let unsetInteger = "2147483647"

    private static func openOrder(_ order: String, _ version: Int) -> [String] {
        var f = ["5", order, "712345678", "MBT", "FUT", "20261224", "0", "?", "0.1", "CME", "USD", "MBTZ6", "MBT"]
        f += ["SELL", "1", "STP", "0.0", "90250.0", "GTC", "", "DU1234567", "", "0", "tw-" + order, "7", "9000000" + order, "1", "0", "0", "", ""]
        f += ["", "", ""] + (version < 177 ? [""] : []) + ["", "", "", unset, "", "0", "", "-1", "0", unset, unset, unset, unset, unset]
        f += [
            unsetInteger, "0", "0", "0", unsetInteger, "3", "0", "0", unset, "0", "0", unset, "0", "None", unset, "0", "", "", "", "", "0", "0", "",
        ]
        f += ["0", "0", unset, unset, unset, unsetInteger, "", "0", "0", "0", unsetInteger, unsetInteger, unset, "", "0", "", "IB", "0", "0", ""]
        f += ["0", "0", "PreSubmitted"] + Array(repeating: unset, count: 12) + ["", "", "0", "0", "0", "None"]
        f += Array(repeating: unset, count: 6) + ["0", "", "", "", "0", "0", "0", "0", "0"]
        if version >= 158 { f.append(unsetInteger) }
        if version >= 160 { f.append(unsetInteger) }
        if version >= 162 { f.append("0") }
        if version >= 170 { f += [unsetInteger, unsetInteger, unset, unset, unset] }
        return f
    }

    private static func execution(_ order: String, _ number: String, _ version: Int) -> [String] {
        [
            "11", "-1", order, "712345678", "MBT", "FUT", "20261224", "0.0", "", "0.1", "CME", "USD", "MBTZ6", "MBT", "0000e1a7.\(number).01.01",
            version >= 174 ? "20261120 10:15:30 US/Central" : "20261120  10:15:30", "DU1234567", "CME", "BOT", "1", "91000.25", "9000000" + order,
            "7", "0", "1", "91000.25", "tw-" + order, "", "", "", "1",
        ] + (version >= 178 ? ["0"] : [])
    }
}
