// The edge's settings that choose among words: each is read, and what is none of them is refused with the choice.
import EdgeAgent
import Platform
import Testing
import Venues

@Suite struct EdgeSettingsTests {
    private func configuration(_ yaml: String) throws -> EdgeConfiguration {
        try EdgeConfiguration(Settings(keys: EdgeSettings.keys, flags: [:], environment: [:], file: (name: "edge.yaml", bytes: Array(yaml.utf8))))
    }

    @Test func theKindOfMarketDataIsChosen() throws {
        #expect(try configuration("name: home\n").gatewayMarketData == .live)
        for kind in MarketDataKind.allCases {
            #expect(try configuration("gateway:\n  market_data: \(kind.rawValue)\n").gatewayMarketData == kind)
        }
        #expect(
            throws: SettingsError.badValue(
                key: "gateway.market_data", value: "late", source: "edge.yaml:2", wanted: "one of live, frozen, delayed, delayed-frozen")
        ) { try configuration("gateway:\n  market_data: late\n") }
    }
}
