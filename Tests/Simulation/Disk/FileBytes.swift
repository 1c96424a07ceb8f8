// The bytes of a file in blocks that copies share: a power cut, a start, or a copy of a disk costs what changes afterwards and not the whole file.

/// A file's bytes. A copy shares every block until one of the two writes into it.
struct FileBytes: ExpressibleByArrayLiteral {
    private static let block = 4_096
    private static let zeros = [UInt8](repeating: 0, count: block)
    /// All of `block` bytes; behind the end of the file they are zeros.
    private var blocks: [[UInt8]] = []
    private(set) var count = 0

    init() {}
    init(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0, at: 0) } }
    init(arrayLiteral bytes: UInt8...) { self.init(bytes) }

    var isEmpty: Bool { count == 0 }
    /// All of them in one piece.
    var all: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            read(at: 0, into: UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    /// Turns one bit, 0...7 of the byte at `offset`, if the file reaches so far.
    mutating func flip(bit: Int, at offset: Int) {
        if offset < count { blocks[offset / FileBytes.block][offset % FileBytes.block] ^= 1 << UInt8(bit) }
    }

    /// Copies bytes from `offset` on.
    /// - Returns: how many there were, the size of `target` at most.
    @discardableResult func read(at offset: Int, into target: UnsafeMutableRawBufferPointer) -> Int {
        let end = min(count, offset + target.count)
        guard offset < end else { return 0 }
        var place = offset
        while place < end {
            let inside = place % FileBytes.block, length = min(FileBytes.block - inside, end - place)
            blocks[place / FileBytes.block].withUnsafeBytes { source in
                let part = UnsafeRawBufferPointer(rebasing: source[inside..<inside + length])
                UnsafeMutableRawBufferPointer(rebasing: target[(place - offset)...]).copyMemory(from: part)
            }
            place += length
        }
        return end - offset
    }

    /// Writes over what is there; beyond the end a hole of zeros is left.
    mutating func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        let end = offset + bytes.count
        if end > count { resize(to: end) }
        var place = offset
        while place < end {
            let inside = place % FileBytes.block, length = min(FileBytes.block - inside, end - place)
            let part = UnsafeRawBufferPointer(rebasing: bytes[(place - offset)..<(place - offset + length)])
            if length == FileBytes.block {
                blocks[place / FileBytes.block] = [UInt8](part)
            } else {
                blocks[place / FileBytes.block].withUnsafeMutableBytes {
                    UnsafeMutableRawBufferPointer(rebasing: $0[inside...]).copyMemory(from: part)
                }
            }
            place += length
        }
    }

    /// Cuts the file off, or lengthens it by zeros.
    mutating func resize(to size: Int) {
        let needed = (size + FileBytes.block - 1) / FileBytes.block
        if size < count {
            blocks.removeLast(blocks.count - needed)
            let inside = size % FileBytes.block
            if inside > 0 {
                blocks[needed - 1].replaceSubrange(inside..., with: FileBytes.zeros[inside...])
            }
        } else {
            while blocks.count < needed { blocks.append(FileBytes.zeros) }
        }
        count = size
    }

    /// True when these bytes are there already.
    func shows(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        guard offset + bytes.count <= count else { return false }
        var place = offset
        while place < offset + bytes.count {
            let inside = place % FileBytes.block, length = min(FileBytes.block - inside, offset + bytes.count - place)
            let part = bytes[(place - offset)..<(place - offset + length)]
            guard blocks[place / FileBytes.block][inside..<inside + length].elementsEqual(part) else { return false }
            place += length
        }
        return true
    }
}
