// Recorded bars as CSV text: time,open,high,low,close and perhaps volume, oldest first, with or without a header.
internal import Values
package import Venues

/// Why a text is no tape.
package enum TapeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Counted from 1.
    case line(Int)
    case tooLong
    case notRising
    package var description: String {
        switch self {
        case .line(let number):
            "line \(number) is not time,open,high,low,close[,volume], with the time in seconds since 1970 or as 2026-11-20T15:00:00Z (UTC)"
        case .tooLong: "there are more than \(TapeText.barsMax) bars"
        case .notRising: "there are no bars, or their times do not rise"
        }
    }
}

package enum TapeText {
    /// More than a year of minutes.
    static let barsMax = 600_000

    /// The tape of a text.
    package static func tape(_ text: some StringProtocol) throws(TapeError) -> PriceTape {
        var bars: [Bar] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            // A first line without a number is a header.
            if line.isEmpty || (index == 0 && line.first?.isNumber == false) { continue }
            guard let bar = bar(String(line)) else { throw .line(index + 1) }
            guard bars.count < barsMax else { throw .tooLong }
            bars.append(bar)
        }
        guard let tape = PriceTape(bars: bars) else { throw .notRising }
        return tape
    }

    private static func bar(_ line: String) -> Bar? {
        let fields = line.split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == 5 || fields.count == 6, let start = instant(fields[0]) else { return nil }
        let prices = fields[1...4].compactMap { try? Price($0.filter { $0 != " " }) }
        guard prices.count == 4, let high = prices.max(), let low = prices.min(), low.raw > 0, high == prices[1], low == prices[2] else { return nil }
        guard let volume = fields.count == 6 ? try? Quantity(fields[5].filter { $0 != " " }) : .zero else { return nil }
        return Bar(start: start, open: prices[0], high: high, low: low, close: prices[3], volume: volume)
    }

    private static func instant(_ text: Substring) -> Instant? {
        // Up to the year 2255, within the range of nanoseconds.
        if let seconds = Int64(text), (0...9_000_000_000).contains(seconds) { return Instant(seconds: seconds) }
        let parts = text.split { $0 == "T" || $0 == " " || $0 == "Z" }
        guard parts.count == 2, let date = CivilDate(parts[0]) else { return nil }
        let clock = parts[1].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0..<60).contains(clock[2]) else { return nil }
        return date.startUTC + .seconds(clock[0] * 3_600 + clock[1] * 60 + clock[2])
    }
}
