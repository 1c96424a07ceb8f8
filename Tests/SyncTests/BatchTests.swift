// Batches: entries without hashes come back whole, and any change in them is found.
import Ledger
import Sync
import Testing
import Values
import Wire

struct BatchTests {
    func entries(_ count: Int = 60) throws -> [Entry] {
        var ledger = try Samples.Ledger(seed: 3)
        try ledger.grow(count / 2)
        try ledger.restart()
        try ledger.grow(count / 2)
        return ledger.entries
    }

    func verified(_ body: [UInt8], after previous: Head = .start) throws -> Batch {
        var batch = try Batch(body)
        var verifier = ChainVerifier(edge: Samples.edge, after: previous)
        try batch.verify(with: &verifier)
        return batch
    }

    @Test func entriesComeBackWithTheirHashes() throws {
        let entries = try entries()
        let packed = Batch.encode(entries)
        let batch = try verified(packed.body)
        #expect(batch.entries == entries && batch.previous == .start && batch.last == entries.last?.head && batch.rawBytes == packed.rawBytes)
        let middle = Array(entries[10..<40])
        #expect(try verified(Batch.encode(middle).body, after: entries[9].head).entries == middle)
        #expect(packed.rawBytes <= entries.reduce(0) { $0 + Batch.size(of: $1) })
    }

    @Test func extremeNumbersRoundTrip() throws {
        var entry = try entries(2)[0]
        entry.wall = Instant(nanoseconds: .min); entry.kindVersion = .max
        // As far as a ledger can still go on from.
        entry.hlc = 7_258_118_399_999_999_999; entry.epoch = (1 << 30) - 1
        entry.ref = [UInt8](repeating: 7, count: 255)
        entry.hash = Chain.hash(entry, edge: Samples.edge)
        #expect(try verified(Batch.encode([entry]).body).entries == [entry])
    }

    /// Both clocks move on alike but when somebody sets one: the boot clock costs a byte then, and comes back whatever the wall clock did.
    @Test func clocksThatRunAlikeAreSaidOnce() throws {
        let first = try entries(1)[0]
        func batch(_ moves: [(wall: Int64, mono: Int64)]) throws -> (raw: Int, back: Bool) {
            var all = [first]
            for move in moves {
                var entry = all[all.count - 1]
                entry.seq = entry.seq.next
                entry.wall = Instant(nanoseconds: entry.wall.nanoseconds &+ move.wall)
                entry.mono = Span(nanoseconds: entry.mono.nanoseconds &+ move.mono)
                entry.hlc = entry.wall.nanoseconds
                all.append(entry)
            }
            let packed = Batch.encode(all)
            let read = try Batch(packed.body).entries
            return (packed.rawBytes, read.map(\.wall) == all.map(\.wall) && read.map(\.mono) == all.map(\.mono) && read.map(\.hlc) == all.map(\.hlc))
        }
        let second: Int64 = 1_000_000_000
        let alone = try batch([]).raw
        let alike = try batch([(second, second)]), apart = try batch([(second, second * 2)])
        #expect(alike.back && apart.back && alike.raw + 4 == apart.raw && alike.raw > alone)
        // Set back a day, set far ahead, past both ends of the numbers.
        for wall in [-86_400 * second, 9 * second, Int64.max, Int64.min, -1] {
            for mono in [0, 1, second, Int64.max, Int64.min] { #expect(try batch([(wall, mono), (second, second)]).back, "\(wall) \(mono)") }
        }
    }

    /// Flipping any bit of a batch, header or block, is refused: by zstd, by the reader, or by the chain.
    @Test func everyFlippedBitIsFound() throws {
        let entries = try entries(10)
        let body = Batch.encode(entries).body
        for index in body.indices {
            var damaged = body
            damaged[index] ^= 1 << UInt8(index % 8)
            // The hash before the first entry is compared by whoever knows it; here that is the start of the chain.
            if (12..<44).contains(index) { #expect(try Batch(damaged).previous != .start); continue }
            if let batch = try? Batch(damaged), batch.previous.seq != Seq(0) { continue }
            do {
                let batch = try verified(damaged)
                #expect(batch.entries == entries, "byte \(index) changed an entry and was not found")
            } catch {}
        }
        for count in body.indices { #expect(throws: BatchError.self) { try Batch(Array(body.prefix(count))) } }
    }

    @Test func sizesAreCheckedBeforeUnpacking() throws {
        func body(_ raw: [UInt8], count: UInt32 = 1, from: UInt64 = 1) -> [UInt8] {
            var out = ByteWriter()
            out.little(from); out.little(count); out.append([UInt8](repeating: 0, count: 64)); out.append(Compression.compress(raw))
            return out.bytes
        }
        #expect(throws: BatchError.compression(.tooLarge(declared: UInt64(Batch.rawBytesMax + 1), limit: Batch.rawBytesMax))) {
            try Batch(body([UInt8](repeating: 0, count: Batch.rawBytesMax + 1)))
        }
        #expect(throws: BatchError.count(0)) { try Batch(body([], count: 0)) }
        #expect(throws: BatchError.count(4_097)) { try Batch(body([], count: 4_097)) }
        #expect(throws: BatchError.count(1)) { try Batch(body([], from: 0)) }
        #expect(throws: BatchError.count(1)) { try Batch(body([], from: .max)) }
        #expect(throws: BatchError.truncated) { try Batch(body([])) }
        // mark, epoch, boot, wall, mono, hlc, kind, version, flags, then a reference of 256 bytes.
        let head: [UInt8] = [0, 1, 1, 0, 0, 0, 1, 1, 0]
        #expect(throws: BatchError.entryTooLarge(at: Seq(1))) { try Batch(body(head + [0x80, 0x02])) }
        #expect(throws: BatchError.entryTooLarge(at: Seq(1))) { try Batch(body(head + [0, 0x81, 0x80, 0x04])) }
        #expect(throws: BatchError.trailing(bytes: 1)) { try Batch(body(head + [0, 0, 9])) }
        #expect(throws: BatchError.truncated) { try Batch(body([1])) }
        #expect(throws: BatchError.truncated) { try Batch(body([UInt8](repeating: 0xFF, count: 12))) }
    }

    @Test func aBatchIsSmall() throws {
        let entries = try entries(2_000)
        let perEntry = Batch.encode(entries).body.count / entries.count
        #expect(perEntry < 60, "\(perEntry) bytes an entry")
    }
}
