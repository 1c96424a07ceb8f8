// RANGE and RANGEHASH: what one end asks of the other's stored bytes, and the digests that answer.
internal import Ledger
package import Values
internal import Wire

/// Digests are wanted of these entries as they are stored, one for each `step` of them.
package struct RangeQuestion: Hashable, Sendable {
    /// Entries that one question covers at most; ranges begin after a multiple of it, so that anybody can compute the same digests.
    package static let entriesMax = 1_024
    /// Digests in one answer.
    package static let hashesMax = 64
    /// Numbers the comparison that it belongs to.
    package var audit: Int64
    package var from: Seq
    package var through: Seq
    package var step: Int
    package init(audit: Int64, from: Seq, through: Seq, step: Int) {
        self.audit = audit; self.from = from; self.through = through; self.step = step
    }
    /// How many digests answer it.
    package var count: Int { (Int(through.raw - from.raw) + step) / step }
    /// The numbers under one of the digests.
    package func part(_ index: Int) -> ClosedRange<UInt64> {
        let start = from.raw + UInt64(index * step)
        return start...min(start + UInt64(step) - 1, through.raw)
    }
}

/// The answer to a question; without hashes when the entries are not kept there.
package struct RangeAnswer: Hashable, Sendable {
    package var question: RangeQuestion
    /// As `StoredRange.digests` gives them, 32 bytes each.
    package var hashes: [[UInt8]]
    package init(question: RangeQuestion, hashes: [[UInt8]]) { self.question = question; self.hashes = hashes }
}

extension RangeQuestion {
    func write(into out: inout FieldWriter) {
        out.put("audit", audit); out.put("from", Int64(clamping: from.raw)); out.put("through", Int64(clamping: through.raw))
        out.put("step", Int64(step))
    }
    init(_ f: Fields) throws(CodecError) {
        let from = try f.integer("from"), through = try f.integer("through"), step = try f.integer("step")
        guard from > 0, through >= from, through - from < Int64(RangeQuestion.entriesMax) else { throw .badValue("through") }
        guard step > 0, step <= Int64(RangeQuestion.entriesMax) else { throw .badValue("step") }
        self.init(audit: try f.integer("audit"), from: Seq(UInt64(from)), through: Seq(UInt64(through)), step: Int(step))
        guard count <= RangeQuestion.hashesMax else { throw .badValue("step") }
    }
}

extension RangeAnswer {
    func write(into out: inout FieldWriter) {
        question.write(into: &out)
        out.put("hashes", .array(hashes.map { .string(Hex.text($0)) }))
    }
    init(_ f: Fields) throws(CodecError) {
        let question = try RangeQuestion(f)
        var hashes: [[UInt8]] = []
        for value in try f.list("hashes") {
            guard let text = value.text, let hash = Hex.bytes(text), hash.count == 32 else { throw .badValue("hashes") }
            hashes.append(hash)
        }
        guard hashes.isEmpty || hashes.count == question.count else { throw .badValue("hashes") }
        self.init(question: question, hashes: hashes)
    }
}
