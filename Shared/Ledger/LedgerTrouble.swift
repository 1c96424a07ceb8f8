// What may be wrong with a ledger while its process runs: each with its words, its cure, and whether opening orders must wait.

/// One thing that is wrong with the edge's ledger or the disk under it.
package struct LedgerTrouble: Hashable, Sendable {
    /// In order of weight: the first one present is the one that is told.
    package enum Kind: Int, Hashable, Sendable, CaseIterable, Comparable {
        /// The store failed: nothing more is written in this process.
        case failed
        /// Facts cannot be written: the disk is full and nothing is left to give.
        case unwritten
        /// A stored entry is not what was written: the ledger cannot be relied on, no order leaves.
        case damaged
        /// The file ends before an entry that this edge once had, or holds another one in its place.
        case rolledBack
        /// A fold from the first entry gives another book than the live one.
        case different
        /// The reserve was spent to go on writing.
        case full
        /// Little room is left.
        case short
        /// Another running copy of this edge asked for its place at the cloud.
        case copied
        /// Room is running out; nothing is held back yet.
        case warning
        /// The mark beside the ledger is not there or not readable.
        case unmarked
        /// The cloud signs by a key that this ledger does not believe.
        case strangeKey
        /// The index beside the entries is damaged, or was: the entries are not.
        case unindexed
        package static func < (a: Kind, b: Kind) -> Bool { a.rawValue < b.rawValue }
        /// True when opening orders wait until it is over.
        package var stopsOpening: Bool { self <= .short }
        /// True when no order at all may leave: it could not be journalled before, or what was is not to be relied on.
        package var stopsAll: Bool { self <= .damaged }
    }
    package var kind: Kind
    package var text: String
    package var cure: String
    package init(_ kind: Kind, _ text: String, cure: String) { self.kind = kind; self.text = text; self.cure = cure }
}
