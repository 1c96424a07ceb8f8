// Reading the recorded TWS frames of Tests/Fixtures/vectors/tws, and the rule by which two fields are the same.
import Foundation
import Simulation
import Testing
import Values
import Wire

/// One recorded case.
struct TWSVector: CustomStringConvertible, Sendable {
    var json: JSONValue
    var description: String { json["id"]?.text ?? "?" }
    var version: Int { Int(json["serverVersion"]?.integerValue ?? 0) }
    var request: String { json["request"]?.text ?? "" }
    var messageId: Int { Int(json["messageId"]?.integerValue ?? 0) }
    /// The fields of each frame, and their names where the file labels them.
    var frames: [(fields: [String], names: [String?], hex: String)] {
        let frames = json["frames"]?.elements ?? [json]
        return frames.map { frame in
            ((frame["fields"]?.elements ?? []).map { $0.text ?? "" }, (frame["names"]?.elements ?? []).map(\.text), frame["hex"]?.text ?? "")
        }
    }
    /// The callbacks of the second decoder, which keeps decimals exact; of the first, where the second crashed.
    var calls: [(name: String, values: JSONValue)] {
        func told(_ decoder: String) -> [JSONValue] { json["decoded"]?[decoder]?["calls"]?.elements ?? [] }
        let exact = told("nautilus-ibapi")
        return (exact.isEmpty ? told("ib_async") : exact).map { ($0["callback"]?.text ?? "", $0["values"] ?? .null) }
    }
}

enum TWSVectors {
    /// Every case of every file in a folder, `inbound` or `outbound`; files may be added there.
    static func all(_ folder: String) throws -> [TWSVector] {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/vectors/tws/\(folder)")
        let files = try FileManager.default.contentsOfDirectory(atPath: path.path).filter { $0.hasSuffix(".json") }.sorted()
        return try files.flatMap { file in
            let bytes = [UInt8](try Data(contentsOf: path.appending(path: file)))
            let json = try JSONReader.read(bytes, limits: JSONLimits(depth: 32, bytes: 64_000_000))
            // Frames that a broker sends and this gateway has no reason to are the client's alone.
            return (json["vectors"]?.elements ?? []).filter { $0["side"]?.text != "client" }.map { TWSVector(json: $0) }
        }
    }

    /// Field equality as the files state it: all ways of "unset" are one, numbers are compared as numbers, infinity has two spellings.
    static func same(_ a: String, _ b: String) -> Bool {
        if a == b || (Unset.matches(a) && Unset.matches(b)) { return true }
        if a.hasPrefix("Infinit"), b.hasPrefix("Infinit") { return true }
        // The finest scale that holds both: large numbers have no ninth decimal.
        for scale in [9, 4, 0] {
            if let first = try? Decimals.parse(a, scale: scale), let second = try? Decimals.parse(b, scale: scale) { return first == second }
        }
        return false
    }

    /// A parameter or decoded value as field text; nil for what is no single value.
    static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null: ""
        case .bool(let flag): flag ? "1" : "0"
        case .integer(let number): String(number)
        case .number(let text): text
        case .string(let text): text == "unset" ? "" : text == "infinity" ? "Infinity" : text
        case .array(let elements): elements.isEmpty ? "" : nil
        case .object: nil
        }
    }
}
