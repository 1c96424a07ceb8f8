// Writes one outbound frame: length, then fields each ended by NUL.
internal import Values

/// Appends a frame to a buffer; `finish` patches the length or takes everything back.
struct FrameWriter {
    private(set) var bytes: [UInt8]
    private let start: Int
    private(set) var fault: EncodeFault?

    init(_ bytes: consuming [UInt8]) {
        start = bytes.count
        self.bytes = bytes
        self.bytes.append(contentsOf: [0, 0, 0, 0])
    }

    mutating func text(_ value: String) {
        if !WireText.isSendable(value), fault == nil { fault = .notASCII(value) }
        bytes.append(contentsOf: value.utf8)
        bytes.append(0)
    }
    /// Text of several lines: XML and JSON.
    mutating func lines(_ value: String) {
        if !value.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 9 || $0 == 10 || $0 == 13 }) { refuse(.notASCII(value)) }
        bytes.append(contentsOf: value.utf8)
        bytes.append(0)
    }
    mutating func empty() { bytes.append(0) }
    mutating func integer(_ value: Int64) { text(String(value)) }
    mutating func integer(_ value: Int64?) { if let value { integer(value) } else { empty() } }
    mutating func flag(_ value: Bool) { bytes.append(value ? 0x31 : 0x30); bytes.append(0) }
    mutating func flag(_ value: Bool?) { if let value { flag(value) } else { empty() } }
    mutating func price(_ value: Price?) { fixed(value?.raw) }
    mutating func money(_ value: Money?) { fixed(value?.raw) }
    mutating func number(_ value: WireNumber?) { fixed(value?.raw) }
    mutating func size(_ value: WireSize?) { if let value { text(value.description) } else { empty() } }
    private mutating func fixed(_ raw: Int64?) { if let raw { text(Decimals.text(raw, scale: 8)) } else { empty() } }

    /// Notes a reason not to send; the first one counts.
    mutating func refuse(_ reason: EncodeFault) { if fault == nil { fault = reason } }

    /// The buffer with the frame behind what was there before, or the first fault.
    consuming func finish() throws(EncodeFault) -> [UInt8] {
        if let fault { throw fault }
        let length = UInt32(bytes.count - start - 4)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
        return bytes
    }
}
