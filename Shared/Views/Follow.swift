// Following one order or one command through the ledger: which subjects to look up, and which entries belong.
internal import Ledger
package import Values

/// The subjects (`ref`) under which the ledger keeps everything about one order or command.
package struct Follow: Hashable, Sendable {
    /// Without doubles, in the order of the walk.
    package let refs: [[UInt8]]
    /// Entries that carry no subject of their own: denials of a command, and what handed its orders to the gateway.
    package let extra: [Seq]
}

extension EdgePicture {
    /// Nil when the text names neither an order nor a command that this ledger knows.
    package func follow(_ text: String) -> Follow? {
        if let order = order(named: text) { return follow(orders: order.command == nil ? [order.tag] : [], command: order.command) }
        if let denied = milestones.denials.first(where: { $0.id.description == text }) {
            guard let command = denied.denial.command else { return Follow(refs: [], extra: [denied.id.seq]) }
            return follow(orders: [], command: command)
        }
        guard let command = CommandID(hex: text) else { return nil }
        let isKnown = book.commands[command] != nil || book.commandOrders[command] != nil
        return isKnown ? follow(orders: [], command: command) : nil
    }

    private func follow(orders: [ClOrdID], command: CommandID?) -> Follow {
        var refs: [[UInt8]] = []
        var tags = orders
        if let command { refs.append(command.bytes); tags += book.commandOrders[command] ?? [] }
        // An order and all other legs of its ticket.
        let intents = tags.compactMap { book.order($0)?.intent }
        let family = intents.isEmpty ? [] : book.orders.filter { intents.contains($0.intent) }.map(\.tag)
        for intent in intents { refs.append(intent.bytes) }
        for tag in family { refs.append(Array(tag.text.utf8)) }
        // No fill is older than the intent of its order.
        var fills: [[UInt8]] = []
        let oldest = intents.map(\.seq).min() ?? book.head.seq
        book.fills.backward { record in
            if record.fill.tag.map({ family.contains($0) }) ?? false { fills.append(Array(record.fill.execID.utf8.prefix(255))) }
            return record.seq > oldest
        }
        refs += fills.reversed()
        var seen: Set<[UInt8]> = []
        let denied = milestones.denials.filter { command != nil && $0.denial.command == command }.map(\.id.seq)
        let sent = milestones.sent.filter { $0.tags.contains { family.contains($0) } }.map(\.seq)
        let extra = (denied + sent).sorted()
        return Follow(refs: refs.filter { seen.insert($0).inserted }, extra: extra)
    }
}
