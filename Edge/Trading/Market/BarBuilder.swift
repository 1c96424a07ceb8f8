// One-minute bars from history and trades: the last one is still forming.
package import Values

/// The bars of one instrument, oldest first, at most `countMax`.
package struct BarBuilder: Sendable {
    /// A trading day of minutes and a little: what a chart shows.
    package static let countMax = 1_500
    package private(set) var bars: [Bar] = []
    /// The oldest start whose bar came or changed since closed bars were taken last; nil when none did.
    private var changed: Instant?
    package init() {}

    /// The bars that began before `present`, as far as they are newer than `sent` or have changed since the last call, oldest first: history
    /// that is fetched later corrects what was passed on. Nil for `sent` gives all.
    package mutating func takeClosed(before present: Instant, after sent: Instant?) -> [Bar] {
        let changed = changed
        let closed = bars.filter { bar in
            guard bar.start < present, let sent else { return bar.start < present }
            return bar.start > sent || changed.map { bar.start >= $0 } ?? false
        }
        // What still forms is newer than all that was sent, and needs no note.
        if !closed.isEmpty { self.changed = nil }
        return closed
    }

    private mutating func note(_ start: Instant) { changed = min(start, changed ?? start) }

    /// Takes history or an update of the forming bar; bars of the same start replace each other.
    package mutating func merge(_ more: [Bar]) {
        for bar in more {
            if let last = bars.last, bar.start > last.start {
                bars.append(bar)
                note(bar.start)
                continue
            }
            let index = bars.partitioningIndex { $0.start >= bar.start }
            if index < bars.count, bars[index] == bar { continue }
            note(bar.start)
            if index < bars.count, bars[index].start == bar.start { bars[index] = bar } else { bars.insert(bar, at: index) }
        }
        bars.removeFirst(max(0, bars.count - BarBuilder.countMax))
    }

    /// Takes a trade into the forming bar. A trade older than the last bar changes nothing: history told that minute.
    package mutating func add(price: Price, size: Quantity, at instant: Instant) {
        let start = Timeframe.minute.start(of: instant)
        guard let last = bars.last else { return merge([Bar(start: start, price: price, size: size)]) }
        if start == last.start {
            bars[bars.count - 1].add(price: price, size: size)
            note(start)
        }
        if start > last.start { merge([Bar(start: start, price: price, size: size)]) }
    }
}

extension Array {
    /// The first index whose element satisfies `predicate`, in an array where all that do come last.
    func partitioningIndex(_ predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
