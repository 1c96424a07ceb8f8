// Every recorded inbound frame: our decoder against the decoders of two other clients.
import Testing
import Values
import Venues
import Wire

struct InboundVectorTests {
    @Test func decoderAgreesWithBothClients() throws {
        let run = try InboundRun.result.get()
        run.tally.report("inbound")
        #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
        #expect(run.tally.total("compared") > 0)
    }

    /// A new kind of message in a file must be met by a decoder, not passed over.
    @Test func everyMessageIdOfTheProtocolHasADecoder() throws {
        // Section 3 of the protocol notes, and the answers to requests of section 4 that it leaves out.
        let ids: [ClosedRange<Int>] = [
            1...21, 45...47, 49...59, 61...64, 71...107,
        ]
        let notThere: Set<Int> = [48, 60]
        for id in ids.joined() where !notThere.contains(id) {
            // Fields enough for any message, all zero: a list is then empty, and a type unknown.
            let payload = Array("\(id)\0".utf8) + Array(repeating: [0x30, 0], count: 200).flatMap { $0 }
            for version in [157, 163, 178] {
                do throws(FieldFault) {
                    let message = try IBDecoder(version: version).decode(payload.span.bytes)
                    if case .unknown = message { Issue.record("message \(id) has no decoder") }
                } catch { #expect(id == 99, "message \(id) at \(version): \(error)") }
            }
        }
        for id in [22, 44, 48, 60, 65, 70, 108, 109] {
            let payload = Array("\(id)\0".utf8)
            #expect(try IBDecoder(version: 178).decode(payload.span.bytes) == .unknown(id: Int64(id)))
        }
    }

    @Test func everyFrameCutAnywhereIsMissingNeverWrong() throws {
        var cuts = 0
        for vector in try Fixtures.vectors("vectors/tws/inbound") where vector.serverVersion == 178 {
            let bytes = try needed(Hex.bytes(needed(vector.value["hex"]?.text)))
            let payload = Array(bytes.dropFirst(4))
            let decoder = IBDecoder(version: 178)
            let whole = try decoder.decode(payload.span.bytes)
            for length in stride(from: 0, to: payload.count, by: payload.count > 200 ? 7 : 1) {
                let cut = Array(payload.prefix(length))
                // The end of the last field that is read may come before the end of the frame; what was read is then the same.
                if let message = try? decoder.decode(cut.span.bytes) {
                    if case .error = message { continue }
                    #expect(message == whole, "\(vector.id) cut at \(length)")
                }
                cuts += 1
            }
        }
        #expect(cuts > 5_000)
    }

    @Test func surplusFieldsChangeNothing() throws {
        for vector in try Fixtures.vectors("vectors/tws/inbound") where IBProtocol.versions.contains(vector.serverVersion) {
            let bytes = try needed(Hex.bytes(needed(vector.value["hex"]?.text)))
            let payload = Array(bytes.dropFirst(4))
            let longer = payload + Array("new\0\0".utf8)
            let decoder = IBDecoder(version: vector.serverVersion)
            let (message, other) = (try decoder.decode(payload.span.bytes), try decoder.decode(longer.span.bytes))
            // An error's last field may be missing altogether: then the first surplus one is read in its place.
            if case .error(let error) = message, error.rejectJSON.isEmpty { continue }
            #expect(message == other, "\(vector.id)")
        }
    }

    @Test func theQuickTickIsTheDecodedTick() throws {
        var ticks = 0
        for vector in try Fixtures.vectors("vectors/tws/inbound") where IBProtocol.versions.contains(vector.serverVersion) {
            let bytes = try needed(Hex.bytes(needed(vector.value["hex"]?.text)))
            let payload = Array(bytes.dropFirst(4))
            let decoder = IBDecoder(version: vector.serverVersion)
            let message = try decoder.decode(payload.span.bytes)
            guard let tick = try decoder.tick(payload.span.bytes) else {
                switch message {
                case .tickPrice, .tickSize, .tickGeneric, .tickString, .tickByTick: Issue.record("\(vector.id) is a tick")
                default: continue
                }
                continue
            }
            ticks += 1
            #expect(TickWords.matches(tick, message), "\(vector.id): \(tick)")
        }
        #expect(ticks >= 30)
    }
}

/// Both readings of one tick.
enum TickWords {
    static func matches(_ tick: IBTick, _ message: IBMessage) -> Bool {
        switch (tick, message) {
        case (.price(let a), .tickPrice(let b)): a == b
        case (.size(let id, let type, let size), .tickSize(let otherID, let otherType, let other)):
            (id, type) == (otherID, otherType) && size == other
        case (.generic(let id, let type, let value), .tickGeneric(let otherID, let otherType, let other)):
            (id, type) == (otherID, otherType) && value == other
        case (.text(let id, let type), .tickString(let otherID, let otherType, _)): (id, type) == (otherID, otherType)
        case (.stamp(let id, let type, let seconds), .tickString(let otherID, let otherType, let text)):
            (id, type) == (otherID, otherType) && String(seconds) == text
        case (.trade(let id, let type, let trade), .tickString(let otherID, let otherType, let text)):
            (id, type) == (otherID, otherType) && told(trade) == text.split(separator: ";", omittingEmptySubsequences: false).map { plain($0) }
        case (.byTick(let id, let a), .tickByTick(let otherID, let b)): id == otherID && a == b
        default: false
        }
    }

    private static func told(_ t: IBVolumeTrade) -> [String] {
        [
            t.price?.description ?? "", t.size?.description ?? "", t.milliseconds.map { String($0) } ?? "", t.total?.description ?? "",
            t.average?.description ?? "", t.isSingle ? "true" : "false",
        ]
    }
    /// A part as a value of ours would be written.
    private static func plain(_ part: Substring) -> String {
        (try? Decimals.parse(part, scale: 8, rounding: .halfEven)).map { Decimals.text($0, scale: 8) } ?? String(part)
    }
}

/// One comparison of all inbound files.
struct InboundRun {
    /// It is made once, for all who ask.
    static let result = Result { VectorSummary(try InboundRun()) }

    let table: DeviationTable
    private(set) var tally = Tally()
    private(set) var failures: [String] = []
    private let resolver: ZoneResolver

    init() throws {
        table = try DeviationTable()
        let zones = try Fixtures.zones()
        resolver = ZoneResolver(standard: zones.standard) { zones.byName[$0] }
        for vector in try Fixtures.vectors("vectors/tws/inbound") { try take(vector) }
    }

    private mutating func take(_ vector: Vector) throws {
        let kind = vector.value["messageId"]?.integerValue.map { String($0) } ?? "?"
        guard IBProtocol.versions.contains(vector.serverVersion) else {
            if !table.allows([.skipped], client: "", version: vector.serverVersion, kind: kind, isOutbound: false) {
                failures.append("\(vector.file) \(vector.id): server version \(vector.serverVersion) is not of our range")
            }
            return tally.count(vector.file, "skipped")
        }
        let message: IBMessage
        do { message = try decoded(vector) } catch { return failures.append("\(vector.file) \(vector.id): \(error)") }
        if case .unknown(let id) = message { return failures.append("\(vector.file) \(vector.id): no decoder for message \(id)") }
        var compared = 0
        for client in Client.allCases {
            guard let theirs = vector.value["decoded"]?[key: client.rawValue] else { continue }
            if theirs["decoderError"] != nil {
                let isListed = table.allows([.crashed], client: client.rawValue, version: vector.serverVersion, kind: kind, isOutbound: false)
                if !isListed { failures.append("\(vector.file) \(vector.id): \(client.rawValue) crashed") }
                continue
            }
            let resolver = self.resolver
            guard let mine = NeutralCalls(client: client, utc: { InboundRun.iso($0, resolver) }).calls(message) else {
                failures.append("\(vector.file) \(vector.id): no neutral form of message \(kind)")
                continue
            }
            _ = table.allows([.shape], client: client.rawValue, version: vector.serverVersion, kind: kind, isOutbound: false)
            var compare = NeutralCompare(client: client, vector: vector, table: table)
            compare.compare(calls: mine, with: theirs["calls"]?.elements ?? [])
            if !compare.differences.isEmpty { failures.append("\(vector.file) \(vector.id) against \(client.rawValue): \(compare.differences)") }
            compared += 1
        }
        if compared == 0 { failures.append("\(vector.file) \(vector.id): nobody to compare with") }
        tally.count(vector.file, "compared")
    }

    private func decoded(_ vector: Vector) throws -> IBMessage {
        let bytes = try needed(Hex.bytes(needed(vector.value["hex"]?.text)), vector.id)
        let range = try needed(try FrameSplitter.frame(in: bytes.span.bytes, at: 0), vector.id)
        guard range.upperBound == bytes.count else { throw UnknownParameter(name: "more than one frame") }
        return try IBDecoder(version: vector.serverVersion).decode(bytes.span.bytes.extracting(range))
    }

    /// The way one client writes the instant of an execution.
    private static func iso(_ text: String, _ resolver: ZoneResolver) -> String? {
        WireTime.instant(text, resolver).map { $0.description.replacing(".000Z", with: "+00:00") }
    }
}

extension JSONValue {
    /// As the key subscript, for keys held in a variable.
    subscript(key name: String) -> JSONValue? { self[name] }
}
