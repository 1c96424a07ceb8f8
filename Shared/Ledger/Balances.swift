// What all postings so far add up to, by account and asset.

/// Sums of postings. They are kept wider than a posting is, so that no sum wraps; accounts at zero are not kept.
package struct Balances: Hashable, Sendable {
    private var sums: [PostingAccount: [String: Int128]] = [:]

    package init() {}

    package mutating func add(_ postings: [Posting]) {
        for posting in postings {
            let sum = (sums[posting.account]?[posting.asset] ?? 0) + Int128(posting.amount)
            sums[posting.account, default: [:]][posting.asset] = sum == 0 ? nil : sum
            if sums[posting.account]?.isEmpty == true { sums[posting.account] = nil }
        }
    }

    /// One sum as a snapshot has it.
    mutating func set(_ account: PostingAccount, _ asset: String, _ amount: Int128) { if amount != 0 { sums[account, default: [:]][asset] = amount } }

    /// The sum of one class over all accounts of the broker and all bots, at 10⁻⁸.
    package func total(_ kind: AccountClass, _ asset: String) -> Int128 {
        var total: Int128 = 0
        for (account, assets) in sums where account.kind == kind { total += assets[asset] ?? 0 }
        return total
    }

    /// All sums that are not zero, by account and asset.
    package var sorted: [(account: PostingAccount, asset: String, amount: Int128)] {
        sums.keys.sorted().flatMap { account in
            (sums[account] ?? [:]).sorted { $0.key < $1.key }.map { (account, $0.key, $0.value) }
        }
    }

    /// Assets that do not add up to zero over all accounts, sorted; empty for books that balance.
    package var imbalance: [(asset: String, sum: Int128)] {
        var totals: [String: Int128] = [:]
        for assets in sums.values { for (asset, sum) in assets { totals[asset, default: 0] += sum } }
        return totals.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Assets with something in suspense, sorted.
    package var inSuspense: [String] {
        Set(sums.filter { $0.key.kind == .suspense }.flatMap { $0.value.keys }).sorted().filter { total(.suspense, $0) != 0 }
    }
}
