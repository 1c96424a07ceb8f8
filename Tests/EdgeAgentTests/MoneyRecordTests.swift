// Money written down by hand: read strictly, shown before it is written, written once.
import EdgeAgent
import Ledger
import Testing
import Trading
import Values
import Views
import Wire

struct MoneyRecordTests {
    private static let id = CommandID(bytes: [UInt8](repeating: 7, count: 16))

    private func ask(_ rig: AgentRig, _ body: JSONValue) throws -> LocalVerdict {
        let id = try #require(Self.id)
        let call = LocalRequest(method: "POST", path: "/api/v1/ledger/record", query: [:], body: JSONWriter.plain(body), commandID: id)
        return LocalAPI.handle(call, agent: rig.agent, picture: try picture(rig), at: rig.now)
    }

    private func picture(_ rig: AgentRig) throws -> EdgePicture {
        EdgePicture(
            id: AgentRig.edge, name: "edge", book: rig.agent.desk.book, live: rig.agent.desk.live,
            link: LinkPicture(state: .live, announced: Seq(0), acked: Seq(0)), milestones: Milestones())
    }

    private func detail(_ verdict: LocalVerdict) -> String? { if case .problem(let problem) = verdict { problem.detail } else { nil } }

    @Test func aDepositIsShownThenWrittenOnceAndStandsInTheBalances() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        guard case .answer(let preview) = try ask(rig, ["kind": "deposit", "amount": "1250.75", "currency": "USD", "note": "n", "preview": true])
        else { Issue.record("no preview"); return }
        #expect(preview["lines"]?.elements?.map { $0["account"]?.text } == ["cash:DU1", "transfer:DU1"])
        #expect(preview["text"]?.text?.hasPrefix("deposit of 1250.75 USD in account DU1 at ") == true)
        #expect(rig.agent.desk.book.balances == Balances(), "a preview writes nothing")
        for _ in 0..<2 {
            guard case .record(let fact, let command) = try ask(rig, ["kind": "deposit", "amount": "1250.75", "currency": "USD"]) else {
                Issue.record("no record"); return
            }
            try rig.turn([.desk(.record(fact, command: command))])
        }
        #expect(rig.agent.desk.book.balances.total(.cash, "USD") == 125_075_000_000)
        let read = LocalRequest(method: "GET", path: "/api/v1/balances", query: [:], body: [], commandID: try #require(Self.id))
        guard case .answer(let value) = LocalAPI.handle(read, agent: rig.agent, picture: try picture(rig), at: rig.now) else {
            Issue.record("no balances"); return
        }
        #expect(value["balances"]?.elements?.map { $0["amount"]?.text } == ["1250.75", "-1250.75"])
    }

    /// A key of another form is refused: with an id of its own each repetition would be written once more.
    @Test func whoSendsAKeyIsNamedByIt() throws {
        let id = try #require(Self.id)
        #expect(LocalAPI.id(key: "\(id)") == id && LocalAPI.id(key: "07070707-0707-0707-0707-070707070707") == id)
        for key in ["", "deposit-2026-11", "0707", "\(id)07", " \(id)"] { #expect(LocalAPI.id(key: key) == nil, "\(key)") }
        #expect(try #require(LocalAPI.id(key: nil)) != #require(LocalAPI.id(key: nil)))
    }

    @Test func everyKindHasItsSignAndItsAccounts() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        let expected: [(JSONValue, [String])] = [
            (["kind": "withdrawal", "amount": "5", "currency": "USD"], ["cash:DU1 -500000000", "transfer:DU1 500000000"]),
            (["kind": "dividend", "amount": "5", "currency": "USD"], ["cash:DU1 500000000", "dividend:DU1 -500000000"]),
            (["kind": "interest", "amount": "-5", "currency": "USD"], ["cash:DU1 -500000000", "interest:DU1 500000000"]),
            (["kind": "fee", "amount": "5", "currency": "USD", "account": "U7", "at": "2026-11-01"], ["cash:U7 -500000000", "fee:U7 500000000"]),
            (
                ["kind": "borrow-fee", "amount": "0.75", "currency": "USD", "instrument": "NVDA.NASDAQ"],
                ["cash:DU1 -75000000", "fee:DU1 75000000"]
            ),
            (
                ["kind": "exchange", "amount": "108", "currency": "USD", "toAmount": "100", "toCurrency": "EUR"],
                ["cash:DU1 -10800000000", "trading:DU1 10800000000", "cash:DU1 10000000000", "trading:DU1 -10000000000"]
            ),
        ]
        for (body, lines) in expected {
            guard case .record(let fact, _) = try ask(rig, body) else { Issue.record("\(body)"); continue }
            #expect(rig.agent.desk.book.postings(of: fact).lines.map { "\($0.account) \($0.amount)" } == lines)
            guard case .borrowFee(let move) = fact else { continue }
            #expect(move.instrument == InstrumentID("NVDA.NASDAQ"), "what was borrowed stands with its fee")
        }
    }

    @Test func whatIsNotInTheAgreedFormIsRefusedInWords() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        let good: [JSONMember] = [JSONMember("kind", "deposit"), JSONMember("amount", "5"), JSONMember("currency", "USD")]
        func refusal(_ key: String, _ value: JSONValue?) throws -> String? {
            detail(try ask(rig, .object(good.filter { $0.key != key } + (value.map { [JSONMember(key, $0)] } ?? []))))
        }
        #expect(try refusal("kind", "gift")?.contains("'kind'") == true)
        for amount: JSONValue in ["0", "-5", "1e30", "5,5", "", 5, "0.000000001"] {
            #expect(try refusal("amount", amount)?.contains("'amount'") == true)
        }
        for currency: JSONValue in ["usd", "US", "DOLLAR", 3] { #expect(try refusal("currency", currency)?.contains("'currency'") == true) }
        #expect(try refusal("at", "2099-01-01")?.contains("'at'") == true && refusal("at", "yesterday")?.contains("'at'") == true)
        #expect(try refusal("note", .string(String(repeating: "x", count: 501)))?.contains("'note'") == true)
        #expect(
            detail(try ask(rig, ["kind": "exchange", "amount": "1", "currency": "USD", "toAmount": "1", "toCurrency": "USD"]))?.contains("two")
                == true)
        #expect(rig.agent.desk.book.balances == Balances())
    }

    /// Before the broker's session stands nobody guesses whose money it is.
    @Test func withoutASessionTheAccountMustBeNamed() throws {
        let rig = try AgentRig()
        try rig.crash()
        #expect(detail(try ask(rig, ["kind": "deposit", "amount": "5", "currency": "USD"]))?.contains("account") == true)
        guard case .record = try ask(rig, ["kind": "deposit", "amount": "5", "currency": "USD", "account": "DU1"]) else {
            Issue.record("a named account is enough"); return
        }
    }
}
