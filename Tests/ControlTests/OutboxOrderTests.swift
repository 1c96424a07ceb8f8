// Numbers, replacing, taking back, doubt and set clocks, as the cloud sees them.
import Control
import Ledger
import Testing
import Values

private let t0 = EdgeMaker.start
private let edge = EdgeMaker.id(1)
private let mbt = InstrumentID("MBTZ6.CME")

private struct Box {
    var outbox: Outbox
    var now = t0
    init(_ change: (inout OutboxRules) -> Void = { _ in }) {
        var rules = OutboxRules()
        change(&rules)
        outbox = Outbox(rules: rules)
    }

    @discardableResult mutating func tell(_ input: OutboxInput) -> OutboxOutcome { outbox.handle(input, at: now) }
    @discardableResult mutating func link(_ session: UInt64 = 1, boot: UInt64 = 7) -> OutboxOutcome {
        tell(.linked(edge, session: session, boot: Boot(raw: boot)))
    }
    @discardableResult mutating func place(_ number: UInt8, _ body: CommandBody = .close(instrument: mbt), supersedes: UInt8? = nil) -> OutboxOutcome
    {
        var command = Command(
            id: EdgeMaker.command(number), edge: edge, issuer: "cloud:a", tier: body.tier, issuedAt: now, expiresAt: body.lifetime.map { now + $0 },
            body: body)
        command.supersedes = supersedes.map { EdgeMaker.command($0) }
        return tell(.place(CommandRecord(command: command, user: "a", title: "t", fingerprint: [number])))
    }
    @discardableResult mutating func takeBack(_ number: UInt8, by own: UInt8) -> OutboxOutcome {
        place(own, .withdraw(command: EdgeMaker.command(number), boot: record(number)?.command.boundBoot ?? Boot(raw: 0), kind: "close"))
    }
    @discardableResult mutating func refuse(_ number: UInt8, _ code: String) -> OutboxOutcome {
        tell(
            .outcome(
                CommandOutcome(command: EdgeMaker.command(number), kind: "close", issuer: "cloud:a", code: code, text: "words"), accepted: false))
    }
    func record(_ number: UInt8) -> CommandRecord? { outbox.records[EdgeMaker.command(number)] }
    func place(of number: UInt8) -> [Int64] { record(number)?.command.place.map { [$0.number, $0.floor] } ?? [] }
}

@Suite struct OutboxOrderTests {
    @Test func commandsOfOneKeyAreNumberedForEachRun() {
        var box = Box()
        box.link()
        for number: UInt8 in 1...3 { box.place(number) }
        box.place(9, .halt(reason: "r"))
        #expect(box.place(of: 1) == [1, 1] && box.place(of: 2) == [2, 1] && box.place(of: 3) == [3, 1] && box.place(of: 9).isEmpty)
        box.refuse(1, "nothingToClose")
        box.place(4)
        #expect(box.place(of: 4) == [4, 2], "the first has ended, the second has not")
        box.link(2, boot: 8)
        box.place(5)
        #expect(box.place(of: 5) == [1, 1] && box.record(5)?.command.boundBoot == Boot(raw: 8))
    }

    /// A setting that nobody takes ends after five minutes and not before; a closing beside it after one.
    @Test func aSettingEndsAfterFiveMinutes() {
        var box = Box()
        box.place(1, .watch(instrument: mbt))
        box.place(2)
        for (seconds, ended) in [(59, [false, false]), (61, [false, true]), (299, [false, true]), (301, [true, true])] as [(Int64, [Bool])] {
            box.now = t0 + .seconds(seconds)
            box.tell(.tick)
            #expect([1, 2].map { box.record($0)?.stage == .expired } == ended, "after \(seconds) s")
        }
        #expect(box.record(1)?.reason == "The edge did not take it within 300 s.")
    }

    @Test func whatWaitedForTheEdgeIsNumberedInTheOrderItWasAsked() {
        var box = Box()
        for number: UInt8 in 1...3 { box.place(number) }
        #expect(box.record(2)?.command.place == nil, "bound and numbered together")
        #expect(box.link().dispatches.compactMap { $0.command.place?.number } == [1, 2, 3])
    }

    @Test func aNumberIsNotGivenTwiceWhenItsRecordIsLongFinished() {
        var box = Box()
        box.link()
        box.place(1)
        box.refuse(1, "nothingToClose")
        for step in 0..<(Outbox.recordsMax + 10) {
            guard let id = CommandID(bytes: [9] + [UInt8](repeating: 0, count: 13) + [UInt8(step >> 8), UInt8(step & 0xFF)]) else { continue }
            let command = Command(id: id, edge: edge, issuer: "cloud:a", tier: 0, issuedAt: t0, expiresAt: nil, body: .halt(reason: "r"))
            box.tell(.place(CommandRecord(command: command, user: "a", title: "t", fingerprint: [1])))
            box.tell(.outcome(CommandOutcome(command: id, kind: "halt", issuer: "cloud:a", code: "done", text: ""), accepted: true))
        }
        box.place(2)
        #expect(box.place(of: 2) == [2, 2])
    }

    @Test func whatWasNeverSentIsReplacedAtOnce() {
        var box = Box()
        box.place(1)
        box.place(2, supersedes: 1)
        #expect(box.record(1)?.stage == .superseded && box.record(1)?.isFinal == true && box.record(2)?.command.supersedes == nil)
        #expect(box.link().dispatches.map(\.command.id) == [EdgeMaker.command(2)])
    }

    @Test func whatWasSentIsReplacedAtTheEdge() {
        var box = Box()
        box.link()
        box.place(1)
        let out = box.place(2, supersedes: 1)
        #expect(out.dispatches.first?.command.supersedes == EdgeMaker.command(1) && box.record(1)?.isUndecided == true)
        box.refuse(1, "superseded")
        #expect(box.record(1)?.stage == .superseded)
    }

    @Test func takingBackWhatWasNeverSentIsCertain() {
        var box = Box()
        box.place(1)
        let out = box.takeBack(1, by: 2)
        #expect(box.record(1)?.stage == .withdrawn && box.record(2)?.stage == .accepted && box.record(2)?.isFinal == true)
        #expect(out.dispatches.isEmpty && box.link().dispatches.isEmpty)
    }

    @Test func takingBackWhatWasSentWaitsForTheEdgesWord() {
        var box = Box()
        box.link()
        box.place(1)
        #expect(box.takeBack(1, by: 2).dispatches.map(\.command.id) == [EdgeMaker.command(2)])
        #expect(box.record(1)?.isUndecided == true && box.record(2)?.stage == .dispatched)
        box.refuse(1, "withdrawn")
        box.tell(.outcome(CommandOutcome(command: EdgeMaker.command(2), kind: "withdraw", issuer: "cloud:a", code: "done", text: ""), accepted: true))
        #expect(box.record(1)?.stage == .withdrawn && box.record(2)?.stage == .accepted)
        box.place(3)
        box.takeBack(3, by: 4)
        box.tell(.intended(EdgeMaker.command(3)))
        box.refuse(4, "alreadyExecuted")
        #expect(box.record(3)?.stage == .accepted && box.record(4)?.stage == .refused && box.record(4)?.reason == "words")
    }

    @Test func aTakingBackOvertakesWhatItTakesBackOnANewConnection() {
        var box = Box()
        box.link()
        box.place(1)
        box.takeBack(1, by: 2)
        #expect(box.link(2).dispatches.map(\.command.id) == [EdgeMaker.command(2), EdgeMaker.command(1)])
    }

    @Test func inDoubtTheHaltIsAskedAgainAndTheRestIsThePersonsToDecide() throws {
        var box = Box()
        box.link()
        box.place(1)
        box.place(2, .halt(reason: "r"))
        box.place(3, .watch(instrument: mbt))
        box.takeBack(1, by: 4)
        box.link(2, boot: 8)
        let out = box.tell(.settled(edge, boot: Boot(raw: 8), through: t0, facts: "Held now: 2 MBTZ6.CME; no orders work."))
        for number: UInt8 in 1...4 { #expect(box.record(number)?.stage == .expired) }
        #expect(box.record(1)?.reason?.hasSuffix("Held now: 2 MBTZ6.CME; no orders work.") == true)
        #expect(box.record(1)?.cure == "Look at orders and positions, then ask again.")
        let again = try #require(out.dispatches.first?.command)
        #expect(
            out.dispatches.count == 1 && again.body.isKill && again.boundBoot == Boot(raw: 8) && box.record(2)?.cure?.contains("by itself") == true)
    }

    @Test func aSetClockLeavesWhatIsLeftOfALife() {
        for step in [Span.hours(1), .hours(-1)] {
            var box = Box()
            box.place(1)
            box.now = box.now + step
            box.tell(.clockWasSet(by: step))
            #expect(box.record(1)?.isFinal == false)
            #expect(box.link().dispatches.first?.timeToLive == .seconds(60))
            var strict = Box { $0.ttlByWallClock = true }
            strict.place(1)
            strict.now = strict.now + step
            strict.tell(.clockWasSet(by: step))
            #expect(strict.link().dispatches.first?.timeToLive != .seconds(60), "the switch is seen")
        }
    }

    @Test func everySwitchIsSeen() {
        var again = Box { $0.reissuesOrders = true }
        again.link()
        again.place(1)
        again.link(2, boot: 8)
        #expect(again.tell(.settled(edge, boot: Boot(raw: 8), through: t0, facts: "")).dispatches.count == 1)
        var rebinds = Box { $0.rebinds = true }
        rebinds.link()
        rebinds.place(1)
        #expect(rebinds.link(2, boot: 8).dispatches.first?.command.boundBoot == Boot(raw: 8))
        var sends = Box { $0.sendsWithdrawn = true }
        sends.place(1)
        sends.tell(.withdraw(EdgeMaker.command(1)))
        #expect(sends.link().dispatches.map(\.command.id) == [EdgeMaker.command(1)])
        var done = Box { $0.doneWhenReceived = true }
        done.link()
        done.place(1)
        done.tell(.received(EdgeMaker.command(1)))
        #expect(done.record(1)?.isFinal == true)
        var repeats = Box { $0.numbersRepeat = true }
        repeats.link()
        repeats.place(1)
        repeats.place(2)
        #expect(repeats.place(of: 2) == [1, 1])
    }
}
