// Every recorded inbound frame: our decoder against the decoders of two other clients.
import Testing
import Values
import Venues
import Wire

struct InboundVectorTests {
    @Test func decoderAgreesWithBothClients() throws {
        let zones = try Fixtures.zones()
        let resolver = ZoneResolver(standard: zones.standard) { zones.byName[$0] }
        var tally = Tally()
        for vector in try Fixtures.vectors("vectors/tws/inbound") {
            guard IBProtocol.versions.contains(vector.serverVersion) else { tally.list(vector.file, "out of range", vector.id); continue }
            let bytes = try needed(Hex.bytes(needed(vector.value["hex"]?.text)), vector.id)
            let range = try needed(try FrameSplitter.frame(in: bytes.span.bytes, at: 0), vector.id)
            #expect(range.upperBound == bytes.count, "\(vector.id): one frame and nothing else")
            let message = try IBDecoder(version: vector.serverVersion).decode(bytes.span.bytes.extracting(range))
            if case .unknown(let id) = message { tally.list(vector.file, "not of this slice", "\(id)"); continue }
            var failed = false
            for client in Client.allCases {
                let theirs = try #require(vector.value["decoded"]?[key: client.rawValue], "\(vector.id)")
                guard let calls = theirs["calls"]?.elements else { tally.count(vector.file, "crashed in \(client)"); continue }
                var compare = NeutralCompare(client: client, vector: vector.value)
                compare.compare(calls: NeutralCalls(client: client) { iso($0, resolver) }.calls(message), with: calls)
                #expect(compare.differences.isEmpty, "\(vector.file) \(vector.id) against \(client.rawValue): \(compare.differences)")
                failed = failed || !compare.differences.isEmpty
            }
            tally.count(vector.file, failed ? "failed" : "passed")
        }
        tally.report("inbound")
        #expect(tally.total("passed") >= 200)
        #expect(tally.total("failed") == 0)
    }

    /// The way one client writes the instant of an execution.
    private func iso(_ text: String, _ zones: ZoneResolver) -> String? {
        WireTime.instant(text, zones).map { $0.description.replacing(".000Z", with: "+00:00") }
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
}

extension JSONValue {
    /// As the key subscript, for keys held in a variable.
    subscript(key name: String) -> JSONValue? { self[name] }
}
