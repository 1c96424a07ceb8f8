// What came of making the tables beside a ledger's entries anew, for the command line of either end.
package import Wire

/// The tables of a file are made anew while this is made.
package struct FollowerReport: Sendable {
    /// The last entry that they follow.
    package let through: UInt64
    /// Why they could not be made anew, in SQLite's words.
    package let damage: String?
    package var isSound: Bool { damage == nil }

    /// - Parameters:
    ///   - store: open for writing, by nobody else.
    ///   - tell: told now and then how far it is.
    package init(_ store: EntryStore, _ tell: (String) -> Void) throws(StoreError) {
        let last = store.head.seq
        var told: UInt64 = 0
        let state = try store.remakeFollowers { seq in
            guard seq - told >= 50_000 else { return }
            told = seq
            tell("up to entry \(seq) of \(last)")
        }
        if case .damaged(let cause) = state { damage = cause } else { damage = nil }
        through = last
    }

    /// For a person.
    /// - Parameter verify: the command that checks what was made.
    package func text(verify: String) -> String {
        guard let damage else {
            return "The index of subjects and the posting table follow the entries up to \(through) again. Check them: \(verify)"
        }
        return "The tables beside the entries are damaged and could not be made anew (\(damage)). No entry is concerned, and entries are looked for "
            + "one by one; put the newest copy of the file back to have the tables again."
    }

    /// For a program.
    package var value: JSONValue {
        var members = [JSONMember("through", .integer(Int64(clamping: through))), JSONMember("sound", .bool(isSound))]
        if let damage { members.append(JSONMember("damage", .string(damage))) }
        return .object(members)
    }
}
