// What a commit gives back: the proof, intent by intent, that sending is now allowed.
package import Ledger
package import Values

/// The intents of one commit, each to be taken once. Those never taken are simply not sent.
package struct Receipt: ~Copyable {
    /// The ledger's head after the commit.
    package let head: Head
    private let slots: [Slot]

    /// Holds one intent until it is taken: a value that cannot be copied cannot sit in an array itself.
    final class Slot {
        let id: IntentID
        private var intent: DurableIntent?
        init(_ id: IntentID, _ intent: consuming DurableIntent) {
            self.id = id
            self.intent = consume intent
        }
        func take() -> DurableIntent? { intent.take() }
    }

    init(head: Head, _ slots: [Slot]) {
        self.head = head
        self.slots = slots
    }

    /// The ids of the intents in this commit, in the order of their entries.
    package var intents: [IntentID] { slots.map(\.id) }

    /// Hands out the intent of `id`: nil when this commit did not hold it, or when it was taken before.
    package func take(_ id: IntentID) -> DurableIntent? {
        guard let slot = slots.first(where: { $0.id == id }) else { return nil }
        return slot.take()
    }
}
