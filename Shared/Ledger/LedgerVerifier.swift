// The check of a whole stored ledger, told in words; `tidewire-edge` and `tidewire-cloud` run the same one.
package import Values
package import Wire

/// Walks the rows of a ledger from the first and stops at the first that is not as it must be.
package struct LedgerVerifier: Sendable {
    /// Where the walk stands: a writer continues from here.
    package private(set) var chain: ChainVerifier
    /// What is wrong with the first row that is wrong, in words; nil so far.
    package private(set) var difference: String?
    /// True when that row is not the one that the chain names, or is not there: nothing was taken of it, and another copy may have it.
    package private(set) var isRotten = false
    /// The signed checkpoints so far.
    package private(set) var checkpoints: CheckpointRule
    /// The cloud's countersigned heads so far.
    package private(set) var countersigned: CountersignRule

    /// For the ledger of `edge`, from entry 1.
    /// - Parameters:
    ///   - key: the key its checkpoints must be signed by; nil trusts the first one's.
    ///   - check: of their signatures.
    package init(edge: EdgeID, key: [UInt8]? = nil, check: @escaping SignatureCheck = Signing.check) {
        chain = ChainVerifier(edge: edge)
        checkpoints = CheckpointRule(edge: edge, key: key, check: check)
        countersigned = CountersignRule(edge: edge)
    }

    /// Continues after an entry that a snapshot stands at.
    /// - Parameters:
    ///   - key: of the checkpoints before it; nil when there was none.
    ///   - former: who signed before that key.
    ///   - trust: what the entries before it say of the cloud's key, as far as that is known.
    package init(edge: EdgeID, after entry: Entry, key: [UInt8]?, former: FormerSigner? = nil, trust: CloudTrust = CloudTrust()) {
        chain = ChainVerifier(edge: edge, after: entry)
        checkpoints = CheckpointRule(edge: edge, key: key, before: former)
        countersigned = CountersignRule(edge: edge, trust: trust)
    }

    /// Entries found good.
    package private(set) var count: UInt64 = 0
    /// The last entry found good.
    package var head: Head { chain.head }

    /// Checks the next row: contiguity, previous hash, own hash, clocks, that each run begins with its boot entry, and a checkpoint's signature.
    /// - Returns: the entry, or nil when it (or one before it) is not good; `difference` then says why.
    package mutating func accept(_ row: EntryRow) -> Entry? {
        guard difference == nil else { return nil }
        do throws(RowError) {
            let entry = try Entry(row)
            do throws(ChainError) { try chain.accept(entry) } catch {
                difference = error.description
                isRotten = error.isOfBytes
                return nil
            }
            count += 1
            difference = checkpoints.accept(entry) ?? countersigned.accept(entry)
            return difference == nil ? entry : nil
        } catch {
            difference = error.description
            isRotten = true
            return nil
        }
    }

    /// The rotten row may have been put right: it is to be handed in again.
    package mutating func retry() {
        guard isRotten else { return }
        difference = nil
        isRotten = false
    }

    /// Goes on behind entries that cannot be read: the chain is checked from the hash that the entry after them follows.
    package mutating func skip(to anchor: Head) {
        guard difference == nil else { return }
        chain = ChainVerifier(edge: chain.edge, after: anchor)
        // What it remembers of the entries before is not what stands behind the hole.
        countersigned = CountersignRule(edge: chain.edge)
    }

    /// Notes what the store itself could not read; the first difference stays.
    package mutating func note(_ problem: String) { difference = difference ?? problem }

    /// The report for people, one line each: what was checked and the first difference.
    package var report: String {
        var good = "checked \(count) entries, head \(head.seq) \(Hex.text(head.hash))"
        if let last = checkpoints.last {
            good += "\n\(checkpoints.count) checkpoints signed by \(Hex.text(last.key)), the newest over entry \(last.head.seq)"
        }
        if checkpoints.rotations > 0, let key = checkpoints.key {
            good += "\nthe ledger key was changed \(checkpoints.rotations) times, now \(Hex.text(key))"
        }
        if let last = countersigned.last {
            good += "\n\(countersigned.count) heads countersigned by the cloud, the newest by \(Hex.text(last.key)) over entry \(last.head.seq)"
        }
        if let key = countersigned.trust.key { good += "\nthe cloud's key that is believed: \(Hex.text(key))" }
        return difference.map { "\(good)\nDIFFERENCE: \($0)" } ?? "\(good)\nno difference"
    }
}

extension ChainError {
    /// True when the stored bytes are not those that the chain names; the others are sound bytes that break a rule.
    fileprivate var isOfBytes: Bool {
        switch self {
        case .gap, .previousHash, .hash: true
        case .clockOrder, .monotonicOrder, .noBoot, .epoch: false
        }
    }
}

extension ChainError: CustomStringConvertible {
    /// A sentence that names the entry.
    package var description: String {
        switch self {
        case .gap(let expected, let found): "entry \(expected) is missing: entry \(found) comes next"
        case .previousHash(let seq): "entry \(seq) does not follow the entry before it: its previous hash is another's"
        case .hash(let seq): "entry \(seq) is not what was written: its bytes do not give its hash"
        case .clockOrder(let seq): "entry \(seq) has a hybrid clock that is not above the one before"
        case .monotonicOrder(let seq): "entry \(seq) has a boot clock below the one before in the same run"
        case .noBoot(let seq): "entry \(seq) begins a run and is not its boot entry"
        case .epoch(let seq): "entry \(seq) has another epoch than the one before, and no decision that begins it"
        }
    }
}

extension RowError: CustomStringConvertible {
    /// A sentence that names the entry.
    package var description: String {
        switch self {
        case .ref(let seq, let length): "entry \(seq) is damaged: its subject has \(length) bytes, 255 is the most"
        case .hashLength(let seq, let length): "entry \(seq) is damaged: a hash has \(length) bytes instead of 32"
        case .body(let seq, let length): "entry \(seq) is damaged: its body has \(length) bytes, \(Entry.bodyBytesMax) is the most"
        }
    }
}
