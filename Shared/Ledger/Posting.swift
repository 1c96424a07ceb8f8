// One line of double entry: an amount of one asset on one account. The lines of an entry stand in its body, under its hash.
package import Wire

/// What an account is for. The word is what is stored.
package enum AccountClass: String, Hashable, Sendable, CaseIterable {
    case cash, position
    /// The other side of purchases and sales.
    case trading
    case fee, interest, dividend
    /// Profit of closed positions, with the sign of income: below zero is a gain.
    case pnlRealised = "pnl_realised"
    /// The world outside: deposits and withdrawals.
    case transfer
    /// What nobody could explain yet.
    case suspense
    /// What dividing left over.
    case rounding
}

/// An account of the books: its class, the broker's account, and the bot whose doing it is.
package struct PostingAccount: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var kind: AccountClass
    /// The broker's name of the account.
    package var broker: String
    /// The bot; nil for what no bot did.
    package var strategy: String?
    package init(_ kind: AccountClass, _ broker: String, strategy: String? = nil) {
        self.kind = kind; self.broker = broker; self.strategy = strategy
    }
    /// `cash:DU1`, or `position:DU1:breakout`: the form that is stored.
    package var description: String { "\(kind.rawValue):\(broker)" + (strategy.map { ":\($0)" } ?? "") }
    /// Reads `description` back; nil for a class this build does not know.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let kind = AccountClass(rawValue: String(parts[0])) else { return nil }
        self.init(kind, String(parts[1]), strategy: parts.count == 3 ? String(parts[2]) : nil)
    }
    package static func < (a: PostingAccount, b: PostingAccount) -> Bool { a.description < b.description }
}

/// One line. Amounts are integers at 10⁻⁸ of the asset, whatever it is: a currency, a share, a contract.
package struct Posting: Hashable, Sendable {
    package var account: PostingAccount
    /// A currency (`USD`) or an instrument's id (`MBTZ6.CME`).
    package var asset: String
    package var amount: Int64
    package init(_ account: PostingAccount, _ asset: String, _ amount: Int64) {
        self.account = account; self.asset = asset; self.amount = amount
    }

    /// The decimal places of an amount of `asset`: one scale for all, which holds ±92 bn of anything.
    package static func scale(of asset: String) -> Int { 8 }

    /// The form in the body.
    package var value: JSONValue { ["account": .string(account.description), "asset": .string(asset), "amount": .integer(amount)] }

    /// Reads `value` back.
    package init(_ value: JSONValue) throws(CodecError) {
        let f = try Fields(value)
        guard let account = PostingAccount(try f.text("account")) else { throw .badValue("postings") }
        self.init(account, try f.text("asset"), try f.integer("amount"))
    }

    /// The assets whose lines do not add up to zero, sorted, each with its sum; empty for books that balance.
    package static func imbalance(of postings: [Posting]) -> [(asset: String, sum: Int128)] {
        var sums: [String: Int128] = [:]
        for posting in postings { sums[posting.asset, default: 0] += Int128(posting.amount) }
        return sums.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}
