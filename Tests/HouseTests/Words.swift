// The law of words: what may stand nowhere, each with what to write instead.

enum Words {
    /// Words and signs banned in Swift code; `applies` says where.
    private struct Ban: Sendable {
        let words: [String]
        let instead: String
        let applies: @Sendable (Source) -> Bool
    }

    @Sendable private static func everywhere(_ source: Source) -> Bool { true }
    @Sendable private static func inShipped(_ source: Source) -> Bool { source.isShipped }
    @Sendable private static func outsideMains(_ source: Source) -> Bool { source.isShipped && Rooms.room(of: source.path)?.nature != .main }

    private static let swiftBans: [Ban] = [
        Ban(words: ["try", "!"], instead: "handle the error, or throw it on", applies: everywhere),
        Ban(words: ["as", "!"], instead: "use `as?` and say what happens otherwise", applies: everywhere),
        Ban(words: ["@", "testable"], instead: "make it `package`", applies: everywhere),
        Ban(words: ["@", "_exported"], instead: "import the module where it is used", applies: everywhere),
        Ban(words: ["fatalError", "("], instead: "`preconditionFailure` with the fact that was wrong, or a typed refusal", applies: inShipped),
        Ban(words: ["Task", ".", "sleep"], instead: "wait on the event with a deadline", applies: everywhere),
        Ban(words: ["Thread", ".", "sleep"], instead: "wait on the event with a deadline", applies: everywhere),
        Ban(words: ["usleep", "("], instead: "wait on the event with a deadline", applies: everywhere),
        Ban(words: ["sleep", "("], instead: "wait on the event with a deadline", applies: everywhere),
        Ban(words: ["nanosleep", "("], instead: "wait on the event with a deadline", applies: everywhere),
        Ban(words: [".", "disabled", "("], instead: "mend the test or delete it", applies: { $0.path.hasPrefix("Tests/") }),
        Ban(words: ["import", "XCTest"], instead: "Swift Testing", applies: everywhere),
        Ban(words: ["CommandLine"], instead: "only the Mains and the rig read arguments: take them as a value", applies: outsideMains),
        Ban(words: ["getenv", "("], instead: "only the Mains and the rig read the environment: take it as a value", applies: outsideMains),
        Ban(words: ["ProcessInfo"], instead: "only the Mains and the rig read the environment: take it as a value", applies: outsideMains),
        Ban(words: ["DateFormatter"], instead: "Instant's own text; it pulls in ICU", applies: inShipped),
        Ban(words: ["URLSession"], instead: "Platform's HTTP client; this one can trap the process", applies: inShipped),
    ]
    private static let unchecked: [[String]] = [["@", "unchecked", "Sendable"], ["nonisolated", "(", "unsafe", ")"]]
    private static let declarations: Set<String> = [
        "func", "var", "let", "struct", "enum", "class", "actor", "protocol", "extension", "init", "typealias", "import", "subscript", "static",
        "final", "mutating", "nonisolated", "case", "indirect", "override", "convenience", "required", "lazy", "weak", "unowned", "consuming",
        "borrowing", "macro", "associatedtype", "operator",
    ]
    /// Files that may hold unchecked sendability outside Platform.
    private static let uncheckedLeave = [
        Leave(whom: "Tests/Simulation/FaultyDisk", reason: "an SQLite VFS is reached through C callbacks that carry no context but globals")
    ]

    static func swiftViolations(_ sources: [Source]) -> [Violation] {
        sources.filter(\.isSwift).flatMap { source in
            bannedWords(source) + publicDeclarations(source) + uncheckedSharing(source) + unwraps(source)
        }
    }

    private static func bannedWords(_ source: Source) -> [Violation] {
        let bans = swiftBans.filter { $0.applies(source) }
        return source.tokens.indices.flatMap { index in
            bans.filter { source.reads($0.words, at: index) && !isOwnName(source, index) }
                .map { Violation(path: source.path, line: source.tokens[index].line, message: "'\($0.words.joined())': \($0.instead)") }
        }
    }

    /// A member or a declaration of ours may be called like a C function.
    private static func isOwnName(_ source: Source, _ index: Int) -> Bool {
        index > 0 && source.tokens[index].kind == .word && [".", "func"].contains(source.tokens[index - 1].text)
            && !["Glibc", "Foundation"].contains(index > 1 ? source.tokens[index - 2].text : "")
    }

    private static func publicDeclarations(_ source: Source) -> [Violation] {
        source.tokens.indices.dropLast().filter { index in
            let token = source.tokens[index]
            guard token.kind == .word, token.text == "public" || token.text == "open", index == 0 || source.tokens[index - 1].text != "." else {
                return false
            }
            guard source.tokens[index + 1].line == token.line else { return false }
            return declarations.contains(source.tokens[index + 1].text) || source.reads(["(", "set", ")"], at: index + 1)
        }
        .map {
            Violation(
                path: source.path, line: source.tokens[$0].line, message: "'\(source.tokens[$0].text)': we ship programs; cross a room with `package`"
            )
        }
    }

    /// Outside Platform never; inside, the line above (or the same line) holds the proof as a comment.
    private static func uncheckedSharing(_ source: Source) -> [Violation] {
        let isAllowed = source.path.hasPrefix("Shared/Platform/") || uncheckedLeave.contains { source.path.hasPrefix($0.whom) }
        return source.tokens.indices.compactMap { index in
            guard let words = unchecked.first(where: { source.reads($0, at: index) }) else { return nil }
            let line = source.tokens[index].line
            if !isAllowed {
                return Violation(
                    path: source.path, line: line, message: "'\(words.joined(separator: " "))' outside Platform: give the state one owner")
            }
            let nearby = source.lines[max(0, line - 4)..<line]
            if nearby.contains(where: { $0.contains("//") }) { return nil }
            return Violation(path: source.path, line: line, message: "'\(words.joined(separator: " "))' without its proof in a comment above it")
        }
    }

    /// `value!` outside Platform: a sign after a word or closing bracket, with nothing between them on the line.
    private static func unwraps(_ source: Source) -> [Violation] {
        guard source.isShipped, !source.path.hasPrefix("Shared/Platform/") else { return [] }
        return source.tokens.indices.dropFirst().compactMap { index in
            let (before, token) = (source.tokens[index - 1], source.tokens[index])
            guard token.kind == .sign, token.text == "!", before.line == token.line, !source.reads(["="], at: index + 1) else { return nil }
            guard before.kind == .word || before.text == ")" || before.text == "]", !["try", "as"].contains(before.text) else { return nil }
            guard source.lines[token.line - 1].contains(before.text + "!") else { return nil }
            return Violation(path: source.path, line: token.line, message: "'\(before.text)!': use `guard let`, and say what happens otherwise")
        }
    }

    /// Words that may not even stand in a comment. They are put together here so that this file keeps its own law.
    private static let unfinished = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
    private static let phrases = ["not " + "implemented", "not yet " + "implemented"]
    /// Paths of one machine, and hosts of one registry: the tree names neither.
    private static let places = [
        "/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "crates" + ".io",
        "proxy.go" + "lang.org", "mirror" + "s.", "deb.debian" + ".org",
    ]

    static func textViolations(_ sources: [Source]) -> [Violation] {
        sources.filter { !$0.path.hasPrefix("Tests/Fixtures/") }.flatMap { source in
            source.lines.enumerated().flatMap { number, line -> [Violation] in
                func broken(_ message: String) -> Violation { Violation(path: source.path, line: number + 1, message: message) }
                return unfinished.filter { contains(line, word: $0) }.map { broken("'\($0)': finish it, or write an issue") }
                    + phrases.filter { line.lowercased().contains($0) }.map { broken("'\($0)': build it, or refuse by a named error") }
                    + places.filter { contains(line, place: $0) }.map { broken("'\($0)': no path of one machine and no host of one registry") }
            }
        }
    }

    private static func contains(_ line: Substring, word: String) -> Bool {
        line.contains(word) && line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains { $0 == word }
    }

    /// A path counts where it begins, not in the middle of a longer one.
    private static func contains(_ line: Substring, place: String) -> Bool {
        var rest = line
        while let range = rest.firstRange(of: place) {
            let before = line[..<range.lowerBound].last
            if before.map({ !($0.isLetter || $0.isNumber || "._-}/".contains($0)) }) ?? true { return true }
            if !place.hasPrefix("/"), before.map({ "./".contains($0) }) ?? false { return true }
            rest = rest[range.upperBound...]
        }
        return false
    }

    static func scriptViolations(_ sources: [Source]) -> [Violation] {
        let bans: [([String], String)] = [
            ([":", "any"], "name the type, or `unknown` and narrow it"), (["as", "any"], "name the type, or `unknown` and narrow it"),
            (["<", "any", ">"], "name the type, or `unknown` and narrow it"), (["dangerouslySetInnerHTML"], "render elements"),
            (["eval", "("], "no eval"),
            (["innerHTML"], "render elements"),
        ]
        return sources.filter { ["ts", "tsx"].contains($0.ending) }.flatMap { source -> [Violation] in
            source.tokens.indices.flatMap { index in
                bans.filter { source.reads($0.0, at: index) }
                    .map { Violation(path: source.path, line: source.tokens[index].line, message: "'\($0.0.joined())': \($0.1)") }
            }
                + source.lines.enumerated().filter { $0.element.contains("@ts-ignore") || $0.element.contains("@ts-nocheck") }
                .map { Violation(path: source.path, line: $0.offset + 1, message: "silenced type check: mend the type") }
        }
    }

    /// `Utils` and its kin say nothing about what is inside.
    static func nameViolations(_ paths: [String]) -> [Violation] {
        let hollow = ["Utils", "Util", "Utilities", "Helpers", "Helper", "Manager", "Common", "Misc"]
        return paths.filter { path in
            path.split(separator: "/").contains { part in
                let stem = part.prefix { $0 != "." && $0 != "+" }
                return hollow.contains { stem.hasSuffix($0) }
            }
        }
        .map { Violation(path: $0, line: 1, message: "name it after what is inside") }
    }

    private static let journal = "Edge/Agent/Journal.swift"

    /// An intent is durable only because a commit made it so: its initialiser has exactly one call, in the journal.
    static func durableIntentViolations(_ sources: [Source]) -> [Violation] {
        let calls = sources.filter(\.isSwift).flatMap { source in
            source.tokens.indices.filter { source.reads(["DurableIntent", "("], at: $0) || source.reads(["DurableIntent", ".", "init"], at: $0) }
                .map { (path: source.path, line: source.tokens[$0].line) }
        }
        var violations = calls.filter { $0.path != journal }
            .map { Violation(path: $0.path, line: $0.line, message: "makes a DurableIntent; only Journal.commit may, after the commit") }
        let isDeclared = sources.contains { source in
            source.isShipped && source.tokens.indices.contains { source.reads(["struct", "DurableIntent"], at: $0) }
        }
        let inJournal = calls.filter { $0.path == journal }.count
        if isDeclared, sources.contains(where: { $0.path == journal }), inJournal != 1 {
            violations.append(Violation(path: journal, line: 1, message: "makes a DurableIntent in \(inJournal) places; exactly one is the law"))
        }
        return violations
    }

    /// Rules of the house are switched off by Tests alone, to see the checkers catch it.
    static func ruleViolations(_ sources: [Source]) -> [Violation] {
        sources.filter { $0.isSwift && $0.isShipped }.flatMap { source in
            source.tokens.indices.filter { source.reads(["Rules", "("], at: $0) && !source.reads([")"], at: $0 + 2) }
                .map { Violation(path: source.path, line: source.tokens[$0].line, message: "builds Rules other than production's; only Tests may") }
        }
    }
}
