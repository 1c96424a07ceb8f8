// Fields one by one: unset spellings, exact and noisy numbers, text, times; and frames over every split.
import Testing
import Values
import Venues

struct FieldTests {
    private func read<T>(_ text: String, _ body: (inout FieldCursor, RawSpan) throws(FieldFault) -> T) throws(FieldFault) -> T {
        let bytes = Array(text.utf8) + [0]
        var cursor = FieldCursor()
        return try body(&cursor, bytes.span.bytes)
    }
    private func price(_ text: String) throws -> Int64? { try read(text) { c, b throws(FieldFault) in try c.price(b) }?.raw }
    private func size(_ text: String) throws -> WireSize? { try read(text) { c, b throws(FieldFault) in try c.size(b) } }
    private func integer(_ text: String) throws -> Int64? { try read(text) { c, b throws(FieldFault) in try c.integer(b) } }

    @Test(arguments: ["", "2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308", "1.7976931348623157e+308"])
    func sizesHaveFiveSpellingsOfUnset(text: String) throws { #expect(try size(text) == nil) }

    @Test func numbersAreExactAndNoiseIsRoundedHalfToEven() throws {
        #expect(try price("600.25") == 60_025_000_000)
        #expect(try price("-2.15") == -215_000_000)
        #expect(try price("1.5E-5") == 1_500)
        #expect(try price("0.30000000000000004") == 30_000_000)
        #expect(try price("91003.333333335") == 9_100_333_333_334)
        #expect(try price("0.000000005") == 0 && price("0.000000015") == 2)
        #expect(try price("1.7976931348623157E308") == nil && price("") == nil && price("Infinity") == nil && price("NaN") == nil)
        // 2147483647 is an ordinary price.
        #expect(try price("2147483647") == 214_748_364_700_000_000)
        #expect(try price("99999999999") == nil)
    }

    @Test func sizesOfAnyMagnitudeAreExact() throws {
        #expect(try size("0.00012345") == WireSize(raw: 12_345))
        #expect(try size("9007199254740993")?.description == "9007199254740993")
        #expect(try size("-9007199254740993.5")?.description == "-9007199254740993.5")
        #expect(try size("9007199254740993")?.quantity == nil && size("100.0")?.quantity == Quantity(whole: 100))
        #expect(try size("2147483646") == WireSize(whole: 2_147_483_646) && size("2147483647.5") != nil)
    }

    /// A frame may be 16 MiB long; what stands in it ends in ledger entries of 64 KiB.
    @Test func textIsCutAtTheBorderAndNeverWithinACharacter() throws {
        func text(_ text: String) throws -> String { try read(text) { c, b throws(FieldFault) in try c.text(b) } }
        func words(_ text: String) throws -> String { try read(text) { c, b throws(FieldFault) in try c.unescapedText(b) } }
        let (name, long) = (FieldCursor.nameBytesMax, FieldCursor.wordsBytesMax)
        #expect(try text(String(repeating: "x", count: name)).utf8.count == name)
        #expect(try text(String(repeating: "x", count: 1 << 20)).utf8.count == name)
        #expect(try text("x" + String(repeating: "\u{00FC}", count: name)) == "x" + String(repeating: "\u{00FC}", count: (name - 1) / 2))
        #expect(try words(String(repeating: "x", count: long)) == String(repeating: "x", count: long))
        #expect(try words(String(repeating: "x", count: 1 << 20)) == String(repeating: "x", count: long) + "\u{2026}")
        let list = String(repeating: "DU1,", count: 100_000)
        #expect(try read(list) { c, b throws(FieldFault) in try c.list(b) } == list)
    }

    @Test func integersKnowTheirSentinels() throws {
        #expect(try integer("2147483647") == nil && integer("") == nil && integer("9223372036854775807") == nil)
        #expect(try integer("-1") == -1 && integer("1.0") == 1 && integer("-9223372036854775808") == .min)
        #expect(try read("2147483647") { c, b throws(FieldFault) in try c.long(b) } == 2_147_483_647)
        for bad in ["x", "-", "1x", "9223372036854775808", "1.5"] { #expect(throws: FieldFault.notANumber(field: 0)) { try integer(bad) } }
        for bad in ["x", "-", ".", "1..2", "1e", "--1"] { #expect(throws: FieldFault.notANumber(field: 0)) { _ = try price(bad) } }
    }

    @Test func flagsAndOffsets() throws {
        let flag = { (text: String) in try read(text) { c, b throws(FieldFault) in try c.flag(b) } }
        #expect(try flag("1") && flag("2") && flag("-1") && flag("true") && !flag("0") && !flag("") && !flag("false") && !flag("0.0"))
        let offset = { (text: String) in try read(text) { c, b throws(FieldFault) in try c.pegOffset(b) } }
        #expect(
            try offset("Infinity") == .upToMid && offset("Infinite") == .upToMid && offset("0.01") == .amount(Price(raw: 1_000_000))
                && offset("") == nil)
    }

    @Test func countsThatTheFrameCannotHoldAreRefused() throws {
        let count = { (text: String) in try read(text) { c, b throws(FieldFault) in try c.count(b) } }
        #expect(try count("0") == 0 && count("") == 0)
        for bad in ["-1", "1", "2147483646", "999999999999"] { #expect(throws: FieldFault.badCount(field: 0)) { _ = try count(bad) } }
    }

    @Test func aFieldWithoutItsEndIsMissing() {
        let bytes = Array("12".utf8)
        var cursor = FieldCursor()
        #expect(throws: FieldFault.missing(field: 0)) { try cursor.integer(bytes.span.bytes) }
    }

    @Test func textIsNeverRefused() throws {
        #expect(WireText.unescaped(#"NESTL\u00c9 \u2013 Z\u00fcrich"#) == "NESTLÉ – Zürich")
        #expect(WireText.unescaped(#"a\nb\ \u12 \u00zz \"#) == #"a\nb\ \u12 \u00zz \"#)
        #expect(WireText.unescaped(#"\ud83d\ude00!"#) == "😀!")
        #expect(WireText.unescaped(#"\ud83d"#) == "\u{FFFD}")
        let latin1: [UInt8] = [0x5A, 0xFC, 0x72, 0]
        var cursor = FieldCursor()
        #expect(try cursor.text(latin1.span.bytes) == "Z\u{FFFD}r")
        #expect(WireText.isSendable("ABC 1;=") && !WireText.isSendable("é") && !WireText.isSendable("a\u{7F}") && !WireText.isSendable("a\n"))
    }

    @Test func timesInEverySpelling() throws {
        let set = try Fixtures.zones()
        let zones = ZoneResolver(standard: set.standard) { set.byName[$0] }
        let time = { (text: String) in WireTime.instant(text, zones)?.description }
        #expect(time("20261120 09:30:00 US/Eastern") == "2026-11-20T14:30:00.000Z")
        #expect(time("20261120  09:30:00") == "2026-11-20T14:30:00.000Z")
        #expect(time("20261120-14:30:00") == "2026-11-20T14:30:00.000Z")
        #expect(time("20261120 14:31:05 US/Central") == "2026-11-20T20:31:05.000Z")
        #expect(time("20261120-09:30:00-US/Eastern") == "2026-11-20T14:30:00.000Z")
        #expect(time("20261120 09:30:00 UTC") == "2026-11-20T09:30:00.000Z")
        #expect(time("1795217400") == "2026-11-20T23:30:00.000Z" && time("1795217400123") == "2026-11-20T23:30:00.123Z")
        #expect(time("20261120") == "2026-11-20T05:00:00.000Z" && time("20261224 10:00") == "2026-12-24T15:00:00.000Z")
        for bad in ["", "20261320", "20261120 25:00:00", "20261120 09:30:00 Mars/Phobos", "yesterday", "12", "20261120 0930"] {
            #expect(time(bad) == nil, "\(bad)")
        }
    }

    @Test func framesComeWholeFromAnySplit() throws {
        let frames: [[UInt8]] = [[], [7], Array(repeating: 9, count: 300), [1, 2]]
        let stream: [UInt8] = frames.flatMap { (frame: [UInt8]) -> [UInt8] in [0, 0, UInt8(frame.count >> 8), UInt8(frame.count & 255)] + frame }
        for first in 0...stream.count {
            for step in [1, 3, 7, 1_000] {
                var reader = Reader()
                try reader.read(Array(stream.prefix(first)))
                for start in stride(from: first, to: stream.count, by: step) {
                    try reader.read(Array(stream[start..<min(start + step, stream.count)]))
                }
                #expect(reader.frames == frames && reader.splitter.pendingBytes == 0, "split at \(first), then by \(step)")
            }
        }
    }

    @Test func aFrameOverTheLimitIsAFault() throws {
        var reader = Reader()
        #expect(throws: FrameFault.tooLong(0x0100_0000)) { try reader.read([1, 0, 0, 0]) }
        var slow = Reader()
        try slow.read([1]); try slow.read([0]); try slow.read([0])
        #expect(throws: FrameFault.tooLong(0x0100_0000)) { try slow.read([0]) }
        #expect(throws: FrameFault.tooLong(0x4854_5450)) { try slow.read(Array("HTTP/1.1 400".utf8)) }
        // The largest allowed one is merely not there yet.
        var largest = Reader()
        try largest.read([0, 0xFF, 0xFF, 0xFF, 1])
        #expect(largest.splitter.pendingBytes == 5 && largest.frames.isEmpty)
    }

    /// Walks reads as a session does.
    private struct Reader {
        var splitter = FrameSplitter()
        var frames: [[UInt8]] = []

        mutating func read(_ bytes: [UInt8]) throws {
            guard splitter.pendingBytes > 0 else {
                let used = try walk(bytes)
                splitter.keep(bytes.span.bytes, from: used)
                return
            }
            guard let all = splitter.begin(bytes.span.bytes) else { return }
            splitter.end(all, used: try walk(all))
        }

        private mutating func walk(_ bytes: [UInt8]) throws -> Int {
            var at = 0
            while let range = try FrameSplitter.frame(in: bytes.span.bytes, at: at) {
                frames.append(Array(bytes[range]))
                at = range.upperBound
            }
            return at
        }
    }
}
