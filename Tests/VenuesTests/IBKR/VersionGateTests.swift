// Every field that comes or goes between server versions 157 and 178 does so at its own version: there, and not one earlier or later.
import Testing
import Values
import Venues
import Wire

struct VersionGateTests {
    /// The fields of a recorded frame.
    private func fields(_ id: String) throws -> [String] {
        for vector in try Fixtures.vectors("vectors/tws/inbound") where vector.id == id {
            return try needed(vector.value["fields"]?.elements, id).compactMap(\.text)
        }
        throw UnknownParameter(name: id)
    }

    private func decode(_ fields: [String], _ version: Int) throws -> IBMessage {
        let bytes: [UInt8] = fields.flatMap { Array($0.utf8) + [0] }
        return try IBDecoder(version: version).decode(bytes.span.bytes)
    }

    /// Read whole, and missing something without its last field: the decoder wants exactly these.
    private func exactly(_ fields: [String], _ version: Int) throws -> IBMessage {
        #expect(throws: FieldFault.missing(field: fields.count - 1), "version \(version)") { try decode(fields.dropLast(), version) }
        return try decode(fields, version)
    }

    private let peg = ["13", "14", "0.5", "0.25", "0.125"]

    @Test func anOpenOrderAtEveryVersion() throws {
        let recorded = try fields("oo-lmt@178")
        for version in IBProtocol.versions {
            var words = Array(recorded.dropLast(8))
            words[34] = "Core"
            if version < 177 { words.insert("profile", at: 34) }
            if version >= 158 { words.append("11") }
            if version >= 160 { words.append("12") }
            if version >= 162 { words.append("1") }
            if version >= 170 { words += peg }
            guard case .openOrder(let open) = try exactly(words, version) else { Issue.record("not read at \(version)"); continue }
            #expect(open.order.modelCode == "Core" && open.state.status == "PreSubmitted", "version \(version)")
            #expect(open.order.duration == (version >= 158 ? 11 : nil) && open.order.postToAts == (version >= 160 ? 12 : nil))
            #expect(open.order.autoCancelParent == (version >= 162))
            expectPeg(open.order, version)
        }
    }

    private func expectPeg(_ order: IBOrder, _ version: Int) {
        guard version >= 170 else { return #expect(order.ats == AtsTerms(), "version \(version)") }
        #expect(order.ats.minTradeQty == 13 && order.ats.minCompeteSize == 14, "version \(version)")
        #expect(order.ats.competeAgainstBestOffset == .amount(Price(raw: 50_000_000)), "version \(version)")
        #expect(order.ats.midOffsetAtWhole == Price(raw: 25_000_000) && order.ats.midOffsetAtHalf == Price(raw: 12_500_000))
    }

    @Test func aCompletedOrderAtEveryVersion() throws {
        let recorded = try fields("co-filled@178")
        let names = try Fixtures.vectors("vectors/tws/inbound").first { $0.id == "co-filled@178" }?.value["names"]?.elements ?? []
        let model = try needed(names.firstIndex { $0.text == "modelCode" })
        for version in IBProtocol.versions {
            var words = Array(recorded.dropLast(5))
            words[model] = "Core"
            if version < 177 { words.insert("profile", at: model) }
            if version >= 170 { words += peg }
            guard case .completedOrder(let done) = try exactly(words, version) else { Issue.record("not read at \(version)"); continue }
            #expect(done.order.modelCode == "Core" && done.state.status == "Filled", "version \(version)")
            expectPeg(done.order, version)
        }
    }

    @Test func smallerMessagesAtEveryVersion() throws {
        let execution = try fields("ex-unsol@178").dropLast()
        let stock = try fields("cd-stk@178")
        for version in IBProtocol.versions {
            guard case .execution(_, let fill) = try exactly(execution + (version >= 178 ? ["1"] : []), version),
                case .error(let error) = try decode(["4", "2", "7", "201", "no", "{}"], version),
                case .symbolSamples(_, let samples) = try exactly(
                    ["79", "7", "1", "1", "S", "STK", "X", "USD", "0"] + (version >= 176 ? ["Name", "issuer"] : []), version)
            else { Issue.record("not read at \(version)"); continue }
            #expect(fill.pendingPriceRevision == (version >= 178) && error.rejectJSON == (version >= 166 ? "{}" : ""), "version \(version)")
            #expect(samples.first?.description == (version >= 176 ? "Name" : "") && samples.count == 1, "version \(version)")
            #expect(samples.first?.contract.issuerId == (version >= 176 ? "issuer" : ""), "version \(version)")
            var words = Array(stock.dropLast(3))
            if version < 164 {
                words.insert("8", at: 1)
                words.insert("1", at: 14)
            }
            if version == 163 { words.append("100") }
            if version >= 164 { words += ["1", "2", "3"] }
            guard case .contractDetails(_, let details) = try exactly(words, version) else { Issue.record("not read at \(version)"); continue }
            #expect(details.contract.symbol == "MSFT" && details.stockType == "COMMON", "version \(version)")
            #expect(
                details.minSize == (version >= 164 ? WireSize(whole: 1) : nil) && details.sizeIncrement == (version >= 164 ? WireSize(whole: 2) : nil)
            )
            let suggested = version >= 164 ? WireSize(whole: 3) : version == 163 ? WireSize(whole: 100) : nil
            #expect(details.suggestedSizeIncrement == suggested, "version \(version)")
        }
    }

    private func count(_ request: IBRequest, _ version: Int) throws -> Int {
        try IBEncoder(version: version).encode(request).dropFirst(4).count { $0 == 0 }
    }

    @Test func whatIsSentAtEveryVersion() throws {
        var order = IBOrder()
        order.orderType = "MKT"
        let contract = IBContract()
        for version in IBProtocol.versions {
            let more = [158, 160, 162, 166, 169].count { version >= $0 } - (version >= 177 ? 1 : 0)
            #expect(try count(.placeOrder(contract, order), version) == 110 + more, "version \(version)")
            #expect(try count(.cancelOrder(orderId: 1, manualTime: ""), version) == (version >= 169 ? 4 : 3), "version \(version)")
            #expect(try count(.contractDetails(requestId: 1, contract), version) == (version >= 176 ? 19 : 18), "version \(version)")
            guard version >= 161 else { continue }
            let events = 3 + (version >= 171 ? 4 : 0) + (version >= 173 ? 3 : 0)
            #expect(try count(.news(.events(requestId: 1, IBEventQuery())), version) == events, "version \(version)")
        }
        order.orderType = "PEG MID"
        order.ats.midOffsetAtHalf = Price(raw: 1)
        #expect(try count(.placeOrder(contract, order), 170) == 117)
    }

    @Test func whatAnOlderServerCannotReadIsRefused() throws {
        func order(_ change: (inout IBOrder) -> Void) -> IBRequest {
            var order = IBOrder()
            change(&order)
            return .placeOrder(IBContract(), order)
        }
        var issued = IBContract()
        issued.issuerId = "e1"
        var schedule = IBHistoryQuery()
        schedule.whatToShow = "SCHEDULE"
        var filtered = IBEventQuery()
        filtered.fillsPortfolio = true
        var dated = IBEventQuery()
        dated.limit = 5
        let gates: [(Int, IBRequest)] = [
            (158, order { $0.duration = 1 }), (160, order { $0.postToAts = 1 }), (162, order { $0.autoCancelParent = true }),
            (166, order { $0.advancedErrorOverride = "8229" }), (169, order { $0.manualOrderTime = "20261120-15:00:00" }),
            (170, order { $0.ats.minTradeQty = 1 }), (169, .cancelOrder(orderId: 1, manualTime: "20261120-15:00:00")),
            (176, .contractDetails(requestId: 1, issued)), (167, .books(.userInfo(requestId: 1))),
            (165, .historicalData(requestId: 1, IBContract(), schedule)), (161, .news(.eventMetaData(requestId: 1))),
            (161, .news(.cancelEvents(requestId: 1))), (171, .news(.events(requestId: 1, filtered))), (173, .news(.events(requestId: 1, dated))),
        ]
        for (since, request) in gates {
            #expect(throws: Never.self, "\(since)") { try IBEncoder(version: since).encode(request) }
            do {
                _ = try IBEncoder(version: since - 1).encode(request)
                Issue.record("\(request) was sent at \(since - 1)")
            } catch {
                guard case .needsVersion(let told, _) = error else { Issue.record("\(error)"); continue }
                #expect(told == since)
            }
        }
        #expect(throws: Never.self) { try IBEncoder(version: 176).encode(.books(.advisorData(type: 2))) }
        #expect(throws: EncodeFault.self) { try IBEncoder(version: 177).encode(.books(.advisorData(type: 2))) }
    }
}
