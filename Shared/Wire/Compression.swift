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
        // The bound is far above what comes out; only what comes out is kept.
        withUnsafeTemporaryAllocation(byteCount: ZSTD_compressBound(bytes.count), alignment: 16) { room in
            let written = tidewire_zstd_compress(room.baseAddress, room.count, bytes, bytes.count, 3)
            precondition(ZSTD_isError(written) == 0, "zstd could not compress into its own bound")
            return [UInt8](UnsafeRawBufferPointer(rebasing: room[..<written]))
        }
    }

    /// The block's bytes. Its frame must declare a size of at most `limit`, checked before anything is allocated.
    /// - Parameter range: where the block lies in `bytes`; nil for all of them.
    package static func decompress(_ bytes: [UInt8], in range: Range<Int>? = nil, limit: Int) throws(CompressionError) -> [UInt8] {
        let range = range ?? bytes.indices
        let declared = bytes.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress?.advanced(by: range.lowerBound), range.count) }
        // The two highest values are zstd's "unknown" and "error".
        guard declared < UInt64.max - 1 else { throw declared == .max ? .noDeclaredSize : .damaged }
        guard declared <= UInt64(limit) else { throw .tooLarge(declared: declared, limit: limit) }
        var isWhole = false
        let out = [UInt8](unsafeUninitializedCapacity: Int(declared)) { room, count in
            let written = bytes.withUnsafeBytes { block in
                tidewire_zstd_decompress(room.baseAddress, Int(declared), block.baseAddress?.advanced(by: range.lowerBound), range.count)
            }
            isWhole = ZSTD_isError(written) == 0 && written == Int(declared)
            count = isWhole ? written : 0
        }
        guard isWhole else { throw .damaged }
        return out
    }
}
