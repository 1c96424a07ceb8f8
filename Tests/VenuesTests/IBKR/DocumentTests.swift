// Documents, articles and lists of the wire come whole, however long; only names and words for a person are cut.
import Testing
import Values
import Venues

struct DocumentTests {
    private static let long = "<a>" + String(repeating: "0123456789abcdef", count: 2_000) + "</a>"

    private func decode(_ fields: [String], version: Int = 178) throws -> IBMessage {
        let payload: [UInt8] = fields.flatMap { Array($0.utf8) + [0] }
        return try IBDecoder(version: version).decode(payload.span.bytes)
    }

    @Test func documentsComeWhole() throws {
        let long = Self.long
        #expect(try decode(["19", "1", long]) == .scannerParameters(xml: long))
        #expect(try decode(["51", "1", "9", long]) == .fundamentalData(requestId: 9, xml: long))
        #expect(try decode(["16", "1", "3", long]) == .advisorData(type: 3, xml: long))
        #expect(try decode(["103", "9", long]) == .advisorDataReplaced(requestId: 9, text: long))
        #expect(try decode(["104", "9", long]) == .eventMetaData(requestId: 9, json: long))
        #expect(try decode(["105", "9", long]) == .eventData(requestId: 9, json: long))
        #expect(try decode(["46", "6", "9", "62", long]) == .tickString(requestId: 9, type: 62, text: long))
    }

    /// With their escapes read: an article in another tongue would be unreadable else.
    @Test func articlesAndBulletinsComeWholeAndUnescaped() throws {
        let (long, read) = (Self.long + "\\u00fc", Self.long + "\u{00FC}")
        #expect(try decode(["83", "9", "0", long]) == .newsArticle(requestId: 9, type: 0, text: read))
        guard case .bulletin(let bulletin) = try decode(["14", "1", "9", "1", long, "NYSE"]) else { Issue.record("no bulletin"); return }
        #expect(bulletin.text == read && bulletin.exchange == "NYSE")
        guard case .newsTick(let tick) = try decode(["84", "9", "1", "BRFG", "BRFG$1", long, Self.long]) else { Issue.record("no headline"); return }
        #expect(tick.headline == read && tick.extra == Self.long)
        guard case .historicalNews(let old) = try decode(["86", "9", "t", "BRFG", "BRFG$1", long]) else { Issue.record("no headline"); return }
        #expect(old.headline == read)
    }

    /// The reason for a rejection is JSON, of which half is nothing; the words beside it end in the ledger and are cut.
    @Test func theReasonForARejectionComesWholeAndItsWordsAreCut() throws {
        guard case .error(let error) = try decode(["4", "2", "5", "201", Self.long, Self.long + "\\u00fc"]) else { Issue.record("no error"); return }
        #expect(error.rejectJSON == Self.long + "\u{00FC}")
        #expect(error.text.utf8.count <= FieldCursor.wordsBytesMax + 3 && error.text.hasSuffix("\u{2026}"))
    }

    @Test func aBondsListsComeWhole() throws {
        let list = String(repeating: "SMART,", count: 1_000)
        var fields = [
            "18", "9", "IBCID1", "BOND", "US0000", "1.5", "20301115", "", "", "", "", "0", "0", "0", Self.long, "SMART", "USD", "", "", "77", "0.001",
        ]
        fields += [list, list, "", "", "0", Self.long, "", "", "", "0", "0", list, "1", "1", "1"]
        guard case .bondDetails(_, let details) = try decode(fields) else { Issue.record("no bond"); return }
        #expect(details.orderTypes == list && details.validExchanges == list && details.marketRuleIds == list)
        #expect(details.bond?.notes == Self.long && details.bond?.description == Self.long)
    }

    @Test func aScansLegsComeWhole() throws {
        let row = ["0", "77", "SPY", "BAG", "", "0", "", "SMART", "USD", "SPY", "", "", "", "", "", Self.long]
        guard case .scannerData(_, let rows) = try decode(["20", "3", "9", "1"] + row) else { Issue.record("no scan"); return }
        #expect(rows.map(\.legs) == [Self.long])
    }
}
