// The session's connection by scripted bytes: greeting, login, timeouts, splits, garbage, and what comes between two connections.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct IBKRSessionConnectionTests {
    @Test func itGreetsLogsInAndIsReady() {
        var gateway = ScriptedGateway()
        #expect(gateway.wishes == [.connect] && gateway.hear().conditions.map(\.condition) == [.connecting])
        gateway.connect()
        #expect(gateway.greetings == 1)
        gateway.say(["178", "20261120 10:00:00 US/Eastern"])
        #expect(gateway.sent() == [["71", "2", "7", ""]])
        gateway.say(["15", "1", "DU1,"])
        #expect(gateway.hear().readies.isEmpty, "an account without an order id is not yet a login")
        gateway.say(["9", "1", "41"])
        let heard = gateway.hear()
        #expect(heard.conditions.map(\.condition) == [.connected] && heard.conditions.first?.account == "DU1" && heard.readies == [41])
    }

    @Test func itOffersTheConfiguredMaximum() {
        var session = IBKRSession(
            settings: IBKRSettings(clientID: 1, mode: .paper, maximumVersion: 163, zones: ScriptedGateway.zones), instruments: [], nextOrderID: 1,
            random: SeededRandom(seed: 1))
        var out = SessionOutput()
        session.start(at: noon, into: &out)
        out.clear()
        session.transport(.connected, at: noon, into: &out)
        #expect(out.bytes == Array("API\0".utf8) + [0, 0, 0, 9] + Array("v157..163".utf8))
    }

    /// The gateway's own number goes back after its restart: ids that our ledger used stay used.
    @Test(arguments: [(1, 500, [Int64(500)]), (900, 500, [900])]) func theOrderIdOnlyRises(gateway next: Int, ledger: Int64, ready: [Int64]) {
        var gateway = ScriptedGateway(nextOrderID: ledger)
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["9", "1", String(next)])
        gateway.say(["15", "1", "DU1"])
        #expect(gateway.hear().readies == ready)
        gateway.say(["9", "1", "3"])
        #expect(gateway.hear().floors.isEmpty)
        gateway.say(["9", "1", "1000"])
        #expect(gateway.hear().floors == [1_000])
    }

    @Test func aNoticeMayComeBeforeTheGreeting() {
        var gateway = ScriptedGateway()
        gateway.connect()
        gateway.say(["4", "2", "-1", "2104", "Market data farm connection is OK:usfarm", ""])
        #expect(gateway.sent().isEmpty)
        gateway.say(["178", "20261120 10:00:00 Kürzel"])
        #expect(gateway.sent() == [["71", "2", "7", ""]])
    }

    /// Frames may be cut anywhere: the events are the same for every place of one cut, and byte by byte.
    @Test func aStreamSplitAtEveryByteGivesTheSameEvents() {
        let frames: [[String]] = [
            ["178", "20261120 10:00:00 US/Eastern"], ["4", "2", "-1", "2104", "OK:usfarm", ""], ["15", "1", "DU1"], ["9", "1", "5"], ["4711", "x"],
            ["4", "2", "-1", "2103", "broken:usfarm", ""], ["6", "2", "AvailableFunds", "1000.50", "USD", "DU1"], ["54", "1", "DU1"],
        ]
        let stream = frames.flatMap(ScriptedGateway.frame)
        func events(_ parts: [ArraySlice<UInt8>]) -> [VenueEvent] {
            var gateway = ScriptedGateway()
            gateway.connect()
            for part in parts { gateway.say(bytes: Array(part)) }
            return gateway.hear()
        }
        let whole = events([stream[...]])
        #expect(whole.readies == [5] && whole.notices.map(\.code) == [Notice.gatewayUnreadable, 2_103])
        for cut in 1..<stream.count where events([stream[..<cut], stream[cut...]]) != whole { Issue.record("cut at \(cut)") }
        #expect(events(stream.indices.map { stream[$0...$0] }) == whole)
    }

    // MARK: Timeouts

    @Test func eachPhaseHasItsTimeoutAndItsWords() {
        var silent = ScriptedGateway()
        _ = silent.hear()
        silent.pass(.seconds(11))
        #expect(silent.hear().conditions.first?.condition == .unreachable && silent.wishes.prefix(2) == [.connect, .disconnect])

        var wedged = ScriptedGateway()
        wedged.connect()
        _ = wedged.hear()
        wedged.pass(.milliseconds(4_900))
        #expect(wedged.hear().isEmpty)
        wedged.pass(.milliseconds(200))
        let state = wedged.hear().conditions.first
        #expect(state?.condition == .wedged && state?.cure.contains("Restart") == true)

        var mute = ScriptedGateway()
        mute.connect()
        mute.say(["178", "x"])
        mute.say(["9", "1", "1"])
        _ = mute.hear()
        mute.pass(.seconds(16))
        #expect(mute.hear().conditions.first?.condition == .refusing)

        var emptyAccounts = ScriptedGateway()
        emptyAccounts.connect()
        emptyAccounts.say(["178", "x"])
        emptyAccounts.say(["15", "1", ""])
        emptyAccounts.say(["9", "1", "1"])
        #expect(emptyAccounts.hear().readies.isEmpty)
    }

    @Test(arguments: [(0, "does not answer"), (1, "at the greeting"), (2, "at login"), (3, "was lost")])
    func aClosedConnectionIsToldByWhereItHappened(stage: Int, words: String) {
        var gateway = ScriptedGateway()
        if stage > 0 { gateway.connect() }
        if stage > 1 { gateway.say(["178", "x"]) }
        if stage > 2 { gateway.say(["15", "1", "DU1"]); gateway.say(["9", "1", "1"]) }
        _ = gateway.hear()
        gateway.drop("reset by peer")
        let state = gateway.hear().conditions.last
        #expect(state?.text.contains(words) == true && state?.text.contains("reset by peer") == true && state?.isTrading == false)
        // A second word of the same end changes nothing.
        gateway.drop("again")
        #expect(gateway.hear().isEmpty)
    }

    @Test(arguments: ["156", "179", "99999999999", "-1"]) func aVersionOutsideOurRangeIsRefused(version: String) {
        var gateway = ScriptedGateway()
        gateway.connect()
        gateway.say([version, "x"])
        let state = gateway.hear().conditions.last
        #expect(state?.condition == .refusing && state?.text.contains("protocol version") == true && gateway.wishes.last == .disconnect)
        #expect(gateway.sent().isEmpty)
    }

    @Test func garbageEndsTheConnectionAndNothingAfterItIsRead() {
        var gateway = ScriptedGateway.up()
        _ = gateway.hear()
        gateway.say(bytes: [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3] + ScriptedGateway.frame(["9", "1", "77"]))
        let heard = gateway.hear()
        #expect(heard.conditions.map(\.condition) == [.refusing] && heard.floors.isEmpty && gateway.wishes.last == .disconnect)
        gateway.say(["9", "1", "88"])
        #expect(gateway.hear().isEmpty, "bytes of a connection that is over")
    }

    @Test func unknownAndUnreadableMessagesAreSkippedAndCounted() {
        var gateway = ScriptedGateway.up()
        _ = gateway.hear()
        gateway.say(["4711", "a", "b"])
        gateway.say(["4711"])
        gateway.say(["3", "x"])
        gateway.say([""])
        gateway.say(["11"])
        #expect(gateway.session.unknownMessages == [4_711: 2] && gateway.session.malformedMessages == 3)
        let told = gateway.hear().notices
        #expect(told.map(\.code) == [5, 5, 5] && told.map { $0.text.contains("4711") } == [true, false, false], "each kind is told once")
        gateway.say(["9", "1", "50"])
        #expect(gateway.hear().floors == [50], "the session goes on")
    }

    // MARK: Reconnecting

    @Test func waitsDoubleUpToTheirBoundWithFullJitter() {
        func waits(seed: UInt64) -> [Int64] {
            var gateway = ScriptedGateway(seed: seed)
            var waits: [Int64] = []
            for _ in 0..<14 {
                gateway.drop("refused")
                let tries = gateway.wishes.count
                let since = gateway.now
                while gateway.wishes.count == tries { gateway.pass(.milliseconds(10), step: .milliseconds(10)) }
                waits.append((gateway.now - since).nanoseconds / 1_000_000)
            }
            return waits
        }
        let runs = (1...12).map { waits(seed: UInt64($0)) }
        for run in runs {
            for (index, wait) in run.enumerated() { #expect(wait <= min(30_000, 100 << Int64(min(index, 12))) + 20) }
        }
        #expect(Set(runs.map { $0[10] / 1_000 }).count > 4, "jitter spreads the waits")
        #expect(runs.contains { $0[12] > 15_000 } && waits(seed: 3) == runs[2])
    }

    @Test func theSameClientIdWaitsASecondAndA326Longer() {
        var gateway = ScriptedGateway.up()
        gateway.drop()
        gateway.pass(.milliseconds(900))
        #expect(gateway.wishes == [.connect])
        gateway.pass(.milliseconds(300))
        #expect(gateway.wishes == [.connect, .connect])
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.complain(-1, 326, "Unable to connect as the client id is already in use.")
        #expect(gateway.hear().conditions.last?.text.contains("Client id 7") == true)
        gateway.pass(.seconds(9))
        #expect(gateway.wishes == [.connect, .connect, .disconnect])
        gateway.pass(.seconds(5))
        #expect(gateway.wishes.last == .connect)
    }

    @Test func everyConnectionIsAGenerationAndAReadyResetsTheWaits() {
        var gateway = ScriptedGateway.up()
        for round in 2...5 {
            gateway.drop()
            gateway.pass(.seconds(2))
            gateway.connect()
            gateway.say(["178", "x"])
            gateway.say(["15", "1", "DU1"])
            gateway.say(["9", "1", "1"])
            let generations = gateway.hear().compactMap { if case .ready(_, let generation, _) = $0 { generation } else { nil } }
            #expect(generations.last == Int64(round))
        }
    }

    // MARK: Liveness

    @Test func aSilentGatewayIsAskedForTheTimeAndThenGivenUp() {
        var gateway = ScriptedGateway.up()
        gateway.pass(.milliseconds(29_900))
        _ = gateway.sent()
        _ = gateway.hear()
        gateway.pass(.milliseconds(300))
        #expect(gateway.sent() == [["49", "1"]])
        gateway.pass(.seconds(5))
        gateway.say(["49", "1", "1795186835"])
        gateway.pass(.seconds(29))
        #expect(gateway.hear().isEmpty && gateway.sent().isEmpty)
        gateway.pass(.seconds(12))
        let state = gateway.hear().conditions.last
        #expect(state?.condition == .unreachable && state?.text.contains("said nothing") == true && gateway.wishes.contains(.disconnect))
    }
}
