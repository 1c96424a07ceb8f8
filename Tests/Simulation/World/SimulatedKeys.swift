// The keys of a world's edge: beside its disk, on a medium that outlives what happens to the ledger. Each call is durable on return.
internal import EdgeAgent
internal import Values
internal import Wire

/// After which step of a change of keys the process dies.
package enum KeyDeath: CaseIterable, Sendable { case never, made, announced, promoted }

/// What production keeps in the folder `keys`.
final class SimulatedKeys: LinkKeyPlaces, LedgerKeyPlaces {
    private var chance: SeededRandom
    private var link = SimulatedKeys.firstLink
    private var nextLink: [UInt8]?
    private var ledger: SigningKeys
    private var nextLedger: SigningKeys?
    private var former: [SigningKeys] = []
    /// The process dies around the link's next key taking its place: before it, or after.
    var deathAtLink: KeyDeath = .never

    /// The key by which the cloud knows the edge at first.
    static let firstLink = [UInt8](repeating: 1, count: 32)

    init(seed: UInt64) {
        chance = SeededRandom(seed: seed ^ 0x6B65_7973)
        guard let first = SigningKeys(seed: [UInt8](1...32)) else { preconditionFailure("a seed has 32 bytes") }
        ledger = first
    }

    private func draw() -> [UInt8] { (0..<32).map { _ in UInt8(truncatingIfNeeded: chance.next()) } }

    func linkKey() -> [UInt8] { link }
    func waitingLinkKey() -> [UInt8]? { nextLink }
    func freshLinkKey() -> [UInt8] {
        let key = draw()
        nextLink = key
        return key
    }
    func promoteLinkKey() throws {
        let death = deathAtLink
        deathAtLink = .never
        if death == .announced { throw MachineDied() }
        if let next = nextLink { link = next }
        nextLink = nil
        if death == .promoted { throw MachineDied() }
    }
    /// The cloud has enrolled the edge by another key: what waited follows one that is no more.
    func enrolled(by key: [UInt8]) { link = key; nextLink = nil }

    func ledgerKeys() -> SigningKeys { ledger }
    func waitingLedgerKeys() -> SigningKeys? { nextLedger }
    func formerLedgerKeys() -> [SigningKeys] { former }
    func nextLedgerKeys() -> SigningKeys {
        guard let keys = SigningKeys(seed: draw()) else { preconditionFailure("a seed has 32 bytes") }
        nextLedger = keys
        return keys
    }
    func promoteLedgerKey() {
        guard let next = nextLedger else { return }
        former.insert(ledger, at: 0)
        ledger = next
        nextLedger = nil
    }
    func reinstate(_ keys: SigningKeys) {
        former.insert(ledger, at: 0)
        ledger = keys
    }
}
