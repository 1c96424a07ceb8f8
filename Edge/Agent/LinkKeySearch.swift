// The search for the entry that announced a key of the link: whether the cloud had it, when it lets nobody in to say so.
internal import Ledger
package import Values

/// Looks through what the cloud acknowledged, newest first, a piece a call, so that none delays an order.
package struct LinkKeySearch {
    /// Where it began, and the next entry that it has to look at.
    private var begun: (top: Seq, next: UInt64)?
    private var isFound = false
    private static let piece: UInt64 = 4_096
    package init() {}

    /// True once an entry up to `acked` was found that announces this key.
    package mutating func isRead(_ key: [UInt8], in journal: Journal, acked: Seq) throws(JournalError) -> Bool {
        if isFound { return true }
        let top = min(acked, journal.head.seq)
        var next = top.raw
        if let begun, begun.top == top { next = begun.next }
        guard next > 0 else { return false }
        let first = next > LinkKeySearch.piece ? next - LinkKeySearch.piece + 1 : 1
        for case let entry? in try journal.stored(from: Seq(first), through: Seq(next)) where entry.kind == Kind.linkKey.rawValue {
            if case .linkKey(let word)? = try? entry.decoded(), word.key == key { isFound = true }
        }
        next = first - 1
        begun = (top, next)
        return isFound
    }
}
