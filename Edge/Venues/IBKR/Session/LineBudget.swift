// How many market data lines may be open: the login's lines are shared by all its clients, and nobody tells how many are left.

/// The lines that this session may use. A refusal lowers them, time raises them again.
package struct LineBudget: Hashable, Sendable {
    /// What the account is said to have.
    package let most: Int
    /// What is believed to be free for us now, 0...most.
    package private(set) var limit: Int

    package init(_ most: Int) { self.most = most; limit = most }

    /// One more than `open` lines was refused.
    package mutating func refuse(open: Int) { limit = max(0, min(limit, open)) }
    /// Another client may have freed one meanwhile: one more is tried.
    package mutating func grow() { limit = min(most, limit + 1) }
    /// With a new connection everything is tried again.
    package mutating func reset() { limit = most }
}
