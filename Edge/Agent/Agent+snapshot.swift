// What the agent does for the next start: the fold kept in a file, and what came out of one opened piece by piece.
internal import Ledger
internal import Platform
internal import Trading
internal import Values
internal import Views
internal import Wire

extension Agent {
    /// A piece of the snapshot that is due or under way, then its entry.
    func keepSnapshot(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        // What lies packed is opened first: nobody is to wait for it later.
        guard !desk.openNextRecords(), var keeper = snapshots, unwritten.isEmpty, pending.isEmpty, !journal.isShortOfRoom else { return [] }
        let fact = desk.withBook { book in keeper.step(at: clock.monotonic, book: &book, milestones: milestones) { snapshotHeader } }
        snapshots = keeper
        guard let fact else { return [] }
        return try count(fact, at: clock)
    }

    /// At an orderly end: the next start then has next to nothing to read.
    func lastSnapshot(at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        guard var keeper = snapshots, unwritten.isEmpty, !journal.isShortOfRoom else { return [] }
        let fact = keeper.finish(book: desk.book, milestones: milestones) { snapshotHeader }
        snapshots = keeper
        guard let fact else { return [] }
        return try count(fact, at: clock)
    }

    private func count(_ fact: SnapshotFact, at clock: ClockReading) throws(AgentFailure) -> [AgentEffect] {
        var effects: [AgentEffect] = []
        var turn = Turn()
        try number([Draft(.snapshot(fact))], at: clock, into: &turn)
        _ = try commit(&turn, at: clock, into: &effects)
        if unwritten.isEmpty { snapshots?.counted(fact) }
        return effects
    }

    private var snapshotHeader: SnapshotHeader {
        SnapshotHeader(edge: chain.edge, release: release, head: journal.head, signer: journal.signer, former: journal.formerSigner)
    }
}
