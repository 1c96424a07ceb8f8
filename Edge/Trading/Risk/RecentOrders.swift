// The search for a double click: what the newest orders wished for, in a row that is quick to walk.
internal import Ledger
internal import Values

/// The time and a mark of each of the newest orders. A busy window holds a thousand, and every order that is to leave looks through them all: in the book
/// that is a walk through half a megabyte.
struct RecentOrders: Sendable {
    private struct Row {
        /// By the desk's own time, which a wall clock that is set does not touch: an entry's time is the wall's.
        var notedAt: Instant
        /// Of an opening order's wish; `notOpening` for others. Equal wishes have equal marks; the converse the book tells.
        var mark: UInt64
    }
    private var rows: [Row] = []
    /// The place of the first row's order in the book; those before it, the book itself is asked for.
    private var first: Int
    /// The place of the first order of this run: when those before it were placed is known by another run's clock only.
    private let start: Int

    private static let rowsMax = 4_096
    private static let notOpening: UInt64 = 0

    init(after book: Book) { first = book.orders.count; start = first }

    /// Takes in what the book has got since, at the desk's time; nil before the desk was told any.
    mutating func follow(_ book: Book, at now: Instant?) {
        while first + rows.count < book.orders.count {
            let order = book.order(at: first + rows.count)
            let leg = order.leg
            let mark = leg.role == .open ? RecentOrders.mark(leg.instrument, leg.side, leg.quantity, leg.stopPrice) : RecentOrders.notOpening
            rows.append(Row(notedAt: now ?? order.createdAt, mark: mark))
        }
        guard rows.count > RecentOrders.rowsMax else { return }
        let surplus = rows.count - RecentOrders.rowsMax / 2
        rows.removeFirst(surplus)
        first += surplus
    }

    /// The desk's time was set by `step`: what is young stays as young.
    mutating func clockWasSet(by step: Span) { for index in rows.indices { rows[index].notedAt = rows[index].notedAt + step } }

    /// The newest orders of this run, newest first, as far as they were placed at `instant` or later.
    func since(_ instant: Instant, _ book: Book, _ visit: (OrderRecord) -> Bool) {
        for place in (start..<max(start, first + rows.count)).reversed() {
            // Of the thousands before the rows the wall's time has to do.
            let order = book.order(at: place)
            guard (place < first ? order.createdAt : rows[place - first].notedAt) >= instant, visit(order) else { return }
        }
    }

    /// True when an order that opens by the same wish was recorded less than `window` ago. The walk back in time ends at the first order that is older.
    /// Of an earlier run's orders, whose time is the wall's, one of a time to come proves nothing and ends it too.
    func repeats(_ wish: OrderWish, at now: Instant, within window: Span, _ book: Book) -> Bool {
        let wanted = RecentOrders.mark(wish.instrument, wish.side, wish.quantity, wish.stopPrice)
        for index in rows.indices.reversed() {
            guard now - rows[index].notedAt < window else { return false }
            if rows[index].mark == wanted, RecentOrders.isSame(book.order(at: first + index), wish) { return true }
        }
        for place in (0..<first).reversed() {
            let order = book.order(at: place)
            guard now >= order.createdAt, now - order.createdAt < window else { return false }
            if RecentOrders.isSame(order, wish) { return true }
        }
        return false
    }

    private static func isSame(_ order: OrderRecord, _ wish: OrderWish) -> Bool {
        order.leg.role == .open && order.leg.stopPrice == wish.stopPrice && order.leg.quantity == wish.quantity && order.leg.side == wish.side
            && order.leg.instrument == wish.instrument && order.bot == wish.bot
    }

    /// Never `notOpening`.
    private static func mark(_ instrument: InstrumentID, _ side: Side, _ quantity: Quantity, _ stop: Price?) -> UInt64 {
        // The factor (2^64 over the golden ratio) spreads what lies close together.
        var mark = UInt64(instrument.text.fingerprint) << 1 | (side == .buy ? 1 : 0)
        for number in [quantity.raw, stop?.raw ?? .min] { mark = (mark ^ UInt64(bitPattern: number)) &* 0x9E37_79B9_7F4A_7C15 }
        return mark | 1
    }
}
