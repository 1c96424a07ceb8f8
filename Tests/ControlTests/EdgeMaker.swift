// An edge's ledger written by the real chain, for the tests of the control room.
import Ledger
import Values
import Wire

/// Writes facts as one run of an edge would.
struct EdgeMaker {
    let id: EdgeID
    private(set) var chain: Chain
    private(set) var entries: [Entry] = []
    private var wall: Instant
    static let start = Instant(seconds: 1_796_135_400)

    init(id: EdgeID = EdgeMaker.id(1), boot: UInt64 = 7, after last: Entry? = nil, at wall: Instant = EdgeMaker.start) {
        self.id = id; self.wall = wall
        chain = Chain(edge: id, boot: Boot(raw: boot), last: last)
        write(.boot(BootFact(version: "0.1.0", mode: .paper, machine: "aa", kernelBoot: "bb", configuration: "cc")))
    }

    static func id(_ number: UInt8) -> EdgeID {
        guard let id = EdgeID(bytes: [UInt8](repeating: number, count: 16)) else { preconditionFailure("16 bytes") }
        return id
    }

    static func command(_ number: UInt8) -> CommandID {
        guard let id = CommandID(bytes: [UInt8](repeating: number, count: 16)) else { preconditionFailure("16 bytes") }
        return id
    }

    /// A decision that ended some lineage.
    static var lineage: LineageFact {
        let none = Head(seq: Seq(0), hash: [UInt8](repeating: 0, count: 32))
        return LineageFact(oldEpoch: 1, other: .sealed(none), ours: none, decidedBy: "cloud:admin")
    }

    @discardableResult mutating func write(_ fact: Fact) -> Entry {
        wall = wall + .milliseconds(1)
        do {
            let entry = try chain.append(Draft(fact), at: ClockReading(wall: wall, monotonic: wall - Instant(seconds: 0)))
            entries.append(entry)
            return entry
        } catch { preconditionFailure("\(error)") }
    }

    /// One market order in one ticket; the answer is its tag.
    @discardableResult mutating func intent(command: CommandID?, role: LegRole = .open, quantity: Int64 = 3) -> ClOrdID {
        let leg = Leg(
            role: role, instrument: InstrumentID("MBTZ6.CME"), side: .buy, quantity: Quantity(whole: quantity), ordType: .market, timeInForce: .day,
            brokerOrderID: Int64(entries.count))
        let entry = write(.intent(Ticket(account: "DU1", origin: .manual, command: command, reason: "test", legs: [leg])))
        return ClOrdID(edge: id, intent: IntentID(boot: entry.boot, seq: entry.seq), leg: 0)
    }

    mutating func fill(_ tag: ClOrdID, quantity: Int64 = 3) {
        let size = Quantity(whole: quantity)
        write(
            .fill(
                Fill(
                    execID: "e\(entries.count)", tag: tag, account: "DU1", instrument: InstrumentID("MBTZ6.CME"), side: .buy, lastQty: size,
                    lastPx: Price(whole: 98_335), cumQty: size, permID: 1, transactTime: wall)))
    }

    mutating func accept(_ command: CommandID, kind: String = "order", code: String = "done") {
        write(.commandAccepted(CommandOutcome(command: command, kind: kind, issuer: "cloud:admin", code: code, text: "")))
    }

    mutating func refuse(_ command: CommandID, code: String) {
        write(.commandRefused(CommandOutcome(command: command, kind: "order", issuer: "cloud:admin", code: code, text: "Refused: \(code).")))
    }
}
