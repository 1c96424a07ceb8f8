// The gate before a run's first entry: how long it waits, and for what.
import EdgeAgent
import Ledger
import Sync
import Testing
import Values

struct StartGateTests {
    private static let begun = Span.seconds(100)
    private static func clock(_ after: Span) -> ClockReading { ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: begun + after) }
    private static func sender() -> Sender {
        Sender(Identity(edge: LedgerWriter.edge, boot: Boot(raw: 5), epoch: 1, release: "t", mayHeal: true), head: .start)
    }
    private static func error(_ verdict: RefusalCase) -> [UInt8] {
        Message.error(Trouble(code: verdict.rawValue, text: "t", cure: "c", ends: true)).frame(session: 0, number: 1).bytes
    }

    /// P4: the edge trades without the cloud.
    @Test func withoutAWordItStartsAfterThreeSeconds() {
        var gate = StartGate(at: Self.begun)
        let sender = Self.sender()
        #expect(gate.decide(sender, at: Self.begun + .milliseconds(2_900)) == .wait)
        #expect(gate.decide(sender, at: Self.begun + .seconds(3)) == .start)
        var short = StartGate(at: Self.begun, isShort: true)
        #expect(short.decide(sender, at: Self.begun + .seconds(59)) == .wait, "the mark says that entries are missing")
        #expect(short.decide(sender, at: Self.begun + .seconds(60)) == .start)
        #expect(gate.decide(sender, isKeyRefused: true, at: Self.begun) == .start, "turned away at the door")
    }

    @Test func aCloudThatSpeaksGetsFifteenSeconds() {
        var gate = StartGate(at: Self.begun)
        var sender = Self.sender()
        _ = sender.handle(.linkUp, at: Self.clock(.zero))
        _ = sender.handle(.frame(Message.prove(attempt: 1, seqs: []).frame(session: 0, number: 1).bytes), at: Self.clock(.milliseconds(10)))
        #expect(gate.decide(sender, at: Self.begun + .seconds(14)) == .wait)
        #expect(gate.decide(sender, at: Self.begun + .seconds(15)) == .start)
    }

    @Test(arguments: RefusalCase.allCases) func aRefusalStartsHaltedWhenAnotherHistoryMayTrade(verdict: RefusalCase) {
        var gate = StartGate(at: Self.begun)
        var sender = Self.sender()
        _ = sender.handle(.linkUp, at: Self.clock(.zero))
        _ = sender.handle(.frame(Self.error(verdict)), at: Self.clock(.milliseconds(10)))
        let halts: Set<RefusalCase> = [.edgeBehind, .rollbackUnsynced, .fork, .twin, .fenced]
        switch gate.decide(sender, at: Self.begun + .milliseconds(10)) {
        case .wait: Issue.record("waits")
        case .start: #expect(!halts.contains(verdict))
        case .startHalted(let trouble): #expect(halts.contains(verdict) && trouble.code == verdict.rawValue)
        }
    }

    /// Once it is known that entries are missing here, to write would fork the ledger for certain: it waits, link or no link.
    @Test func anEdgeThatIsBehindNeverStarts() {
        var gate = StartGate(at: Self.begun)
        var sender = Self.sender()
        _ = sender.handle(.linkUp, at: Self.clock(.zero))
        let have = Head(seq: Seq(9), hash: [UInt8](repeating: 1, count: 32))
        _ = sender.handle(.frame(Message.behind(attempt: 1, have: have).frame(session: 0, number: 1).bytes), at: Self.clock(.milliseconds(10)))
        #expect(sender.phase == .healing(upTo: Seq(9)) && gate.decide(sender, at: Self.begun + .milliseconds(10)) == .wait)
        _ = sender.handle(.linkDown, at: Self.clock(.milliseconds(20)))
        #expect(gate.decide(sender, at: Self.begun + .seconds(3_600)) == .wait)
        // The word and the end of the connection in one breath.
        var late = StartGate(at: Self.begun)
        #expect(late.decide(sender, at: Self.begun + .seconds(3_600)) == .wait)
        var other = StartGate(at: Self.begun, mustHear: true)
        #expect(other.decide(Self.sender(), at: Self.begun + .seconds(3_600)) == .wait)
    }
}
