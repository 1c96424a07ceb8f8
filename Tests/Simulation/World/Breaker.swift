// The planted rule breakers: each takes one protection away, and its checker must notice.
internal import CloudNode
internal import EdgeAgent
internal import Platform
internal import Wire

/// One deliberately broken world.
package enum Breaker: String, CaseIterable, Sendable {
    case none
    /// The cloud keeps what it cannot have verified.
    case noHashCheck
    /// The cloud acknowledges before its disk has the entries.
    case ackBeforeCommit
    /// The journal says "durable" before the disk says so.
    case ordersBeforeTheDisk
    /// The session sends the last order again when it connects.
    case ordersTwice
    /// The cloud takes entries that leave a hole.
    case gaps
    /// The session tells of no execution, neither at once nor in snapshots.
    case losesFills
    /// The edge counts a command's life from when it came.
    case lateCommands
    /// The desk's books forget the other side of each trade, and nobody looks before it is written.
    case oneSidedBooks

    /// The name of the checker that must catch it.
    package var caughtBy: String? {
        switch self {
        case .none: nil
        case .noHashCheck: ChainChecker.name
        case .ackBeforeCommit: AckChecker.name
        case .ordersBeforeTheDisk: IntentChecker.name
        case .ordersTwice: OnceChecker.name
        case .gaps: MirrorChecker.name
        case .losesFills: BrokerChecker.name
        case .lateCommands: CommandChecker.name
        case .oneSidedBooks: PostingChecker.name
        }
    }
}

extension Breaker {
    /// What stands before the file of the cloud's entries; the node itself is production's.
    func ledgerFile(_ store: EntryStore) -> any LedgerFile {
        switch self {
        case .ackBeforeCommit: LyingLedgerFile(store)
        // The store, too, refuses what does not follow: whoever takes the receiver's protection away has to take this one as well.
        case .gaps, .noHashCheck: RenumberingLedgerFile(store)
        case .none, .ordersBeforeTheDisk, .ordersTwice, .losesFills, .lateCommands, .oneSidedBooks: store
        }
    }
}

/// A file of the cloud's that answers before it has written: the rows of one commit reach the disk with the next.
final class LyingLedgerFile: LedgerFile {
    private let store: EntryStore
    private var held: [EntryRow] = []
    init(_ store: EntryStore) { self.store = store }

    var head: LogHead { held.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? store.head }
    func append(_ rows: [EntryRow]) throws(StoreError) {
        try store.append(held)
        held = rows
    }
    func each(visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) { try store.each(visit: visit) }
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] {
        Array((try store.read(from: seq, limit: limit) + held.drop { $0.seq < seq }).prefix(limit))
    }
    func read(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        try store.read(kinds: kinds, from: from, below: below, newestFirst: newestFirst, limit: limit)
    }
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { try store.entries(ref: ref, limit: limit) }
    func indexSubjects(limit: Int) throws(StoreError) -> Int { try store.indexSubjects(limit: limit) }
    func cut(after seq: UInt64) throws(StoreError) { try store.cut(after: seq) }
    var logBytes: Int { store.logBytes }
    func checkpoint() throws(StoreError) { try store.checkpoint() }
}

/// A file of the cloud's that takes whatever comes and numbers it on, as a careless one would.
final class RenumberingLedgerFile: LedgerFile {
    private let store: EntryStore
    init(_ store: EntryStore) { self.store = store }

    var head: LogHead { store.head }
    func append(_ rows: [EntryRow]) throws(StoreError) {
        var rows = rows
        var head = store.head
        for index in rows.indices {
            rows[index].seq = head.seq + 1
            rows[index].prev = head.hash
            head = LogHead(seq: rows[index].seq, hash: rows[index].hash)
        }
        try store.append(rows)
    }
    func each(visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) { try store.each(visit: visit) }
    func read(from seq: UInt64, limit: Int) throws(StoreError) -> [EntryRow] { try store.read(from: seq, limit: limit) }
    func read(kinds: [UInt16], from: UInt64, below: UInt64, newestFirst: Bool, limit: Int) throws(StoreError) -> [EntryRow] {
        try store.read(kinds: kinds, from: from, below: below, newestFirst: newestFirst, limit: limit)
    }
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { try store.entries(ref: ref, limit: limit) }
    func indexSubjects(limit: Int) throws(StoreError) -> Int { try store.indexSubjects(limit: limit) }
    func cut(after seq: UInt64) throws(StoreError) { try store.cut(after: seq) }
    var logBytes: Int { store.logBytes }
    func checkpoint() throws(StoreError) { try store.checkpoint() }
}

/// A store that answers before it has written: the rows of one commit reach the disk with the next.
final class LyingStore: JournalStore {
    private let store: EntryStore
    private var held: [EntryRow] = []

    init(_ store: EntryStore) { self.store = store }

    var head: LogHead { held.last.map { LogHead(seq: $0.seq, hash: $0.hash) } ?? store.head }
    func append(_ rows: [EntryRow], meta: KeyValuePairs<String, String>) throws(StoreError) {
        try store.append(held, meta: meta)
        held = rows
    }
    func read(from seq: UInt64, limit: Int, maxBytes: Int) throws(StoreError) -> [EntryRow] {
        let written = try store.read(from: seq, limit: limit, maxBytes: maxBytes)
        return written.isEmpty ? Array(held.drop { $0.seq < seq }.prefix(limit)) : written
    }
    func each(from seq: UInt64, visit: (EntryRow) throws(DatabaseError) -> Bool) throws(StoreError) { try store.each(from: seq, visit: visit) }
    func entries(ref: [UInt8], limit: Int) throws(StoreError) -> [EntryRow] { try store.entries(ref: ref, limit: limit) }
    func meta(_ key: String) throws(StoreError) -> String? { try store.meta(key) }
    func setMeta(_ key: String, _ text: String) throws(StoreError) { try store.setMeta(key, text) }
    func cut(after seq: UInt64, meta: KeyValuePairs<String, String>) throws(StoreError) { try store.cut(after: seq, meta: meta) }
    func prepareLog() -> Bool { store.prepareLog() }
    var subjectsBehind: Int { store.subjectsBehind }
    func indexSubjects(limit: Int) throws(StoreError) -> Int { try store.indexSubjects(limit: limit) }
    var logBytes: Int { store.logBytes }
    func checkpoint() throws(StoreError) { try store.checkpoint() }
}
