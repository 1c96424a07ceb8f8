// Following one order or one command through the ledger: which subjects to look up, and which entries belong.
internal import Ledger
package import Values

/// The subjects (`ref`) under which the ledger keeps everything about one order or command.
package struct Follow: Hashable, Sendable {
    /// Without doubles, in the order of the walk.
    package let refs: [[UInt8]]
    /// Entries that carry no subject of their own: denials of a command, and what handed its orders to the gateway.
    package let extra: [Seq]
    /// False when there is more than one question looks for: orders of a command beyond `ordersMax`, executions far behind their orders.
    package var isWhole = true
    /// Executions that were looked at: what the question cost.
    package var looked = 0

    /// Orders of one command that are followed: a reversal has a handful, and whoever makes thousands up holds up nobody's screen.
    package static let ordersMax = 64
    /// Executions that are looked through: some days of a busy bot.
    package static let fillsMax = 20_000
    /// Legs that a ticket has at most.
    fileprivate static let legsMax = 8
}

extension EdgePicture {
    /// Nil when the text names neither an order nor a command that this ledger knows.
    /// - Parameter fillsMax: production's, but for tests.
    package func follow(_ text: String, fillsMax: Int = Follow.fillsMax) -> Follow? {
        if let order = order(named: text) {
            return follow(orders: order.command == nil ? [order.tag] : [], command: order.command, fillsMax)
        }
        if let denied = milestones.denials.first(where: { $0.id.description == text }) {
            guard let command = denied.denial.command else { return Follow(refs: [], extra: [denied.id.seq]) }
            return follow(orders: [], command: command, fillsMax)
        }
        guard let command = CommandID(hex: text) else { return nil }
        let isKnown = book.commands[command] != nil || book.commandOrders[command] != nil
        return isKnown ? follow(orders: [], command: command, fillsMax) : nil
    }

    private func follow(orders: [ClOrdID], command: CommandID?, _ fillsMax: Int) -> Follow {
        var refs: [[UInt8]] = []
        var tags = orders
        if let command { refs.append(command.bytes); tags += (book.commandOrders[command] ?? []).prefix(Follow.ordersMax + 1) }
        let isCut = tags.count > Follow.ordersMax
        let named = tags.prefix(Follow.ordersMax).compactMap { book.order($0) }
        var intents: [IntentID] = []
        for order in named where !intents.contains(order.intent) { intents.append(order.intent) }
        let family = family(of: intents, named)
        for intent in intents { refs.append(intent.bytes) }
        for order in family { refs.append(Array(order.tag.text.utf8)) }
        let own = Set(family.map(\.tag))
        let (fills, hasAll, looked) = executions(of: family, own, fillsMax)
        refs += fills
        var seen: Set<[UInt8]> = []
        let denied = milestones.denials.filter { command != nil && $0.denial.command == command }.map(\.id.seq)
        let sent = milestones.sent.filter { $0.tags.contains { own.contains($0) } }.map(\.seq)
        let extra = (denied + sent).sorted()
        return Follow(refs: refs.filter { seen.insert($0).inserted }, extra: extra, isWhole: hasAll && !isCut, looked: looked)
    }

    /// An order and all other legs of its ticket, each looked up by the tag that its intent gives it: no walk over all orders.
    private func family(of intents: [IntentID], _ named: [OrderRecord]) -> [OrderRecord] {
        var family: [OrderRecord] = []
        for intent in intents {
            for leg in 0..<Follow.legsMax {
                if let order = book.order(ClOrdID(edge: id, intent: intent, leg: leg)), order.intent == intent { family.append(order) }
            }
        }
        for order in named where !family.contains(where: { $0.tag == order.tag }) { family.append(order) }
        return family
    }

    /// Subjects of the executions of these orders, from the oldest intent on: no fill is older than that. The walk is over when what counts of them
    /// adds up to what the orders filled.
    private func executions(of family: [OrderRecord], _ own: Set<ClOrdID>, _ fillsMax: Int) -> (refs: [[UInt8]], hasAll: Bool, looked: Int) {
        guard let oldest = family.map(\.intent.seq).min() else { return ([], true, 0) }
        var rest = family.reduce(Int128(0)) { $0 + Int128(max(0, $1.cumQty.raw)) }
        var low = 0, high = book.fills.count
        while low < high {
            let middle = (low + high) / 2
            if book.fills[middle].seq > oldest { high = middle } else { low = middle + 1 }
        }
        let isFilled = rest > 0
        var refs: [[UInt8]] = [], looked = 0
        book.fills.forward(from: low) { record in
            guard looked < fillsMax else { return false }
            looked += 1
            guard let tag = record.fill.tag, own.contains(tag) else { return true }
            refs.append(Array(record.fill.execID.utf8.prefix(255)))
            if record.reversedBy == nil { rest -= Int128(record.fill.lastQty.raw) }
            // Of what never filled, executions that were taken back may still come.
            return !isFilled || rest > 0
        }
        return (refs, rest <= 0, looked)
    }
}
