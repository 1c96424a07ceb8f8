// The table of deliberate deviations: where our reading or writing differs from another client's, and why. Tests obey it, and it alone.
import Testing
import Values
import Venues
import Wire

/// One row of Tests/Fixtures/vectors/tws/deviations.json.
struct Deviation {
    /// How a row is held against two values.
    enum Rule: String {
        /// Ours is one of `ours`, theirs one of `theirs`; the words unset, sentinel, zero, nothing and any stand for kinds of values.
        case values
        /// Ours is what the frame's own field of that name says.
        case asTold
        /// Theirs still holds `\uXXXX`, or has more escapes undone than that one.
        case escapes
        /// Ours has a mark where bytes are no UTF-8.
        case replaced
        /// Ours are the names of a comma list.
        case names
        /// The same number at 10^-8.
        case rounded
        /// An attribute that the message does not carry, or that is obsolete.
        case notCarried
        /// Their decoder crashed on the frame.
        case crashed
        /// Their callback has other parts than the message, or none: the comparison projects ours onto it.
        case shape
        /// We send nothing where they leave the field out.
        case refused
        /// Not compared at all.
        case skipped
        /// Ours has one field that theirs has not.
        case extraField
    }
    let id: String
    let rule: Rule
    let isOutbound: Bool
    let clients: [String]
    let versions: ClosedRange<Int>
    /// Message ids inbound, request names outbound; empty = all.
    let kinds: [String]
    let fields: [String]
    let ours: [String]
    let theirs: [String]
    /// Outbound: the parameter that the call must not have set.
    let unless: String?
    /// Outbound: the field's index by request, where the file does not label it.
    let indexes: [String: Int]
    let isSpare: Bool

    init(_ json: JSONValue) throws {
        func list(_ key: String) -> [String] { (json[key: key]?.elements ?? []).compactMap { Neutral.digits($0) } }
        id = try needed(json["id"]?.text, "id")
        rule = try needed(json["rule"]?.text.flatMap { Rule(rawValue: $0) }, "rule of \(id)")
        switch json["where"]?.text {
        case "inbound": isOutbound = false
        case "outbound": isOutbound = true
        default: throw UnknownParameter(name: "where of \(id)")
        }
        let bounds = list("versions").compactMap { Int($0) }
        versions = (bounds.first ?? 0)...(bounds.last ?? 999)
        (clients, kinds, fields, ours, theirs) = (list("clients"), list("kinds"), list("fields"), list("ours"), list("theirs"))
        unless = json["unless"]?.text
        var indexes: [String: Int] = [:]
        for member in json["indexes"]?.members ?? [] { indexes[member.key] = member.value.integerValue.map { Int($0) } }
        self.indexes = indexes
        isSpare = json["spare"]?.boolValue ?? false
        guard let why = json["why"]?.text, why.count > 10 else { throw UnknownParameter(name: "why of \(id)") }
    }

    func covers(client: String, version: Int, kind: String) -> Bool {
        (clients.isEmpty || clients.contains(client)) && versions.contains(version) && (kinds.isEmpty || kinds.contains(kind))
    }
    /// A field's name, or the start of one that ends in `*` here.
    func names(_ field: String) -> Bool {
        fields.isEmpty || fields.contains { $0.hasSuffix("*") ? field.hasPrefix($0.dropLast()) : $0 == field }
    }
}

/// All rows, and which of them were needed.
final class DeviationTable {
    let rows: [Deviation]
    private(set) var used: Set<String> = []

    init() throws {
        let json = try JSONReader.read(try Fixtures.bytes("vectors/tws/deviations.json"))
        rows = try needed(json["deviations"]?.elements, "deviations").map { try Deviation($0) }
        guard Set(rows.map(\.id)).count == rows.count else { throw UnknownParameter(name: "an id stands twice") }
    }

    /// The first row that allows it; it counts as used.
    func allows(
        _ rules: [Deviation.Rule], client: String, version: Int, kind: String, isOutbound: Bool, field: String? = nil,
        where holds: (Deviation) -> Bool = { _ in true }
    ) -> Bool {
        for row in rows where rules.contains(row.rule) && row.isOutbound == isOutbound && row.covers(client: client, version: version, kind: kind) {
            guard field.map({ row.names($0) }) ?? true, holds(row) else { continue }
            used.insert(row.id)
            return true
        }
        return false
    }

    /// Rows that nothing needed, but for those that say so themselves.
    func unused(isOutbound: Bool) -> [String] { rows.filter { $0.isOutbound == isOutbound && !$0.isSpare && !used.contains($0.id) }.map(\.id) }
}

/// A decimal number of any length, without its spelling: 100 = 100.0 = 1E2.
struct PlainNumber: Hashable {
    private let isNegative: Bool
    /// Without zeros at either end.
    private let digits: String
    private let exponent: Int

    /// Nil for what is no number.
    init?(_ text: String) {
        var rest = Substring(text)
        let sign = rest.first
        if sign == "-" || sign == "+" { rest = rest.dropFirst() }
        let parts = rest.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
        guard let mantissa = parts.first, parts.count <= 2, let power = parts.count == 2 ? Int(parts[1]) : 0 else { return nil }
        let pieces = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let all = pieces.joined()
        guard pieces.count <= 2, !all.isEmpty, all.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let leading = all.drop { $0 == "0" }
        let trailing = leading.reversed().prefix { $0 == "0" }.count
        digits = String(leading.dropLast(trailing))
        isNegative = sign == "-" && !digits.isEmpty
        exponent = digits.isEmpty ? 0 : power + trailing - (pieces.count == 2 ? pieces[1].count : 0)
    }

    var isZero: Bool { digits.isEmpty }
}
