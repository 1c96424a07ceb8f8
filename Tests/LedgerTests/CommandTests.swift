// Commands and live items through their JSON forms.
import Ledger
import Testing
import Values
import Wire

struct CommandTests {
    static var bodies: [CommandBody] {
        [
            .order(instrument: BookTests.mbt, side: .buy, size: .max, trailing: nil, reverse: false),
            .order(
                instrument: BookTests.mbt, side: .sell, size: .quantity(Quantity(whole: 2)), trailing: .percent(Ratio(raw: 50_000)), reverse: true),
            .order(instrument: BookTests.mbt, side: .sell, size: .max, trailing: .amount(Price(whole: 500)), reverse: true),
            .close(instrument: BookTests.mbt), .cancel(tag: ClOrdID("TW1X")), .halt(reason: "now"), .raise(.reducing, reason: "less"),
            .raise(.cancel, reason: "all"), .watch(instrument: BookTests.mbt),
        ]
    }

    @Test func everyCommandRoundTrips() throws {
        for body in Self.bodies {
            let command = Command(
                id: BookTests.command, edge: TestLedger.edge, boundBoot: Boot(raw: .max), issuer: "cloud:admin", tier: 2,
                issuedAt: Instant(seconds: 5),
                expiresAt: body.lifetime.map { Instant(seconds: 5) + $0 }, body: body)
            #expect(try Command(JSONReader.read(JSONWriter.canonical(command.value))) == command)
        }
    }

    /// How long each kind lives when nobody says otherwise, and the longest that an edge grants. Settings have five minutes, the kill switch for ever.
    @Test func everyKindHasItsLife() throws {
        let minute = Span.seconds(60), watch = CommandBody.watch(instrument: BookTests.mbt)
        let withdraw = CommandBody.withdraw(command: BookTests.command, boot: Boot(raw: 1), kind: "close")
        for body in Self.bodies + [withdraw] {
            switch body {
            case .order: #expect(body.lifetime == .seconds(10) && body.lifetimeMax == minute)
            case .close, .cancel, .withdraw: #expect(body.lifetime == minute && body.lifetimeMax == minute)
            case .raise: #expect(body.lifetime == nil && body.lifetimeMax == nil)
            case .watch: #expect(body.lifetime == .minutes(5) && body.lifetimeMax == .minutes(5))
            }
        }
        #expect(Set((Self.bodies + [withdraw]).map(\.kind)) == Set(CommandBody.kinds) && watch.lifetime == .seconds(300))
    }

    @Test func badCommandsAreNamed() throws {
        let good: JSONValue = [
            "id": .string(BookTests.command.description), "edge": .string(TestLedger.edge.description), "issuer": "x", "tier": 0, "issuedAt": 1,
            "kind": "order", "instrument": "A", "side": "BUY", "reverse": false,
        ]
        #expect(try Command(good).body.kind == "order")
        func with(_ key: String, _ value: JSONValue?) throws -> JSONValue {
            .object(try #require(good.members).filter { $0.key != key } + (value.map { [JSONMember(key, $0)] } ?? []))
        }
        #expect(throws: CodecError.badValue("quantity")) { try Command(with("quantity", 0)) }
        #expect(throws: CodecError.badValue("kind")) { try Command(with("kind", "explode")) }
        #expect(throws: CodecError.badValue("side")) { try Command(with("side", "LONG")) }
        #expect(throws: CodecError.missing("issuer")) { try Command(with("issuer", nil)) }
        #expect(throws: CodecError.wrongType("tier")) { try Command(with("tier", "2")) }
        #expect(throws: CodecError.badValue("id")) { try Command(with("id", "xyz")) }
        let long = JSONValue.string(String(repeating: "x", count: 100_000))
        for key in ["issuer", "instrument"] { #expect(throws: CodecError.badValue(key)) { try Command(with(key, long)) } }
        func placed(_ number: Int64, floor: Int64) throws -> JSONValue {
            .object(
                try #require(good.members) + [JSONMember("key", "k"), JSONMember("number", .integer(number)), JSONMember("floor", .integer(floor))])
        }
        #expect(try Command(placed(1 << 53, floor: 1 << 53)).place?.number == 1 << 53)
        for (number, floor) in [(Int64.max, Int64.max), (1 << 53 + 1, 1), (0, 0), (1, 0), (1, 2)] {
            #expect(throws: CodecError.badValue("number")) { try Command(placed(number, floor: floor)) }
        }
    }

    /// A halt is taken whatever its words; the ledger's body must hold them.
    @Test func aHaltsReasonIsCutNotRefused() throws {
        let halt: JSONValue = [
            "id": .string(BookTests.command.description), "edge": .string(TestLedger.edge.description), "issuer": "cloud:x", "tier": 0,
            "issuedAt": 1, "kind": "halt", "reason": .string(String(repeating: "x", count: 100_000)),
        ]
        guard case .raise(.halt, let reason) = try Command(halt).body else { Issue.record("no halt"); return }
        #expect(reason.count == 1_000)
    }

    @Test func everyLiveItemRoundTripsAndConflates() throws {
        var quote = Quote(asOf: Instant(seconds: 1))
        quote.bid = Price(whole: 1); quote.ask = Price(whole: 2); quote.isDelayed = true
        var account = AccountValues(account: "DU1", currency: "USD", asOf: Instant(seconds: 1))
        account.netLiquidation = Money(whole: 5)
        let bar = Bar(start: Instant(seconds: 60), price: Price(whole: 9), size: Quantity(whole: 1))
        let items: [LiveItem] = [
            .quote(BookTests.mbt, quote), .formingBar(BookTests.mbt, bar, asOf: Instant(seconds: 61)), .account(account),
            .margin(BookTests.mbt, ContractMargin(initial: Money(whole: 2_000), maintenance: Money(whole: 1_800), asOf: Instant(seconds: 2))),
            .gateway(GatewayState(condition: .wedged, since: Instant(seconds: 1), text: "t", cure: "c", account: "DU1", isTrading: false)),
            .bot(BotLive(bot: "b", instrument: BookTests.mbt, state: "ARMED", text: "t", asOf: Instant(seconds: 1))),
            .notice(Notice(code: 354, instrument: BookTests.mbt, text: "t", cure: "c", asOf: Instant(seconds: 1))),
            .front(symbol: "MBT", BookTests.mbt, asOf: Instant(seconds: 1)),
        ]
        var state = LiveState()
        for item in items {
            #expect(try LiveItem(JSONReader.read(JSONWriter.canonical(item.value))) == item)
            state.apply(item); state.apply(item)
        }
        #expect(state.items.count == items.count && state.quote(BookTests.mbt) == quote && state.front("MBT") == BookTests.mbt)
        for index in 0..<5_000 { state.apply(.front(symbol: "S\(index)", BookTests.mbt, asOf: Instant(seconds: 1))) }
        #expect(state.items.count == LiveState.keysMax && state.refused > 0)
    }
}
