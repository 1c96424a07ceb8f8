// Recorded frames with fields and bytes spoilt by chance: the session skips, counts or hangs up, and never traps.
import Ledger
import Simulation
import Testing
import Values
import Venues
import Wire

@Suite struct IBKRSessionFuzzTests {
    /// What breaks readers: ends of ranges, words for numbers, dates beyond the clock.
    private static let nasty = [
        "", "-1", "0", "9223372036854775807", "-9223372036854775808", "2147483647", "-2147483648", "1.7976931348623157E308", "NaN", "-Infinity",
        "99999999999999999999", "9999999999", "9999999999999", "9223372037", "9223372036855", "99991231 23:59:59 US/Eastern", "00010101 00:00:00 UTC",
        "99991231", "99991231:2300-99991231:2359", "20261120:2500-20261120:9999", "BOT", "1e308", "1e-400", "92233720368.54775807", "-92233720369",
        "230.5;100;9999999999999;1;1;true", "\\ud800", ";;;", "DU1", "Filled", "Cancelled", "7", "5",
    ]

    private func spoil(_ fields: inout [String], _ chance: inout SeededRandom) {
        for _ in 0..<chance.int(1...4) where !fields.isEmpty {
            let at = chance.int(0...fields.count - 1)
            switch chance.int(0...5) {
            case 0: fields.remove(at: at)
            case 1: fields.insert(Self.nasty[chance.int(0...Self.nasty.count - 1)], at: at)
            default: fields[at] = Self.nasty[chance.int(0...Self.nasty.count - 1)]
            }
        }
    }

    @Test(arguments: 0..<6) func spoiltFramesNeverEndTheProcess(seed: UInt64) throws {
        let frames = try Fixtures.vectors("vectors/tws/inbound").filter { $0.serverVersion == 178 }.map { vector in
            let payload = Array(try needed(Hex.bytes(needed(vector.value["hex"]?.text))).dropFirst(4))
            return payload.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { String(decoding: $0, as: UTF8.self) }
        }
        var chance = SeededRandom(seed: seed &+ 900)
        let stock = InstrumentWish.stock(symbol: "AAPL", primaryExchange: "NASDAQ", currency: "USD")
        var gateway = ScriptedGateway.up(instruments: [stock], known: [IBKRSessionNoticeTests.stock])
        gateway.ask(.watch(IBKRSessionNoticeTests.stock.id))
        var reconnects = 0
        for round in 0..<4_000 {
            var fields = frames[chance.int(0...frames.count - 1)]
            // Half of them speak of requests that are open, so that the words behind the id are read too.
            if fields.count > 2, chance.chance(1, in: 2) { fields[chance.int(1...2)] = String(1_000_000_000 + Int64(chance.int(0...12))) }
            if chance.chance(3, in: 4) { spoil(&fields, &chance) }
            var bytes = ScriptedGateway.frame(fields)
            if bytes.count > 4, chance.chance(1, in: 20) { bytes[chance.int(4...bytes.count - 1)] ^= UInt8(1 << chance.int(0...7)) }
            gateway.say(bytes: bytes)
            if round % 50 == 0 { gateway.ask(.snapshot) }
            if round % 7 == 0 { gateway.pass(.milliseconds(400)) }
            _ = gateway.hear()
            _ = gateway.sent()
            guard gateway.wishes.last == .disconnect else { continue }
            reconnects += 1
            gateway.pass(.seconds(60), step: .seconds(1))
            gateway.connect()
            gateway.say(["178", "x"])
            gateway.say(["15", "1", "DU1"])
            gateway.say(["9", "1", "1"])
        }
        #expect(gateway.session.malformedMessages > 100)
        // It still is a session.
        gateway.drop()
        gateway.pass(.seconds(60), step: .seconds(1))
        _ = gateway.hear()
        gateway.connect()
        gateway.say(["178", "x"])
        gateway.say(["15", "1", "DU1"])
        gateway.say(["9", "1", "1"])
        #expect(gateway.hear().readies.count == 1 && gateway.session.floor < Int64(Int32.max), "after \(reconnects) reconnects")
    }

    /// An instant ends in 2262; what lies beyond is no time, and no reason to end the process.
    @Test(arguments: ["9999999999", "9223372037", "9999999999999", "9223372036855", "99991231 23:59:59 US/Eastern", "22630101", "00010101-00:00:00"])
    func timesBeyondTheClockAreNone(text: String) {
        #expect(WireTime.instant(text, ScriptedGateway.zones) == nil)
    }
    @Test func theLastTimesOfTheClockAreTimes() {
        #expect(WireTime.instant("9223372036", ScriptedGateway.zones) == Instant(seconds: 9_223_372_036))
        #expect(WireTime.instant("22611231", ScriptedGateway.zones) != nil && WireTime.instant("19000101", ScriptedGateway.zones) != nil)
    }

    /// Orders placed by hand are listed under the largest number of 31 bits: it must not use up all of ours.
    @Test func aHandMadeOrdersNumberIsNotOurFloor() {
        var gateway = ScriptedGateway.up()
        _ = gateway.hear()
        gateway.say(["9", "1", "2147483647"])
        gateway.say(["9", "1", "9223372036854775807"])
        #expect(gateway.hear().floors.isEmpty && gateway.session.floor == 1)
    }
}
