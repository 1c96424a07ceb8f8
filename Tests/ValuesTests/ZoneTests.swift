// Time zones against offsets that another implementation computed from the same files, local times both ways, and bad bytes.
import Foundation
import Testing
import Values

struct ZoneTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/zoneinfo")
    private static func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: folder.appending(path: name))) }
    private static func zone(_ name: String) throws -> Zone { try Zone(name: name, tzif: bytes("\(name).tzif")) }

    @Test func offsetsAgreeWithAnotherImplementation() throws {
        var zones: [String: Zone] = [:]
        var checked = 0
        for line in String(decoding: try Self.bytes("offsets.csv"), as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: ",")
            let name = String(parts[0])
            let zone = try zones[name] ?? Self.zone(name)
            zones[name] = zone
            #expect(zone.offset(at: Instant(seconds: try #require(Int64(parts[1])))) == Int(parts[2]), "\(line)")
            checked += 1
        }
        #expect(checked > 400 && zones.count == 7)
    }

    @Test func localTimesBecomeInstants() throws {
        let zone = try Self.zone("New_York")
        let friday = try #require(CivilDate("20261120"))
        #expect(zone.instant(of: friday, secondOfDay: 9 * 3_600 + 1_800).description == "2026-11-20T14:30:00.000Z")
        let spring = try #require(CivilDate("20260308"))
        // 02:30 does not exist that night; clocks then show 03:30.
        #expect(zone.instant(of: spring, secondOfDay: 2 * 3_600 + 1_800).description == "2026-03-08T07:30:00.000Z")
        let autumn = try #require(CivilDate("20261101"))
        // 01:30 comes twice; the first one counts.
        #expect(zone.instant(of: autumn, secondOfDay: 3_600 + 1_800).description == "2026-11-01T05:30:00.000Z")
        #expect(zone.instant(of: autumn, secondOfDay: 2 * 3_600).description == "2026-11-01T07:00:00.000Z")
    }

    @Test func everyInstantComesBackFromItsLocalTime() throws {
        for name in ["New_York", "Lord_Howe", "Jerusalem", "Nuuk"] {
            let zone = try Self.zone(name)
            var random = SeededRandom(seed: 11)
            for _ in 0..<2_000 {
                let instant = Instant(seconds: Int64(random.int(-2_000_000_000...5_000_000_000)))
                let local = zone.local(at: instant)
                let back = zone.instant(of: local.date, secondOfDay: local.secondOfDay)
                // Inside a repeated hour the earlier reading is given back, with the same clock face.
                #expect(back == instant || (back < instant && zone.local(at: back) == local), "\(name) \(instant)")
            }
        }
    }

    @Test func ruleTextsOfEveryShape() throws {
        // A file whose first block is empty and whose footer is the rule under test.
        func zone(_ rule: String) throws -> Zone {
            let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
            func counts(_ types: UInt8, _ chars: UInt8) -> [UInt8] { [UInt8](repeating: 0, count: 16) + [0, 0, 0, types, 0, 0, 0, chars] }
            let type: [UInt8] = [0, 0, 0, 0, 0, 0]
            return try Zone(
                name: "T", tzif: header + counts(1, 4) + type + Array("UTC\0".utf8) + header + counts(1, 4) + type + Array("UTC\0\n\(rule)\n".utf8))
        }
        let july = Instant(seconds: 1_783_000_000)
        let january = Instant(seconds: 1_769_000_000)
        #expect(try zone("<+0545>-5:45").offset(at: july) == 20_700)
        #expect(try zone("AAA3BBB,J60/0,300/2:30").offset(at: july) == -7_200)
        #expect(try zone("AAA3BBB,J60/0,300/2:30").offset(at: january) == -10_800)
        #expect(try zone("NZST-12NZDT,M9.5.0,M4.1.0/3").offset(at: january) == 46_800)
        #expect(try zone("").offset(at: july) == 0)
        for bad in ["E5", "EST", "EST5EDT", "EST5EDT,M13.1.0,M11.1.0", "EST5EDT,M3.2.0,M11.1.0x", "<+03", "EST500"] {
            #expect(throws: ZoneError.badRule) { try zone(bad) }
        }
    }

    @Test func damagedFilesAreRefusedNotRead() throws {
        let good = try Self.bytes("Zurich.tzif")
        #expect(throws: ZoneError.notTZif) { try Zone(name: "x", tzif: []) }
        #expect(throws: ZoneError.notTZif) { try Zone(name: "x", tzif: Array(good.dropFirst())) }
        for length in stride(from: 50, to: good.count - 60, by: 97) {
            #expect(throws: ZoneError.self) { try Zone(name: "x", tzif: Array(good.prefix(length))) }
        }
        // Any single changed byte either reads or is refused; it never stops the process.
        var random = SeededRandom(seed: 3)
        for _ in 0..<3_000 {
            var bytes = good
            bytes[random.int(0...bytes.count - 1)] = UInt8(random.int(0...255))
            if let zone = try? Zone(name: "x", tzif: bytes) { _ = zone.offset(at: Instant(seconds: 1_795_217_400)) }
        }
    }
}
