// Money that a person writes down at the console: deposits, withdrawals, dividends, interest, fees, borrow fees and exchanges, read strictly.
internal import Ledger
internal import Values
internal import Views
internal import Wire

/// One record as it is asked for, and what it will write.
struct MoneyRecord {
    /// What a person may write down.
    static let kinds = ["deposit", "withdrawal", "dividend", "interest", "fee", "borrow-fee", "exchange"]

    let fact: Fact
    /// What will be written, in words for the question before it.
    let text: String

    /// Reads the request's body. Amounts are decimal texts of at most 8 places, above zero but for interest.
    init(_ fields: JSONValue, account session: String?, at now: Instant) throws(Problem) {
        let kind = fields["kind"]?.text ?? ""
        guard Self.kinds.contains(kind) else {
            throw Self.refused("'kind' must be one of \(Self.kinds.joined(separator: ", ")).", cure: "Say what the money was.")
        }
        guard let account = fields["account"]?.text ?? session, !account.isEmpty, account.utf8.count <= 32 else {
            throw Self.refused("The edge has not seen an account yet.", cure: "Name it with --account, or wait until the broker's session stands.")
        }
        let note = fields["note"]?.text ?? ""
        guard note.utf8.count <= 500 else { throw Self.refused("'note' has more than 500 bytes.", cure: "Say it shorter.") }
        let at = try Self.instant(fields["at"]?.text, before: now)
        let currency = try Self.currency(fields["currency"]?.text, "currency")
        let amount = try Self.amount(fields["amount"]?.text, "amount", mayBeNegative: kind == "interest")
        if kind == "exchange" {
            let bought = try Self.amount(fields["toAmount"]?.text, "to-amount", mayBeNegative: false)
            let other = try Self.currency(fields["toCurrency"]?.text, "to-currency")
            guard other != currency else { throw Self.refused("An exchange needs two currencies.", cure: "Name the other one with --to-currency.") }
            fact = .exchange(
                CashExchange(
                    account: account, soldCurrency: currency, sold: amount, boughtCurrency: other, bought: bought, at: at, source: "console",
                    note: note))
            text = "exchange of \(amount) \(currency) for \(bought) \(other) in account \(account) at \(at)" + (note.isEmpty ? "" : ": \(note)")
            return
        }
        let leaves = ["withdrawal", "fee", "borrow-fee"].contains(kind)
        let move = CashMove(
            account: account, currency: currency, amount: leaves ? amount.negated : amount, at: at, source: "console", note: note,
            instrument: kind == "dividend" || kind == "borrow-fee" ? fields["instrument"]?.text.map { InstrumentID($0) } : nil)
        fact =
            switch kind {
            case "deposit", "withdrawal": .transfer(move)
            case "dividend": .dividend(move)
            case "interest": .interest(move)
            case "borrow-fee": .borrowFee(move)
            default: .accountFee(move)
            }
        text = "\(kind) of \(amount) \(currency) in account \(account) at \(at)" + (note.isEmpty ? "" : ": \(note)")
    }

    private static func amount(_ text: String?, _ name: String, mayBeNegative: Bool) throws(Problem) -> Money {
        guard let text, let amount = try? Money(text), amount.raw != 0, amount.raw != .min, mayBeNegative || amount.raw > 0 else {
            throw refused(
                "'\(name)' must be a decimal number above zero with at most 8 places.", cure: "Write it as 1250.75, without a sign or commas.")
        }
        return amount
    }

    private static func currency(_ text: String?, _ name: String) throws(Problem) -> String {
        guard let text, text.utf8.count == 3, text.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw refused("'\(name)' must be three capital letters.", cure: "Write it as USD.")
        }
        return text
    }

    /// A day (its midnight in UTC), or now. Nothing happens tomorrow.
    private static func instant(_ text: String?, before now: Instant) throws(Problem) -> Instant {
        guard let text else { return now }
        guard let day = CivilDate(text), day.startUTC <= now else {
            throw refused("'at' must be a day that has begun.", cure: "Write it as 2026-11-20.")
        }
        return day.startUTC
    }

    private static func refused(_ detail: String, cure: String) -> Problem {
        Problem("bad-request", 400, "The record is not in the agreed form", detail: detail, cure: cure)
    }
}

extension PostingRefusal {
    /// The answer to who asked for a record that cannot be posted.
    var problem: Problem { Problem("not-postable", 422, "The record cannot be posted", detail: description, cure: "Check the amount.") }
}
