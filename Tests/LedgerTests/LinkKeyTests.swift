// The link's next key: announced by whoever signs the ledger, in its place, and by nobody else.
import Ledger
import Testing
import Values
import Wire

@Suite struct LinkKeyTests {
    let first: SigningKeys, second: SigningKeys
    init() throws {
        first = try #require(SigningKeys(seed: [UInt8](0..<32)))
        second = try #require(SigningKeys(seed: [UInt8](1..<33)))
    }
    private let old = [UInt8](repeating: 1, count: 32), new = [UInt8](repeating: 2, count: 32)

    private func difference(
        _ signer: SigningKeys, _ edit: (inout LinkKeyFact) -> Void = { _ in }, before: (inout TestLedger) throws -> Void = { _ in }
    )
        throws -> String?
    {
        var ledger = try TestLedger()
        try ledger.add(
            .checkpoint(
                CheckpointFact(head: ledger.chain.head, digest: ledger.book.digest(), edge: TestLedger.edge, epoch: ledger.chain.epoch, keys: first)))
        try before(&ledger)
        var fact = LinkKeyFact(
            old: old, key: new, edge: TestLedger.edge, epoch: ledger.chain.epoch, after: ledger.chain.head, keys: signer)
        edit(&fact)
        try ledger.add(.linkKey(fact))
        var verifier = LedgerVerifier(edge: TestLedger.edge)
        for entry in ledger.entries where verifier.accept(entry.row) == nil { break }
        return verifier.difference
    }

    @Test func theLedgersKeyAnnouncesIt() throws {
        #expect(try difference(first) == nil)
        let words = "link key 3 is not announced by this ledger's key"
        #expect(try difference(second) == words)
        #expect(try difference(first, { $0.key[0] ^= 1 }) == words)
        #expect(try difference(first, { $0.old[0] ^= 1 }) == words)
        #expect(try difference(first, { $0.signature[9] ^= 1 }) == words)
    }

    /// Its place is under the signature: moved to another one it says nothing.
    @Test func itHoldsInItsPlaceOnly() throws {
        var moved: LinkKeyFact?
        _ = try difference(first, { moved = $0 })
        let fact = try #require(moved)
        #expect(try difference(first, { $0 = fact }, before: { try $0.add(.shutdown(reason: "later")) }) != nil)
    }

    @Test func theLedgersNextKeyAnnouncesItToo() throws {
        func rotate(_ ledger: inout TestLedger) throws {
            try ledger.add(
                .keyRotated(KeyRotatedFact(old: first, new: second, edge: TestLedger.edge, epoch: ledger.chain.epoch, after: ledger.chain.head)))
        }
        #expect(try difference(second, before: rotate) == nil)
        #expect(try difference(first, before: rotate) == nil, "for a day what was under way may still come under the old one")
        #expect(
            try difference(
                first,
                before: {
                    try rotate(&$0)
                    $0.clock.wall = $0.clock.wall + .hours(25)
                }) != nil)
    }
}
