// Signatures that one world has checked: every start reads the same ledger again, and the arithmetic is most of what that costs.
internal import Synchronization
package import Wire

/// Remembers which signatures were good. What it answers is what `Signing.verifies` answers: only the very same bytes are known again.
package final class CheckedSignatures: Sendable {
    private struct Checked: Hashable {
        let signature: [UInt8], bytes: [UInt8], key: [UInt8]
    }
    private let good = Mutex<Set<Checked>>([])
    package init() {}

    package var check: SignatureCheck {
        { [self] signature, bytes, key in
            let asked = Checked(signature: signature, bytes: bytes, key: key)
            if good.withLock({ $0.contains(asked) }) { return true }
            guard Signing.verifies(signature, over: bytes, by: key) else { return false }
            _ = good.withLock { $0.insert(asked) }
            return true
        }
    }
}
