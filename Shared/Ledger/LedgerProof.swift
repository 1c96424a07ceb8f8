// The proof that an entry is under a signature: the hashes from it to the next checkpoint, to be followed with b2sum and nothing of ours.
package import Values
package import Wire

/// From one entry to the checkpoint that covers it.
package struct LedgerProof: Sendable {
    package let edge: EdgeID
    /// The entry to be proved and every one after it up to the one that the checkpoint signs.
    package private(set) var path: [Head] = []
    /// The signature at the end of the path; nil when no checkpoint has followed yet.
    package private(set) var checkpoint: CheckpointFact?
    package private(set) var epoch: UInt32 = 0
    /// Why the path breaks, in words.
    package private(set) var difference: String?

    package init(edge: EdgeID) { self.edge = edge }

    /// Takes the rows from the entry to be proved on; false when no more are needed.
    package mutating func accept(_ row: EntryRow) -> Bool {
        do throws(RowError) {
            let entry = try Entry(row)
            if let last = path.last {
                guard entry.seq == last.seq.next, entry.previous == last.hash else {
                    difference = "entry \(entry.seq) does not follow entry \(last.seq)"
                    return false
                }
            }
            guard Chain.hash(entry, edge: edge) == entry.hash else {
                difference = ChainError.hash(at: entry.seq).description
                return false
            }
            if !path.isEmpty, entry.kind == Kind.checkpoint.rawValue {
                var rule = CheckpointRule(edge: edge)
                difference = rule.accept(entry)
                checkpoint = difference == nil ? rule.last : nil
                epoch = entry.epoch
                return false
            }
            path.append(entry.head)
            return true
        } catch {
            difference = error.description
            return false
        }
    }

    /// Between the entry and the next signature entries are missing for good: there is no way across.
    package mutating func stop(at hole: LedgerHole) {
        difference = "\(hole.words) are missing for good: no signature before them covers it, and no path leads across them"
    }

    /// True when the path reaches a good signature.
    package var isProved: Bool { difference == nil && checkpoint != nil }

    /// For people, with the commands that check it. `export` is what prints the bytes of an entry: `tidewire-edge ledger export --raw`.
    package func text(export: String) -> String {
        var lines = ["edge \(edge)"]
        lines += path.map { "entry \($0.seq) \(Hex.text($0.hash))" }
        if let difference { return (lines + ["DIFFERENCE: \(difference)"]).joined(separator: "\n") }
        guard let checkpoint else {
            return (lines + ["No checkpoint covers it yet: the next one comes within a minute of activity, or at the end of the run."])
                .joined(separator: "\n")
        }
        let said = CheckpointFact.signedBytes(edge: edge, epoch: epoch, head: checkpoint.head, digest: checkpoint.digest)
        lines += [
            "checkpoint \(checkpoint.head.seq.next) epoch \(epoch) digest \(Hex.text(checkpoint.digest))", "key \(Hex.text(checkpoint.key))",
            "signature \(Hex.text(checkpoint.signature))", "signed \(Hex.text(said))", "",
            "Each line's hash:      \(export) SEQ | b2sum -l 256",
            "It stands in the next: \(export) SEQ+1 | xxd -p | tr -d '\\n' | grep -c HASH      (1)",
            "The last one stands in 'signed', whose first bytes are tidewire.checkpoint1, edge, epoch and number. The signature:",
            "  echo 302a300506032b6570032100\(Hex.text(checkpoint.key)) | xxd -r -p > key.der",
            "  echo \(Hex.text(said)) | xxd -r -p > signed.bin; echo \(Hex.text(checkpoint.signature)) | xxd -r -p > signature.bin",
            "  openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -in signed.bin -sigfile signature.bin",
        ]
        return lines.joined(separator: "\n")
    }

    /// For programs.
    package var value: JSONValue {
        var members = [
            JSONMember("edge", .string(edge.description)),
            JSONMember("path", .array(path.map { ["seq": .integer(Int64(clamping: $0.seq.raw)), "hash": .string(Hex.text($0.hash))] })),
            JSONMember("proved", .bool(isProved)),
        ]
        if let checkpoint {
            let said = CheckpointFact.signedBytes(edge: edge, epoch: epoch, head: checkpoint.head, digest: checkpoint.digest)
            members += [
                JSONMember("key", .string(Hex.text(checkpoint.key))), JSONMember("signature", .string(Hex.text(checkpoint.signature))),
                JSONMember("signed", .string(Hex.text(said))),
            ]
        }
        if let difference { members.append(JSONMember("difference", .string(difference))) }
        return .object(members)
    }
}
