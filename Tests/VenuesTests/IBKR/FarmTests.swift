// Broken data farms are told beside the instruments whose data they serve, and taken back when they work again.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct FarmTests {
    private static let stock = IBKRSessionNoticeTests.stock
    private static let future = Instrument(
        id: InstrumentID("MBTX6.CME"), symbol: "MBT", securityType: .future, exchange: "CME", currency: "USD", localSymbol: "MBTX6",
        tradingClass: "MBT", multiplier: Quantity(whole: 1), minPriceIncrement: Price(whole: 5), lotStep: Quantity(whole: 1),
        maturityDate: CivilDate("20261127"), brokerContractID: 712_565_900)

    private func watching() -> ScriptedGateway {
        var gateway = ScriptedGateway.up(known: [Self.stock, Self.future])
        gateway.ask(.watch(Self.stock.id))
        gateway.ask(.watch(Self.future.id))
        gateway.pass(.seconds(1))
        _ = gateway.hear()
        return gateway
    }

    @Test(arguments: [
        (2_103, "Market data farm connection is broken:usfarm", ["AAPL.NASDAQ"]),
        (2_103, "Market data farm connection is broken:usfarm.nj", ["AAPL.NASDAQ"]),
        (2_103, "Market data farm connection is broken:usfuture", ["MBTX6.CME"]),
        (2_105, "HMDS data farm connection is broken:ushmds", ["AAPL.NASDAQ", "MBTX6.CME"]),
        (2_157, "Sec-def data farm connection is broken:secdefnj", ["AAPL.NASDAQ", "MBTX6.CME"]),
        (2_103, "Market data farm connection is broken:newfarm", ["AAPL.NASDAQ", "MBTX6.CME"]), (2_103, "broken", ["AAPL.NASDAQ", "MBTX6.CME"]),
    ])
    func aBrokenFarmIsToldBesideItsInstruments(code: Int, text: String, ids: [String]) {
        var gateway = watching()
        gateway.complain(-1, code, text)
        gateway.complain(-1, code, text)
        let broken = gateway.hear().notices
        #expect(broken.map(\.code) == ids.map { _ in Notice.dataFarm } && broken.compactMap(\.instrument?.text) == ids)
        #expect(broken.allSatisfy { $0.text.contains("is broken") && !$0.cure.isEmpty })
        gateway.complain(-1, code + 1, text)
        let mended = gateway.hear().notices
        #expect(mended.map(\.text) == ids.map { _ in "" } && mended.compactMap(\.instrument?.text) == ids)
        gateway.complain(-1, code + 1, text)
        #expect(gateway.hear().isEmpty)
    }

    @Test func aFarmOfOthersIsToldInGeneral() {
        var gateway = watching()
        for farm in ["eufarm", "hfarm", "jfarm", "cashfarm", "usopt"] {
            gateway.complain(-1, 2_103, "Market data farm connection is broken:\(farm)")
            let notices = gateway.hear().notices
            #expect(notices.map(\.code) == [2_103] && notices.first?.instrument == nil, "\(farm)")
        }
    }

    @Test func twoBrokenFarmsOfOneInstrumentMendOneByOne() {
        var gateway = watching()
        gateway.complain(-1, 2_103, "broken:usfarm")
        gateway.complain(-1, 2_105, "broken:ushmds")
        let both = gateway.hear().notices.last { $0.instrument == Self.stock.id }
        #expect(both?.text.contains("usfarm") == true && both?.text.contains("ushmds") == true)
        gateway.complain(-1, 2_104, "OK:usfarm")
        let one = gateway.hear().notices.last { $0.instrument == Self.stock.id }
        #expect(one?.text.contains("usfarm") == false && one?.text.contains("ushmds") == true)
        // A new connection begins with farms that work until it says otherwise.
        gateway.drop()
        gateway.pass(.seconds(3))
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["15", "1", "DU1"])
        gateway.say(["9", "1", "1"])
        #expect(gateway.hear().notices.filter { $0.code == Notice.dataFarm }.allSatisfy { $0.text.isEmpty })
    }

    /// Gateways tell of their farms right after the login, when nothing is watched yet.
    @Test func whatWasToldBeforeAnythingWasWatchedIsToldBesideIt() {
        var gateway = ScriptedGateway.up(known: [Self.stock, Self.future])
        gateway.complain(-1, 2_103, "Market data farm connection is broken:usfuture")
        #expect(gateway.hear().notices.map(\.code) == [2_103], "in general, as nothing rests on it")
        gateway.ask(.watch(Self.stock.id))
        #expect(gateway.hear().notices.isEmpty)
        gateway.ask(.watch(Self.future.id))
        let told = gateway.hear().notices
        #expect(told.map(\.code) == [Notice.dataFarm] && told.first?.instrument == Self.future.id && told.first?.text.contains("usfuture") == true)
        gateway.complain(-1, 2_104, "Market data farm connection is OK:usfuture")
        let mended = gateway.hear().notices
        #expect(mended.map(\.code) == [Notice.dataFarm, 2_103] && mended.first?.text == "" && mended.last?.cure == "", "both are taken back")
    }

    /// A farm that has nothing to do is not broken any more.
    @Test(arguments: [
        (
            2_103, "Market data farm connection is broken:usfarm.nj", 2_108,
            "Market data farm connection is inactive but should be available upon demand."
        ),
        (2_105, "HMDS data farm connection is broken:ushmds", 2_107, "HMDS data farm connection is inactive but should be available upon demand."),
    ])
    func anInactiveFarmIsNotBroken(code: Int, text: String, idle: Int, words: String) {
        for separator in ["", ":"] {
            var gateway = watching()
            let name = text.split(separator: ":").last.map(String.init) ?? ""
            gateway.complain(-1, idle, words + separator + name)
            #expect(gateway.hear().isEmpty, "nobody's business")
            gateway.complain(-1, code, text)
            #expect(gateway.hear().notices.first?.code == Notice.dataFarm)
            gateway.complain(-1, idle, words + separator + "otherfarm")
            #expect(gateway.hear().isEmpty)
            gateway.complain(-1, idle, words + separator + name)
            let notices = gateway.hear().notices
            #expect(!notices.isEmpty && notices.allSatisfy { $0.code == Notice.dataFarm && $0.text == "" })
        }
    }

    /// Ticks that come while the session was patient with a dead farm are not waited for longer than usual afterwards.
    @Test func afterTheFarmSilenceHasTheOrdinaryPatience() {
        var gateway = watching()
        gateway.complain(-1, 2_103, "broken:usfarm")
        for _ in 0..<24 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        _ = gateway.sent()
        gateway.complain(-1, 2_104, "OK:usfarm")
        for _ in 0..<3 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        #expect(gateway.sent("1").contains { $0[4] == "AAPL" }, "asked again after 30 s")
    }
}
