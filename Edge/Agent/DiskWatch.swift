// What little room on the disk means for trading: told first, then no opening orders, and the reserve given up when a commit finds no room.
internal import Ledger
internal import Platform
internal import Values

/// Looks at the disk once a second and keeps the reserve.
struct DiskWatch {
    let reserve: any DiskReserve
    private var lookedAt: Span?

    private static let every = Span.seconds(1)
    /// Below this, or a twentieth of the disk, it is told.
    static let warnBelow: Int64 = 2 << 30
    /// Below this it is told with more weight. The edge writes nothing but its ledger that could go.
    static let scarceBelow: Int64 = 512 << 20
    /// Below this nothing is opened.
    static let shortBelow: Int64 = 128 << 20
    /// The reserve is made again only when so much is left beside it that making it is no trouble of its own.
    static let retakeAbove: Int64 = 256 << 20

    init(_ reserve: any DiskReserve) { self.reserve = reserve }

    /// True when it is time to look.
    mutating func isDue(at monotonic: Span) -> Bool {
        if let lookedAt, monotonic - lookedAt < DiskWatch.every { return false }
        lookedAt = monotonic
        return true
    }

    /// What the room that is left means; nil for enough of it. A trouble that is there ends a quarter above where it began.
    static func trouble(_ room: DiskRoom, present: LedgerTrouble.Kind?) -> LedgerTrouble? {
        func isBelow(_ limit: Int64, _ kind: LedgerTrouble.Kind) -> Bool {
            let holds = present.map { $0 <= kind } ?? false
            return room.free < (holds ? limit + limit / 4 : limit)
        }
        let left = "\(room.free >> 20) MiB are left on the ledger's disk"
        if isBelow(shortBelow, .short) {
            return LedgerTrouble(
                .short, "\(left): no position is opened any more.", cure: "Free some room; opening orders are taken again by themselves.")
        }
        guard isBelow(max(warnBelow, room.total / 20), .warning) else { return nil }
        return LedgerTrouble(
            .warning, "\(left).",
            cure: "Free some room\(room.free < scarceBelow ? " soon" : ""): below \(shortBelow >> 20) MiB nothing is opened.")
    }

    static let full = LedgerTrouble(
        .full, "The disk is full. The reserve was given up: fills, cancels and closings are still written, nothing is opened.",
        cure: "Free some room; the reserve is made again and opening orders are taken again by themselves.")
    static let unwritten = LedgerTrouble(
        .unwritten, "The disk is full and nothing can be written: no order leaves, only cancels do. What happens is kept in memory.",
        cure: "Free some room at once. Protective orders rest at the broker; close positions at the broker's own screen if you must.")
}
