// Every recorded outbound call: our encoder against the frames of three other clients, by the files' own compare rule.
import Testing
import Values
import Venues
import Wire

struct OutboundVectorTests {
    @Test func encoderSendsWhatOtherClientsSend() throws {
        let run = try OutboundRun.result.get()
        run.tally.report("outbound")
        #expect(run.failures.isEmpty, "\(run.failures.joined(separator: "\n"))")
        #expect(run.tally.total("compared") > 0)
    }

    /// Section 3 of the protocol notes: a frame of every kind, with the message id it stands for.
    @Test func everyRequestOfTheProtocolHasAFrame() throws {
        let contract = IBContract()
        let requests: [IBRequest] = [
            .books(.positionsMulti(requestId: 1, account: "", model: "")), .books(.cancelPositionsMulti(requestId: 1)),
            .books(.accountUpdatesMulti(requestId: 1, account: "", model: "", ledgerAndNLV: false)),
            .books(.cancelAccountUpdatesMulti(requestId: 1)), .books(.profit(requestId: 1, account: "", model: "")),
            .books(.cancelProfit(requestId: 1)), .books(.positionProfit(requestId: 1, account: "", model: "", conId: 1)),
            .books(.cancelPositionProfit(requestId: 1)), .books(.userInfo(requestId: 1)), .books(.familyCodes),
            .books(.softDollarTiers(requestId: 1)), .books(.logLevel(5)), .books(.advisorData(type: 1)),
            .books(.replaceAdvisorData(requestId: 1, type: 1, xml: "<a>\n</a>")),
            .data(.headTimestamp(requestId: 1, contract, whatToShow: "TRADES", useRTH: true, formatDate: 2)),
            .data(.cancelHeadTimestamp(requestId: 1)), .data(.historicalTicks(requestId: 1, contract, IBTickQuery())),
            .data(.tickByTick(requestId: 1, contract, kind: "Last", count: 0, ignoreSize: false)), .data(.cancelTickByTick(requestId: 1)),
            .data(.depth(requestId: 1, contract, rows: 5, isSmart: false)), .data(.cancelDepth(requestId: 1, isSmart: false)),
            .data(.depthExchanges), .data(.smartComponents(requestId: 1, bboExchange: "a")),
            .data(.histogram(requestId: 1, contract, useRTH: true, period: "3 days")), .data(.cancelHistogram(requestId: 1)),
            .data(.impliedVolatility(requestId: 1, contract, optionPrice: Price(raw: 1), underlying: Price(raw: 1), options: [])),
            .data(.cancelImpliedVolatility(requestId: 1)),
            .data(.optionPrice(requestId: 1, contract, volatility: WireNumber(raw: 1), underlying: Price(raw: 1), options: [])),
            .data(.cancelOptionPrice(requestId: 1)), .search(.matchingSymbols(requestId: 1, pattern: "MBT")),
            .search(.optionChains(requestId: 1, symbol: "SPY", futFopExchange: "", secType: "STK", conId: 756_733)),
            .search(.marketRule(id: 26)), .search(.scannerParameters), .search(.scan(requestId: 1, IBScan())),
            .search(.cancelScan(requestId: 1)), .search(.fundamentals(requestId: 1, contract, report: "RESC", options: [])),
            .search(.cancelFundamentals(requestId: 1)), .news(.providers), .news(.article(requestId: 1, provider: "a", articleId: "b")),
            .news(.history(requestId: 1, conId: 1, providers: "a+b", start: "", end: "", most: 10)), .news(.bulletins(all: true)),
            .news(.cancelBulletins), .news(.eventMetaData(requestId: 1)), .news(.cancelEventMetaData(requestId: 1)),
            .news(.events(requestId: 1, IBEventQuery())), .news(.cancelEvents(requestId: 1)),
            .exercise(ExerciseOrder(requestId: 1, contract: contract, exercises: true, quantity: 1)), .startApi(clientId: 7), .ids, .currentTime,
            .managedAccounts, .accountUpdates(subscribe: true, account: ""), .accountSummary(requestId: 1, group: "All", tags: ""),
            .cancelAccountSummary(requestId: 1), .positions, .cancelPositions,
            .marketData(requestId: 1, contract, genericTicks: "", snapshot: false, regulatorySnapshot: false), .cancelMarketData(requestId: 1),
            .marketDataType(1), .realTimeBars(requestId: 1, contract, whatToShow: "TRADES", useRTH: true), .cancelRealTimeBars(requestId: 1),
            .historicalData(requestId: 1, contract, IBHistoryQuery()), .cancelHistoricalData(requestId: 1),
            .contractDetails(requestId: 1, contract), .placeOrder(contract, IBOrder()), .cancelOrder(orderId: 1, manualTime: ""), .globalCancel,
            .openOrders, .allOpenOrders, .autoOpenOrders(bind: true), .completedOrders(apiOnly: true),
            .executions(requestId: 1, IBExecutionFilter()),
        ]
        var ids: [Int] = []
        for request in requests {
            let frame = try IBEncoder(version: 178).encode(request)
            ids.append(try needed(Int(String(decoding: frame.dropFirst(4).prefix { $0 != 0 }, as: UTF8.self))))
            #expect(frame.last == 0, "\(request)")
        }
        let all = Array(1...25) + Array(49...59) + Array(61...64) + [71] + Array(74...104)
        #expect(ids.sorted() == all)
    }

    @Test func numbersOfAnySizeCompare() {
        for (a, b) in [
            ("1000000000", "1000000000.0"), ("100", "1E2"), ("0.00001", "1e-05"), ("9007199254740993", "9007199254740993.000"), ("-0", "0.0"),
        ] {
            #expect(PlainNumber(a) == PlainNumber(b), "\(a) \(b)")
        }
        for (a, b) in [("9007199254740993", "9007199254740992"), ("1", "-1"), ("10", "1")] { #expect(PlainNumber(a) != PlainNumber(b)) }
        for text in ["", "-", ".", "1.2.3", "abc", "0x10", "1e", "e5", " 1"] { #expect(PlainNumber(text) == nil, "\(text)") }
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

/// One comparison of all outbound files.
struct OutboundRun {
    /// It is made once, for all who ask.
    static let result = Result { VectorSummary(try OutboundRun()) }

    let table: DeviationTable
    private(set) var tally = Tally()
    private(set) var failures: [String] = []

    init() throws {
        table = try DeviationTable()
        for vector in try Fixtures.vectors("vectors/tws/outbound") { try take(vector) }
    }

    private mutating func take(_ vector: Vector) throws {
        let name = vector.value["request"]?.text ?? "?"
        guard IBProtocol.versions.contains(vector.serverVersion) else {
            if !table.allows([.skipped], client: vector.client, version: vector.serverVersion, kind: name, isOutbound: true) {
                failures.append("\(vector.file) \(vector.id): server version \(vector.serverVersion) is not of our range")
            }
            return tally.count(vector.file, "skipped")
        }
        guard vector.compareRule == OutboundRun.rule else {
            return failures.append("\(vector.file): compares by another rule than the one these tests carry out")
        }
        let mustRefuse = vector.value["clientRefused"] != nil
        do {
            let frame = try IBEncoder(version: vector.serverVersion).encode(try OutboundCall(vector: vector.value).request())
            guard !mustRefuse else { return failures.append("\(vector.file) \(vector.id): the other client refused") }
            let difference = try FrameCompare(vector: vector, table: table).difference(frame)
            if let difference { failures.append("\(vector.file) \(vector.id): \(difference)") }
            tally.count(vector.file, "compared")
        } catch let fault as EncodeFault {
            let isListed = table.allows(
                [.refused], client: vector.client, version: vector.serverVersion, kind: name, isOutbound: true, field: fault.field)
            if case .needsVersion(let since, _) = fault, vector.serverVersion >= since { failures.append("\(vector.file) \(vector.id): \(fault)") }
            if !mustRefuse, !isListed { failures.append("\(vector.file) \(vector.id): refused, \(fault)") }
            tally.count(vector.file, mustRefuse ? "refused as the other client did" : "refused where the other client leaves a field out")
        } catch let unknown as UnknownParameter {
            failures.append("\(vector.file) \(vector.id): \(unknown.name)")
        }
    }

    /// The files' `compare`, word for word: files of another rule are not compared by this one.
    static let rule = """
        Two frames are the same message when they have the same number of fields and each pair of fields is equal after: (1) any of '', \
        '2147483647', '9223372036854775807', '1.7976931348623157E308' (any case) counts as unset; (2) fields that both parse as numbers are \
        compared as numbers (100 = 100.0, 1e-05 = 0.00001); (3) 'Infinite' = 'Infinity'. Client habits that are allowed to differ: \
        contract.strike '' or '0.0' when not an option; openClose 'O' or '' when the call did not set it; usePriceMgmtAlgo '' (not chosen) or \
        '0' when the call did not set it.
        """
}

/// Two frames of one call by the rule the files carry; what is left over must stand in the table.
struct FrameCompare {
    let vector: Vector
    let table: DeviationTable

    /// Nil when the frames say the same; else the first difference.
    func difference(_ frame: [UInt8]) throws -> String? {
        let frames = try needed(vector.value["frames"]?.elements, "frames")
        guard frames.count == 1 else { return "\(frames.count) frames" }
        let labels = frames[0]["names"]?.elements ?? []
        let theirs = try needed(frames[0]["fields"]?.elements, "fields").compactMap(\.text)
        let payload = frame.dropFirst(4)
        guard frame.prefix(4).reduce(0, { $0 << 8 | Int($1) }) == payload.count, payload.last == 0 else { return "a length that is none" }
        var mine = payload.dropLast().split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
        if mine.count == theirs.count + 1 {
            _ = allowed([.extraField], nil) { row in
                guard let place = row.indexes[name].map({ $0 < 0 ? mine.count + $0 : $0 }), mine.indices.contains(place) else { return false }
                guard row.ours.contains(mine[place]) else { return false }
                mine.remove(at: place)
                return true
            }
        }
        guard mine.count == theirs.count else { return "\(mine.count) fields, theirs \(theirs.count)\n\(mine)\n\(theirs)" }
        for index in mine.indices where !FrameCompare.same(mine[index], theirs[index]) {
            let label = index < labels.count ? labels[index].text : nil
            let isListed = allowed([.values], label) { row in
                guard label != nil || row.indexes[name] == index else { return false }
                return row.ours.contains(mine[index]) && row.theirs.contains(theirs[index]) && !(row.unless.map { isSet($0) } ?? false)
            }
            if !isListed { return "field \(index) (\(label ?? "-")): '\(mine[index])', theirs '\(theirs[index])'" }
        }
        return nil
    }

    private var name: String { vector.value["request"]?.text ?? "?" }

    private func allowed(_ rules: [Deviation.Rule], _ field: String?, where holds: (Deviation) -> Bool) -> Bool {
        table.allows(rules, client: vector.client, version: vector.serverVersion, kind: name, isOutbound: true, field: field, where: holds)
    }

    /// Whether the call set a parameter, as `contract.strike`.
    private func isSet(_ path: String) -> Bool {
        var value = vector.value["params"]
        for part in path.split(separator: ".") { value = value?[key: String(part)] }
        return value != nil
    }

    /// The files' rule: unset is unset however it is written, numbers are numbers, infinity has two spellings.
    static func same(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        let unset: Set<String> = ["", "2147483647", "9223372036854775807", "1.7976931348623157E308"]
        if unset.contains(a.uppercased()) && unset.contains(b.uppercased()) { return true }
        if Set([a, b]) == ["Infinity", "Infinite"] { return true }
        guard let x = PlainNumber(a), let y = PlainNumber(b) else { return false }
        return x == y
    }
}

extension EncodeFault {
    /// What the table of deviations calls it by.
    fileprivate var field: String {
        switch self {
        case .needsVersion(_, let field): field
        case .notASCII: "text"
        case .contradiction: "contradiction"
        }
    }
}
