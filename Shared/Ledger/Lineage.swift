// Facts about the ledger itself: what came back from a copy, which history goes on, and what nobody can show any more.
package import Values
internal import Wire

/// Entries that this ledger had lost, or whose stored bytes were damaged, came back from a copy as they were written, byte for byte.
package struct HealedFact: Hashable, Sendable {
    package var from: Seq
    package var to: Seq
    /// `cloud`.
    package var source: String
    package init(from: Seq, to: Seq, source: String) { self.from = from; self.to = to; self.source = source }
}

/// First entry of an epoch: a person decided which history goes on.
package struct LineageFact: Hashable, Sendable {
    /// The history that does not go on.
    package enum Other: Hashable, Sendable {
        /// Entries that were announced and that nobody has.
        case lost(from: Seq, to: Seq)
        /// A branch that is kept in a sealed file; this is its last entry.
        case sealed(Head)
    }
    package var oldEpoch: UInt32
    package var other: Other
    /// The last entry before the decision, on the branch that goes on.
    package var ours: Head
    /// `cloud:<user>` or `console`.
    package var decidedBy: String
    package init(oldEpoch: UInt32, other: Other, ours: Head, decidedBy: String) {
        self.oldEpoch = oldEpoch; self.other = other; self.ours = ours; self.decidedBy = decidedBy
    }
    /// `rollback` or `fork`.
    package var reason: String { if case .lost = other { "rollback" } else { "fork" } }
}

/// Entries that are missing for good, and the hash that the entry after them follows.
package struct GapFact: Hashable, Sendable {
    package var from: Seq
    package var to: Seq
    /// Of entry `to`, 32 bytes.
    package var hash: [UInt8]
    package init(from: Seq, to: Seq, hash: [UInt8]) { self.from = from; self.to = to; self.hash = hash }
}

extension HealedFact {
    func write(into out: inout FieldWriter) { out.put("from", Int64(from.raw)); out.put("to", Int64(to.raw)); out.put("source", source) }
    init(_ f: Fields) throws(CodecError) { self.init(from: try f.seq("from"), to: try f.seq("to"), source: try f.text("source")) }
}

extension GapFact {
    /// Its members, in a body or in a message.
    package func write(into out: inout FieldWriter) {
        out.put("from", Int64(from.raw)); out.put("to", Int64(to.raw)); out.put("hash", Hex.text(hash))
    }
    /// Reads what `write` gave.
    package init(_ f: Fields) throws(CodecError) { self.init(from: try f.seq("from"), to: try f.seq("to"), hash: try f.hash("hash")) }
}

extension LineageFact {
    func write(into out: inout FieldWriter) {
        out.put("reason", reason); out.put("oldEpoch", Int64(oldEpoch)); out.put("decidedBy", decidedBy)
        out.put("ours", ["seq": .integer(Int64(ours.seq.raw)), "hash": .string(Hex.text(ours.hash))])
        switch other {
        case .lost(let from, let to): out.put("lost", ["from": .integer(Int64(from.raw)), "to": .integer(Int64(to.raw))])
        case .sealed(let head): out.put("sealed", ["seq": .integer(Int64(head.seq.raw)), "hash": .string(Hex.text(head.hash))])
        }
    }
    init(_ f: Fields) throws(CodecError) {
        guard let epoch = UInt32(exactly: try f.integer("oldEpoch")) else { throw .badValue("oldEpoch") }
        let ours = try Fields(f.raw("ours"))
        let other: Other
        switch try f.text("reason") {
        case "rollback":
            let lost = try Fields(f.raw("lost"))
            other = .lost(from: try lost.seq("from"), to: try lost.seq("to"))
        case "fork":
            let sealed = try Fields(f.raw("sealed"))
            other = .sealed(Head(seq: try sealed.seq("seq"), hash: try sealed.hash("hash")))
        default: throw .badValue("reason")
        }
        self.init(
            oldEpoch: epoch, other: other, ours: Head(seq: try ours.seq("seq"), hash: try ours.hash("hash")), decidedBy: try f.text("decidedBy"))
    }
}

extension Fields {
    fileprivate func seq(_ key: String) throws(CodecError) -> Seq {
        guard let raw = UInt64(exactly: try integer(key)) else { throw .badValue(key) }
        return Seq(raw)
    }
    fileprivate func hash(_ key: String) throws(CodecError) -> [UInt8] {
        guard let bytes = Hex.bytes(try text(key)), bytes.count == 32 else { throw .badValue(key) }
        return bytes
    }
}
