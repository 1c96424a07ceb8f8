// The change of the ledger's key with its files: a key that the ledger may be signed by is never written over, nor put aside too early.
package import Ledger
internal import Wire

extension Agent {
    /// Makes a new key, announces it and puts its file in its place. The key is on the disk before it is announced, and in its place once the
    /// announcement is durable: a crash in between is mended by the next start.
    /// - Returns: what to perform, whether the change is made, and the words for whoever asked.
    /// - Throws: what the places throw when nothing was changed, `AgentFailure`.
    package func changeKey(
        in places: some LedgerKeyPlaces, at clock: ClockReading
    ) throws -> (effects: [AgentEffect], isDone: Bool, words: String) {
        let refusal = "Not now: the disk is full, or the ledger's end is missing."
        // Asked before a key is made: the one that waits may be announced in an entry that is not written yet.
        guard mayChangeKey else { return ([], false, refusal) }
        let new = try places.freshLedgerKeys(after: journal.signer)
        guard let effects = try changeKey(to: new, at: clock) else { return ([], false, refusal) }
        let words = "The ledger is signed by a new key. Copy the folder keys/ again."
        guard journal.signer == new.publicKey else {
            return (effects, true, "\(words) The disk is full: its file is put in its place by the next start, once the ledger could be written.")
        }
        do { try places.promoteLedgerKey() } catch {
            return (effects, true, "\(words) Its file is not in its place yet, which the next start makes good: \(error)")
        }
        return (effects, true, words)
    }
}
