// Reads the shapes out of types.ts: constants made of a handful of calls, nothing else.
import Foundation

struct ShapeParser {
    struct Failure: Error { let words: String }
    private var tokens: [String]
    private var at = 0

    init(_ source: String) {
        let pattern = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"[^"]*"|[A-Za-z_]\w*|[^\s\w]/
        tokens = source.matches(of: pattern).map { String($0.output) }.filter { !$0.hasPrefix("//") && !$0.hasPrefix("/*") }
    }

    /// Every `const name = …;` of the file.
    mutating func file() throws -> [String: Shape] {
        var shapes: [String: Shape] = [:]
        while at < tokens.count {
            guard tokens[at] == "const", at + 2 < tokens.count, tokens[at + 2] == "=" else { at += 1; continue }
            let name = tokens[at + 1]
            at += 3
            shapes[name] = tokens[at] == "{" ? .object(try fields()) : try shape().shape
        }
        return shapes
    }

    private mutating func take(_ token: String) throws {
        guard at < tokens.count, tokens[at] == token else {
            throw Failure(words: "expected \(token) at \(tokens[max(0, at - 5)..<min(tokens.count, at + 5)])")
        }
        at += 1
    }

    private mutating func shape() throws -> (shape: Shape, isOptional: Bool) {
        let word = tokens[at]
        at += 1
        switch word {
        case "text": return (.text, false)
        case "decimal": return (.decimal, false)
        case "instant": return (.instant, false)
        case "day": return (.day, false)
        case "count": return (.count, false)
        case "integer": return (.integer, false)
        case "flag": return (.flag, false)
        case "anyObject": return (.anyObject, false)
        case "oneOf", "exactly":
            let words = try arguments()
            return (word == "oneOf" ? .words(words) : .exactly(words[0]), false)
        case "optional", "list":
            try take("(")
            let inner = try shape().shape
            try take(")")
            return word == "list" ? (.list(inner), false) : (inner, true)
        case "object":
            try take("(")
            let shape: Shape
            if tokens[at] == "{" { shape = .object(try fields()) } else { shape = .named(tokens[at]); at += 1 }
            try take(")")
            return (shape, false)
        default: return (.named(word), false)
        }
    }

    private mutating func arguments() throws -> [String] {
        var values: [String] = []
        try take("(")
        while tokens[at] != ")" {
            values.append(tokens[at].filter { $0 != "\"" })
            at += 1
            if tokens[at] == "," { at += 1 }
        }
        try take(")")
        return values
    }

    private mutating func fields() throws -> [(key: String, shape: Shape, isOptional: Bool)] {
        var fields: [(key: String, shape: Shape, isOptional: Bool)] = []
        try take("{")
        while tokens[at] != "}" {
            let key = tokens[at]
            at += 1
            if tokens[at] == ":" {
                at += 1
                let (shape, isOptional) = try shape()
                fields.append((key, shape, isOptional))
            } else {
                // `side,` is short for `side: side`.
                fields.append((key, .named(key), false))
            }
            if tokens[at] == "," { at += 1 }
        }
        try take("}")
        return fields
    }
}
