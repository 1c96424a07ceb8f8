// The law of purity: in a pure room a result depends on the arguments alone.

enum Purity {
    /// Words a pure room may not use, each with what to do instead.
    private static let banned: [(words: [String], instead: String)] = [
        (["Task"], "no tasks: return an action and let the shell perform it"),
        (["async"], "no async: `handle(input, at:)` answers at once"),
        (["await"], "no await: `handle(input, at:)` answers at once"),
        (["actor"], "no actors: a struct with `mutating func handle`"),
        (["print", "("], "no output: return a value, the shell shows it"),
        (["debugPrint", "("], "no output: return a value, the shell shows it"),
        (["dump", "("], "no output: return a value, the shell shows it"),
        (["readLine", "("], "no input: take it as an argument"),
        (["nonisolated", "(", "unsafe", ")"], "no unsafe global state"),
        (["ContinuousClock"], "no clock: take `at: Instant`"),
        (["SuspendingClock"], "no clock: take `at: Instant`"),
        (["SystemClock"], "no clock: take `at: Instant`"),
        (["Date", "("], "no clock and no Foundation date: take `at: Instant`"),
        (["Date", ".", "now"], "no clock: take `at: Instant`"),
        (["SystemRandomNumberGenerator"], "no chance of its own: take a generator"),
        (["UUID", "("], "no chance of its own: derive identifiers, or take a generator"),
        (["hashValue"], "hashes differ from run to run: use Wire's hash"),
        (["Hasher", "("], "hashes differ from run to run: use Wire's hash"),
        (["CommandLine"], "only the Mains and the rig read arguments"),
    ]
    private static let chance: Set<String> = ["random", "shuffled", "shuffle", "randomElement"]
    private static let exactFolders = ["Shared/Ledger/", "Shared/Sync/", "Edge/Trading/Orders/", "Edge/Trading/Risk/"]
    private static let floats: Set<String> = ["Double", "Float", "Float16", "Float32", "Float64", "CGFloat"]

    static func violations(_ sources: [Source]) -> [Violation] {
        sources.filter { $0.isSwift && Rooms.room(of: $0.path)?.nature == .pure }.flatMap { source in
            words(source) + unseeded(source) + mutableGlobals(source)
        }
    }

    /// No binary fractions where orders, limits and the ledger live.
    static func exactness(_ sources: [Source]) -> [Violation] {
        sources.filter { source in source.isSwift && exactFolders.contains { source.path.hasPrefix($0) } }.flatMap { source in
            source.tokens.filter { $0.kind == .word && floats.contains($0.text) }
                .map { Violation(path: source.path, line: $0.line, message: "\($0.text): use Price, Quantity, Money or Ratio (Int64 fixed point)") }
        }
    }

    private static func words(_ source: Source) -> [Violation] {
        source.tokens.indices.flatMap { index in
            banned.filter { source.reads($0.words, at: index) && !isMember(source, index) }
                .map {
                    Violation(path: source.path, line: source.tokens[index].line, message: "'\($0.words.joined())' in a pure room: \($0.instead)")
                }
        }
    }

    /// `.async` as an enum case or `func print(` as a name of our own is not the banned thing; `hashValue` is one wherever it stands.
    private static func isMember(_ source: Source, _ index: Int) -> Bool {
        guard index > 0, source.tokens[index].text != "hashValue" else { return false }
        return [".", "func", "case"].contains(source.tokens[index - 1].text)
    }

    private static func unseeded(_ source: Source) -> [Violation] {
        source.tokens.indices.dropLast().compactMap { index in
            guard index > 0, source.reads(["."], at: index - 1), chance.contains(source.tokens[index].text), source.reads(["("], at: index + 1)
            else { return nil }
            let call = (index + 1)..<source.closing(of: index + 1)
            if call.contains(where: { source.reads(["using", ":"], at: $0) }) { return nil }
            return Violation(
                path: source.path, line: source.tokens[index].line,
                message: "'.\(source.tokens[index].text)(' without 'using:': chance has a seed, take a generator")
        }
    }

    /// `static var` and a file's own `var` are refused unless computed.
    private static func mutableGlobals(_ source: Source) -> [Violation] {
        var depth = 0
        var violations: [Violation] = []
        for index in source.tokens.indices {
            let token = source.tokens[index]
            if token.kind == .sign, token.text == "{" { depth += 1 }
            if token.kind == .sign, token.text == "}" { depth -= 1 }
            guard source.reads(["var"], at: index) else { continue }
            let before = source.tokens[..<index].reversed().prefix(5).prefix { $0.line == token.line && $0.text != "}" && $0.text != "{" }
            let isStatic = before.contains { $0.text == "static" }
            guard isStatic || depth == 0 else { continue }
            let opening = source.tokens[index...].first { $0.kind == .sign && ($0.text == "{" || $0.text == "=") }
            if opening?.text != "{" {
                violations.append(
                    Violation(
                        path: source.path, line: token.line, message: "mutable global state: make it a `let`, or a field of a state that is passed"))
            }
        }
        return violations
    }
}
