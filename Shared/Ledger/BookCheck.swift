// The check of a stored ledger's money: every entry balances, the whole balances, and the posting table says what the bodies say.
internal import Values
package import Wire

/// Walks beside the check of the chain, on the edge and in the cloud.
package struct BookCheck: Sendable {
    /// How far the table has followed; behind that there is nothing to compare.
    package let postedThrough: UInt64
    private var sums: [String: Int128] = [:]
    private var lines = 0

    package init(postedThrough: UInt64) { self.postedThrough = postedThrough }

    /// What is wrong with the money of the next entry, in words. Read from the body as it is, so that kinds of tomorrow are checked too.
    /// - Parameter table: the lines that the table has of an entry; asked only for entries that list any and that it has followed.
    package mutating func check<Failure: Error>(_ entry: Entry, table: (UInt64) throws(Failure) -> [PostingRow]) throws(Failure) -> [String] {
        let listed = BookCheck.lines(of: entry)
        var problems: [String] = []
        var own: [String: Int128] = [:]
        for line in listed {
            own[line.asset, default: 0] += Int128(line.amount)
            sums[line.asset, default: 0] += Int128(line.amount)
        }
        if let (asset, sum) = BookCheck.first(own) {
            problems.append("entry \(entry.seq) does not balance: its lines of \(asset) add up to \(sum)")
        }
        guard entry.seq.raw <= postedThrough, !listed.isEmpty else { return problems }
        lines += listed.count
        if try table(entry.seq.raw) != listed { problems.append("the posting table says of entry \(entry.seq) what its body does not say") }
        return problems
    }

    /// What is wrong with the whole.
    /// - Parameter found: the lines in the table of entries up to `postedThrough`.
    package func finish(found: Int) -> [String] {
        var problems: [String] = []
        if let (asset, sum) = BookCheck.first(sums) { problems.append("the ledger does not balance: all lines of \(asset) add up to \(sum)") }
        if found != lines { problems.append("the posting table has \(found) lines up to entry \(postedThrough), the bodies list \(lines)") }
        return problems
    }

    /// The first asset, by name, that does not add up to zero.
    private static func first(_ sums: [String: Int128]) -> (String, Int128)? {
        sums.filter { $0.value != 0 }.min { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The lines in a body, as the table would hold them.
    private static func lines(of entry: Entry) -> [PostingRow] {
        guard let list = (try? JSONReader.read(entry.body))?["postings"]?.elements else { return [] }
        return list.enumerated().compactMap { index, line in
            guard let account = line["account"]?.text, let asset = line["asset"]?.text, let amount = line["amount"]?.integerValue else { return nil }
            return PostingRow(line: index, account: account, asset: asset, amount: amount)
        }
    }
}
