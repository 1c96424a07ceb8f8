// Reading a request's body: JSON, an object, members of the expected form, each refusal naming the member.
internal import Ledger
internal import Values
internal import Views
internal import Wire

/// The object of a request's body.
struct Body {
    private let value: JSONValue

    /// - Parameter allowed: the members that this request may have; an unknown one is refused, because a misspelt `reverse` must not be ignored.
    init(_ request: Request, allowed: Set<String>, mayBeEmpty: Bool = false) throws(Problem) {
        if mayBeEmpty, request.body.isEmpty { value = .object([]); return }
        do { value = try JSONReader.read(request.body) } catch { throw .notJSON(Body.words(error)) }
        guard let members = value.members else { throw .notJSON("A JSON object is expected.") }
        for member in members where !allowed.contains(member.key) { throw .badRequest("'\(member.key)' is not part of this request.") }
    }

    private init(value: JSONValue) { self.value = value }

    func text(_ key: String) throws(Problem) -> String? {
        guard let member = value[key] else { return nil }
        guard let text = member.text else { throw .badRequest("'\(key)' must be a text.") }
        return text
    }
    func required(_ key: String) throws(Problem) -> String {
        guard let text = try text(key) else { throw .badRequest("'\(key)' is missing.") }
        return text
    }
    func flag(_ key: String) throws(Problem) -> Bool? {
        guard let member = value[key] else { return nil }
        guard let flag = member.boolValue else { throw .badRequest("'\(key)' must be true or false.") }
        return flag
    }
    func object(_ key: String, allowed: Set<String>) throws(Problem) -> Body? {
        guard let member = value[key] else { return nil }
        guard let members = member.members else { throw .badRequest("'\(key)' must be an object.") }
        for inner in members where !allowed.contains(inner.key) { throw .badRequest("'\(key).\(inner.key)' is not part of this request.") }
        return Body(value: member)
    }
    /// A decimal text above zero; numbers are taken too, for scripts.
    func quantity(_ key: String) throws(Problem) -> Quantity? { try decimal(key).map { Quantity(raw: $0) } }
    func wanted(_ key: String) throws(Problem) -> Quantity {
        guard let quantity = try quantity(key) else { throw .badRequest("'\(key)' is missing: a number, or \"max\".") }
        return quantity
    }
    func price(_ key: String) throws(Problem) -> Price? { try decimal(key).map { Price(raw: $0) } }

    /// A decimal text of any sign, such as a position.
    func signed(_ key: String) throws(Problem) -> Quantity? {
        guard let text = try text(key) else { return nil }
        guard !text.contains(where: { $0 == "e" || $0 == "E" }), let raw = try? Decimals.parse(text, scale: 8) else {
            throw .badRequest("'\(key)' must be a decimal number, such as \"-2\".")
        }
        return Quantity(raw: raw)
    }

    private func decimal(_ key: String) throws(Problem) -> Int64? {
        guard let member = value[key] else { return nil }
        let text: String? =
            switch member {
            case .string(let text): text
            case .integer(let number): String(number)
            case .number(let text): text
            default: nil
            }
        guard let text, !text.contains(where: { $0 == "e" || $0 == "E" }), let raw = try? Decimals.parse(text, scale: 8), raw > 0 else {
            throw .badRequest("'\(key)' must be a decimal number above zero, such as \"3\".")
        }
        return raw
    }

    /// Where and what, for people.
    private static func words(_ error: JSONError) -> String {
        switch error {
        case .tooLarge(let bytes, let limit): "\(bytes) bytes; \(limit) is the limit."
        case .tooDeep(let at, let limit): "Nested deeper than \(limit) at byte \(at)."
        case .unexpected(let at): "Unexpected character at byte \(at)."
        case .endOfText: "The text ends too early."
        case .doubleKey(let key, let at): "'\(key)' stands twice, at byte \(at)."
        case .badEscape(let at): "A bad escape at byte \(at)."
        case .badUTF8: "It is not UTF-8."
        case .trailing(let at): "Something follows the value at byte \(at)."
        }
    }
}
