// Random walks over the outbox against what must hold whatever happens.
import Control
import Ledger
import Testing
import Values

@Suite struct OutboxWalkTests {
    /// What a strict onlooker remembers of each command.
    private struct Witness {
        var bound: Boot?
        var lastRow: CommandRecord?
        var sentTo: Set<UInt64> = []
        var finished: CommandRecord?
    }

    @Test(arguments: 0..<40) func rulesHoldOnEveryWalk(_ seed: Int) {
        var random = SeededRandom(seed: UInt64(seed) &* 7_919)
        var outbox = Outbox()
        var seen: [CommandID: Witness] = [:]
        var now = EdgeMaker.start
        var session: UInt64 = 0
        var boot: UInt64?
        var numbers: [[Int64]: CommandID] = [:]
        for step in 0..<400 {
            now = now + .milliseconds(Int64(random.int(0...4_000)))
            let input = self.input(step, &random, &session, &boot, outbox, now)
            if case .clockWasSet(let step) = input { now = now + step }
            let out = outbox.handle(input, at: now)
            for row in out.writes {
                seen[row.id, default: Witness()].lastRow = row
                if let bound = row.command.boundBoot {
                    #expect(seen[row.id]?.bound == nil || seen[row.id]?.bound == bound, "bound twice")
                    seen[row.id]?.bound = bound
                }
                if let finished = seen[row.id]?.finished { #expect(finished == row, "changed after its end") }
                if row.isFinal { seen[row.id]?.finished = row }
                #expect(Set(row.walk.map(\.stage)).count == row.walk.count, "a stage twice")
                #expect(row.walk.first?.stage == .queued && (row.command.boundBoot == nil || row.reached(.dispatched) != nil))
                if row.reached(.delivered) != nil { #expect(row.reached(.dispatched) != nil, "received and never sent") }
            }
            for dispatch in out.dispatches {
                let witness = seen[dispatch.command.id]
                #expect(dispatch.command.boundBoot.map(\.raw) == boot && dispatch.session == session, "sent to a run it is not bound to")
                #expect(witness?.lastRow?.command == dispatch.command, "sent before it was stored")
                #expect(witness?.finished == nil, "sent after its end")
                if let expiry = dispatch.command.expiresAt { #expect(expiry > now && dispatch.timeToLive == expiry - now) }
                if let place = dispatch.command.place {
                    let taken = numbers.updateValue(dispatch.command.id, forKey: [Int64(boot ?? 0), place.number])
                    #expect(taken == nil || taken == dispatch.command.id, "a number given twice in one run")
                }
                #expect(seen[dispatch.command.id]?.sentTo.insert(session).inserted == true, "sent twice in one session")
            }
        }
        #expect(seen.values.contains { $0.finished?.stage == .accepted || $0.finished?.stage == .filled }, "the walk never accepted anything")
    }

    private func input(
        _ step: Int, _ random: inout SeededRandom, _ session: inout UInt64, _ boot: inout UInt64?, _ outbox: Outbox, _ now: Instant
    ) -> OutboxInput {
        let edge = EdgeMaker.id(1)
        let known = outbox.order.isEmpty ? nil : outbox.order[random.int(0...(outbox.order.count - 1))]
        switch random.int(0...9) {
        case 0, 1, 2: return .place(record(step, &random, now, known.flatMap { outbox.records[$0] }))
        case 3:
            session += 1; boot = boot == nil || random.chance(1, in: 3) ? UInt64(step + 1) : boot
            return .linked(edge, session: session, boot: Boot(raw: boot ?? 1))
        case 4: return .unlinked(edge)
        case 5: return known.map { .received($0) } ?? .tick
        case 6:
            guard let known else { return .tick }
            let isAccepted = random.chance(2, in: 3)
            let code = isAccepted ? "done" : ["expired", "withdrawn", "superseded", "gap", "precondition"][random.int(0...4)]
            return .outcome(CommandOutcome(command: known, kind: "close", issuer: "cloud:a", code: code, text: "t"), accepted: isAccepted)
        case 7: return known.map { .progress($0, random.chance(1, in: 2) ? .filled : .dead(reason: "r")) } ?? .tick
        case 8: return boot.map { .settled(edge, boot: Boot(raw: $0), through: now, facts: "Held now: nothing.") } ?? .tick
        case 9 where random.chance(1, in: 8): return .clockWasSet(by: .seconds(Int64(random.int(-3_600...3_600))))
        default: return random.chance(1, in: 2) ? .tick : known.map { .withdraw($0) } ?? .tick
        }
    }

    private func record(_ step: Int, _ random: inout SeededRandom, _ now: Instant, _ other: CommandRecord? = nil) -> CommandRecord {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes[0] = UInt8(step & 0xFF); bytes[1] = UInt8(step >> 8)
        guard let id = CommandID(bytes: bytes) else { preconditionFailure("16 bytes") }
        var body: CommandBody = random.chance(1, in: 4) ? .halt(reason: "r") : .close(instrument: InstrumentID("X"))
        if let other, random.chance(1, in: 4) {
            body = .withdraw(command: other.id, boot: other.command.boundBoot ?? Boot(raw: 0), kind: other.command.body.kind)
        }
        var command = Command(
            id: id, edge: EdgeMaker.id(1), issuer: "cloud:a", tier: 0, issuedAt: now, expiresAt: body.lifetime.map { now + $0 }, body: body)
        if let other, random.chance(1, in: 4) { command.supersedes = other.id }
        return CommandRecord(command: command, user: "a", title: "t", fingerprint: [1])
    }

    @Test func finishedRecordsAreForgottenBeyondTheBound() {
        var outbox = Outbox()
        var random = SeededRandom(seed: 1)
        var forgotten = 0
        for step in 0..<(Outbox.recordsMax + 50) {
            let record = self.record(step, &random, EdgeMaker.start)
            forgotten += outbox.handle(.place(record), at: EdgeMaker.start).forgotten.count
            forgotten += outbox.handle(.withdraw(record.id), at: EdgeMaker.start).forgotten.count
        }
        #expect(outbox.order.count == Outbox.recordsMax && forgotten == 50 && outbox.records.count == Outbox.recordsMax)
    }
}
