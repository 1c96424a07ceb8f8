// Compares a decoded message with what another client made of the same frame; what differs must stand in the table of deviations.
import Values
import Venues
import Wire

/// Walks two neutral values side by side and names every difference that the table does not know.
struct NeutralCompare {
    let client: Client
    let table: DeviationTable
    /// The vector's fields by name, where the file names them.
    let named: [String: String]
    let version: Int
    let messageId: String
    private(set) var differences: [String] = []

    init(client: Client, vector: Vector, table: DeviationTable) {
        self.client = client
        self.table = table
        let fields = vector.value["fields"]?.elements ?? []
        let names = vector.value["names"]?.elements ?? []
        var named: [String: String] = [:]
        // The first of two fields of one name.
        for (name, field) in zip(names, fields) { if let name = name.text, named[name] == nil { named[name] = field.text } }
        self.named = named
        version = vector.serverVersion
        messageId = vector.value["messageId"]?.integerValue.map { String($0) } ?? "?"
    }

    mutating func compare(calls mine: [[JSONValue]], with theirs: [JSONValue]) {
        guard mine.count == theirs.count else { differences.append("\(mine.count) calls, theirs \(theirs.count)"); return }
        for (index, call) in mine.enumerated() {
            let values = theirs[index]["values"]?.members ?? []
            guard values.count == call.count else { differences.append("call \(index): \(call.count) values, theirs \(values.count)"); continue }
            for (value, member) in zip(call, values) { compare(value, member.value, member.key) }
        }
    }

    private mutating func compare(_ mine: JSONValue, _ theirs: JSONValue, _ path: String) {
        switch (mine, theirs) {
        case (.object(let ours), .object(let members)):
            for member in members {
                let inner = "\(path).\(member.key)"
                if let value = ours.first(where: { $0.key == member.key })?.value { compare(value, member.value, inner); continue }
                if !allowed([.notCarried], inner) { differences.append("\(inner): not decoded by us (\(member.value))") }
            }
            for member in ours where !members.contains(where: { $0.key == member.key }) {
                differences.append("\(path).\(member.key): unknown to them")
            }
        case (.array(let ours), .array(let elements)):
            guard ours.count == elements.count else { differences.append("\(path): \(ours.count) elements, theirs \(elements.count)"); return }
            for index in ours.indices { compare(ours[index], elements[index], "\(path)[\(index)]") }
        default: if !agrees(mine, theirs, path) { differences.append("\(path): \(mine), theirs \(theirs)") }
        }
    }

    private func agrees(_ mine: JSONValue, _ theirs: JSONValue, _ path: String) -> Bool {
        if mine == theirs { return true }
        if let a = Neutral.digits(mine), let b = Neutral.digits(theirs) {
            if a == b { return true }
            if let x = PlainNumber(a), let y = PlainNumber(b), x == y { return true }
        }
        return allowed([.values], path) { row in
            !NeutralCompare.words(mine).isDisjoint(with: row.ours) && !NeutralCompare.words(theirs).isDisjoint(with: row.theirs)
        }
            || allowed([.asTold], path) { row in
                guard let told = named[field(path)], let other = Neutral.digits(mine) else { return false }
                return (other == told || PlainNumber(other) == PlainNumber(told)) && !NeutralCompare.words(theirs).isDisjoint(with: row.theirs)
            }
            || allowed([.escapes], path) { _ in isUnescaped(mine, theirs) }
            || allowed([.replaced], path) { _ in isReplaced(mine, theirs) }
            || allowed([.names], path) { _ in (mine.elements ?? []).compactMap(\.text) == theirs.text?.split(separator: ",").map(String.init) }
            || allowed([.rounded], path) { _ in Neutral.raw(mine).map { $0 == Neutral.raw(theirs) } ?? false }
    }

    private func isUnescaped(_ mine: JSONValue, _ theirs: JSONValue) -> Bool {
        guard let text = mine.text, let other = theirs.text else { return false }
        if other.contains("\\") { return text == WireText.unescaped(other) }
        return text.contains("\\") && text.replacing("\\n", with: "\n").replacing("\\t", with: "\t") == other
    }

    /// Bytes that are no UTF-8: one mark for each run of them here, their codes or their Latin letters there.
    private func isReplaced(_ mine: JSONValue, _ theirs: JSONValue) -> Bool {
        guard let text = mine.text, let other = theirs.text, text.contains("\u{FFFD}") else { return false }
        func marked(_ text: String) -> String {
            text.replacing(/(\\x[0-9a-f]{2})+/, with: "\u{FFFD}").replacing(/[\u{80}-\u{FF}]+/, with: "\u{FFFD}").replacing(
                /\u{FFFD}+/, with: "\u{FFFD}")
        }
        return marked(text) == marked(other)
    }

    private func allowed(_ rules: [Deviation.Rule], _ path: String, where holds: (Deviation) -> Bool = { _ in true }) -> Bool {
        table.allows(rules, client: client.rawValue, version: version, kind: messageId, isOutbound: false, field: field(path), where: holds)
    }

    /// The last name of a path, without the index behind it.
    private func field(_ path: String) -> String {
        let last = path.split(separator: ".").last.map(String.init) ?? path
        return String(last.prefix { $0 != "[" })
    }

    /// As they are written, and as a client writes the double next to them.
    private static let sentinels = [
        "2147483647", "9223372036854775807", "-9223372036854775808", "9.223372036854776e18", "-9.223372036854776e18",
    ].map { PlainNumber($0) }
    private static let largest = PlainNumber("1.7976931348623157E308")

    /// The words of the table that a value goes by: itself, and its kinds.
    static func words(_ value: JSONValue) -> Set<String> {
        var words: Set<String> = ["any"]
        switch value {
        case .null, .bool(false): words.insert("nothing")
        case .array(let elements): if elements.isEmpty { words.insert("nothing") }
        case .string(""): words.formUnion(["nothing", ""])
        default: break
        }
        guard let digits = Neutral.digits(value) else { return words }
        words.insert(digits)
        guard let number = PlainNumber(digits) else { return words }
        if number.isZero { words.insert("zero") }
        if number == largest || sentinels.contains(number) { words.insert("sentinel") }
        for plain in ["-1", "-2"] where PlainNumber(plain) == number { words.insert(plain) }
        return words
    }
}
