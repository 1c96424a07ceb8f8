// What a disk was found to hold, and which part of it is news, so that a day of restarts does not read the same rows a thousand times.
package import Wire

/// The rows of one ledger, in order. `news` is the place of the first row that is not the same as in the sight before.
package struct StoredRows: RandomAccessCollection, Sendable {
    private let rows: [EntryRow]
    /// Rows before this place were seen before, in the same place and with the same bytes.
    package let news: Int

    /// Everything is new.
    package init(_ rows: [EntryRow] = []) { self.rows = rows; news = 0 }

    /// What is stored now: `known` up to place `start`, then `tail`, which was read from the disk. Rows of the tail that are known are no news.
    package init(_ known: StoredRows, upTo start: Int, then tail: [EntryRow]) {
        var same = 0
        while same < tail.count, start + same < known.count, known[start + same] == tail[same] { same += 1 }
        news = start + same
        rows = Array(known.rows.prefix(start)) + tail
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { rows.count }
    package subscript(place: Int) -> EntryRow { rows[place] }
}

/// A fold over stored rows that goes on where it stopped, and begins anew when rows that it has counted are gone or others.
package struct RowFold<State: Sendable>: Sendable {
    private let initial: State
    package private(set) var state: State
    private var done = 0

    package init(_ initial: State) { self.initial = initial; state = initial }

    /// Another sight of them, whether it is followed or not: what was counted may be news in it, and no more in the next.
    package mutating func see(_ rows: StoredRows) { if rows.news < done { (state, done) = (initial, 0) } }

    /// Takes in what is new; the first words that `take` answers end it.
    package mutating func follow(_ rows: StoredRows, _ take: (inout State, EntryRow) -> String?) -> String? {
        see(rows)
        while done < rows.count {
            done += 1
            if let words = take(&state, rows[done - 1]) { return words }
        }
        return nil
    }
}
