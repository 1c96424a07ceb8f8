// How the edge of a world keeps its files: it starts from snapshots, lets the nightly check follow, and moves old entries into segments.
internal import EdgeAgent
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

extension EdgeMachine {
    /// What a start made of the ledger.
    struct Opened {
        let journal: Journal
        var book: Book
        var milestones = Milestones()
        var snapshots: SnapshotSettings?
    }

    /// What the programs of a world call themselves. Where books are compared it has to be the release whose digests are.
    var release: String { setup.house == nil ? "world" : Version.product }

    /// Where snapshots and segments lie.
    private var files: any KeptFiles { setup.breaker == .segmentsUnsynced ? LazyFiles(disk) : DiskFiles(disk) }

    /// The file of the ledger, with its segments when it has any.
    func openFile(_ access: Database.Options.Access) throws -> EntryStore {
        guard let house = setup.house else { return try EntryStore(path: EdgeMachine.ledger, .init(access, vfs: disk.name)) }
        return try EntryStore(path: EdgeMachine.ledger, .init(access, vfs: disk.name), kept: files, segmentRows: house.segmentRows)
    }

    /// Reads the ledger as production does.
    func openLedger() throws -> Opened {
        let file = try openFile(.create)
        let store: any JournalStore =
            switch setup.breaker {
            case .ordersBeforeTheDisk: LyingStore(file)
            case .movesTooEarly: EagerStore(file)
            case .mendsNothing: MendlessStore(file)
            default: file
            }
        guard let house = setup.house else {
            var book = Book(edge: setup.edge)
            let journal = try Journal(store: store, edge: setup.edge, replay: { book.apply($0) }, check: setup.signatures.check)
            return Opened(journal: journal, book: book)
        }
        let files = files
        startedFrom = 0
        var recovered = try FastStart.open(store, edge: setup.edge, files: files, release: release, check: setup.signatures.check)
        startedFrom = recovered.snapshot?.head.seq.raw ?? 0
        if setup.breaker == .forgetsTheTail, let header = recovered.snapshot {
            recovered.book = try forgetful(file, after: header.head.seq.raw)
        }
        if !setup.isClone { seen.append(.folded(through: recovered.journal.head.seq.raw, digest: recovered.book.digest())) }
        var snapshots = SnapshotSettings(files: files, recovered)
        snapshots.every = house.snapshotEvery
        return Opened(journal: recovered.journal, book: recovered.book, milestones: recovered.milestones, snapshots: snapshots)
    }

    /// The book as if nothing had been traded or halted after a snapshot.
    private func forgetful(_ file: EntryStore, after seq: UInt64) throws -> Book {
        var book = Book(edge: setup.edge)
        for var row in try file.read(from: 1, limit: .max) {
            if row.seq > seq, row.kind != Kind.boot.rawValue { row.kind = .max }
            book.apply(try Entry(row))
        }
        return book
    }

    /// When old entries move; nil for an edge that keeps them all in the database.
    var compaction: CompactionSettings? {
        setup.house.map { house in
            var settings = CompactionSettings(files: files, days: 1)
            settings.age = house.age
            return settings
        }
    }

    /// The agent's own rest: the check behind the live book, snapshots and segments.
    func keepHouse(_ agent: Agent, at clock: ClockReading) throws {
        try perform(program?.uplink.note(agent.idle(at: clock), at: clock) ?? [], at: clock)
        let progress = agent.compaction
        steps = progress?.isMoving == true && progress?.moved.raw == movedThrough ? steps + 1 : 0
        guard !setup.isClone else { return }
        if let moved = progress?.moved.raw, moved > movedThrough {
            movedThrough = moved
            seen.append(.moved(through: moved))
        }
        for trouble in agent.ledgerTroubles where trouble.kind == .damaged || trouble.kind == .different { seen.append(.troubled(trouble.text)) }
    }

    /// Old entries are on their way: the loop has more to do at once. Not for ever: a move waits for a full disk, or for damage that somebody found.
    var isMoving: Bool { program?.agent?.compaction?.isMoving == true && steps < EdgeMachine.stepsMax }
    private static let stepsMax = 40

    // MARK: - Damage

    /// Changes the bytes of a stored entry behind the program's back.
    /// - Returns: the right row; nil when there is none in the database.
    func rot(_ seq: UInt64) throws -> EntryRow? { try StoredDamage.rot(seq, in: EdgeMachine.ledger, on: disk) }
    /// What the disk has of an entry now.
    func stored(_ seq: UInt64) throws -> EntryRow? { try openFile(.readOnly).storedRows(from: seq, through: seq).first ?? nil }
    /// The medium gives the right bytes again.
    func putRight(_ row: EntryRow) throws { try StoredDamage.putRight(row, in: EdgeMachine.ledger, on: disk) }
}
