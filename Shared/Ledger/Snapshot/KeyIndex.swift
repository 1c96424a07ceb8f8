// Where the record of a key stands: the newest keys in a dictionary, all others in one sorted row that costs nothing to load.
internal import Wire

/// A key that can be told from most others by 32 bits.
package protocol IndexedKey: Sendable {
    associatedtype Exact: Hashable & Sendable
    var fingerprint: UInt32 { get }
    /// What makes two keys the same one, fresh or in the row.
    var exact: Exact { get }
}

/// A text that is another when one byte of it is. Strings are also the same when they only look the same, which no row of bytes knows of: a book
/// that was folded would differ from the one that came out of its snapshot.
package struct ExactText: Hashable, Sendable {
    private let text: String
    init(_ text: String) { self.text = text }
    package static func == (a: ExactText, b: ExactText) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String: IndexedKey {
    package var fingerprint: UInt32 { KeyMark.of(utf8) }
    package var exact: ExactText { ExactText(self) }
}
extension ClOrdID: IndexedKey {
    package var fingerprint: UInt32 { KeyMark.of(text.utf8) }
    package var exact: ExactText { ExactText(text) }
}
extension Int64: IndexedKey {
    package var exact: Int64 { self }
    package var fingerprint: UInt32 {
        // Ids are given out in order; the factor (2^64 over the golden ratio) spreads them.
        UInt32(truncatingIfNeeded: (UInt64(bitPattern: self) &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}

private enum KeyMark {
    /// FNV-1a. Who chooses keys so that marks meet makes lookups slow, never wrong.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ (hash >> 32))
    }
}

/// Places by key. Of a key that was added twice the newest place counts.
package struct KeyIndex<Key: IndexedKey>: Sendable {
    /// Eight bytes a key, little-endian: mark in the upper half, place in the lower; sorted. It stays where a snapshot has it.
    private var row: [UInt8] = []
    private var start = 0
    private var sealed = 0
    private var fresh: [Key.Exact: (key: Key, place: Int)] = [:]

    package init() {}

    /// Keys that are not in the row yet.
    package var freshCount: Int { fresh.count }

    package mutating func add(_ key: Key, at place: Int) {
        fresh[key.exact] = (key, place)
        // A dictionary of hundreds of thousands takes a tenth of a second when it grows, and sorting many a few milliseconds.
        if fresh.count >= KeyIndex.freshMax { seal() }
    }
    private static var freshMax: Int { 8_192 }

    private func mark(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < sealed, "an index of \(sealed) keys has no key \(index)")
        return row.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: start + index * 8, as: UInt64.self)) }
    }

    /// The place of a key.
    /// - Parameter has: whether the record at a place has this key: marks alone are no proof.
    package func place(of key: Key, _ has: (Int) -> Bool) -> Int? {
        if let found = fresh[key.exact] { return found.place }
        let wanted = UInt64(key.fingerprint) << 32
        // Behind the last one of this mark.
        var low = firstMark(above: wanted | 0xFFFF_FFFF, from: 0)
        while low > 0, mark(low - 1) >= wanted {
            low -= 1
            let place = Int(mark(low) & 0xFFFF_FFFF)
            if has(place) { return place }
        }
        return nil
    }

    /// The first of those from `low` on that is larger.
    private func firstMark(above wanted: UInt64, from low: Int) -> Int {
        var low = low
        var high = sealed
        while low < high {
            let middle = (low + high) / 2
            if mark(middle) <= wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Moves all fresh keys into the row.
    package mutating func seal() {
        guard !fresh.isEmpty else { return }
        let more = fresh.values.map { UInt64($0.key.fingerprint) << 32 | UInt64($0.place) }.sorted()
        let bytes = (sealed + more.count) * 8
        // Few come among many: what lies between two of them is moved in one go.
        row = [UInt8](unsafeUninitializedCapacity: bytes) { room, filled in
            var merged = RawWriter(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[..<bytes]))
            var next = 0
            for fresh in more {
                let end = firstMark(above: fresh, from: next)
                merged.append(row, in: start + next * 8..<start + end * 8)
                merged.little(fresh)
                next = end
            }
            merged.append(row, in: start + next * 8..<start + sealed * 8)
            filled = merged.count
        }
        start = 0
        sealed += more.count
        fresh = [:]
    }

    /// The row as bytes; everything must be sealed.
    package var bytes: [UInt8] {
        precondition(fresh.isEmpty, "an index with fresh keys")
        return Array(row[start..<start + sealed * 8])
    }

    /// Reads `bytes` back.
    /// - Parameter places: every place must be below.
    init(_ part: PackedPiece, places: Int) throws(PackError) {
        guard part.count % 8 == 0, places <= Int(UInt32.max) else { throw PackError(at: part.count) }
        row = part.source
        start = part.range.lowerBound
        sealed = part.count / 8
        let (count, first) = (sealed, start)
        let isSorted = row.withUnsafeBytes { raw in
            var before: UInt64 = 0
            for index in 0..<count {
                let mark = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: first + index * 8, as: UInt64.self))
                guard mark >= before, mark & 0xFFFF_FFFF < UInt64(places) else { return false }
                before = mark
            }
            return true
        }
        guard isSorted else { throw PackError(at: start) }
    }
}
