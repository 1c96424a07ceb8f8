// The table of deviations holds what the recorded files of this tree need, and nothing more; and none of those files was lost.
import Testing

@Suite struct DeviationTableTests {
    @Test func everyRowIsNeededByARecordedFrame() throws {
        #expect(try InboundRun.result.get().unusedRows.isEmpty)
        #expect(try OutboundRun.result.get().unusedRows.isEmpty)
    }

    @Test func allRecordedFramesAreCompared() throws {
        let inbound = try InboundRun.result.get().tally
        #expect(inbound.total("compared") >= 264 + 86 && inbound.total("skipped") == 0)
        let outbound = try OutboundRun.result.get().tally
        #expect(outbound.total("compared") >= 960 && outbound.total("skipped") == 79)
        #expect(outbound.total("refused as the other client did") >= 17)
    }

    /// A row must not excuse what it does not name.
    @Test func rowsExcuseNothingElse() throws {
        let table = try DeviationTable()
        func excuses(_ field: String, _ client: String, _ version: Int, _ kind: String) -> Bool {
            table.allows([.values], client: client, version: version, kind: kind, isOutbound: false, field: field) {
                !Set(["7"]).isDisjoint(with: $0.ours) || $0.ours.contains("any")
            }
        }
        #expect(excuses("duration", "ib_async", 158, "5"))
        #expect(!excuses("duration", "ib_async", 159, "5") && !excuses("duration", "nautilus-ibapi", 158, "5"))
        #expect(!excuses("duration", "ib_async", 158, "101") && !excuses("postToAts", "ib_async", 158, "5"))
        #expect(table.used == ["duration158"])
    }
}

/// What a comparison came to.
struct VectorSummary: Sendable {
    let tally: Tally
    let failures: [String]
    /// Rows of its half of the table that no frame needed.
    let unusedRows: [String]

    init(_ run: InboundRun) { (tally, failures, unusedRows) = (run.tally, run.failures, run.table.unused(isOutbound: false)) }
    init(_ run: OutboundRun) { (tally, failures, unusedRows) = (run.tally, run.failures, run.table.unused(isOutbound: true)) }
}
