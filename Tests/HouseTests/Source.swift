// A file of the tree as the laws see it: its path, its text, its tokens; and what a broken law says.

/// One tracked file; `path` is relative to the root, with `/`.
struct Source {
    let path: String
    let text: String
    let lines: [Substring]
    /// Empty for files that are neither Swift nor TypeScript.
    let tokens: [Token]

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        switch Source.ending(of: path) {
        case "swift": tokens = Lexer.tokens(of: text, .swift)
        case "ts", "tsx", "js", "mjs", "css": tokens = Lexer.tokens(of: text, .script)
        default: tokens = []
        }
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var ending: String { Source.ending(of: path) }
    var isSwift: Bool { ending == "swift" }
    var isShipped: Bool { ["Edge/", "Cloud/", "Shared/"].contains { path.hasPrefix($0) } }
    var lineCount: Int { lines.last == "" ? lines.count - 1 : lines.count }

    private static func ending(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }

    /// Whether the tokens from `index` on read as these words and signs; a string never matches.
    func reads(_ words: [String], at index: Int) -> Bool {
        guard index + words.count <= tokens.count else { return false }
        return words.indices.allSatisfy { tokens[index + $0].kind != .string && tokens[index + $0].text == words[$0] }
    }

    /// The index of the sign that closes the bracket at `index`, or the end.
    func closing(of index: Int) -> Int {
        let pairs = ["(": ")", "{": "}", "[": "]"]
        guard let close = pairs[tokens[index].text] else { return index }
        var depth = 0
        for position in index..<tokens.count where tokens[position].kind == .sign {
            if tokens[position].text == tokens[index].text { depth += 1 }
            if tokens[position].text == close { depth -= 1 }
            if depth == 0 { return position }
        }
        return tokens.count
    }
}

/// One breach of a law: where, and what to do instead.
struct Violation: CustomStringConvertible, Equatable {
    let path: String
    let line: Int
    let message: String
    var description: String { "\(path):\(line): \(message)" }
}

/// Leave from a law for one file (or one function, `path#name`), with its reason.
struct Leave {
    let whom: String
    let reason: String
}
