// The edge's own API over its socket and panel: the same reads as the cloud's, and the local commands.
package import Ledger
internal import Trading
package import Values
package import Views
package import Wire

/// One call of the local API, free of HTTP.
package struct LocalRequest: Sendable {
    /// `GET` or `POST`.
    package var method: String
    package var path: String
    package var query: [String: String]
    package var body: [UInt8]
    /// A fresh id for a command; the caller's `Idempotency-Key` when it sent one.
    package var commandID: CommandID
    /// How the link to the cloud stands, in words.
    package var link: String
    package init(method: String, path: String, query: [String: String], body: [UInt8], commandID: CommandID, link: String = "") {
        self.method = method; self.path = path; self.query = query; self.body = body; self.commandID = commandID; self.link = link
    }
}

/// What the shell does with a call.
package enum LocalVerdict: Sendable {
    case answer(JSONValue)
    case problem(Problem)
    /// Hand this to the desk in the next turn, then answer with the command's fate.
    case command(Command, lifetime: Span?)
    case resume(reason: String)
    /// The lost end of the ledger is given up.
    case acceptRollback(reason: String)
    /// Another key is to sign the ledger.
    case changeKey
    /// Another key is to open the link.
    case changeLinkKey
    /// Another key of the cloud's is believed; 32 bytes.
    case trust([UInt8])
    /// Money a person wrote down: for the desk, then answer with the fate of the id.
    case record(Fact, command: CommandID)
}

/// Routes of the local API.
package enum LocalAPI {
    /// What names a call: the caller's `Idempotency-Key`, or a fresh id without one. Nil for a key of another form: with an id of its own each repetition
    /// would be another wish.
    package static func id(key: String?) -> CommandID? {
        if let key { return CommandID(hex: key) }
        return CommandID(bytes: (0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }
    static let badKey = Problem(
        "key-missing", 400, "The header Idempotency-Key is not a UUID", detail: "32 hexadecimal digits, dashes allowed.",
        cure: "Make a new UUID for each wish and send it again with the same wish, or leave the header out.")

    /// Decides on one call. Reads are answered from the agent's present state.
    package static func handle(_ request: LocalRequest, agent: Agent, picture: EdgePicture, at now: Instant) -> LocalVerdict {
        do throws(Problem) {
            let parts = request.path.split(separator: "/").map(String.init)
            guard parts.first == "api", parts.count >= 3, parts[1] == "v1" else {
                if request.path == "/health" { return .answer(["status": "ok"]) }
                throw nothing(at: request.path)
            }
            let rest = Array(parts.dropFirst(2))
            return request.method == "GET"
                ? .answer(try read(rest, request, agent, picture, at: now)) : try write(rest, request, agent, at: now)
        } catch { return .problem(error) }
    }

    private static func read(
        _ path: [String], _ request: LocalRequest, _ agent: Agent, _ picture: EdgePicture, at now: Instant
    ) throws(Problem) -> JSONValue {
        let time = JSONMember("serverTime", .string(now.description))
        switch path {
        case ["status"]:
            return .object([
                time, JSONMember("edge", picture.edgeRow), JSONMember("bots", .array(picture.botRows)), JSONMember("link", .string(request.link)),
                JSONMember("troubles", .array(agent.ledgerTroubles.map { ["words": .string($0.text), "cure": .string($0.cure)] })),
            ])
        case ["ledger", "compaction"]:
            guard let progress = agent.compaction else { return .object([time, JSONMember("on", .bool(false))]) }
            return .object([time, JSONMember("on", .bool(true))] + progress.members)
        case ["positions"]: return .object([time, JSONMember("positions", .array(picture.positionRows))])
        case ["accounts"]: return .object([time, JSONMember("accounts", .array(picture.accountRows))])
        case ["orders"]:
            return .object([time, JSONMember("orders", .array(picture.orderRows(workingOnly: request.query["working"] == "true")))])
        case ["ledger", "digest"]:
            let book = agent.desk.book
            return .object([
                time, JSONMember("seq", .integer(Int64(clamping: book.head.seq.raw))), JSONMember("digest", .string(Hex.text(book.digest()))),
            ])
        case ["bots"]: return .object([time, JSONMember("bots", .array(picture.botRows))])
        case ["balances"]: return .object([time, JSONMember("balances", .array(balances(agent)))])
        case ["ledger"]: return .object([time, JSONMember("entries", .array(try ledger(request, agent, picture)))])
        default:
            if path.count == 2, path[0] == "commands" { return try command(path[1], agent) }
            throw nothing(at: request.path)
        }
    }

    /// What the books hold, by account and asset; amounts as decimal text.
    private static func balances(_ agent: Agent) -> [JSONValue] {
        agent.desk.book.balances.sorted.map { line in
            // Sums are wider than an amount; what does not fit one is said as it is counted.
            let amount = Int64(exactly: line.amount).map { Decimals.text($0, scale: 8, minimum: 2) } ?? "\(line.amount)e-8"
            return [
                "class": .string(line.account.kind.rawValue), "account": .string(line.account.broker),
                "strategy": .string(line.account.strategy ?? ""), "asset": .string(line.asset), "amount": .string(amount),
            ]
        }
    }

    /// Reads a record, and answers with what it would write when that is all that is asked.
    private static func record(_ fields: JSONValue, _ request: LocalRequest, _ agent: Agent, at now: Instant) throws(Problem) -> LocalVerdict {
        let book = agent.desk.book
        let record = try MoneyRecord(fields, account: book.session?.account, at: now)
        let posted = book.postings(of: record.fact)
        if let refusal = posted.refusal { throw refusal.problem }
        guard fields["preview"]?.boolValue == true else {
            try mustFit(request.commandID, record.fact, isDated: fields["at"]?.text != nil, agent)
            return .record(record.fact, command: request.commandID)
        }
        return .answer(["text": .string(record.text), "lines": .array(posted.lines.map(\.value))])
    }

    /// Entries from `from`, or the newest, at most 500.
    private static func ledger(_ request: LocalRequest, _ agent: Agent, _ picture: EdgePicture) throws(Problem) -> [JSONValue] {
        let limit = UInt64(request.query["limit"] ?? "100") ?? 0
        guard (1...500).contains(limit) else { throw badRequest("'limit' must be a whole number from 1 to 500.", cure: "Ask for fewer entries.") }
        let head = agent.journal.head.seq.raw
        let newest = head >= limit ? head - limit + 1 : 1
        guard let from = request.query["from"].map({ UInt64($0) }) ?? newest else {
            throw badRequest("'from' must be the number of an entry.", cure: "Use the number of an entry.")
        }
        do throws(JournalError) {
            return try agent.journal.read(from: Seq(max(from, 1)), limit: Int(limit)).map { picture.entryRow($0) }
        } catch { throw Problem("ledger", 500, "The ledger could not be read", detail: "\(error)", cure: "Run tidewire-edge ledger verify.") }
    }

    /// What became of a command: `working` until an outcome or a finished order says otherwise.
    private static func command(_ text: String, _ agent: Agent) throws(Problem) -> JSONValue {
        guard let id = CommandID(hex: text) else { throw badRequest("'\(text)' is not a command's id.", cure: "Use 32 hex digits.") }
        let book = agent.desk.book
        let orders = (book.commandOrders[id] ?? []).compactMap { book.order($0) }
        guard let outcome = book.commands[id] else {
            guard let order = orders.first else {
                throw Problem("unknown", 404, "No such command", detail: "Nothing here has this id.", cure: "It may not have arrived.")
            }
            return answer(id, order.status.isTerminal ? "done" : "working", "The order is \(order.status.rawValue). \(order.text)")
        }
        let isUnderWay = outcome.code == "closing"
        return answer(id, isUnderWay ? "working" : (outcome.code == "done" ? "done" : "refused"), outcome.text)
    }

    private static func answer(_ id: CommandID, _ state: String, _ text: String) -> JSONValue {
        ["id": .string(id.description), "state": .string(state), "text": .string(text)]
    }

    private static func write(_ path: [String], _ request: LocalRequest, _ agent: Agent, at now: Instant) throws(Problem) -> LocalVerdict {
        guard request.method == "POST" else { throw Problem.methodNotAllowed(request.method, allowed: ["GET", "POST"]) }
        let fields = try fields(request.body)
        let reason = fields["reason"]?.text ?? "asked at the console"
        switch path {
        case ["kill"]:
            guard let level = HaltLevel(killWord: fields["level"]?.text ?? "HALT") else {
                throw badRequest("'level' must be \(HaltLevel.killWords.joined(separator: ", ")).", cure: "Leave it out for HALT.")
            }
            return try command(.raise(level, reason: reason), request, agent, at: now)
        case ["resume"]: return .resume(reason: reason)
        case ["ledger", "accept-rollback"]: return .acceptRollback(reason: reason)
        case ["keys", "rotate"]:
            switch fields["which"]?.text ?? "ledger" {
            case "ledger": return .changeKey
            case "link": return .changeLinkKey
            default: throw badRequest("'which' must be ledger or link.", cure: "Leave it out for the ledger's key.")
            }
        case ["keys", "trust"]:
            guard let key = fields["key"]?.text.flatMap({ Hex.bytes($0) }), key.count == Signing.keyBytes else {
                throw badRequest("'key' must be 64 hexadecimal digits.", cure: "Copy it from what tidewire-cloud keys show prints.")
            }
            return .trust(key)
        case ["ledger", "record"]: return try record(fields, request, agent, at: now)
        default:
            if path.count == 3, path[0] == "positions", path[2] == "close" {
                return try command(.close(instrument: InstrumentID(path[1])), request, agent, at: now)
            }
            throw nothing(at: request.path)
        }
    }

    private static func fields(_ body: [UInt8]) throws(Problem) -> JSONValue {
        guard !body.isEmpty else { return .object([]) }
        do throws(JSONError) {
            let value = try JSONReader.read(body)
            guard value.members != nil else { throw JSONError.unexpected(at: 0) }
            return value
        } catch {
            throw Problem(
                "not-json", 400, "The body is not JSON", detail: "A JSON object is expected: \(error).", cure: "Send an object, or nothing.")
        }
    }

    private static func command(
        _ body: CommandBody, _ request: LocalRequest, _ agent: Agent, at now: Instant
    ) throws(Problem) -> LocalVerdict {
        try mustFit(request.commandID, body, agent)
        let command = Command(
            id: request.commandID, edge: agent.journal.edge, issuer: "console", tier: 3, issuedAt: now, expiresAt: body.lifetime.map { now + $0 },
            body: body)
        return .command(command, lifetime: body.lifetime)
    }

    private static func nothing(at path: String) -> Problem {
        Problem(
            "not-found", 404, "No such path", detail: "There is nothing at \(path).", cure: "The reads are under /api/v1; see tidewire-edge --help.")
    }
    private static func badRequest(_ detail: String, cure: String) -> Problem {
        Problem("bad-request", 400, "The request is not in the agreed form", detail: detail, cure: cure)
    }
}

extension CompactionProgress {
    fileprivate var members: [JSONMember] {
        [
            JSONMember("moved", .integer(Int64(clamping: moved.raw))), JSONMember("moving", .bool(isMoving)),
            JSONMember("acknowledged", .integer(Int64(clamping: acknowledged.raw))), JSONMember("backed_up", .integer(Int64(clamping: backedUp.raw))),
            JSONMember("snapshot", .integer(Int64(clamping: snapshot.raw))), JSONMember("trouble", .string(trouble ?? "")),
        ]
    }
}
