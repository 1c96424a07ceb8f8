// One-shot zstd with a declared and bounded size on both sides.
internal import CZstd

/// Why a compressed block was refused.
package enum CompressionError: Error, Equatable, Sendable {
    case tooLarge(declared: UInt64, limit: Int)
    case noDeclaredSize
    case damaged
}

/// zstd level 3, no dictionary.
package enum Compression {
    package static func compress(_ bytes: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: ZSTD_compressBound(bytes.count))
        let written = ZSTD_compress(&out, out.count, bytes, bytes.count, 3)
        precondition(ZSTD_isError(written) == 0, "zstd could not compress into its own bound")
        out.removeLast(out.count - written)
        return out
    }

    /// The block's bytes. Its frame must declare a size of at most `limit`, checked before anything is allocated.
    package static func decompress(_ block: [UInt8], limit: Int) throws(CompressionError) -> [UInt8] {
        let declared = ZSTD_getFrameContentSize(block, block.count)
        // The two highest values are zstd's "unknown" and "error".
        guard declared < UInt64.max - 1 else { throw declared == .max ? .noDeclaredSize : .damaged }
        guard declared <= UInt64(limit) else { throw .tooLarge(declared: declared, limit: limit) }
        var out = [UInt8](repeating: 0, count: Int(declared))
        let written = ZSTD_decompress(&out, out.count, block, block.count)
        guard ZSTD_isError(written) == 0, written == out.count else { throw .damaged }
        return out
    }
}
