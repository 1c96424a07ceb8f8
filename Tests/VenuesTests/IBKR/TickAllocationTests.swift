// Ticks are read without asking the heap for anything: counted at the C library's door, on the thread that reads.
import Testing
import Values
import Venues

@Suite(.enabled(if: Heap.canCount, "a sanitizer brings an allocator of its own"))
struct TickAllocationTests {
    private func frame(_ fields: [String]) -> [UInt8] { fields.flatMap { Array($0.utf8) + [0] } }

    /// A thousand readings of one payload by `tick`, and by `decode`.
    private func expectNone(_ fields: String..., alsoDecoded: Bool = true) throws {
        let bytes = frame(fields)
        let decoder = IBDecoder(version: 178)
        var found = 0
        let quick = try Heap.blocks {
            for _ in 0..<1_000 where try decoder.tick(bytes.span.bytes) != nil { found += 1 }
        }
        #expect(quick == 0 && found == 2_000, "\(fields)")
        guard alsoDecoded else { return }
        var sum: Int64 = 0
        let slow = try Heap.blocks {
            for _ in 0..<1_000 { sum &+= TickAllocationTests.request(try decoder.decode(bytes.span.bytes)) }
        }
        #expect(slow == 0 && sum != 0, "\(fields)")
    }

    private static func request(_ message: IBMessage) -> Int64 {
        switch message {
        case .tickPrice(let tick): tick.requestId
        case .tickSize(let id, _, _), .tickGeneric(let id, _, _), .tickString(let id, _, _): id
        default: 0
        }
    }

    @Test func priceAllocatesNothing() throws {
        try expectNone("1", "6", "1000000001", "1", "91250.25", "4", "0")
        try expectNone("1", "6", "1000000001", "4", "-1", "", "0")
        try expectNone("1", "6", "1000000001", "2", "1.7976931348623157E308", "2147483647", "0")
    }

    @Test func sizeAllocatesNothing() throws {
        try expectNone("2", "6", "1000000001", "8", "12345")
        try expectNone("2", "6", "1000000001", "8", "0.00012345")
        // Over ninety-two milliards: no 64-bit number at 10^-8.
        try expectNone("2", "6", "1000000001", "8", "900719925474099")
        try expectNone("2", "6", "1000000001", "8", "9223372036854775807")
    }

    @Test func genericAllocatesNothing() throws { try expectNone("45", "6", "1000000001", "49", "0.0") }

    @Test func tradesToldAsTextAllocateNothing() throws {
        try expectNone("46", "6", "1000000001", "48", "91250.25;1;1795217400123;67854;91201.46918464;true", alsoDecoded: false)
        try expectNone("46", "6", "1000000001", "45", "1795217400")
    }

    @Test func tickByTickAllocatesNothing() throws {
        try expectNone("99", "1000000001", "1", "1795217400", "91255", "2", "0", "CME", "", alsoDecoded: false)
        try expectNone("99", "1000000001", "3", "1795217402", "91250", "91255", "4", "6", "2", alsoDecoded: false)
        try expectNone("99", "1000000001", "4", "1795217403", "91252.5", alsoDecoded: false)
    }

    /// Frames are walked where they lie in the read.
    @Test func walkingTheFramesOfAReadAllocatesNothing() throws {
        let payload = frame(["1", "6", "1000000001", "1", "91250.25", "4", "0"])
        let read = Array(repeating: [0, 0, 0, UInt8(payload.count)] + payload, count: 500).flatMap { $0 }
        let decoder = IBDecoder(version: 178)
        var ticks = 0
        let blocks = try Heap.blocks {
            let bytes = read.span.bytes
            var at = 0
            while let range = try FrameSplitter.frame(in: bytes, at: at) {
                at = range.upperBound
                if try decoder.tick(bytes.extracting(range)) != nil { ticks += 1 }
            }
        }
        #expect(blocks == 0 && ticks == 1_000)
    }

    /// The counter sees the allocations of Swift itself, or nought would prove nothing.
    @Test func theCounterCounts() throws {
        var kept: [[Int]] = []
        kept.reserveCapacity(64)
        let arrays = Heap.blocks { kept.append(Array(repeating: kept.count, count: 100)) }
        #expect(arrays == 1)
        // An order told is a box with texts: many blocks.
        let bytes = frame(["46", "6", "1000000001", "48", "91250.25;1;1795217400123;67854;91201.46918464;true"])
        var text = 0
        let decoded = try Heap.blocks {
            if case .tickString(_, _, let words) = try IBDecoder(version: 178).decode(bytes.span.bytes) { text += words.utf8.count }
        }
        #expect(decoded >= 1 && text > 0)
    }
}
