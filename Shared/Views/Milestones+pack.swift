// Milestones as they stand in a snapshot, beside the book.
package import Ledger
internal import Values
internal import Wire

extension Milestones {
    /// Every member, in a fixed order.
    package var packed: [UInt8] {
        var out = ByteWriter(reserving: 4_096)
        for moment in [halt, reconciled, session, lastEntry] {
            out.little(UInt8(moment == nil ? 0 : 1))
            if let moment { out.little(moment.nanoseconds) }
        }
        out.little(UInt64(denials.count))
        for row in denials { out.append(row.id.bytes); out.little(row.at.nanoseconds); out.append(row.denial.canonical) }
        out.little(UInt64(sent.count))
        for row in sent {
            out.little(row.seq.raw); out.little(UInt64(row.tags.count))
            for tag in row.tags { out.little(UInt32(tag.text.utf8.count)); out.append(tag.text.utf8) }
        }
        return out.bytes
    }

    /// Reads `packed` back.
    package init(packed bytes: [UInt8]) throws(PackError) {
        self.init()
        var reader = Unpacker(bytes)
        let moment = { (reader: inout Unpacker) throws(PackError) in try reader.instant() }
        halt = try reader.optional(moment); reconciled = try reader.optional(moment)
        session = try reader.optional(moment); lastEntry = try reader.optional(moment)
        denials = try reader.list { reader throws(PackError) in
            let id = try reader.known(IntentID(bytes: try reader.take(16))), at = try reader.instant()
            return DenialRow(id: id, at: at, denial: try Denial(&reader))
        }
        sent = try reader.list { reader throws(PackError) in
            let seq = Seq(try reader.little(UInt64.self))
            return SentRow(seq: seq, tags: try reader.list { reader throws(PackError) in ClOrdID(try reader.text()) })
        }
        try reader.finish()
    }
}
