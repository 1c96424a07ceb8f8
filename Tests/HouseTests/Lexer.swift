// A small lexer for Swift and TypeScript, so that the laws read code and never a comment or the inside of a string.

/// One word, sign or string of a source, where it stands.
struct Token: Equatable {
    enum Kind { case word, sign, string }
    var kind: Kind
    /// The word or sign; of a string, what stands between its quotes.
    var text: String
    /// Counted from 1.
    var line: Int
}

/// Cuts a source into tokens; code inside a string's interpolation counts as code.
struct Lexer {
    enum Language { case swift, script }

    private let bytes: [UInt8]
    private let language: Language
    private var at = 0
    private var line = 1
    private var tokens: [Token] = []

    static func tokens(of text: String, _ language: Language) -> [Token] {
        var lexer = Lexer(text, language)
        while lexer.at < lexer.bytes.count { lexer.code(closedBy: nil) }
        return lexer.tokens
    }

    private init(_ text: String, _ language: Language) {
        bytes = Array(text.utf8)
        self.language = language
    }

    /// Reads code up to the sign that closes an interpolation (at its own depth), or to the end.
    private mutating func code(closedBy close: UInt8?) {
        var depth = 0
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\n"): advance()
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): advance()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): lineComment()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): blockComment()
            case UInt8(ascii: "/") where opensPattern(): pattern()
            case UInt8(ascii: "#") where language == .swift && opensRaw(): rawString()
            case UInt8(ascii: "\""): string(quote: byte, hashes: 0)
            case UInt8(ascii: "'") where language == .script: string(quote: byte, hashes: 0)
            case UInt8(ascii: "`") where language == .script: template()
            case _ where Lexer.isWord(byte): word()
            default:
                if byte == close, depth == 0 { return advance() }
                if byte == UInt8(ascii: "(") || byte == UInt8(ascii: "{") { depth += 1 }
                if byte == UInt8(ascii: ")") || byte == UInt8(ascii: "}") { depth -= 1 }
                tokens.append(Token(kind: .sign, text: String(UnicodeScalar(byte)), line: line))
                advance()
            }
        }
    }

    private mutating func word() {
        let start = at
        while let byte = peek(), Lexer.isWord(byte) { advance() }
        tokens.append(Token(kind: .word, text: String(decoding: bytes[start..<at], as: UTF8.self), line: line))
    }

    private mutating func lineComment() {
        while let byte = peek(), byte != UInt8(ascii: "\n") { advance() }
    }

    /// Swift's block comments nest, TypeScript's do not.
    private mutating func blockComment() {
        var depth = 0
        while peek() != nil {
            if starts(with: "/*"), depth == 0 || language == .swift {
                depth += 1
                advance(by: 2)
            } else if starts(with: "*/") {
                depth -= 1
                advance(by: 2)
                if depth == 0 { return }
            } else {
                advance()
            }
        }
    }

    /// A slash opens a regular expression where a value may stand and a space does not follow.
    private func opensPattern() -> Bool {
        guard let next = peek(1), next != UInt8(ascii: " "), next != UInt8(ascii: "\n"), next != UInt8(ascii: ">") else { return false }
        guard let before = tokens.last else { return true }
        guard before.kind == .sign, "(,=:[!&|?{;".contains(before.text) else { return before.text == "return" }
        let rest = bytes[(at + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        return rest.contains(UInt8(ascii: "/"))
    }

    private mutating func pattern() {
        advance()
        var isClass = false
        while let byte = peek(), byte != UInt8(ascii: "\n") {
            advance(by: byte == UInt8(ascii: "\\") ? 2 : 1)
            if byte == UInt8(ascii: "[") { isClass = true }
            if byte == UInt8(ascii: "]") { isClass = false }
            if byte == UInt8(ascii: "/"), !isClass { return }
        }
    }

    private func opensRaw() -> Bool {
        let sign = bytes[at...].first { $0 != UInt8(ascii: "#") }
        return sign == UInt8(ascii: "\"")
    }

    private mutating func rawString() {
        var hashes = 0
        while peek() == UInt8(ascii: "#") {
            hashes += 1
            advance()
        }
        string(quote: UInt8(ascii: "\""), hashes: hashes)
    }

    /// A quoted string; a one-line string also ends with its line, so that a stray apostrophe harms no other line.
    private mutating func string(quote: UInt8, hashes: Int) {
        let opening = line
        let long = language == .swift && starts(with: "\"\"\"")
        let fence = Array(repeating: UInt8(ascii: "#"), count: hashes)
        let close = (long ? [quote, quote, quote] : [quote]) + fence
        advance(by: long ? 3 : 1)
        var content: [UInt8] = []
        while let byte = peek() {
            if starts(with: close) {
                advance(by: close.count)
                break
            }
            if byte == UInt8(ascii: "\n"), !long { break }
            if byte == UInt8(ascii: "\\"), starts(with: [byte] + fence) {
                advance(by: 1 + hashes)
                if language == .swift, peek() == UInt8(ascii: "(") {
                    advance()
                    code(closedBy: UInt8(ascii: ")"))
                    continue
                }
                if peek() == nil { break }
            }
            if let kept = peek() { content.append(kept) }
            advance()
        }
        tokens.append(Token(kind: .string, text: String(decoding: content, as: UTF8.self), line: opening))
    }

    private mutating func template() {
        let opening = line
        advance()
        var content: [UInt8] = []
        while let byte = peek(), byte != UInt8(ascii: "`") {
            if starts(with: "${") {
                advance(by: 2)
                code(closedBy: UInt8(ascii: "}"))
            } else {
                content.append(byte)
                advance(by: byte == UInt8(ascii: "\\") ? 2 : 1)
            }
        }
        advance()
        tokens.append(Token(kind: .string, text: String(decoding: content, as: UTF8.self), line: opening))
    }

    private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }
    private func starts(with text: String) -> Bool { starts(with: Array(text.utf8)) }
    private func starts(with other: [UInt8]) -> Bool { bytes[at...].starts(with: other) }

    private mutating func advance(by count: Int = 1) {
        for _ in 0..<count where at < bytes.count {
            if bytes[at] == UInt8(ascii: "\n") { line += 1 }
            at += 1
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }
}
