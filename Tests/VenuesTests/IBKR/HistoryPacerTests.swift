// The broker's limits on requests for the past, to the exact bound, on virtual time.
import Simulation
import Testing
import Values
import Venues

/// A pacer that expectations may ask in passing.
private final class Pace {
    private var pacer = HistoryPacer()
    func admit(_ id: Int, _ ask: HistoryPacer.Ask, at now: Instant) -> Bool { pacer.admit(Int64(id), ask, at: now) }
    func due(at now: Instant) -> [Int64] { pacer.due(at: now) }
    func end(_ id: Int) { pacer.end(Int64(id)) }
    func slowDown(at now: Instant) -> Instant { pacer.slowDown(at: now) }
    func answered() { pacer.answered() }
    func lose() { pacer.lose() }
    var openCount: Int { pacer.openCount }
    var waitingCount: Int { pacer.waitingCount }
}

@Suite struct HistoryPacerTests {
    private func ask(_ contract: Int64 = 1, type: String = "TRADES", rest: String = "", counted: Bool = true) -> HistoryPacer.Ask {
        HistoryPacer.Ask(contract: contract, exchange: "SMART", type: type, rest: rest, isCounted: counted)
    }

    @Test func fiftyAreOpenAndNoMore() {
        let pacer = Pace()
        for id in 0..<50 { #expect(pacer.admit(id, ask(Int64(id), counted: false), at: noon)) }
        #expect(!pacer.admit(50, ask(50, counted: false), at: noon) && pacer.due(at: noon + .minutes(30)).isEmpty)
        pacer.end(7)
        #expect(pacer.due(at: noon + .minutes(30)) == [50] && pacer.openCount == 50 && pacer.waitingCount == 0)
    }

    @Test func nothingIdenticalWithinFifteenSeconds() {
        let pacer = Pace()
        #expect(pacer.admit(1, ask(), at: noon))
        #expect(!pacer.admit(2, ask(), at: noon + .milliseconds(14_999)))
        #expect(pacer.admit(3, ask(rest: "another end"), at: noon + .milliseconds(14_999)))
        #expect(pacer.due(at: noon + .milliseconds(14_999)).isEmpty && pacer.due(at: noon + .seconds(15)) == [2])
        // An identical one behind a waiting one does not overtake it.
        #expect(!pacer.admit(4, ask(), at: noon + .seconds(16)) && !pacer.admit(5, ask(), at: noon + .seconds(31)))
        #expect(pacer.due(at: noon + .seconds(31)) == [4] && pacer.due(at: noon + .seconds(45)).isEmpty && pacer.due(at: noon + .seconds(46)) == [5])
    }

    @Test func fewerThanSixOfOneContractInTwoSeconds() {
        let pacer = Pace()
        for id in 1...5 { #expect(pacer.admit(id, ask(rest: "\(id)"), at: noon)) }
        #expect(!pacer.admit(6, ask(rest: "6"), at: noon + .milliseconds(1_999)))
        #expect(pacer.admit(7, ask(2, rest: "6"), at: noon), "another contract")
        #expect(pacer.admit(8, ask(type: "BID", rest: "6"), at: noon), "another type")
        #expect(pacer.due(at: noon + .milliseconds(1_999)).isEmpty && pacer.due(at: noon + .seconds(2)) == [6])
        let double = Pace()
        for id in 1...2 { #expect(double.admit(id, ask(type: "BID_ASK", rest: "\(id)"), at: noon)) }
        #expect(!double.admit(3, ask(type: "BID_ASK", rest: "3"), at: noon), "each counts twice")
    }

    @Test(arguments: [("TRADES", 60), ("BID_ASK", 30)]) func sixtyInTenMinutes(type: String, most: Int) {
        let pacer = Pace()
        for id in 0..<most {
            #expect(pacer.admit(id, ask(Int64(id), type: type), at: noon + .seconds(Int64(id))))
            pacer.end(id)
        }
        #expect(!pacer.admit(100, ask(100, type: type), at: noon + .seconds(100)))
        #expect(pacer.due(at: noon + .milliseconds(599_999)).isEmpty && pacer.due(at: noon + .seconds(600)) == [100])
    }

    @Test func largerBarsAreNotCounted() {
        let pacer = Pace()
        for id in 0..<200 {
            #expect(pacer.admit(id, ask(counted: false), at: noon))
            pacer.end(id)
        }
        #expect(HistoryPacer.isCounted(barSize: "30 secs") && HistoryPacer.isCounted(barSize: "1 secs") && !HistoryPacer.isCounted(barSize: "1 min"))
    }

    @Test func aRefusalForPacingDoublesThePauseUpToTenMinutes() {
        let pacer = Pace()
        let pauses = (0..<8).map { _ in (pacer.slowDown(at: noon) - noon).nanoseconds / 1_000_000_000 }
        #expect(pauses == [15, 30, 60, 120, 240, 480, 600, 600])
        #expect(!pacer.admit(1, ask(counted: false), at: noon + .milliseconds(599_999)) && pacer.due(at: noon + .seconds(600)) == [1])
        pacer.answered()
        #expect(pacer.slowDown(at: noon + .seconds(700)) == noon + .seconds(715))
    }

    @Test func aClockThatWasSetBackForgets() {
        let pacer = Pace()
        for id in 1...5 { #expect(pacer.admit(id, ask(), at: noon + .seconds(Int64(id) * 20))) }
        #expect(pacer.admit(6, ask(), at: noon - .hours(1)))
        pacer.lose()
        #expect(pacer.openCount == 0 && !pacer.admit(7, ask(), at: noon - .hours(1)), "a new connection does not make the broker forget")
    }
}
