// What each code of the gateway's error message means for the session, and what a person can do about it.
internal import Values

/// How the session takes one code.
enum NoticeRule: Hashable, Sendable {
    /// Nothing to do and nothing to show.
    case ignore
    /// Shown; the state stays as it is. Every code that is not in the table.
    case show
    /// A word about an order that lives on.
    case orderWarning
    /// A new order was refused; one that lived before the change lives on and is read again.
    case orderRefused
    /// An order was refused, as far as the code tells: whether it is there all the same is looked up first.
    case orderDoubted
    /// The order is cancelled.
    case orderCancelled
    /// A cancel or change was not possible: the broker's own view of the order is asked for.
    case reread
    /// The id was used before: whether our first copy lives is looked up, nothing is sent again.
    case duplicateID
    /// The stream has to be asked for again.
    case resubscribe
    /// The stream is refused; tried again after the pause, in seconds.
    case streamRefused(retry: Int64)
    /// The login's market data lines are used up.
    case noLine
    /// Live data is not subscribed.
    case noLiveData
    /// Data of this stream is delayed.
    case delayed
    /// History could not be served; the text says whether it may be asked again.
    case history
    /// No contract, or several.
    case noContract
    /// The broker's servers cannot be reached.
    case linkDown
    /// They can again.
    case linkUp(dataLost: Bool)
    /// The broker knows no such request for history: news only when we wait for it.
    case historyUnknown
    /// A farm has nothing to do and works upon demand: nobody's business, but it is not broken.
    case farmIdle
    /// Data of a farm is broken, or works again.
    case farm(isUp: Bool)
    /// We send too fast.
    case tooFast
    /// Account updates went to somebody else.
    case accountUpdatesLost
    /// Another connection has our client id: mostly our own ghost.
    case clientIDInUse
    /// The gateway moved to another port.
    case moved
    /// The stream of bytes is broken.
    case streamBroken
    /// The request or order could not be read or validated; with read-only words it stops trading.
    case invalid
}

/// The six ways in which a code of the gateway is taken.
package enum NoticeAction: String, Hashable, Sendable {
    /// Nothing is done or shown.
    case ignore
    /// A person is told; streams and orders stay as they are.
    case show
    /// Data stopped: it is asked for again, at once or after a while.
    case resubscribe
    /// What was asked is refused or over: said so, and the broker's own view read where the code alone does not decide.
    case refuse
    /// The connection ends and is made anew.
    case reconnect
    /// Nothing is ordered until it is over.
    case halt
}

extension NoticeRule {
    var action: NoticeAction {
        switch self {
        case .ignore, .historyUnknown, .farmIdle: .ignore
        case .show, .orderWarning, .delayed, .farm, .tooFast: .show
        case .resubscribe, .streamRefused, .noLine, .history, .accountUpdatesLost, .linkUp: .resubscribe
        case .orderRefused, .orderDoubted, .orderCancelled, .reread, .duplicateID, .noContract, .noLiveData, .invalid: .refuse
        case .clientIDInUse, .moved, .streamBroken: .reconnect
        case .linkDown: .halt
        }
    }
}

/// The table of codes.
package enum NoticeTable {
    /// How a code is taken. `text` decides where one code says two things: 321 also tells that the API is read-only.
    package static func action(_ code: Int64, text: String = "") -> NoticeAction { isReadOnly(code, text) ? .halt : rule(code).action }

    /// True when the gateway says that it shows and does not trade.
    static func isReadOnly(_ code: Int64, _ text: String) -> Bool { code == 321 && text.lowercased().contains("read-only") }

    /// The port that 1300 names: the last number of its text, 1...65535.
    static func port(_ text: String) -> Int? {
        text.split { !$0.isASCII || !$0.isNumber }.last.flatMap { Int($0) }.flatMap { (1...65_535).contains($0) ? $0 : nil }
    }

    static func rule(_ code: Int64) -> NoticeRule {
        switch code {
        case 1_100, 2_110: .linkDown
        case 1_101: .linkUp(dataLost: true)
        case 1_102: .linkUp(dataLost: false)
        case 2_103, 2_105, 2_157: .farm(isUp: false)
        case 2_104, 2_106, 2_158: .farm(isUp: true)
        case 2_107, 2_108: .farmIdle
        case 366: .historyUnknown
        case 2_119, 300, 492, 165: .ignore
        case 2_100: .accountUpdatesLost
        case 100: .tooFast
        case 326: .clientIDInUse
        case 1_300: .moved
        case 507: .streamBroken
        case 320, 321, 322: .invalid
        default: orders(code)
        }
    }

    private static func orders(_ code: Int64) -> NoticeRule {
        switch code {
        case 103: .duplicateID
        case 202: .orderCancelled
        case 201, 203, 106, 107, 109, 110, 111, 434, 10_268, 10_269, 10_270, 10_289, 10_293, 463, 460, 387, 388, 389, 390, 391, 392, 393:
            .orderRefused
        case 104, 105, 134, 135, 136, 137, 161, 329, 10_147, 10_148, 10_149: .reread
        case 399, 404, 2_109, 2_137, 2_148, 2_161, 10_349: .orderWarning
        default: isOfValidation(code) ? .orderDoubted : streams(code)
        }
    }

    /// Codes by which the gateway or the exchange turns an order down: what it may be, its price, size, time, route, family and account.
    private static func isOfValidation(_ code: Int64) -> Bool {
        switch code {
        case 113...121, 123...133, 140...160, 163, 164, 167, 168, 325, 327, 328, 330...353, 355...361, 367...386, 394...398, 400...403, 405...415,
            436...449, 10_000...10_027, 10_243, 10_244:
            true
        default: false
        }
    }

    /// Codes that answer a cancel.
    static func isOfCancel(_ code: Int64) -> Bool { [136, 137, 161, 10_147, 10_148, 10_149].contains(code) }

    private static func streams(_ code: Int64) -> NoticeRule {
        switch code {
        case 200: .noContract
        case 162: .history
        case 354, 10_089, 10_168: .noLiveData
        case 10_167: .delayed
        case 10_182, 10_225, 102, 317: .resubscribe
        case 101: .noLine
        case 10_197: .streamRefused(retry: 60)
        case 309, 420, 10_186, 10_187, 10_189, 10_190: .streamRefused(retry: 300)
        default: .show
        }
    }

    /// What a person can do; empty when nothing needs doing.
    static func cure(_ code: Int64) -> String {
        switch code {
        case 100: "Nothing to do: the edge sends at half speed for a minute."
        case 101: "Watch fewer instruments, or book more market data lines at IBKR."
        case 103: "If this repeats, reset the API order ids in the gateway's settings."
        case 110: "Use a price on the contract's price step."
        case 162: "The broker did not serve the history; it is asked again."
        case 200: "Check the symbol, the exchange and the expiry in the settings."
        case 201: "Read the broker's reason; margin, permissions and trading hours are the usual ones."
        case 203: "Ask IBKR for trading permission for this product: Client Portal, Settings, Trading Permissions."
        case 321: "In the gateway: Configure, Settings, API, untick Read-Only API."
        case 326: "Stop the other program with this client id, or set another `client_id`."
        case 354, 10_089, 10_168: "Subscribe to the exchange's live data: Client Portal, Settings, Market Data Subscriptions."
        case 399: "The order is kept; it works when the market opens."
        case 404: "The broker looks for shares to borrow."
        case 1_100, 2_110: "Nothing to do: orders at the broker work on, and the gateway reconnects by itself."
        case 1_300: "Nothing to do now. Set `gateway.port` to the new port, or the next start looks at the old one."
        case 507: "Nothing to do: the connection is made anew."
        case 2_103, 2_105, 2_157: "Nothing to do: the gateway reconnects to its data by itself."
        case 10_147, 10_148, 161, 136: "Look at the order's state: it was filled or cancelled meanwhile."
        case 10_167: "The prices shown are delayed, and no order is placed on them. Subscribe to live data to trade."
        case 10_197: "Log the other session of this user out, or use a second user name for it."
        default: ""
        }
    }
}
