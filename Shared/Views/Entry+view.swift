// Ledger entries for people: the name of the kind, one sentence, and the body as it is stored.
package import Ledger
internal import Values
package import Wire

extension EdgePicture {
    /// The name of a kind number, as filters use it: `intent`, `fill`, `kind-99` for one this build does not know.
    package static func kindName(_ number: UInt16) -> String { Kind(rawValue: number).map { "\($0)" } ?? "kind-\(number)" }
    /// The number of a kind's name.
    package static func kindNumber(_ name: some StringProtocol) -> UInt16? {
        if let kind = Kind.allCases.first(where: { "\($0)" == name }) { return kind.rawValue }
        guard name.hasPrefix("kind-") else { return nil }
        return UInt16(name.dropFirst(5))
    }
    /// All kinds by name.
    package static var kindNames: [String] { Kind.allCases.map { "\($0)" }.sorted() }

    /// One row of the ledger.
    package func entryRow(_ entry: Entry) -> JSONValue {
        let fact = try? entry.decoded()
        let about = fact.map { subject($0, entry) } ?? Subject()
        var row = Row()
        row.put("edge", id.description); row.count("seq", entry.seq.raw); row.integer("epoch", Int64(entry.epoch)); row.put("time", entry.wall)
        row.put("kind", EdgePicture.kindName(entry.kind))
        row.put("words", fact.map { sentence($0) } ?? "An entry of a kind or form that this release cannot read; it is kept as it is.")
        row.put("order", about.order); row.put("command", about.command?.description); row.put("instrument", about.instrument)
        row.put("bot", about.bot)
        row.put("hash", Hex.text(entry.hash)); row.put("previous", Hex.text(entry.previous))
        row.put("body", (try? JSONReader.read(entry.body)) ?? .object([]))
        return row.value
    }

    private struct Subject {
        var order: String?
        var command: CommandID?
        var instrument: InstrumentID?
        var bot: String?
        init(_ order: OrderRecord? = nil) {
            self.order = order.map { OrderName.text($0) }
            command = order?.command; instrument = order?.leg.instrument; bot = order?.bot
        }
    }

    private func subject(_ fact: Fact, _ entry: Entry) -> Subject {
        var about = Subject()
        switch fact {
        case .intent(let ticket):
            about.order = OrderName.text(IntentID(boot: entry.boot, seq: entry.seq), leg: 0)
            about.command = ticket.command; about.instrument = ticket.legs[0].instrument; about.bot = ticket.bot
        case .sent(let tags): about = Subject(tags.first.flatMap { book.order($0) })
        case .cancelIntent(let cancel): about = Subject(book.order(cancel.tag)); about.command = cancel.command ?? about.command
        case .modifyIntent(let modify): about = Subject(book.order(modify.tag)); about.command = modify.command ?? about.command
        case .orderReport(let report): about = Subject(book.order(report.tag))
        case .fill(let fill): about = Subject(fill.tag.flatMap { book.order($0) }); about.instrument = fill.instrument
        case .commission(let commission):
            let fill = book.fill(commission.execID)?.fill
            about = Subject(fill?.tag.flatMap { book.order($0) }); about.instrument = fill?.instrument
        case .orderDead(let tag, _), .stopMoved(let tag, _): about = Subject(book.order(tag))
        case .cancelRefused(let refusal): about = Subject(book.order(refusal.tag))
        case .commandAccepted(let outcome), .commandRefused(let outcome):
            about = Subject(book.commandOrders[outcome.command]?.first.flatMap { book.order($0) }); about.command = outcome.command
        case .denied(let denial):
            about.order = IntentID(boot: entry.boot, seq: entry.seq).description
            about.command = denial.command; about.instrument = denial.instrument; about.bot = denial.bot
        case .halt(let halt), .resume(let halt): about.command = halt.command
        case .instrumentHalt(let instrument, _, _): about.instrument = instrument
        case .difference(let difference): about.instrument = difference.instrument
        case .instrument(let instrument): about.instrument = instrument.id
        case .bot(let bot): about.bot = bot.bot; about.instrument = bot.instrument
        case .healed, .lineage, .gap, .snapshot, .countersigned, .keyRotated, .cloudKey, .linkKey, .serverKey: break
        case .dividend(let move), .borrowFee(let move): about.instrument = move.instrument
        case .correction(let correction):
            let fill = book.fill(correction.execID)?.fill
            about = Subject(fill?.tag.flatMap { book.order($0) }); about.instrument = fill?.instrument
        case .suspense(let suspense): about.instrument = suspense.instrument
        case .boot, .shutdown, .checkpoint, .brokerSession, .reconciled, .transfer, .interest, .accountFee, .exchange: break
        }
        return about
    }
}
