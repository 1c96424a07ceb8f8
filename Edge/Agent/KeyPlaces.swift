// Where the keys of an edge lie, and how one follows another: durable first, announced then, in its place last.
package import Wire

/// The keys of the link on whatever keeps them. Every call is durable on return.
package protocol LinkKeyPlaces {
    /// The public half of the key in use.
    func linkKey() throws -> [UInt8]
    /// The public half of the one that waits beside it for the cloud to read of it; nil when none does.
    func waitingLinkKey() throws -> [UInt8]?
    /// Makes one that waits, in the place of another that may have waited.
    func freshLinkKey() throws -> [UInt8]
    /// Puts the waiting one in the place of the present one; nothing without one.
    func promoteLinkKey() throws
}

/// The keys that sign the ledger. Every call is durable on return.
package protocol LedgerKeyPlaces {
    /// The key in use, made at the first call.
    func ledgerKeys() throws -> SigningKeys
    /// One that was made and perhaps announced, and is not in its place; nil when there is none.
    func waitingLedgerKeys() throws -> SigningKeys?
    /// Those that were in use before, newest first: the end of a ledger that a person's decision sealed may have changed keys.
    func formerLedgerKeys() throws -> [SigningKeys]
    /// Makes one that waits, in the place of another that may have waited.
    func nextLedgerKeys() throws -> SigningKeys
    /// Puts the waiting one in the place of the present one, which is kept among the former ones; nothing without one.
    func promoteLedgerKey() throws
    /// Puts a former one back in its place.
    func reinstate(_ keys: SigningKeys) throws
}

extension LedgerKeyPlaces {
    /// The key for a ledger that was signed last by `signer`, in its place: one that was announced before a crash, or one that was in use before the
    /// ledger's end was sealed. Another key than `signer` when none of them is.
    package func ledgerKeys(after signer: [UInt8]?) throws -> SigningKeys {
        let present = try ledgerKeys()
        guard let signer, signer != present.publicKey else { return present }
        if let next = try waitingLedgerKeys(), next.publicKey == signer {
            try promoteLedgerKey()
            return next
        }
        guard let former = try formerLedgerKeys().first(where: { $0.publicKey == signer }) else { return present }
        try reinstate(former)
        return former
    }

    /// A fresh key to announce. One that was announced and could not be put in its place is put there first: it would be lost.
    package func freshLedgerKeys(after signer: [UInt8]?) throws -> SigningKeys {
        _ = try ledgerKeys(after: signer)
        return try nextLedgerKeys()
    }
}
