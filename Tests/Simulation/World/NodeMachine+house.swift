// What a person does for the cloud's files: a backup put back on trial, a comparison with the edge, a look at an entry; and what rots in them.
internal import CloudNode
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// The cloud would not go on with the ledger that it found.
struct LedgerRefused: Error {}

extension NodeMachine {
    private var path: String { "edges/\(edge).db" }

    /// Copies the disk, puts the copy on trial, and tells the cloud how far it reaches.
    /// - Returns: that; nil when there is nothing to tell, or the cloud did not take it.
    func backUp(at clock: ClockReading) throws -> UInt64? {
        let copy = image()
        guard let store = try store(on: copy), store.head.seq > 0 else { return nil }
        var verifier = LedgerVerifier(edge: edge, check: signatures.check)
        try store.each { row in verifier.accept(row) != nil }
        guard verifier.difference == nil, verifier.head.seq.raw == store.head.seq else { return nil }
        let head: JSONValue = [
            "edge": .string(edge.description), "seq": .integer(Int64(store.head.seq)), "hash": .string(Hex.text(store.head.hash)),
        ]
        var answer: Answer?
        disk.now = clock.wall
        try guarded {
            answer = try send(
                Request(method: "POST", path: "/console/store/backed-up", body: JSONWriter.plain(["heads": [head]]), isLocal: true), at: clock)
        }
        return answer?.status == 200 ? store.head.seq : nil
    }

    /// Somebody presses the button that compares stored bytes.
    func compare(at clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded {
            bearer = nil
            try signIn(at: clock)
            _ = try post("/api/v1/edges/\(edge)/reconcile", [:], at: clock)
        }
    }

    /// Somebody looks at an entry, whose stored bytes are not what was written.
    func look(at seq: UInt64, clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded {
            if bearer == nil { try signIn(at: clock) }
            let answer = try send(
                Request(
                    method: "GET", path: "/api/v1/ledger", query: [("edge", edge.description), ("from", "\(seq)"), ("limit", "1")],
                    headers: [("authorization", "Bearer " + (bearer ?? ""))]), at: clock)
            guard let answer, answer.status == 200 else { return }
            if String(decoding: answer.body, as: UTF8.self).contains(StoredDamage.word) { seen.append(.shown(seq: seq)) }
        }
    }

    /// Changes the bytes of a stored entry behind the program's back.
    /// - Returns: the right row; nil when there is none.
    func rot(_ seq: UInt64) throws -> EntryRow? { disk.names.contains(path) ? try StoredDamage.rot(seq, in: path, on: disk) : nil }
    /// What the disk has of an entry now.
    func stored(_ seq: UInt64) throws -> EntryRow? { try store(on: disk)?.storedRows(from: seq, through: seq).first ?? nil }
    /// The medium gives the right bytes again.
    func putRight(_ row: EntryRow) throws { try StoredDamage.putRight(row, in: path, on: disk) }
}
