// The session through bad days of the simulated gateway: refused logins, hangs, link losses, silent streams, too many messages.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionWeatherTests {
    @Test func aWedgedGatewayIsToldWithinSecondsAndTriedAgainWithPatience() throws {
        var bench = try SessionBench(GatewaySettings(switches: [.wedge]))
        bench.pass(.seconds(6))
        let first = bench.hear().conditions
        #expect(first.map(\.condition) == [.connecting, .wedged] && first.last?.cure.contains("Restart") == true)
        bench.pass(.minutes(2))
        #expect((4...12).contains(bench.connections), "\(bench.connections) connections")
        #expect(bench.hear().conditions.allSatisfy { $0.condition == .wedged })
    }

    @Test func aClientIdInUseIsWaitedFor() throws {
        var bench = try SessionBench(GatewaySettings(switches: [.clientIdInUse(times: 2)]))
        bench.pass(.seconds(1))
        let refused = bench.hear().conditions.last
        #expect(refused?.condition == .refusing && refused?.text.contains("7") == true && refused?.text.contains("in use") == true)
        bench.pass(.seconds(60))
        #expect(bench.hear().generations == [1] && bench.connections == 3)
    }

    @Test func aLiveAccountInPaperModeIsShownAndNeverTradedOn() throws {
        var bench = try SessionBench(GatewaySettings(account: "U7654321"))
        bench.pass(.seconds(5))
        let heard = bench.hear()
        let state = try #require(heard.conditions.last)
        #expect(state.condition == .wrongAccount && state.account == "U7654321" && state.text.contains("live account") && !state.cure.isEmpty)
        #expect(heard.generations.isEmpty && heard.instruments.isEmpty)
        let id = try bench.place([leg(.buy, 1, of: InstrumentID("AAPL.NASDAQ"))], account: "U7654321")[0]
        bench.ask(.snapshot)
        bench.pass(.seconds(5))
        let after = bench.hear()
        #expect(after.orders(id).map(\.status) == [.rejected] && after.snapshots.isEmpty && bench.gateway.exchange.orders.isEmpty)
        #expect(after.contains { if case .snapshotFailed = $0 { true } else { false } })
        var live = try SessionBench(GatewaySettings(account: "U7654321"), mode: .live)
        live.pass(.seconds(1))
        #expect(live.hear().generations == [1])
        var wrong = try SessionBench(mode: .live)
        wrong.pass(.seconds(1))
        #expect(wrong.hear().conditions.last?.condition == .wrongAccount)
        var other = try SessionBench(account: "DU999")
        other.pass(.seconds(1))
        #expect(other.hear().conditions.last?.text.contains("DU999") == true)
    }

    @Test func aGatewayThatIsNotThereIsTriedForEverAndNotHammered() throws {
        var bench = try SessionBench()
        bench.isGatewayGone = true
        bench.cut("reset by peer")
        _ = bench.hear()
        let before = bench.connections
        bench.pass(.minutes(10), step: .seconds(1))
        #expect(bench.hear().conditions.last?.condition == .unreachable && bench.connections == before)
        bench.isGatewayGone = false
        bench.pass(.seconds(31))
        #expect(bench.hear().generations == [2])
    }

    @Test(arguments: [false, true]) func afterALinkLossStreamsComeBackAndANewGenerationBegins(dataLost: Bool) throws {
        var bench = try SessionBench.ready()
        _ = bench.hear()
        bench.suffer(.linkLost)
        #expect(bench.hear().conditions.map(\.condition) == [.brokerLinkDown])
        let id = try bench.place([leg(.buy, 1)])[0]
        #expect(bench.hear().orders(id).map(\.status) == [.rejected])
        bench.pass(.seconds(20))
        #expect(bench.hear().quotes(SessionBench.front).isEmpty)
        bench.suffer(.linkRestored(dataLost: dataLost))
        bench.pass(.seconds(10))
        let back = bench.hear()
        #expect(back.generations == [2] && back.conditions.last?.condition == .connected && !back.quotes(SessionBench.front).isEmpty)
        let histories = back.filter { if case .bars(_, _, true) = $0 { true } else { false } }.count
        #expect(histories == (dataLost ? 1 : 0))
        #expect(bench.connections == 1)
    }

    /// The gateway says that data was kept and it was not: silence is noticed and the stream asked for anew.
    @Test func aStreamThatDiedSilentlyIsAskedForAgain() throws {
        var bench = try SessionBench.ready()
        _ = bench.hear()
        bench.forgetStreams()
        bench.pass(.seconds(29))
        let quiet = bench.hear().quotes(SessionBench.front)
        bench.pass(.seconds(5))
        #expect(quiet.isEmpty && !bench.hear().quotes(SessionBench.front).isEmpty)
    }

    @Test func theSameBarsComeAfterAReconnect() throws {
        var bench = try SessionBench.ready()
        _ = bench.hear()
        bench.cut()
        bench.pass(.seconds(10))
        let heard = bench.hear()
        #expect(heard.generations == [2] && heard.contains { if case .bars(SessionBench.front, _, true) = $0 { true } else { false } })
        #expect(!heard.quotes(SessionBench.front).isEmpty)
    }

    @Test func aHundredOrdersAtOnceArePacedAndNoneIsLost() throws {
        var bench = try SessionBench.ready()
        let mark = try #require(bench.hear().quotes(SessionBench.front).last?.mark)
        let low = mark.raw / 100_000_000 / 5 * 5 - 4_000
        var ids: [Int64] = []
        for _ in 0..<100 { ids += try bench.place([leg(.buy, 1, .limit, limit: low)]) }
        let begun = bench.hear()
        let first = begun.sent
        #expect((1...40).contains(first.count))
        // A cancel overtakes what waits; an order that has not left is taken back without a word to the broker.
        bench.ask(.cancel(brokerOrderID: ids[0], tag: ClOrdID("a")))
        bench.ask(.cancel(brokerOrderID: ids[99], tag: ClOrdID("b")))
        bench.pass(.seconds(4))
        let heard = bench.hear()
        #expect(first + heard.sent == Array(ids.dropLast()) && !heard.notices.contains { $0.code == 100 })
        #expect(heard.orders(ids[0]).last?.status == .canceled && heard.orders(ids[99]).map(\.status) == [.rejected])
        // The broker works twenty of one side and contract, and turns the others down: each of them reached it.
        let told = Set((begun.orders + heard.orders).map(\.brokerOrderID))
        #expect(ids.allSatisfy { told.contains($0) } && (20...21).contains(bench.gateway.exchange.orders.count))
    }

    /// Orders that still wait for the pacer when the connection ends never left: that is certain, and told.
    @Test func ordersThatDidNotLeaveBeforeTheEndAreRefused() throws {
        var bench = try SessionBench.ready()
        let mark = try #require(bench.hear().quotes(SessionBench.front).last?.mark)
        let low = mark.raw / 100_000_000 / 5 * 5 - 4_000
        var ids: [Int64] = []
        for _ in 0..<60 { ids += try bench.place([leg(.buy, 1, .limit, limit: low)]) }
        bench.cut()
        let heard = bench.hear()
        let waiting = Array(ids.dropFirst(heard.sent.count))
        #expect(!waiting.isEmpty && waiting.allSatisfy { id in heard.orders(id).map(\.status) == [.rejected] })
        let taken = bench.gateway.exchange.orders.count
        bench.pass(.seconds(10))
        #expect(taken == 20 && bench.gateway.exchange.orders.count == taken, "nothing of them goes out later")
    }

    @Test func theSameSeedGivesTheSameEvents() throws {
        func run() throws -> [VenueEvent] {
            var bench = try SessionBench.ready(GatewaySettings(switches: [.dropEvery(.seconds(7))]), seed: 5)
            try bench.place([leg(.buy, 25)])
            bench.pass(.seconds(30))
            return bench.hear()
        }
        let events = try run()
        #expect(try run() == events && events.generations.count > 3)
    }
}
