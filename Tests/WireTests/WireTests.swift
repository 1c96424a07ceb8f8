// JSON, hashing, text coding and compression: vectors, refusals, round trips.
import Testing
import Values
import Wire

struct WireTests {
    func read(_ text: String, _ limits: JSONLimits = .body) throws -> JSONValue { try JSONReader.read(Array(text.utf8), limits: limits) }

    @Test func canonicalFormIsOne() throws {
        let value = try read(#" { "b" : [1, -2, true] , "a" : "x\u00e9\n\"" , "Z":{} } "#)
        #expect(String(decoding: try JSONWriter.canonical(value), as: UTF8.self) == #"{"Z":{},"a":"xé\n\"","b":[1,-2,true]}"#)
        #expect(throws: CanonicalError.notAllowed(key: "a")) { try JSONWriter.canonical(["a": .null]) }
        #expect(throws: CanonicalError.notAllowed(key: "a")) { try JSONWriter.canonical(["a": .number("1.5")]) }
        #expect(throws: CanonicalError.doubleKey("a")) { try JSONWriter.canonical(["a": 1, "a": 2]) }
        #expect(throws: CanonicalError.tooDeep) { try JSONWriter.canonical([[[1]]], limits: JSONLimits(depth: 3, bytes: 99)) }
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "01", "1.", "-", "tru", "\"a", "\"\u{01}\"", "1 2", #""\x""#, #""\ud800""#, "nul", "[1 2]", "{\"a\" 1}",
    ])
    func damagedTextIsRefused(text: String) { #expect(throws: JSONError.self) { try read(text) } }

    @Test func limitsHold() throws {
        #expect(throws: JSONError.tooDeep(at: 8, limit: 8)) { try read("[[[[[[[[[1]]]]]]]]]") }
        #expect(throws: JSONError.tooLarge(bytes: 5, limit: 4)) { try read("12345", JSONLimits(depth: 1, bytes: 4)) }
        #expect(throws: JSONError.doubleKey("a", at: 7)) { try read(#"{"a":1,"a":2}"#) }
        for count in [3, 15, 16, 17, 18, 40] {
            let members = (0..<count).map { "\"k\($0)\":\($0)" }
            #expect(try read("{\(members.joined(separator: ","))}").members?.count == count)
            #expect(throws: JSONError.self) { try read("{\((members + [members[count - 2]]).joined(separator: ","))}") }
        }
    }

    @Test func numbersKeepTheirDigits() throws {
        #expect(try read("9223372036854775807") == .integer(.max))
        #expect(try read("9223372036854775808") == .number("9223372036854775808"))
        #expect(try read("-9223372036854775808") == .integer(.min))
        #expect(try read("-9223372036854775809") == .number("-9223372036854775809"))
        #expect(try read("-0") == .integer(0))
        #expect(try read("1.10") == .number("1.10"))
        #expect(try read(#""\ud83d\ude00""#) == .string("😀"))
    }

    @Test func randomValuesRoundTrip() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<500 {
            let value = Self.value(&random, depth: 1)
            let bytes = try JSONWriter.canonical(value)
            #expect(try JSONWriter.canonical(JSONReader.read(bytes)) == bytes)
        }
    }

    static func value(_ random: inout SeededRandom, depth: Int) -> JSONValue {
        switch random.int(0...(depth > 5 ? 2 : 4)) {
        case 0: return .integer(Int64(bitPattern: random.next()))
        case 1: return .bool(random.chance(1, in: 2))
        case 2: return .string(String((0..<random.int(0...8)).map { _ in Character(Unicode.Scalar(UInt8(random.int(1...127)))) }))
        case 3: return .array((0..<random.int(0...3)).map { _ in value(&random, depth: depth + 1) })
        default: return .object((0..<random.int(0...3)).map { JSONMember("k\($0)", value(&random, depth: depth + 1)) })
        }
    }

    /// Figures of `printf abc | b2sum -l 256` and RFC 4231 case 2.
    @Test func hashesMatchOtherTools() {
        #expect(Hex.text(Hashing.blake2b(Array("abc".utf8))) == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
        #expect(
            Hex.text(Hashing.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hashing.constantTimeEqual([1, 2], [1, 2]) && !Hashing.constantTimeEqual([1, 2], [1, 3]) && !Hashing.constantTimeEqual([1], [1, 3]))
    }

    /// Our own code for several at once against libsodium's for one: every length around a block, and lengths that end at different times beside one another.
    @Test func manyHashesAreThoseOfEach() {
        var random = SeededRandom(seed: 11)
        let bytes = (0..<70_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        func check(_ ranges: [Range<Int>]) {
            #expect(Hashing.blake2b(bytes, in: ranges) == ranges.flatMap { Hashing.blake2b(bytes, in: $0) }, "\(ranges)")
        }
        check([])
        for length in 0...400 { check([length..<2 * length]) }
        for _ in 0..<400 {
            check(
                (0..<random.int(1...11)).map { _ in
                    let start = random.int(0...60_000)
                    let count = random.chance(1, in: 3) ? random.int(0...6) * 128 : random.int(0...9_000)
                    return start..<start + count
                })
        }
    }

    @Test func textCodingRoundTrips() {
        #expect(TextCoding.base32(Array("foobar".utf8)) == "MZXW6YTBOI")
        #expect(TextCoding.base64url([0xFB, 0xFF]) == "-_8")
        var random = SeededRandom(seed: 3)
        for count in 0..<64 {
            let bytes = (0..<count).map { _ in UInt8(random.int(0...255)) }
            #expect(TextCoding.fromBase32(TextCoding.base32(bytes)) == bytes && TextCoding.fromBase64url(TextCoding.base64url(bytes)) == bytes)
        }
        #expect(TextCoding.fromBase32("M1") == nil && TextCoding.fromBase64url("a+b") == nil)
    }

    @Test func compressionIsBounded() throws {
        let bytes = [UInt8](repeating: 7, count: 100_000)
        let block = Compression.compress(bytes)
        #expect(try Compression.decompress(block, limit: 100_000) == bytes)
        #expect(throws: CompressionError.tooLarge(declared: 100_000, limit: 99_999)) { try Compression.decompress(block, limit: 99_999) }
        #expect(throws: CompressionError.self) { try Compression.decompress(Array(block.dropLast(3)), limit: 100_000) }
        #expect(throws: CompressionError.self) { try Compression.decompress([1, 2, 3], limit: 100) }
    }

    @Test func readsPastTheEndAreRefused() throws {
        var writer = ByteWriter()
        writer.little(UInt16(0x0102)); writer.big(UInt32(0x01020304))
        #expect(writer.bytes == [2, 1, 1, 2, 3, 4])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.little(UInt16.self) == 0x0102 && reader.big(UInt32.self) == 0x01020304)
        #expect(throws: BytesError(at: 6, wanted: 1)) { try reader.take(1) }
    }
}
