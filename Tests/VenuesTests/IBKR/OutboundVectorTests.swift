// Every recorded outbound call: our encoder against the frames of three other clients, by the files' own compare rule.
import Testing
import Values
import Venues
import Wire

struct OutboundVectorTests {
    @Test func encoderSendsWhatOtherClientsSend() throws {
        var tally = Tally()
        for vector in try Fixtures.vectors("vectors/tws/outbound") {
            guard IBProtocol.versions.contains(vector.serverVersion) else {
                tally.list(vector.file, "out of range", "@\(vector.serverVersion)"); continue
            }
            guard let request = try OutboundCall(vector: vector.value).request() else {
                tally.list(vector.file, "not of this slice", vector.value["request"]?.text ?? "?")
                continue
            }
            let mustRefuse = vector.value["clientRefused"] != nil
            do {
                let frame = try IBEncoder(version: vector.serverVersion).encode(request)
                #expect(!mustRefuse, "\(vector.id): the other client refused")
                let compare = FrameCompare(request: request, version: vector.serverVersion, params: try #require(vector.value["params"]))
                let difference = try compare.difference(frame, try theirFields(vector))
                #expect(difference == nil, "\(vector.file) \(vector.id): \(difference ?? "")")
                tally.count(vector.file, difference == nil ? "passed" : "failed")
            } catch let fault as EncodeFault {
                guard case .needsVersion(let since, _) = fault else { Issue.record("\(vector.id): \(fault)"); continue }
                #expect(vector.serverVersion < since, "\(vector.id)")
                tally.count(vector.file, mustRefuse ? "refused as the other client did" : "refused where the other client leaves a field out")
            }
        }
        tally.report("outbound")
        #expect(tally.total("passed") >= 700)
        #expect(tally.total("failed") == 0)
    }

    private func theirFields(_ vector: Vector) throws -> [String] {
        let frames = try #require(vector.value["frames"]?.elements, "\(vector.id)")
        #expect(frames.count == 1, "\(vector.id)")
        return try #require(frames.first?["fields"]?.elements).compactMap(\.text)
    }

    @Test func helloOffersTheVersionsOfTheRange() {
        let expected: [UInt8] = Array("API\0".utf8) + [0, 0, 0, 9] + Array("v157..178".utf8)
        #expect(IBEncoder.hello(maximum: 178) == expected)
    }

    @Test func badRequestsAreRefusedBeforeAByteIsWritten() throws {
        let encoder = IBEncoder(version: 178)
        var order = IBOrder()
        order.orderRef = "Zürich"
        #expect(throws: EncodeFault.notASCII("Zürich")) { try encoder.encode(.placeOrder(IBContract(), order)) }
        order.orderRef = "a\0b"
        #expect(throws: EncodeFault.self) { try encoder.encode(.placeOrder(IBContract(), order)) }
        var query = IBHistoryQuery()
        query.keepUpToDate = true; query.endDateTime = "20261120-00:00:00"
        #expect(throws: EncodeFault.self) { try encoder.encode(.historicalData(requestId: 1, IBContract(), query)) }
        #expect(throws: EncodeFault.self) {
            try encoder.encode(.marketData(requestId: 1, IBContract(), genericTicks: "233", snapshot: true, regulatorySnapshot: false))
        }
        #expect(throws: EncodeFault.needsVersion(169, field: "manualCancelOrderTime")) {
            try IBEncoder(version: 168).encode(.cancelOrder(orderId: 1, manualTime: "20261120-15:00:00"))
        }
    }

    @Test func plainOrdersHaveTheFieldCountsOfTheProtocolNotes() throws {
        var order = IBOrder()
        order.action = "BUY"; order.orderType = "MKT"; order.totalQuantity = WireSize(whole: 1); order.tif = "DAY"
        for (version, count) in [(157, 110), (158, 111), (160, 112), (163, 113), (166, 114), (169, 115), (176, 115), (177, 114), (178, 114)] {
            let frame = try IBEncoder(version: version).encode(.placeOrder(IBContract(), order))
            #expect(frame.dropFirst(4).count { $0 == 0 } == count, "version \(version)")
        }
    }
}

/// The rule the files carry: unset spellings are one, numbers are numbers, three habits are allowed where the call said nothing.
struct FrameCompare {
    let request: IBRequest
    let version: Int
    let params: JSONValue

    /// Nil when the frames say the same; else the first difference.
    func difference(_ frame: [UInt8], _ theirs: [String]) throws -> String? {
        let payload = frame.dropFirst(4)
        #expect(frame.prefix(4).reduce(0) { $0 << 8 | Int($1) } == payload.count && payload.last == 0)
        let mine = payload.dropLast().split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        guard mine.count == theirs.count else { return "\(mine.count) fields, theirs \(theirs.count)\n\(mine)\n\(theirs)" }
        for index in mine.indices where !same(mine[index], theirs[index]) && !isHabit(index, theirs[index], of: mine.count) {
            return "field \(index): '\(mine[index])', theirs '\(theirs[index])'\n\(mine)\n\(theirs)"
        }
        return nil
    }

    private func same(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        let unset: Set<String> = ["", "2147483647", "9223372036854775807", "1.7976931348623157E308", "1.7976931348623157E+308"]
        if unset.contains(a.uppercased()) || unset.contains(b.uppercased()) {
            return unset.contains(a.uppercased()) && unset.contains(b.uppercased())
        }
        if Set([a, b]) == ["Infinity", "Infinite"] { return true }
        guard let x = try? Decimals.parse(a, scale: 12), let y = try? Decimals.parse(b, scale: 12) else { return false }
        return x == y
    }

    private func isHabit(_ index: Int, _ theirs: String, of count: Int) -> Bool {
        if index == strikeIndex { return params["contract"]?["strike"] == nil && ["", "0.0", "0"].contains(theirs) }
        guard case .placeOrder(let contract, let order) = request else { return false }
        if index == 24 { return params["order"]?["openClose"] == nil && theirs == "O" }
        return index == count - 1 - fieldsAfterPriceAlgo(contract, order) && params["order"]?["usePriceMgmtAlgo"] == nil && theirs == "0"
    }

    private var strikeIndex: Int {
        switch request {
        case .marketData, .realTimeBars, .contractDetails: 7
        case .historicalData, .placeOrder: 6
        default: -1
        }
    }

    private func fieldsAfterPriceAlgo(_ contract: IBContract, _ order: IBOrder) -> Int {
        var count = [158, 160, 162, 166, 169].count { version >= $0 }
        guard version >= 170 else { return count }
        if contract.exchange == "IBKRATS" { count += 1 }
        if order.orderType == "PEG BEST" { count += order.ats.competeAgainstBestOffset == .upToMid ? 4 : 2 }
        if order.orderType == "PEG MID" { count += 2 }
        return count
    }
}
