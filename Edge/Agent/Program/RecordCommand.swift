// `tidewire-edge ledger record` and `ledger balances`: money written down by a person, and what the books hold.
internal import Values
internal import Wire

/// The request of one `ledger record`, from the words of the command line.
enum RecordCommand {
    /// The options as the local API wants them.
    static func body(_ kind: String, _ options: [String: String], preview: Bool) -> JSONValue {
        var members = [JSONMember("kind", .string(kind))]
        let names = [
            ("amount", "amount"), ("currency", "currency"), ("note", "note"), ("at", "at"), ("account", "account"), ("instrument", "instrument"),
            ("to-amount", "toAmount"), ("to-currency", "toCurrency"),
        ]
        for (option, name) in names { if let value = options[option] { members.append(JSONMember(name, .string(value))) } }
        if preview { members.append(JSONMember("preview", true)) }
        return .object(members)
    }

    /// The question before anything is written: the record, and each line of it.
    static func question(_ preview: JSONValue) -> String {
        let lines = (preview["lines"]?.elements ?? []).map { line in
            let amount = Decimals.text(line["amount"]?.integerValue ?? 0, scale: 8, minimum: 2)
            return "  \(line["account"]?.text ?? "?")  \(amount) \(line["asset"]?.text ?? "")"
        }
        return "This is written to the ledger, for good:\n  \(preview["text"]?.text ?? "?")\n\(lines.joined(separator: "\n"))\nWrite it?"
    }
}
