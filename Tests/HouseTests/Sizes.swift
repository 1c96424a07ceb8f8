// The law of sizes: files over 600 lines and functions over 100 need leave, with a reason.

enum Sizes {
    static let fileLinesMax = 600
    static let functionLinesMax = 100
    /// Whom the law lets be longer: `path`, or `path#function`.
    static let leave: [Leave] = []

    private static let measured: Set<String> = ["swift", "ts", "tsx", "css", "py", "sh", "c", "h"]

    static func files(_ sources: [Source], leave: [Leave] = leave) -> [Violation] {
        sources.filter { source in
            (measured.contains(source.ending) || source.text.hasPrefix("#!")) && source.lineCount > fileLinesMax
                && !leave.contains { $0.whom == source.path }
        }
        .map {
            Violation(path: $0.path, line: fileLinesMax, message: "\($0.lineCount) lines: split it by what it is about, or ask leave in Sizes.swift")
        }
    }

    static func functions(_ sources: [Source], leave: [Leave] = leave) -> [Violation] {
        sources.flatMap { source in
            bodies(of: source).filter { body in body.lines > functionLinesMax && !leave.contains { $0.whom == "\(source.path)#\(body.name)" } }
                .map {
                    Violation(path: source.path, line: $0.line, message: "\($0.name) has \($0.lines) lines: let the parent decide and leaves compute")
                }
        }
    }

    struct Body {
        let name: String
        let line: Int
        let lines: Int
    }

    /// The functions of a file, from the word that opens each to its closing brace.
    static func bodies(of source: Source) -> [Body] {
        let openers: Set<String> = source.isSwift ? ["func", "init", "deinit", "subscript", "var"] : ["function"]
        let tokens = source.tokens
        return tokens.indices.compactMap { index in
            if !source.isSwift, source.reads(["=", ">", "{"], at: index) { return body(source, from: index, name: "a function", opening: index + 2) }
            guard tokens[index].kind == .word, openers.contains(tokens[index].text), index == 0 || tokens[index - 1].text != "." else { return nil }
            let isNamed = ["func", "var", "function"].contains(tokens[index].text) && index + 1 < tokens.count
            let name = isNamed ? tokens[index + 1].text : tokens[index].text
            guard let opening = opening(source, after: index) else { return nil }
            return body(source, from: index, name: name, opening: opening)
        }
    }

    private static func body(_ source: Source, from index: Int, name: String, opening: Int) -> Body {
        let end = min(source.closing(of: opening), source.tokens.count - 1)
        return Body(name: name, line: source.tokens[index].line, lines: source.tokens[end].line - source.tokens[index].line + 1)
    }

    private static let declarations: Set<String> = ["func", "var", "let", "case", "struct", "enum", "class", "extension", "init"]

    /// The brace of the body; nil for a requirement or a stored property.
    private static func opening(_ source: Source, after index: Int) -> Int? {
        var position = index + 1
        let isProperty = source.tokens[index].text == "var"
        while position < source.tokens.count {
            let token = source.tokens[position]
            if token.kind == .word, declarations.contains(token.text) { return nil }
            if token.kind == .sign {
                switch token.text {
                case "{": return position
                case "}": return nil
                case "(", "[": position = source.closing(of: position)
                case "=" where isProperty && !source.reads(["="], at: position + 1): return nil
                default: break
                }
            }
            position += 1
        }
        return nil
    }
}
