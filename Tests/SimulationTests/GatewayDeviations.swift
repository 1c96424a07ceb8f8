// Where the gateway deviates from recorded frames on purpose: its part of the one table, read and obeyed by its vector suites.
import Foundation
import Simulation
import Testing
import Wire

/// One row.
struct GatewayDeviation {
    let id: String
    fileprivate let isOutbound: Bool
    private let kinds: Set<String>?
    private let fields: Set<String>?
    private let ours: Set<String>?
    private let theirs: Set<String>?
    private let index: Int?
    private let versions: ClosedRange<Int>?
    private let isOfSeparators: Bool

    fileprivate init(_ json: JSONValue) throws {
        func texts(_ key: String) -> Set<String>? { json[key]?.elements.map { Set($0.compactMap(\.text)) } }
        id = try #require(json["id"]?.text)
        _ = try #require(json["why"]?.text)
        isOutbound = try #require(json["where"]?.text) == "outbound"
        (kinds, fields, ours, theirs) = (texts("kinds"), texts("fields"), texts("ours"), texts("theirs"))
        index = json["index"]?.integerValue.map { Int($0) }
        let bounds = (json["versions"]?.elements ?? []).compactMap { $0.integerValue.map { Int($0) } }
        versions = bounds.count == 2 ? bounds[0]...bounds[1] : nil
        isOfSeparators = json["rule"]?.text == "separators"
    }

    /// True when this row lets a written field differ.
    fileprivate func covers(_ vector: TWSVector, _ index: Int, _ mine: String, _ theirs: String) -> Bool {
        guard !isOutbound, kinds?.contains(String(vector.messageId)) ?? true, self.index.map({ $0 == index }) ?? true else { return false }
        if isOfSeparators { return mine.replacing("-", with: " ") == theirs.replacing("-", with: " ") }
        func isOne(_ text: String, of words: Set<String>?) -> Bool {
            words.map { $0.contains(text) || ($0.contains("unset") && Unset.matches(text)) } ?? true
        }
        return isOne(mine, of: ours) && isOne(theirs, of: self.theirs)
    }

    /// True when this row says that a parameter of a call is not looked at.
    fileprivate func covers(_ vector: TWSVector, parameter: String) -> Bool {
        isOutbound && (fields?.contains(parameter) ?? false) && (versions?.contains(vector.version) ?? true)
    }
}

/// The rows, and which of them were needed.
struct GatewayDeviations {
    private let rows: [GatewayDeviation]
    private var used: Set<String> = []

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/vectors/tws/deviations.json")
        let json = try JSONReader.read([UInt8](try Data(contentsOf: path)), limits: JSONLimits(depth: 8, bytes: 1_000_000))
        rows = try #require(json["gateway"]?.elements).map { try GatewayDeviation($0) }
        try #require(Set(rows.map(\.id)).count == rows.count)
    }

    mutating func cover(_ vector: TWSVector, _ index: Int, _ mine: String, _ theirs: String) -> Bool {
        note(rows.first { $0.covers(vector, index, mine, theirs) })
    }
    mutating func cover(_ vector: TWSVector, parameter: String) -> Bool { note(rows.first { $0.covers(vector, parameter: parameter) }) }

    private mutating func note(_ row: GatewayDeviation?) -> Bool {
        if let row { used.insert(row.id) }
        return row != nil
    }

    /// Rows of one direction that no vector needed.
    func idle(outbound: Bool) -> [String] { rows.filter { $0.isOutbound == outbound && !used.contains($0.id) }.map(\.id) }
}

/// The table against the files that are kept here; other files may stand beside them.
@Suite struct GatewayDeviationTests {
    @Test func everyRowIsNeeded() throws {
        #expect(try InboundRun().deviations.idle(outbound: false).isEmpty && OutboundRun().deviations.idle(outbound: true).isEmpty)
    }
    @Test func theFilesAreAllThere() throws {
        #expect(try InboundRun().written >= 330 && OutboundRun().read >= 900)
    }
}
