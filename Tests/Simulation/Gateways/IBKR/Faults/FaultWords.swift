// The switches of a misbehaving gateway, and the words in which a person names them.
package import Values

/// A wrong number given out as the next free order id.
package enum NextIdFault: String, Sendable {
    /// Half of what it should be: numbers of the past are handed out again.
    case back
    /// A thousand too high.
    case forward
    /// 2^31 - 3: three numbers are left.
    case edge
}

/// A time of the login's day, or a span after the gateway's start.
package enum GatewayHour: Hashable, Sendable {
    /// Seconds since local midnight.
    case daily(Int)
    case after(Span)
    /// `HH:MM`, `HH:MM:SS` or `+SECONDS`.
    init?(_ text: String) {
        if text.hasPrefix("+") {
            guard let seconds = Int64(text.dropFirst()), seconds > 0, seconds < 1 << 31 else { return nil }
            self = .after(.seconds(seconds))
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { $0.utf8.count == 2 ? Int($0) : nil }
        guard parts.count == 2 || parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts.count == 3 ? parts[2] : 0,
            (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second)
        else { return nil }
        self = .daily(hour * 3_600 + minute * 60 + second)
    }
}

/// One way of misbehaving; several may be on at once.
package enum GatewaySwitch: Hashable, Sendable {
    /// Accepts connections and never says a word.
    case wedge
    /// The first so many connections are served, the others meet a wedge.
    case wedgeAfter(Int)
    /// The account may not trade futures: 203 on every such order.
    case noPermission
    /// No live market data: 354, 10089 or 10168 on every request for quotes of a symbol, or of all.
    case noMarketData(code: Int, symbol: String? = nil)
    /// Orders, cancels, exercises and binding are refused with 321: the API is set to read-only.
    case readOnly
    /// After this many orders the connection drops: the order is placed, its acknowledgement never sent. Once.
    case cutAfterOrder(Int)
    /// The same, but the order is lost with the connection. Once.
    case loseOrder(Int)
    /// All connections drop every so often.
    case dropEvery(Span)
    /// The first so many attempts to use a client id are answered 326.
    case clientIdInUse(times: Int)
    case execution(MessageFault)
    case status(MessageFault)
    case commission(CommissionFault)
    /// An order that fills at once is acknowledged after its first execution, others two seconds late.
    case fillBeforeAck
    /// An order that is cancelled while it works trades what it can first; the client hears of that after the cancel.
    case fillAfterCancel
    /// The execution of this number is corrected a moment later: same id but for its last part, another price.
    case correction(Int)
    case nextId(NextIdFault)
    /// The order of this number works twice at the broker, under two permIds.
    case twinPerm(Int)
    /// The line to IBKR breaks every so often and comes back with this code; 1100 comes back with either, 2110 has words of its own.
    case link(code: Int, every: Span)
    /// The end mark of this list never comes; of all lists the first one each, when none is named.
    case endless(EndedList?)
    /// Everything is written in pieces of so many bytes.
    case split(Int)
    /// What clients send is read at so many bytes a second.
    case slowReader(Int)
    /// Another session of the user has the market data: 10197; in every second span of this length, or always.
    case competingSession(Span?)
    /// So many messages a second are too many.
    case pacing(Int)
    /// The gateway restarts: connections close, ten seconds nobody is served, what was not transmitted is gone.
    case restartAt(GatewayHour)
    /// The nightly reset of IBKR's servers, a minute long.
    case resetAt(GatewayHour)
}

extension GatewaySwitch {
    /// Reads `NAME` or `NAME=VALUE`; nil for what is unknown or has a senseless value.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let value = parts.count == 2 ? parts[1] : nil
        if let item = Self.worded(parts[0], value) { self = item; return }
        let number = value.flatMap { Int($0) }
        guard value == nil || (1...1_000_000_000).contains(number ?? 0) else { return nil }
        switch (parts[0], number) {
        case ("wedge", nil): self = .wedge
        case ("wedge-after", let count): self = .wedgeAfter(count ?? 1)
        case ("no-permission", nil): self = .noPermission
        case ("read-only", nil): self = .readOnly
        case ("cut-after-order", let count), ("ack-drop", let count): self = .cutAfterOrder(count ?? 1)
        case ("lose-order", let count): self = .loseOrder(count ?? 1)
        case ("drop-every", let seconds?): self = .dropEvery(.seconds(Int64(seconds)))
        case ("client-id-in-use", let times): self = .clientIdInUse(times: times ?? .max)
        case ("fill-before-ack", nil): self = .fillBeforeAck
        case ("fill-after-cancel", nil): self = .fillAfterCancel
        case ("correction", let count): self = .correction(count ?? 1)
        case ("twin-perm", let count): self = .twinPerm(count ?? 1)
        case ("split", let bytes): self = .split(bytes ?? 1)
        case ("slow-reader", let bytes): self = .slowReader(bytes ?? 1_000)
        case ("competing-session", let seconds): self = .competingSession(seconds.map { .seconds(Int64($0)) })
        case ("pacing", let rate): self = .pacing(rate ?? 10)
        default: return nil
        }
    }

    /// The switches whose values are words.
    private static func worded(_ name: String, _ value: String?) -> GatewaySwitch? {
        switch name {
        case "no-market-data": Self(data: value ?? "354")
        case "execution": message(value ?? "duplicate").map { .execution($0) }
        case "status": message(value ?? "duplicate").map { .status($0) }
        case "commission":
            switch value {
            case "never": .commission(.never)
            case "sentinel": .commission(.sentinel)
            default: late(value ?? "late").map { .commission(.late($0)) }
            }
        case "next-id": NextIdFault(rawValue: value ?? "back").map { .nextId($0) }
        case "link": link(value ?? "1101")
        case "snapshot-without-end":
            if let value { EndedList.allCases.first { $0.word == value }.map { .endless($0) } } else { .endless(nil) }
        case "restart-at": value.flatMap { GatewayHour($0) }.map { .restartAt($0) }
        case "reset-at": value.flatMap { GatewayHour($0) }.map { .resetAt($0) }
        default: nil
        }
    }

    /// `CODE`, `SYMBOL` or `CODE:SYMBOL`.
    private init?(data text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let code = Int(parts[0])
        guard parts.count <= 2, code.map({ [354, 10_089, 10_168].contains($0) }) ?? (parts.count == 1), !parts.contains("") else { return nil }
        self = .noMarketData(code: code ?? 354, symbol: code == nil ? parts[0] : parts.count == 2 ? parts[1] : nil)
    }
    private static func message(_ word: String) -> MessageFault? {
        switch word {
        case "duplicate": .duplicate
        case "reorder": .reorder
        default: late(word).map { .late($0) }
        }
    }
    /// `late` or `late:MILLISECONDS`; the inner nil stands for a span by chance.
    private static func late(_ word: String) -> Span?? {
        if word == "late" { return .some(nil) }
        guard word.hasPrefix("late:"), let milliseconds = Int64(word.dropFirst(5)), (1...3_600_000).contains(milliseconds) else { return nil }
        return .some(.milliseconds(milliseconds))
    }
    /// `CODE` or `CODE:SECONDS`.
    private static func link(_ text: String) -> GatewaySwitch? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard let code = parts.first ?? nil, [1_100, 1_101, 1_102, 2_110].contains(code), parts.count <= 2 else { return nil }
        guard let seconds = parts.count == 2 ? parts[1] : 20, (1...86_400).contains(seconds) else { return nil }
        return .link(code: Int(code), every: .seconds(seconds))
    }

    /// One line a switch, for a usage text.
    package static let usage = """
        wedge                  accept connections, never answer
        wedge-after[=N]        serve the first N connections (1), never answer the others
        no-permission          203 on futures orders
        no-market-data[=CODE[:SYMBOL]|=SYMBOL]
                               354 (or 10089, 10168) on requests for quotes
        read-only              321 on every order, change, cancel, exercise and binding
        cut-after-order[=N]    place the Nth order, drop the connection before the acknowledgement; also called ack-drop
        lose-order[=N]         drop the connection with the Nth order, which is lost
        drop-every=SECONDS     drop all connections every so often
        client-id-in-use[=N]   answer every attempt, or the first N, with 326
        execution=duplicate|late[:MS]|reorder
                               tell live executions twice, later, or in another order
        status=duplicate|late[:MS]|reorder
                               the same with order statuses
        fill-before-ack        tell an order's first execution before openOrder and status
        fill-after-cancel      let a working order trade while it is cancelled, and tell that after the cancel
        commission=late[:MS]|never|sentinel
                               commission reports come late, never, or with an unset amount
        correction[=N]         correct the Nth execution: the id ends in .02, the price is another
        next-id=back|forward|edge
                               give out order ids of the past, of the future, or three below 2^31
        twin-perm[=N]          work the Nth order or change twice, under two permIds and one orderRef
        link=1100|1101|1102|2110[:SECONDS]
                               lose the line to IBKR every so often (20 s), and say this code
        snapshot-without-end[=orders|executions|positions|completed|account|summary|quotes|contracts]
                               never end this list, or the first of each kind
        split[=BYTES]          write in pieces of so many bytes (1)
        slow-reader[=BYTES]    read so many bytes a second from each client (1000); the rest waits in its socket
        competing-session[=SECONDS]
                               10197 instead of market data, always or in every second span of that length
        pacing[=RATE]          take more than so many messages a second (10) for too many, whatever --rate says: each one more gets 100,
                               and in the third such second the gateway hangs up
        restart-at=HH:MM[:SS]|+SECONDS
                               restart at this time of the login's zone (US/Eastern), or so long after the start
        reset-at=HH:MM[:SS]|+SECONDS
                               IBKR's nightly reset: farms flap, 1100, false 200 and 162, 1101 or 1102 after a minute
        """
}
