// The writes: wishes that become commands. The id is the caller's key, so that asking twice is asking once.
internal import Control
internal import Ledger
internal import Sync
internal import Values
internal import Views
internal import Wire

extension Node {
    func preview(_ call: Call) throws(Problem) -> Reply {
        let body = try Body(call.request, allowed: ["instrument", "side", "quantity", "trailingStop", "reverse"])
        let picture = try target(call)
        let isClose = try body.text("side") == "CLOSE"
        let ask = try isClose ? PreviewAsk(instrument: instrument(body, picture), kind: .close, size: .max) : orderAsk(body, picture)
        return .answer(Answer(200, picture.row(picture.preview(ask, at: now), at: now)))
    }

    func placeOrder(_ call: Call) throws -> Reply {
        let body = try Body(
            call.request, allowed: ["instrument", "side", "quantity", "trailingStop", "reverse", "confirmed", "expected", "supersedes"])
        let picture = try target(call)
        let ask = try orderAsk(body, picture)
        let id = try key(call)
        var extras = try CommandExtras(body, ask.instrument)
        if let known = try repeated(call, id) { return known }
        let preview = picture.preview(ask, at: now)
        var size = ask.size
        if let confirmed = try body.object("confirmed", allowed: ["quantity", "price"]), let seen = try confirmed.quantity("quantity") {
            guard preview.quantity <= seen else {
                throw Problem.changedSinceConfirmed("\(Node.units(seen, picture, ask)) were confirmed, \(preview.quantity) would be sent.")
            }
            // What was seen is what is sent: the edge must not find a larger maximum a moment later.
            if size == .max, preview.opening.raw > 0 { size = .quantity(preview.opening) }
            // What only closes closes all that is held: confirmed was that number, and the edge closes no more than it is asked for.
            if case .quantity(let asked) = size, preview.opening.raw == 0, asked < preview.closing { size = .quantity(preview.closing) }
            // A closing is taken at any price.
            if preview.opening.raw > 0, let price = try confirmed.price("price") { extras.opens(at: price, ask.instrument) }
        }
        extras.rest(on: preview)
        return try place(orderCommand(ask, size), preview, picture, id, call, extras)
    }

    private func orderCommand(_ ask: PreviewAsk, _ size: OrderSize) -> CommandBody {
        guard case .order(let side, let reverse) = ask.kind else { return .close(instrument: ask.instrument) }
        return .order(instrument: ask.instrument, side: side, size: size, trailing: ask.trailing, reverse: reverse)
    }

    func closePosition(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["confirmed", "expected", "supersedes"], mayBeEmpty: true)
        let picture = try target(call)
        let id = try key(call)
        if let known = try repeated(call, id) { return known }
        let instrument = InstrumentID(call.places["instrument"] ?? "")
        guard picture.book.instruments[instrument] != nil else { throw Problem.notWatched(instrument.text) }
        let net = picture.book.netQuantity(instrument), held = net.magnitude
        var extras = try CommandExtras(body, instrument)
        // Closing less than was seen is what is left to close; the other side, or more, is not what was confirmed.
        extras.expects.held?.orLess = true
        if let confirmed = try body.object("confirmed", allowed: ["quantity"]), let seen = try confirmed.quantity("quantity") {
            guard held <= seen else { throw Problem.changedSinceConfirmed("\(seen) were confirmed to be closed, \(held) are held.") }
            if extras.expects.held == nil {
                // Nothing is held here: what the edge may hold by now is not what was looked at.
                let quantity = net.raw == 0 ? Quantity.zero : Quantity(raw: net.raw < 0 ? -seen.raw : seen.raw)
                extras.expects.held = Expectation.Held(instrument: instrument, quantity: quantity, orLess: true)
            }
        }
        return try place(.close(instrument: instrument), nil, picture, id, call, extras)
    }

    func cancelOrder(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["expected"], mayBeEmpty: true)
        let picture = try target(call)
        let id = try key(call)
        if let known = try repeated(call, id) { return known }
        guard let order = picture.order(named: call.places["id"] ?? "") else { throw Problem.unknown("order") }
        var extras = CommandExtras()
        if let word = try body.object("expected", allowed: ["status"])?.text("status") {
            guard let status = OrdStatus(rawValue: word) else { throw Problem.badRequest("'expected.status' must be an order's status.") }
            extras.expects.order = Expectation.Order(tag: order.tag, status: status)
        }
        return try place(.cancel(tag: order.tag), nil, picture, id, call, extras)
    }

    /// Takes a command back while nobody knows that it was executed.
    func withdrawCommand(_ call: Call) throws -> Reply {
        _ = try Body(call.request, allowed: [], mayBeEmpty: true)
        let id = try key(call)
        if let known = try repeated(call, id) { return known }
        guard let target = CommandID(hex: call.places["id"] ?? ""), let record = control.outbox.records[target],
            let picture = picture(record.command.edge)
        else { throw Problem.unknown("command") }
        // A command that was never sent has no run yet; it ends here, and this run is never asked for.
        let body = CommandBody.withdraw(command: target, boot: record.command.boundBoot ?? Boot(raw: 0), kind: record.command.body.kind)
        return try place(body, nil, picture, id, call, CommandExtras(title: "Take back: \(record.title)"))
    }

    /// The kill switch at every edge, or at the one named; the first answers for all.
    func kill(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["level", "reason"])
        guard let level = HaltLevel(killWord: try body.required("level")) else {
            throw Problem.badRequest("'level' must be \(HaltLevel.killWords.joined(separator: ", ")).")
        }
        let reason = try body.required("reason")
        guard (1...200).contains(reason.utf8.count) else { throw Problem.badRequest("'reason' must have 1 to 200 bytes.") }
        let id = try key(call)
        _ = try repeated(call, id)
        let targets = try killTargets(call)
        let first = control.outbox.records[id]?.command.edge ?? targets.first
        for edge in targets {
            // An id of its own for each further edge, the same each time the same key comes: asked again, nobody is told twice or left out.
            guard let own = edge == first ? id : CommandID(bytes: Hashing.blake2b(id.bytes + edge.bytes, length: 16)) else { continue }
            _ = try record(.raise(level, reason: reason), nil, picture(edge) ?? blank(edge), own, call)
        }
        // Whoever asks must not take it for heard where it cannot be.
        let unseen = targets.filter { control.edges[$0] == nil }.map { name($0) }
        guard unseen.isEmpty else { throw Problem.notTold(unseen, of: targets.count) }
        guard let record = control.outbox.records[id] else { throw Problem.noEdge }
        return .answer(Node.accepted(record))
    }

    /// Whom a kill is for, the one whose command has the caller's key first: the edge that is named, or all, those also of which nothing is shown.
    private func killTargets(_ call: Call) throws(Problem) -> [EdgeID] {
        let unseen = enrolled.values.filter { isUnseen($0.id) }.sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map(\.id)
        if let text = call.request.parameter("edge"), control.edge(named: text) == nil {
            guard let edge = unseen.first(where: { name($0) == text || $0.description == text }) else { throw .noEdge }
            return [edge]
        }
        if control.edges.isEmpty, !unseen.isEmpty { return unseen }
        let first = try target(call).id
        guard call.request.parameter("edge") == nil else { return [first] }
        return [first] + control.sortedEdges.map(\.id).filter { $0 != first } + unseen
    }

    /// True for an edge that is enrolled and may trade, and of which nothing is shown or taken: it is set aside, or to be confirmed anew.
    func isUnseen(_ edge: EdgeID) -> Bool {
        guard control.edges[edge] == nil, let known = enrolled[edge], known.status != .revoked else { return false }
        return damaged[edge] != nil || known.announced.seq > Seq(0)
    }

    // MARK: - Parts

    /// The edge that a write goes to.
    func target(_ call: Call) throws(Problem) -> EdgePicture {
        guard let picture = try chosenPicture(call) else { throw .noEdge }
        if let account = call.request.parameter("account"), account != picture.account { throw .unknown("account") }
        return picture
    }

    /// The command's id from the caller's key.
    func key(_ call: Call) throws(Problem) -> CommandID {
        guard let text = call.request.header("idempotency-key") else { throw .keyMissing }
        guard let id = CommandID(hex: text) else { throw .badKey }
        return id
    }

    /// The answer of before, when this very request was taken before.
    private func repeated(_ call: Call, _ id: CommandID) throws(Problem) -> Reply? {
        guard let known = control.outbox.records[id] else { return nil }
        guard known.fingerprint == Node.fingerprint(call), known.user == call.caller?.user else { throw .keyReused }
        return .answer(Node.accepted(known))
    }

    private static func fingerprint(_ call: Call) -> [UInt8] {
        let query = call.request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        return Hashing.blake2b(Array("\(call.request.method) \(call.request.path)?\(query)\n".utf8) + call.request.body, length: 16)
    }

    func place(
        _ body: CommandBody, _ preview: Preview?, _ picture: EdgePicture, _ id: CommandID, _ call: Call, _ extras: CommandExtras = CommandExtras()
    ) throws -> Reply {
        .answer(Node.accepted(try record(body, preview, picture, id, call, extras)))
    }

    /// Makes the command, or says in words why not.
    func record(
        _ body: CommandBody, _ preview: Preview?, _ picture: EdgePicture, _ id: CommandID, _ call: Call, _ extras: CommandExtras = CommandExtras()
    ) throws -> CommandRecord {
        guard receiver.understands(picture.id, body) else { throw Problem.unknownToEdge(picture.name) }
        var wish = Ask(
            id: id, edge: picture.id, user: call.caller?.user ?? "console", body: body, title: extras.title ?? picture.title(body, preview: preview),
            fingerprint: Node.fingerprint(call))
        wish.isOfUnseen = isUnseen(picture.id)
        if extras.expects != Expectation() { wish.expects = extras.expects }
        wish.supersedes = extras.supersedes
        switch ask(wish) {
        case .queued(let record), .repeated(let record): return record
        case .refused(.unknownEdge): throw Problem.noEdge
        case .refused(.keyReused): throw Problem.keyReused
        case .refused(.edgeSilent(let name)): throw Problem.edgeSilent(name, quiet: lastHeard(picture.id).map { now - $0 })
        case .refused(.halted(_, let fact)): throw Problem.halted(haltWords(picture, fact))
        case .refused(.bookBehind(let name, let entries)): throw Problem.bookBehind(name, entries)
        case .refused(.tooManyOpen): throw Problem.tooManyOpen
        case .refused(.unknownCommand): throw Problem.unknown("command")
        case .refused(.alreadyDecided(let record)): throw Problem.alreadyDecided(record.title, record.stage.rawValue)
        case .refused(.staysAsked): throw Problem.staysAsked
        }
    }

    private func haltWords(_ picture: EdgePicture, _ fact: HaltFact?) -> String {
        let since = picture.milestones.halt.map { " since \($0)" } ?? ""
        return "\(picture.book.haltLevel.apiWord)\(since): \(fact?.reason ?? "no reason was given")"
    }

    /// The same each time it is asked: how far the command came is told by the stream and `/commands/{id}`.
    static func accepted(_ record: CommandRecord) -> Answer {
        var row = Row()
        row.put("commandId", record.id.description)
        row.put("state", CommandStage.queued.rawValue)
        row.put("expiresAt", record.command.expiresAt)
        return Answer(202, row.value)
    }

    private static func units(_ quantity: Quantity, _ picture: EdgePicture, _ ask: PreviewAsk) -> String {
        Plain.units(quantity, of: picture.book.instruments[ask.instrument])
    }

    private func instrument(_ body: Body, _ picture: EdgePicture) throws(Problem) -> InstrumentID {
        guard let id = try body.text("instrument").map({ InstrumentID($0) }) ?? picture.front else { throw .notWatched("the front contract") }
        guard picture.book.instruments[id] != nil else { throw .notWatched(id.text) }
        return id
    }

    private func orderAsk(_ body: Body, _ picture: EdgePicture) throws(Problem) -> PreviewAsk {
        guard let side = Side(rawValue: try body.required("side")) else { throw .badRequest("'side' must be BUY or SELL.") }
        let size: OrderSize = try body.text("quantity") == "max" ? .max : .quantity(try body.wanted("quantity"))
        return PreviewAsk(
            instrument: try instrument(body, picture), kind: .order(side, reverse: try body.flag("reverse") ?? false), size: size,
            trailing: try trailing(body))
    }

    private func trailing(_ body: Body) throws(Problem) -> TrailingOffset? {
        guard let stop = try body.object("trailingStop", allowed: ["percent", "amount"]) else { return nil }
        let percent = try stop.text("percent"), amount = try stop.price("amount")
        switch (percent, amount) {
        case (nil, let amount?): return .amount(amount)
        case (let percent?, nil):
            guard let ratio = Plain.ratio(percent: percent), ratio.raw > 0, ratio.raw < 1_000_000 else {
                throw .badRequest("'trailingStop.percent' must be a percentage above 0 and below 100, such as \"1.5\".")
            }
            return .percent(ratio)
        default: throw .badRequest("'trailingStop' must have either 'percent' or 'amount'.")
        }
    }
}

/// What a request says beside the command itself.
struct CommandExtras {
    var expects = Expectation()
    var supersedes: CommandID?
    var title: String?

    init(title: String? = nil) { self.title = title }

    /// What is shown and confirmed of an order rests on one position; on another one the same words would do something else.
    mutating func rest(on preview: Preview) {
        guard expects.held == nil else { return }
        expects.held = Expectation.Held(instrument: preview.ask.instrument, quantity: preview.position)
    }

    /// What was confirmed to open at this price is not opened far from it: whoever looked at the figures has to look again.
    mutating func opens(at price: Price, _ instrument: InstrumentID) {
        guard expects.band == nil else { return }
        let slack = Int64(clamping: price.raw.magnitude / CommandExtras.bandPart)
        let (low, isUnder) = price.raw.subtractingReportingOverflow(slack)
        let (high, isOver) = price.raw.addingReportingOverflow(slack)
        expects.band = Expectation.Band(
            instrument: instrument, low: Price(raw: isUnder ? .min : low), high: Price(raw: isOver ? .max : high))
    }
    /// One in a hundred either way: far beyond what a price does while a person reads a dialog, and far from a price of another hour.
    private static let bandPart: UInt64 = 100

    /// Reads `expected` and `supersedes` of a request about one instrument.
    init(_ body: Body, _ instrument: InstrumentID) throws(Problem) {
        if let text = try body.text("supersedes") {
            guard let id = CommandID(hex: text) else { throw .badRequest("'supersedes' must be a command's id.") }
            supersedes = id
        }
        guard let expected = try body.object("expected", allowed: ["position", "halt", "price"]) else { return }
        if let quantity = try expected.signed("position") { expects.held = Expectation.Held(instrument: instrument, quantity: quantity) }
        if let word = try expected.text("halt") {
            guard let level = HaltLevel(apiWord: word) else {
                throw .badRequest("'expected.halt' must be \(HaltLevel.allCases.map(\.apiWord).joined(separator: ", ")).")
            }
            expects.halt = level
        }
        if let band = try expected.object("price", allowed: ["low", "high"]) {
            guard let low = try band.price("low"), let high = try band.price("high"), low <= high else {
                throw .badRequest("'expected.price' must have 'low' and 'high', in this order.")
            }
            expects.band = Expectation.Band(instrument: instrument, low: low, high: high)
        }
    }
}
