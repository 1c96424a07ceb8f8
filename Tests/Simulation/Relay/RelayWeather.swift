// What a relay does to the bytes that pass: late, slow, muted, wrong, broken off. One line of words, so that a command can say it.

/// Which way bytes go: from the side that dialled, or to it.
package enum RelayWay: String, CaseIterable, Sendable { case forth, back }

/// The weather of a link; the default lets everything through.
package struct RelayWeather: Hashable, Sendable {
    /// On each way, before a byte arrives; half of the round trip.
    package var delayMillis = 0
    /// Added by chance, never so that bytes overtake one another.
    package var jitterMillis = 0
    /// On each way of each connection; 0 for no limit.
    package var bytesPerSecond = 0
    /// One bit of about so many bytes turns; 0 for none.
    package var corruptEvery = 0
    /// A connection breaks off after about so many bytes, in the middle of what it was sending; 0 for never.
    package var resetEvery = 0
    /// New connections reach the other side this much later, each by chance, so that they overtake one another.
    package var shuffleMillis = 0
    /// Nothing passes, and nobody is told; what was sent arrives when it is over.
    package var isStalled = false
    /// The ways on which bytes of the connections that are up, and of new ones, vanish for good: they stay deaf when the weather has changed.
    package var muted: Set<RelayWay> = []
    /// Done once, when the weather begins: the connections that are up lose their other end, and the end on this side is left open and silent.
    package var halfOpen: RelayWay?
    package init() {}

    /// The words and what they mean, for a help text.
    package static let help =
        "delay=MS, jitter=MS, limit=BYTES_PER_SECOND, corrupt=BYTES, reset=BYTES, shuffle=MS, stall, black-hole, mute=forth|back, half-open=forth|back; "
        + "fair for none"

    /// Words as above, separated by commas. Nil when one is not understood.
    package init?(_ text: some StringProtocol) {
        for word in text.split(separator: ",") {
            let parts = word.split(separator: "=", maxSplits: 1)
            let number = parts.count == 2 ? Int(parts[1]) : nil, way = parts.count == 2 ? RelayWay(rawValue: String(parts[1])) : nil
            switch (parts[0], number, way) {
            case ("delay", let value?, _): delayMillis = value
            case ("jitter", let value?, _): jitterMillis = value
            case ("limit", let value?, _): bytesPerSecond = value
            case ("corrupt", let value?, _): corruptEvery = value
            case ("reset", let value?, _): resetEvery = value
            case ("shuffle", let value?, _): shuffleMillis = value
            case ("stall", nil, nil): isStalled = true
            case ("black-hole", nil, nil): muted = Set(RelayWay.allCases)
            case ("mute", _, let way?): muted.insert(way)
            case ("half-open", _, let way?): halfOpen = way
            case ("fair", nil, nil): continue
            default: return nil
            }
            if let number, !(0...1_000_000_000).contains(number) { return nil }
        }
    }
}
