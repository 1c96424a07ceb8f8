// How the edge of a world changes its two keys, as production does: durable first, announced in the ledger, in its place last.
internal import EdgeAgent
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

extension EdgeMachine {
    /// The key by which the edge knocks at the cloud's door.
    var linkKey: [UInt8] { keys.linkKey() }

    /// The keys that sign the ledger in this run.
    func signingKeys(after signer: [UInt8]?) throws -> SigningKeys {
        if setup.breaker == .signsUnannounced, let next = keys.waitingLedgerKeys() { return next }
        let found = try keys.ledgerKeys(after: signer)
        // As production's start says it.
        guard signer == nil || signer == found.publicKey else { throw JournalError.damaged("its checkpoints were signed by a key that is gone") }
        return found
    }

    /// Somebody at the console changes the key that signs the ledger.
    func changeLedgerKey(_ death: KeyDeath, at clock: ClockReading) throws {
        guard let agent = program?.agent else { return }
        disk.now = clock.wall
        try guarded {
            let fresh = try keys.freshLedgerKeys(after: agent.journal.signer)
            if death == .made { throw MachineDied() }
            guard let effects = try agent.changeKey(to: fresh, at: clock) else { return }
            try perform(program?.uplink.note(effects, at: clock) ?? [], at: clock)
            if death == .announced { throw MachineDied() }
            keys.promoteLedgerKey()
            if death == .promoted { throw MachineDied() }
        }
    }

    /// Somebody at the console changes the key of the link. It is taken up in a later turn, in which the process may die too.
    func changeLinkKey(_ death: KeyDeath, at clock: ClockReading) throws {
        guard let agent = program?.agent, keys.waitingLinkKey() == nil else { return }
        disk.now = clock.wall
        try guarded {
            if death == .made { _ = keys.freshLinkKey(); throw MachineDied() }
            keys.deathAtLink = death
            let view = linkView
            let begun = try program?.linkKeys.begin(agent, view, at: clock)
            try perform(program?.uplink.note(begun?.effects ?? [], at: clock) ?? [], at: clock)
        }
    }

    /// What the driver looks at once a second: a key that waits is announced, and taken up when the cloud has read of it.
    func stepKeys(at clock: ClockReading) throws {
        guard setup.changesKeys, let agent = program?.agent else { return }
        let view = linkView
        let effects = try program?.linkKeys.step(agent, view, at: clock) ?? []
        try perform(program?.uplink.note(effects, at: clock) ?? [], at: clock)
        guard connection != nil, let linkedBy, linkedBy != linkKey, let program else { return }
        // As in production, where another key is another link with a sender of its own.
        let identity = try StartTalk.identity(program.journal, program.boot, release: release, mayHeal: false, after: program.uplink.sender.attempt)
        self.program?.uplink = UplinkCore(
            identity, head: program.journal.head, acked: try UplinkCore.acknowledged(in: program.journal), ledger: program.journal, rules: setup.rules
        )
        left.append(.reopen)
    }

    private var linkView: LinkKeyView? {
        program.map { LinkKeyView($0.uplink.sender, acked: $0.uplink.sender.acked.seq, isKeyRefused: isKeyRefused) }
    }

    /// The numbers and hashes of the entries on its disk after the first `count`, also while it runs.
    func entries(after count: Int) throws -> [[UInt8]] {
        let copy = image()
        guard copy.names.contains(EdgeMachine.ledger) else { return [] }
        let store = try EntryStore(path: EdgeMachine.ledger, .init(.readWrite, vfs: copy.name), kept: setup.house == nil ? nil : DiskFiles(copy))
        return try store.read(from: UInt64(count) + 1, limit: .max).map(\.hash)
    }
}
