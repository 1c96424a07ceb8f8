// BLAKE2b and HMAC-SHA256 over bytes, by libsodium; many BLAKE2b at once by our own.
internal import CHash
internal import CSodium

/// Hashes of byte strings.
package enum Hashing {
    /// libsodium picks the hash made for this processor in its initialisation; without it the portable one stays, at half the speed.
    private static let isReady = sodium_init() >= 0

    /// BLAKE2b with `length` (16...64) output bytes, no key and no personalisation: `b2sum -l` gives the same.
    package static func blake2b(_ bytes: [UInt8], length: Int = 32) -> [UInt8] {
        precondition((16...64).contains(length), "BLAKE2b output of \(length) bytes")
        precondition(isReady, "libsodium did not start")
        var out = [UInt8](repeating: 0, count: length)
        let status = crypto_generichash(&out, length, bytes, UInt64(bytes.count), nil, 0)
        precondition(status == 0, "crypto_generichash refused its arguments")
        return out
    }

    /// BLAKE2b-256 of bytes that are put together for it and kept nowhere.
    /// - Parameters:
    ///   - count: how many there are.
    ///   - write: writes them all.
    package static func blake2b(count: Int, _ write: (inout RawWriter) -> Void) -> [UInt8] {
        precondition(isReady, "libsodium did not start")
        return withUnsafeTemporaryAllocation(byteCount: max(1, count), alignment: 8) { room in
            var writer = RawWriter(room)
            write(&writer)
            precondition(writer.count == count, "\(writer.count) bytes to hash instead of \(count)")
            var out = [UInt8](repeating: 0, count: 32)
            let status = crypto_generichash(&out, 32, room.baseAddress, UInt64(count), nil, 0)
            precondition(status == 0, "crypto_generichash refused its arguments")
            return out
        }
    }

    /// BLAKE2b-256 of a part of some bytes, where they are.
    package static func blake2b(_ bytes: [UInt8], in range: Range<Int>) -> [UInt8] {
        precondition(isReady, "libsodium did not start")
        var out = [UInt8](repeating: 0, count: 32)
        let status = bytes.withUnsafeBufferPointer { all in
            let part = UnsafeBufferPointer(rebasing: all[range])
            return crypto_generichash(&out, out.count, part.baseAddress, UInt64(part.count), nil, 0)
        }
        precondition(status == 0, "crypto_generichash refused its arguments")
        return out
    }

    /// BLAKE2b-256 of each of these parts, 32 bytes after 32 bytes. Where the processor can, several are hashed at once, which takes less than half
    /// the time of one after the other.
    package static func blake2b(_ bytes: [UInt8], in ranges: [Range<Int>]) -> [UInt8] {
        guard tidewire_hashes_many() != 0 else { return ranges.flatMap { blake2b(bytes, in: $0) } }
        precondition(ranges.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= bytes.count }, "a part that lies outside of its bytes")
        let parts = ranges.map { tidewire_stretch(start: $0.lowerBound, count: $0.count) }
        return [UInt8](unsafeUninitializedCapacity: ranges.count * 32) { room, filled in
            bytes.withUnsafeBufferPointer { tidewire_hash_many($0.baseAddress, parts, parts.count, room.baseAddress) }
            filled = ranges.count * 32
        }
    }

    /// HMAC-SHA256, 32 bytes.
    package static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        var state = crypto_auth_hmacsha256_state()
        crypto_auth_hmacsha256_init(&state, key, key.count)
        crypto_auth_hmacsha256_update(&state, bytes, UInt64(bytes.count))
        crypto_auth_hmacsha256_final(&state, &out)
        return out
    }

    /// Equality in time that depends only on the lengths.
    package static func constantTimeEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}
