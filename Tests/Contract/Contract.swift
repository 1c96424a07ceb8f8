// The contract between cloud and browser, read from the dashboard's own types, so that one text binds both ends.
import Foundation
package import Wire

/// One shape of the contract.
package indirect enum Shape: Sendable {
    case text, decimal, instant, day, count, integer, flag, anyObject
    case words([String])
    case exactly(String)
    case list(Shape)
    case object([(key: String, shape: Shape, isOptional: Bool)])
    case named(String)
}

/// All shapes of `types.ts`, by name.
package struct Contract: Sendable {
    package let shapes: [String: Shape]
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Reads the dashboard's file.
    package init() throws {
        try self.init(source: String(contentsOf: Contract.root.appending(path: "Cloud/Dashboard/src/wire/types.ts"), encoding: .utf8))
    }

    package init(source: String) throws {
        var parser = ShapeParser(source)
        shapes = try parser.file()
    }

    /// A golden sample of `Tests/Fixtures/api`, without its `.json`.
    package static func sample(_ name: String) throws -> JSONValue {
        let data = try Data(contentsOf: root.appending(path: "Tests/Fixtures/api/\(name).json"))
        return try JSONReader.read(Array(data), limits: JSONLimits(depth: 12, bytes: 1 << 20))
    }

    /// What is wrong with `value` as the shape `name`; empty when it fits. Strict: keys that the shape does not name are wrong.
    package func problems(of value: JSONValue, as name: String) -> [String] { check(value, .named(name), at: name) }

    private func check(_ value: JSONValue, _ shape: Shape, at path: String) -> [String] {
        switch shape {
        case .named(let name):
            guard let shape = shapes[name] else { return ["\(path): the contract has no \(name)"] }
            return check(value, shape, at: path)
        case .list(let element):
            guard let values = value.elements else { return ["\(path): not a list"] }
            return values.enumerated().flatMap { check($0.element, element, at: "\(path)[\($0.offset)]") }
        case .object(let fields):
            guard let members = value.members else { return ["\(path): not an object"] }
            let missing = fields.filter { !$0.isOptional && value[$0.key] == nil }.map { "\(path).\($0.key): missing" }
            let wrong = members.flatMap { member -> [String] in
                guard let field = fields.first(where: { $0.key == member.key }) else { return ["\(path).\(member.key): not in the contract"] }
                return check(member.value, field.shape, at: "\(path).\(member.key)")
            }
            return missing + wrong
        case .anyObject: return value.members == nil ? ["\(path): not an object"] : []
        case .flag: return value.boolValue == nil ? ["\(path): not a flag"] : []
        case .count: return value.integerValue.map { (0...9_007_199_254_740_991).contains($0) } == true ? [] : ["\(path): not a count"]
        case .integer: return value.integerValue == nil ? ["\(path): not an integer"] : []
        case .words(let words): return value.text.map { words.contains($0) } == true ? [] : ["\(path): \(value) is none of \(words)"]
        case .exactly(let word): return value.text == word ? [] : ["\(path): not \(word)"]
        case .text: return value.text == nil ? ["\(path): not a text"] : []
        case .decimal: return matches(value, /-?(0|[1-9]\d*)(\.\d+)?/) ? [] : ["\(path): \(value) is no decimal"]
        case .instant: return matches(value, /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) ? [] : ["\(path): \(value) is no time"]
        case .day: return matches(value, /\d{4}-\d\d-\d\d/) ? [] : ["\(path): \(value) is no day"]
        }
    }

    private func matches(_ value: JSONValue, _ pattern: Regex<Substring>) -> Bool { value.text?.wholeMatch(of: pattern) != nil }
    private func matches<A, B>(_ value: JSONValue, _ pattern: Regex<(Substring, A, B)>) -> Bool { value.text?.wholeMatch(of: pattern) != nil }
}
