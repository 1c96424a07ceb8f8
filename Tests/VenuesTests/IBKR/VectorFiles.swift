// Loads every vector file of a folder under Tests/Fixtures/vectors; an absent or empty folder is an error, not a pass.
import Foundation
import Testing
import Values
import Wire

/// One recorded vector with its file's name.
struct Vector: Sendable {
    let file: String
    let value: JSONValue
    /// Of outbound files: whose frames they hold, and how the file wants frames compared.
    let client: String
    let compareRule: String
    var id: String { value["id"]?.text ?? "?" }
    var serverVersion: Int { Int(value["serverVersion"]?.integerValue ?? 0) }
}

/// Access to the fixtures of this repository.
enum Fixtures {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures").standardized

    static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: root.appending(path: path))) }

    /// All vectors of all JSON files in a folder, in name order.
    static func vectors(_ folder: String) throws -> [Vector] {
        let url = root.appending(path: folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: url.path).filter { $0.hasSuffix(".json") }.sorted()
        try #require(!names.isEmpty, "no vector files in \(folder)")
        return try names.flatMap { name in
            let json = try JSONReader.read(try bytes("\(folder)/\(name)"), limits: JSONLimits(depth: 32, bytes: 64_000_000))
            let vectors = try #require(json["vectors"]?.elements, "\(name) holds no vectors")
            return vectors.map {
                Vector(
                    file: name, value: $0, client: ($0["client"] ?? json["client"])?.text ?? "", compareRule: json["compare"]?.text ?? "")
            }
        }
    }

    static func zone(_ file: String, name: String) throws -> Zone { try Zone(name: name, tzif: bytes("zoneinfo/\(file).tzif")) }

    /// New York is the gateway's zone; the names that recorded frames use are known.
    static func zones() throws -> ZoneSet {
        let newYork = try zone("New_York", name: "US/Eastern")
        let chicago = try zone("Chicago", name: "US/Central")
        return ZoneSet(
            standard: newYork, byName: ["US/Eastern": newYork, "America/New_York": newYork, "US/Central": chicago, "America/Chicago": chicago])
    }
}

/// Zones by name, for tests.
struct ZoneSet: Sendable {
    let standard: Zone
    let byName: [String: Zone]
}

/// Counts by file for the report that a vector suite prints.
struct Tally: Sendable {
    private(set) var counts: [String: [String: Int]] = [:]
    private(set) var listed: [String: Set<String>] = [:]
    mutating func count(_ file: String, _ what: String) { counts[file, default: [:]][what, default: 0] += 1 }
    mutating func list(_ file: String, _ what: String, _ item: String) { count(file, what); listed["\(file) \(what)", default: []].insert(item) }
    func total(_ what: String) -> Int { counts.values.reduce(0) { $0 + ($1[what] ?? 0) } }
    func report(_ title: String) {
        for (file, numbers) in counts.sorted(by: { $0.key < $1.key }) {
            print("\(title) \(file): \(numbers.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))")
        }
        for (what, items) in listed.sorted(by: { $0.key < $1.key }) { print("\(title) \(what): \(items.sorted().joined(separator: " "))") }
    }
}

/// The value, or an error that says what was missing: fixtures with holes must not pass.
func needed<T>(_ value: T?, _ what: String = "value") throws -> T {
    guard let value else { throw UnknownParameter(name: "missing \(what)") }
    return value
}
