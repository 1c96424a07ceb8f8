// The gateway's codes, each with the way it is taken, and the ways that end a connection or stop trading.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct NoticeTableTests {
    /// What the protocol's description says of each code that it lists.
    private static let book: [(NoticeAction, [Int64])] = [
        (.ignore, [2_107, 2_108, 2_119, 165, 300, 366, 492]),
        (.show, [2_103, 2_105, 2_157, 2_104, 2_106, 2_158, 2_109, 2_148, 2_161, 2_137, 100, 10_090, 10_167, 399, 404, 10_349]),
        (.resubscribe, [1_101, 1_102, 2_100, 101, 102, 162, 309, 317, 10_182, 10_186, 10_187, 10_189, 10_190, 10_197, 10_225, 420]),
        (
            .refuse,
            [
                103, 104, 105, 106, 107, 109, 110, 111, 135, 136, 161, 200, 201, 202, 203, 320, 321, 322, 354, 10_089, 10_168, 10_147, 10_148, 434,
                10_268, 10_269, 10_270, 10_289,
            ]
        ),
        (.reconnect, [326, 1_300, 507]), (.halt, [1_100, 2_110]),
        // Words of client libraries; a gateway does not say them.
        (.show, [501, 502, 503, 504, 505, 506]),
    ]

    @Test func everyCodeOfTheBookHasItsAction() {
        for (action, codes) in Self.book {
            for code in codes { #expect(NoticeTable.action(code) == action, "\(code)") }
        }
        #expect(Set(Self.book.map(\.0)).count == 6 && Self.book.flatMap(\.1).count == Set(Self.book.flatMap(\.1)).count)
        #expect(NoticeTable.action(321, text: "The API interface is currently in Read-Only mode.") == .halt)
        for code: Int64 in [7, 99, 598, 2_174, 9_999, 10_400, -1, .max, .min] { #expect(NoticeTable.action(code) == .show, "\(code) is not known") }
    }

    // MARK: Reconnect

    @Test(arguments: [false, true]) func aMovedPortIsFollowed(isReachable: Bool) {
        var gateway = ScriptedGateway.up()
        _ = gateway.hear()
        gateway.complain(-1, 1_300, "TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - 4007.")
        let state = gateway.hear().conditions.last
        #expect(state?.text.contains("4007") == true && gateway.wishes.last == .disconnect)
        gateway.pass(.seconds(2))
        #expect(gateway.wishes.last == .connectTo(port: 4_007))
        if isReachable { gateway.connect() }
        gateway.drop("refused")
        gateway.pass(.seconds(3))
        // Reached once, it is looked for there again; never reached, where the settings say.
        #expect(gateway.wishes.last == (isReachable ? .connectTo(port: 4_007) : .connect))
    }

    @Test func aMoveWithoutAPortIsToldAndTriedWhereItWas() {
        for text in ["moved", "to port 0", "to port 70000", "to 99999999999999999999"] {
            var gateway = ScriptedGateway.up()
            _ = gateway.hear()
            gateway.complain(-1, 1_300, text)
            #expect(gateway.hear().conditions.last?.text == text)
            gateway.pass(.seconds(12))
            #expect(gateway.wishes.last == .connect)
        }
    }

    @Test func aBrokenStreamIsMadeAnew() {
        var gateway = ScriptedGateway.up()
        gateway.complain(-1, 507, "Bad Message Length")
        #expect(gateway.hear().conditions.last?.condition == .unreachable && gateway.wishes.last == .disconnect)
        gateway.pass(.seconds(2))
        #expect(gateway.wishes.last == .connect)
    }

    /// Refused `times` times in a row with 326; gives the client ids of the logins that were tried.
    private func logins(_ gateway: inout ScriptedGateway, refused times: Int) -> [String] {
        var ids: [String] = []
        for _ in 0..<times {
            while gateway.wishes.last != .connect { gateway.pass(.seconds(1)) }
            gateway.connect()
            gateway.say(["178", "x"])
            ids += gateway.sent("71").map { $0[2] }
            gateway.complain(-1, 326, "Unable to connect as the client id is already in use.")
        }
        return ids
    }

    @Test func aClientIdThatStaysInUseGivesWayToTheNext() {
        var gateway = ScriptedGateway { $0.spareClientIDs = [8, 9] }
        #expect(logins(&gateway, refused: 14) == Array(repeating: "7", count: 6) + Array(repeating: "8", count: 6) + ["9", "9"])
        var alone = ScriptedGateway()
        #expect(logins(&alone, refused: 8) == Array(repeating: "7", count: 8))
        #expect(alone.hear().conditions.allSatisfy { !$0.cure.contains("next try") })
    }

    /// A change sent under the wrong id would be a second order.
    @Test func ordersOfAnotherClientIdAreNotTouched() {
        var gateway = ScriptedGateway({ $0.spareClientIDs = [8] }, known: [IBKRSessionNoticeTests.stock])
        _ = logins(&gateway, refused: 6)
        while gateway.wishes.last != .connect { gateway.pass(.seconds(1)) }
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["15", "1", "DU1"])
        gateway.say(["9", "1", "50"])
        gateway.pass(.seconds(1))
        #expect(gateway.sent("71").map { $0[2] } == ["8"])
        _ = gateway.hear()
        let leg = Leg(
            role: .open, instrument: IBKRSessionNoticeTests.stock.id, side: .buy, quantity: Quantity(whole: 1), ordType: .limit,
            limitPrice: Price(whole: 200), timeInForce: .day, brokerOrderID: 41)
        gateway.ask(.modify(leg, tag: ClOrdID("a"), account: "DU1"))
        gateway.ask(.cancel(brokerOrderID: 41, tag: ClOrdID("a")))
        gateway.pass(.seconds(1))
        let frames = gateway.sent()
        #expect(!frames.contains { $0[0] == "3" || $0[0] == "4" })
        #expect(gateway.hear().notices.map(\.code) == [10_147, 10_147])
    }

    // MARK: Data that was said to be kept

    @Test(arguments: [false, true]) func afterAReturnWithoutLossSilentStreamsAreAskedAnew(flows: Bool) throws {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.ask(.watch(IBKRSessionNoticeTests.stock.id))
        gateway.pass(.seconds(1))
        let quotes = try #require(gateway.sent("1").first)[2]
        gateway.complain(-1, 1_100, "lost")
        gateway.complain(-1, 1_102, "restored - data maintained")
        gateway.pass(.seconds(10))
        if flows { gateway.say(["1", "6", quotes, "4", "230.5", "100", "0"]) }
        _ = gateway.sent()
        gateway.pass(.milliseconds(19_500))
        gateway.say(["49", "1", "1"])
        #expect(gateway.sent().filter { $0[0] == "1" || $0[0] == "20" }.isEmpty)
        gateway.pass(.seconds(1))
        let frames = gateway.sent()
        #expect(frames.contains { $0[0] == "1" } == !flows && frames.contains { $0[0] == "20" } == !flows)
    }

    @Test func aStreamThatStaysSilentIsToldWithItsEnd() throws {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.ask(.watch(IBKRSessionNoticeTests.stock.id))
        for _ in 0..<5 { gateway.pass(.seconds(15), step: .seconds(1)); gateway.say(["49", "1", "1"]) }
        #expect(gateway.hear().notices.isEmpty, "one renewal is no news")
        gateway.pass(.seconds(16))
        #expect(gateway.hear().notices.map(\.code) == [Notice.silentStream])
        gateway.say(["49", "1", "1"])
        let quotes = try #require(gateway.sent("1").last)[2]
        gateway.say(["1", "6", quotes, "4", "230.5", "100", "0"])
        let end = gateway.hear().notices.last
        #expect(end?.code == Notice.silentStream && end?.text == "" && end?.instrument == IBKRSessionNoticeTests.stock.id)
    }
}
