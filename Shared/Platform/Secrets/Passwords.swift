// Password hashes by Argon2id, and random bytes from the system.
internal import CSodium

/// How much work one password hash costs.
package struct PasswordCost: Hashable, Sendable {
    package var passes: UInt64
    package var memoryBytes: Int
    package init(passes: UInt64, memoryBytes: Int) { self.passes = passes; self.memoryBytes = memoryBytes }
    /// Argon2id with 64 MiB and three passes: about 75 ms on a small server.
    package static let standard = PasswordCost(passes: 3, memoryBytes: 64 << 20)
    /// The least that is worth the name (19 MiB, two passes); for tests.
    package static let least = PasswordCost(passes: 2, memoryBytes: 19 << 20)
}

/// Hashing and checking of passwords. Each call holds its thread for as long as the cost says.
package enum Passwords {
    /// The hash as a text that carries its own salt and cost; nil when the memory is not to be had.
    package static func hash(_ password: String, cost: PasswordCost = .standard) -> String? {
        _ = Chance.ready
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_strbytes()))
        let bytes = Array(password.utf8).map { CChar(bitPattern: $0) }
        let status = crypto_pwhash_str_alg(
            &text, bytes, UInt64(bytes.count), cost.passes, cost.memoryBytes, crypto_pwhash_alg_argon2id13())
        guard status == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// True when the password has this hash; false also for a text that is no hash.
    package static func verify(_ password: String, hash: String) -> Bool {
        _ = Chance.ready
        let bytes = Array(password.utf8).map { CChar(bitPattern: $0) }
        var text = Array(hash.utf8).map { CChar(bitPattern: $0) }
        let size = Int(crypto_pwhash_strbytes())
        guard text.count < size else { return false }
        text += [CChar](repeating: 0, count: size - text.count)
        return crypto_pwhash_str_verify(text, bytes, UInt64(bytes.count)) == 0
    }

    /// True when the hash was made with less than `cost`: make a new one at the next sign-in.
    package static func needsRehash(_ hash: String, cost: PasswordCost = .standard) -> Bool {
        var text = Array(hash.utf8).map { CChar(bitPattern: $0) }
        let size = Int(crypto_pwhash_strbytes())
        guard text.count < size else { return true }
        text += [CChar](repeating: 0, count: size - text.count)
        return crypto_pwhash_str_needs_rehash(text, cost.passes, cost.memoryBytes) != 0
    }
}

/// Random bytes that nobody can guess.
package enum Chance {
    /// Initialised once; safe to ask from any thread.
    static let ready: Bool = {
        let status = sodium_init()
        precondition(status >= 0, "libsodium cannot start: no source of randomness")
        return true
    }()

    /// `count` bytes from the kernel's generator.
    package static func bytes(_ count: Int) -> [UInt8] {
        precondition(ready && count >= 0)
        var bytes = [UInt8](repeating: 0, count: count)
        randombytes_buf(&bytes, count)
        return bytes
    }

    /// A password for people to type once: 20 characters of an alphabet without look-alikes, 100 bits.
    package static func password() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789".utf8)
        let letters = bytes(20).map { alphabet[Int($0 % 32)] }
        return stride(from: 0, to: 20, by: 5).map { String(decoding: letters[$0..<$0 + 5], as: UTF8.self) }.joined(separator: "-")
    }
}
