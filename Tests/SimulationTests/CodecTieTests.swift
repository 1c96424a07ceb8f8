// The client's codec against the gateway's: orders filled by chance, every field by name, at every version; neither codec knows the other.
import Simulation
import Testing
import Values
import Venues

@Suite struct CodecTieTests {
    private func same(_ a: String, _ b: String) -> Bool {
        if Unset.matches(a) || Unset.matches(b) { return Unset.matches(a) && Unset.matches(b) }
        if a == b { return true }
        guard let x = try? Decimals.parse(a, scale: 8), let y = try? Decimals.parse(b, scale: 8) else { return false }
        return x == y
    }

    /// What the client sends is what the gateway reads: each named field, wherever it stands at that version.
    @Test(arguments: 157...178) func everyFieldOfAnOrderArrivesUnderItsName(version: Int) throws {
        var chance = SeededRandom(seed: UInt64(version))
        let table = OrderField.shared + OrderField.working + OrderField.asked
        for round in 0..<60 {
            var order = IBOrder()
            for field in table where field.since <= version && chance.chance(2, in: 3) { field.fill(&order, &chance) }
            var contract = IBContract()
            contract.conId = Int64(chance.int(1...999_999_999)); contract.symbol = "S\(chance.int(1...99))"; contract.secType = "FUT"
            contract.exchange = "CME"; contract.currency = "USD"; contract.localSymbol = "L\(chance.int(1...99))"; contract.tradingClass = "TC"
            let frame = try IBEncoder(version: version).encode(.placeOrder(contract, order))
            let fields = try OrderFields(GatewayFrames.fields(Array(frame.dropFirst(4))), version: version)
            for field in table {
                // Fields of blocks that this order does not have, or of later versions, are not on the wire.
                guard fields.has(field.name) else {
                    let isLate = field.since > version
                    let isOfBlock =
                        field.name == "hedgeParam" && order.hedgeType.isEmpty
                        || field.name.hasPrefix("deltaNeutral") && order.deltaNeutral.orderType.isEmpty
                    #expect(isLate || isOfBlock, "\(field.name) is missing at \(version)")
                    continue
                }
                // Two fields have a default that says "none".
                if ["displaySize", "discretionaryAmt"].contains(field.name), field.text(order).isEmpty, fields[field.name] == "0" { continue }
                #expect(same(fields[field.name], field.text(order)), "\(field.name) at \(version), round \(round): '\(fields[field.name])'")
            }
            #expect(fields["contract.conId"] == String(contract.conId) && fields["contract.localSymbol"] == contract.localSymbol)
        }
    }

    /// What the gateway reports is what the client reads.
    @Test(arguments: 157...178) func everyFieldOfAReportArrivesUnderItsName(version: Int) throws {
        var chance = SeededRandom(seed: UInt64(version) &* 7)
        for round in 0..<60 {
            var order = IBOrder()
            let open = OrderField.shared + OrderField.working
            for field in open where field.since <= version { field.fill(&order, &chance) }
            // A second level stands behind the first; unset, it leaves the first alone.
            var values: [String: String] = [:]
            for field in open where !field.text(order).isEmpty { values[field.name] = field.text(order) }
            for name in ["lmtPrice", "auxPrice", "ocaType", "displaySize", "clearingIntent"] where values[name] == nil { values[name] = "" }
            for field in open where values[field.name] == nil { values[field.name] = Unset.double }
            for name in ["openClose", "orderRef"] where values[name] == Unset.double { values[name] = "" }
            let (perm, conId) = (Int64(chance.int(1...2_000_000_000)), Int64(chance.int(1...999_999_999)))
            values["permId"] = String(perm)
            values["clientId"] = "7"
            values["status"] = "PreSubmitted"
            let listing = WireListing(
                conId: conId, symbol: "MBT", secType: "FUT", expiry: "20261224", exchange: "CME", currency: "USD", localSymbol: "MBTZ6",
                tradingClass: "MBT")
            let report = OrderReport(orderId: Int64(round), listing: listing, values: values)
            guard case .openOrder(let told) = try decode(report.openOrder(version: version), version) else {
                Issue.record("not an open order")
                continue
            }
            #expect(told.order.permId == perm && told.order.clientId == 7 && told.contract.conId == conId && told.state.status == "PreSubmitted")
            for field in open where field.since <= version {
                #expect(same(field.text(told.order), field.text(order)), "\(field.name) at \(version): '\(field.text(told.order))'")
            }
            values["filledQuantity"] = "3"
            values["completedStatus"] = "Cancelled by Trader"
            let done = OrderReport(orderId: 0, listing: listing, values: values)
            guard case .completedOrder(let completed) = try decode(done.completedOrder(version: version), version) else {
                Issue.record("not a completed order")
                continue
            }
            #expect(completed.order.permId == perm && completed.order.filledQuantity == WireSize(whole: 3))
            #expect(completed.state.completedStatus == "Cancelled by Trader")
            for field in OrderField.shared {
                #expect(same(field.text(completed.order), field.text(order)), "completed \(field.name) at \(version)")
            }
        }
    }

    private func decode(_ fields: [String], _ version: Int) throws -> IBMessage {
        let frame = GatewayFrames.bytes(fields)
        let payload = try #require(try FrameSplitter.frame(in: frame.span.bytes, at: 0))
        #expect(payload.upperBound == frame.count)
        return try IBDecoder(version: version).decode(frame.span.bytes.extracting(payload))
    }
}
