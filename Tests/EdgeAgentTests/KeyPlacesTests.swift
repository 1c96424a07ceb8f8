// Where the edge's keys lie: a key that was announced is never lost, and one of before comes back when the ledger's end was sealed.
import EdgeAgent
import Testing
import Wire

@Suite struct KeyPlacesTests {
    @Test func theKeyFollowsTheLedger() throws {
        let place = try TemporaryFolder()
        let folder = try EdgeFolder(place.path)
        let first = try folder.ledgerKeys()
        #expect(try folder.ledgerKeys(after: nil).publicKey == first.publicKey)
        let second = try folder.freshLedgerKeys(after: first.publicKey)
        #expect(try folder.ledgerKeys(after: first.publicKey).publicKey == first.publicKey, "made, and not announced")
        // A crash after the announcement: the next start puts it in its place.
        #expect(try folder.ledgerKeys(after: second.publicKey).publicKey == second.publicKey)
        #expect(try folder.ledgerKeys().publicKey == second.publicKey && folder.waitingLedgerKeys() == nil)
        #expect(try folder.formerLedgerKeys().map(\.publicKey) == [first.publicKey])
    }

    /// The announced key could not be put in its place, and another is asked for: the first one signs the ledger, and must not be written over.
    @Test func anAnnouncedKeyIsNotWrittenOver() throws {
        let place = try TemporaryFolder()
        let folder = try EdgeFolder(place.path)
        let first = try folder.ledgerKeys()
        let second = try folder.freshLedgerKeys(after: first.publicKey)
        let third = try folder.freshLedgerKeys(after: second.publicKey)
        #expect(try folder.ledgerKeys(after: second.publicKey).publicKey == second.publicKey, "the third is not announced yet")
        #expect(try folder.ledgerKeys(after: third.publicKey).publicKey == third.publicKey)
    }

    /// A decision sealed the end of the ledger in which the key was changed: what goes on was signed by the key before, or the one before that.
    @Test func aSealedEndGivesTheKeyBack() throws {
        let place = try TemporaryFolder()
        let folder = try EdgeFolder(place.path)
        let first = try folder.ledgerKeys()
        var last = first
        for _ in 0..<2 {
            last = try folder.freshLedgerKeys(after: last.publicKey)
            try folder.promoteLedgerKey()
        }
        #expect(try folder.ledgerKeys(after: first.publicKey).publicKey == first.publicKey)
        #expect(try folder.ledgerKeys().publicKey == first.publicKey)
        #expect(try folder.ledgerKeys(after: last.publicKey).publicKey == last.publicKey, "nothing is lost by it")
        #expect(try folder.ledgerKeys(after: [UInt8](repeating: 9, count: 32)).publicKey == last.publicKey, "a stranger's key is no key of ours")
        for _ in 0..<40 {
            last = try folder.freshLedgerKeys(after: last.publicKey)
            try folder.promoteLedgerKey()
        }
        #expect(try folder.formerLedgerKeys().count == 16)
    }
}
