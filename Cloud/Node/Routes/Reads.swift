// The reads: what the pages and scripts ask for, answered from books, live state and market.db; the edge is never asked.
internal import Control
internal import Ledger
internal import Platform
internal import Values
internal import Views
internal import Wire

extension Node {
    /// The edge that a request names, or the default one; nil when none is enrolled and none was named.
    func chosenPicture(_ call: Call) throws(Problem) -> EdgePicture? {
        let name = call.request.parameter("edge")
        guard let edge = control.edge(named: name) else {
            guard name == nil else { throw .noEdge }
            return nil
        }
        return picture(edge)
    }

    /// A named list with the server's time.
    func list(_ name: String, _ rows: [JSONValue], _ call: Call) -> Reply {
        .answer(Answer(200, .object([JSONMember(name, .array(rows)), JSONMember("serverTime", .string(call.now.description))])))
    }

    /// Rows of the account that a request names, or all.
    private func ofAccount(_ rows: [JSONValue], _ key: String, _ call: Call) -> [JSONValue] {
        guard let account = call.request.parameter("account") else { return rows }
        return rows.filter { $0[key]?.text == account }
    }

    func session(_ call: Call) -> Reply {
        var row = Views.Row()
        row.put("signedIn", call.caller != nil)
        if let caller = call.caller { row.put("user", Node.userRow(caller)); row.put("expiresAt", caller.session.expiresAt) }
        row.put("serverTime", call.now); row.put("version", settings.release)
        return .answer(Answer(200, row.value))
    }

    func accounts(_ call: Call) throws(Problem) -> Reply { list("accounts", ofAccount(try chosenPicture(call)?.accountRows ?? [], "id", call), call) }
    func positions(_ call: Call) throws(Problem) -> Reply {
        list("positions", ofAccount(try chosenPicture(call)?.positionRows ?? [], "account", call), call)
    }
    func orders(_ call: Call) throws(Problem) -> Reply {
        let working = try Node.flag("working", call)
        return list("orders", ofAccount(try chosenPicture(call)?.orderRows(workingOnly: working) ?? [], "account", call), call)
    }
    func fills(_ call: Call) throws(Problem) -> Reply { list("fills", ofAccount(try chosenPicture(call)?.fillRows() ?? [], "account", call), call) }
    func bots(_ call: Call) throws(Problem) -> Reply { list("bots", try chosenPicture(call)?.botRows ?? [], call) }

    func edges(_ call: Call) -> Reply {
        .answer(
            Answer(
                200,
                [
                    "edges": .array(control.sortedEdges.map { picture($0).edgeRow }), "refusals": .array(refusalRows),
                    "serverTime": .string(call.now.description),
                ]))
    }

    func command(_ call: Call) throws(Problem) -> Reply {
        guard let id = CommandID(hex: call.places["id"] ?? ""), let row = commandRow(id) else { throw .unknown("command") }
        return .answer(Answer(200, row))
    }

    // MARK: - Market

    func instruments(_ call: Call) throws(Problem) -> Reply {
        let picture = try chosenPicture(call)
        return list("instruments", picture?.watched.compactMap { picture?.instrumentRow($0) } ?? [], call)
    }

    func quote(_ call: Call) throws(Problem) -> Reply {
        let instrument = InstrumentID(call.places["instrument"] ?? "")
        guard let row = try chosenPicture(call)?.quoteRow(instrument) else { throw .notWatched(instrument.text) }
        return .answer(Answer(200, row))
    }

    /// The longest list of bars.
    static let candlesMax = 1_500

    func candles(_ call: Call) throws -> Reply {
        guard let picture = try chosenPicture(call) else { throw Problem.notWatched(call.request.parameter("instrument") ?? "the front contract") }
        let limit = try Node.number("limit", call, in: 1...Node.candlesMax) ?? Node.candlesMax
        guard let instrument = call.request.parameter("instrument").map({ InstrumentID($0) }) ?? picture.front else {
            throw Problem.notWatched("the front contract")
        }
        var from: Instant?
        if let text = call.request.parameter("from") {
            guard let instant = Instant(rfc3339: text) else { throw Problem.badRequest("'from' must be a time such as 2026-12-01T14:30:00.000Z.") }
            from = instant
        }
        let oldest = try charts { try $0.oldest(instrument) }
        // What is known but has no bars yet has an empty list: a page that asks early must not find an error in its console.
        guard oldest != nil || picture.book.instruments[instrument] != nil else { throw Problem.notWatched(instrument.text) }
        // Among the newest the forming bar takes one of the places.
        let places = from == nil && picture.live.formingBar(instrument) != nil ? limit - 1 : limit
        let bars = try charts { try $0.bars(instrument, from: from, limit: places) }
        return .answer(Answer(200, picture.candles(instrument, closed: bars, oldest: oldest, wantsNewest: from == nil || bars.count < places)))
    }

    /// Reads market.db. What is wrong with it is this reader's loss alone.
    private func charts<Value>(_ read: (BarStore) throws -> Value) throws -> Value {
        do { return try stores.bars.use(at: clock.monotonic, read) } catch let error as DatabaseError {
            noteChartTrouble(error)
            throw Problem.noCharts
        }
    }

    // MARK: - Ledger

    func ledger(_ call: Call) throws -> Reply {
        guard let picture = try chosenPicture(call), let edge = control.edges[picture.id] else { throw Problem.noEdge }
        let limit = try Node.number("limit", call, in: 1...500) ?? 100
        let head = edge.book.head
        var page: LedgerPage
        if let follow = call.request.parameter("follow") {
            guard let wanted = picture.follow(follow) else { throw Problem.unknown("order or command") }
            page = try followed(wanted, picture.id, limit)
        } else {
            let kinds = try Node.kinds(call)
            let from = try Node.number("from", call, in: 1...Int.max), before = try Node.number("before", call, in: 1...Int.max)
            if from != nil, before != nil { throw Problem.badRequest("'from' and 'before' exclude each other.") }
            page = try stores.ledgers.page(
                picture.id, from: from.map { Seq(UInt64($0)) }, before: before.map { Seq(UInt64($0)) }, kinds: kinds, limit: limit,
                scanMax: settings.ledgerScanMax)
        }
        var row = Views.Row()
        row.put("edge", picture.id.description)
        row.put("head", ["seq": .integer(Int64(head.seq.raw)), "hash": .string(Hex.text(head.hash))])
        row.count("announced", edge.announced.raw); row.put("entries", page.entries.map { picture.entryRow($0) })
        row.put("older", page.hasOlder); row.put("newer", page.hasNewer); row.count("lookedFrom", page.lookedFrom?.raw)
        row.count("lookedTo", page.lookedTo?.raw); row.put("kinds", EdgePicture.kindNames); row.put("asOf", picture.asOf)
        return .answer(Answer(200, row.value))
    }

    private func followed(_ follow: Follow, _ edge: EdgeID, _ limit: Int) throws -> LedgerPage {
        var found: [Seq: Entry] = [:]
        var isWhole = follow.isWhole
        for ref in follow.refs {
            // An order has a few dozen entries; one that somebody gave thousands is shown in part.
            guard found.count < Node.followedMax else { isWhole = false; break }
            for entry in try stores.ledgers.read(edge, ref: ref, limit: 500) { found[entry.seq] = entry }
        }
        for seq in follow.extra { for entry in try stores.ledgers.read(edge, from: seq, limit: 1) { found[entry.seq] = entry } }
        let entries = found.values.sorted { $0.seq < $1.seq }
        return LedgerPage(entries: Array(entries.suffix(limit)), hasOlder: entries.count > limit || !isWhole, hasNewer: false)
    }
    private static let followedMax = 2_000

    private static func kinds(_ call: Call) throws(Problem) -> [UInt16] {
        guard let text = call.request.parameter("kind"), !text.isEmpty else { return [] }
        var numbers: [UInt16] = []
        for name in text.split(separator: ",") {
            guard let number = EdgePicture.kindNumber(name) else { throw .badRequest("there is no kind '\(name)'.") }
            numbers.append(number)
        }
        return numbers
    }

    // MARK: - Parameters

    static func number(_ name: String, _ call: Call, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = call.request.parameter(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequest(
                "'\(name)' must be a whole number from \(range.lowerBound)\(range.upperBound == .max ? "" : " to \(range.upperBound)").")
        }
        return number
    }

    static func flag(_ name: String, _ call: Call) throws(Problem) -> Bool {
        switch call.request.parameter(name) {
        case nil, "false": return false
        case "true", "": return true
        case .some: throw .badRequest("'\(name)' must be true or false.")
        }
    }
}
