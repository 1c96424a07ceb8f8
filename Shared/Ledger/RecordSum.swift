// A sum over many records that does not depend on their order: what is settled is counted once, and not read again for each digest.
internal import Wire

/// The sum of the BLAKE2b-256 hashes of a set of records, lane by lane modulo 2^64, and how many there are. It tells honest folds apart; whoever may
/// choose records freely could make two sets collide, and against him stands the chain.
package struct RecordSum: Hashable, Sendable {
    package private(set) var count: UInt64 = 0
    private var lanes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init() {}

    package mutating func add(_ record: [UInt8]) {
        let hash = RecordSum.lanes(of: record)
        count &+= 1
        lanes = (lanes.0 &+ hash.0, lanes.1 &+ hash.1, lanes.2 &+ hash.2, lanes.3 &+ hash.3)
    }

    /// Takes a record back that was added with these bytes.
    package mutating func remove(_ record: [UInt8]) {
        let hash = RecordSum.lanes(of: record)
        count &-= 1
        lanes = (lanes.0 &- hash.0, lanes.1 &- hash.1, lanes.2 &- hash.2, lanes.3 &- hash.3)
    }

    /// Count and lanes, 40 bytes.
    func write(into out: inout ByteWriter) {
        out.little(count); out.little(lanes.0); out.little(lanes.1); out.little(lanes.2); out.little(lanes.3)
    }

    /// Reads what `write` wrote.
    init(_ reader: inout Unpacker) throws(PackError) {
        count = try reader.little(UInt64.self)
        lanes = (
            try reader.little(UInt64.self), try reader.little(UInt64.self), try reader.little(UInt64.self), try reader.little(UInt64.self)
        )
    }

    package static func == (a: RecordSum, b: RecordSum) -> Bool { a.count == b.count && a.lanes == b.lanes }
    package func hash(into hasher: inout Hasher) { hasher.combine(count); hasher.combine(lanes.0) }

    private static func lanes(of record: [UInt8]) -> (UInt64, UInt64, UInt64, UInt64) {
        let hash = Hashing.blake2b(record)
        func lane(_ index: Int) -> UInt64 { hash[index * 8..<index * 8 + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        return (lane(0), lane(1), lane(2), lane(3))
    }
}
