// An Idempotency-Key that comes again at the edge's own API: the same wish hears its fate, another one is refused in words.
import EdgeAgent
import Ledger
import Testing
import Trading
import Values
import Views
import Wire

@Suite struct RepeatedKeyTests {
    private let id: CommandID
    init() throws { id = try #require(CommandID(bytes: [UInt8](repeating: 7, count: 16))) }

    private func call(_ path: String, _ body: JSONValue) -> LocalRequest {
        LocalRequest(method: "POST", path: "/api/v1/" + path, query: [:], body: JSONWriter.plain(body), commandID: id)
    }
    private func ask(_ rig: AgentRig, _ path: String, _ body: JSONValue) -> LocalVerdict {
        let picture = EdgePicture(
            id: AgentRig.edge, name: "edge", book: rig.agent.desk.book, live: rig.agent.desk.live,
            link: LinkPicture(state: .live, announced: Seq(0), acked: Seq(0)), milestones: Milestones())
        return LocalAPI.handle(call(path, body), agent: rig.agent, picture: picture, at: rig.now)
    }
    /// Does what the shell does with a verdict.
    private func done(_ rig: AgentRig, _ verdict: LocalVerdict) throws -> Bool {
        switch verdict {
        case .command(let command, _): try rig.turn([.command(command, deadline: nil)])
        case .record(let fact, let command): try rig.turn([.desk(.record(fact, command: command))])
        default: return false
        }
        return true
    }
    private func isRefused(_ verdict: LocalVerdict) -> Bool {
        guard case .problem(let problem) = verdict else { return false }
        return problem.status == 422 && problem.name == "key-reused" && problem.detail?.contains("another wish") == true
    }

    @Test func anotherKindOfCommandIsRefused() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        #expect(try done(rig, ask(rig, "kill", ["level": "HALT", "reason": "r"])))
        #expect(try done(rig, ask(rig, "kill", ["level": "HALT", "reason": "r"])), "the same wish hears its fate")
        #expect(isRefused(ask(rig, "kill", ["level": "CANCEL", "reason": "r"])))
        #expect(isRefused(ask(rig, "positions/NVDA.NASDAQ/close", [:])))
        #expect(isRefused(ask(rig, "ledger/record", ["kind": "deposit", "amount": "5", "currency": "USD"])))
    }

    /// What was written down is compared with the ledger: a repetition without a day is of another moment, and the same wish.
    @Test func otherMoneyIsRefused() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        let first: JSONValue = ["kind": "deposit", "amount": "1250.75", "currency": "USD", "note": "n"]
        #expect(try done(rig, ask(rig, "ledger/record", first)))
        try rig.settle(seconds: 2)
        #expect(try done(rig, ask(rig, "ledger/record", first)))
        #expect(rig.agent.desk.book.balances.total(.cash, "USD") == 125_075_000_000, "once")
        let others: [JSONValue] = [
            ["kind": "deposit", "amount": "1250.76", "currency": "USD", "note": "n"],
            ["kind": "deposit", "amount": "1250.75", "currency": "EUR", "note": "n"],
            ["kind": "withdrawal", "amount": "1250.75", "currency": "USD", "note": "n"],
            ["kind": "interest", "amount": "1250.75", "currency": "USD", "note": "n"],
            ["kind": "deposit", "amount": "1250.75", "currency": "USD"],
            ["kind": "deposit", "amount": "1250.75", "currency": "USD", "note": "n", "at": "2026-11-01"],
            ["kind": "exchange", "amount": "1250.75", "currency": "USD", "toAmount": "1", "toCurrency": "EUR", "note": "n"],
        ]
        for other in others { #expect(isRefused(ask(rig, "ledger/record", other)), "\(other)") }
        #expect(isRefused(ask(rig, "kill", [:])))
    }

    /// A command that the cloud sent has its id too.
    @Test func aKeyOfTheCloudsIsRefused() throws {
        let rig = try AgentRig()
        try rig.settle(seconds: 2)
        let theirs = Command(
            id: id, edge: AgentRig.edge, boundBoot: rig.agent.desk.book.bootID, issuer: "cloud:ann", tier: 0, issuedAt: rig.now, expiresAt: nil,
            body: .halt(reason: "r"))
        try rig.turn([.command(theirs, deadline: nil)])
        #expect(rig.agent.desk.book.commands[id]?.code == "done")
        #expect(isRefused(ask(rig, "kill", ["level": "HALT", "reason": "r"])))
    }

    /// In one process a key stands for every byte of its wish, before the ledger has heard of it.
    @Test func aProcessKnowsTheWishes() {
        var keys = WishKeys()
        func fits(_ call: LocalRequest) -> Bool { keys.fits(call) }
        let halt = call("kill", ["reason": "a"])
        for _ in 0..<2 { #expect(fits(halt)) }
        #expect(!fits(call("kill", ["reason": "b"])) && !fits(call("positions/A/close", ["reason": "a"])))
        // The last thousand are known.
        for number in 0..<1_024 {
            let bytes = (0..<16).map { UInt8(truncatingIfNeeded: number >> ($0 < 2 ? 8 * $0 : 0)) }
            guard let other = CommandID(bytes: bytes) else { return }
            #expect(fits(LocalRequest(method: "POST", path: "/x", query: [:], body: [], commandID: other)))
        }
        #expect(fits(call("kill", ["reason": "b"])))
    }
}
