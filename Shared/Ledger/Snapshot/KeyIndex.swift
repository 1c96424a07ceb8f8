// Where the record of a key stands: the newest keys in a dictionary, all others in one sorted row that costs nothing to load.
internal import Wire

/// A key that can be told from most others by 32 bits.
package protocol IndexedKey: Hashable, Sendable {
    var fingerprint: UInt32 { get }
}

extension String: IndexedKey {
    package var fingerprint: UInt32 { KeyMark.of(utf8) }
}
extension ClOrdID: IndexedKey {
    package var fingerprint: UInt32 { KeyMark.of(text.utf8) }
}
extension Int64: IndexedKey {
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
    /// Mark in the upper half, place in the lower, sorted.
    private var sealed: [UInt64] = []
    private var fresh: [Key: Int] = [:]

    package init() {}

    package var count: Int { sealed.count + fresh.count }
    /// Keys that are not in the row yet.
    package var freshCount: Int { fresh.count }

    package mutating func add(_ key: Key, at place: Int) { fresh[key] = place }

    /// The place of a key.
    /// - Parameter has: whether the record at a place has this key: marks alone are no proof.
    package func place(of key: Key, _ has: (Int) -> Bool) -> Int? {
        if let place = fresh[key] { return place }
        let mark = UInt64(key.fingerprint) << 32
        // Behind the last one of this mark.
        var low = 0, high = sealed.count
        while low < high {
            let middle = (low + high) / 2
            if sealed[middle] <= mark | 0xFFFF_FFFF { low = middle + 1 } else { high = middle }
        }
        while low > 0, sealed[low - 1] >= mark {
            low -= 1
            let place = Int(sealed[low] & 0xFFFF_FFFF)
            if has(place) { return place }
        }
        return nil
    }

    /// Moves all fresh keys into the row.
    package mutating func seal() {
        guard !fresh.isEmpty else { return }
        let more = fresh.map { UInt64($0.key.fingerprint) << 32 | UInt64($0.value) }.sorted()
        var merged: [UInt64] = []
        merged.reserveCapacity(sealed.count + more.count)
        var next = more.startIndex
        for old in sealed {
            while next < more.endIndex, more[next] < old { merged.append(more[next]); next += 1 }
            merged.append(old)
        }
        merged += more[next...]
        sealed = merged
        fresh = [:]
    }

    /// The row as bytes; everything must be sealed.
    package var bytes: [UInt8] {
        precondition(fresh.isEmpty, "an index with fresh keys")
        var out = ByteWriter(reserving: sealed.count * 8)
        for mark in sealed { out.little(mark) }
        return out.bytes
    }

    /// Reads `bytes` back.
    /// - Parameter places: every place must be below.
    init(_ part: PackedPiece, places: Int) throws(PackError) {
        guard part.count % 8 == 0, places <= Int(UInt32.max) else { throw PackError(at: part.count) }
        let count = part.count / 8, start = part.range.lowerBound
        var isSorted = true, before: UInt64 = 0
        sealed = part.source.withUnsafeBytes { raw in
            [UInt64](unsafeUninitializedCapacity: count) { buffer, filled in
                for index in 0..<count {
                    let mark = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: start + index * 8, as: UInt64.self))
                    isSorted = isSorted && mark >= before && mark & 0xFFFF_FFFF < UInt64(places)
                    before = mark
                    buffer[index] = mark
                }
                filled = count
            }
        }
        guard isSorted else { throw PackError(at: start) }
    }
}
