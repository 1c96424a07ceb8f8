// An Idempotency-Key that comes again: the same wish hears its fate, another one is refused instead of hearing the fate of the first.
internal import Ledger
internal import Trading
internal import Values
internal import Views
internal import Wire

/// Which wish each key of the last calls to this process stood for, byte for byte.
package struct WishKeys: Sendable {
    private static let keptMax = 1_024
    private var wishes: [CommandID: [UInt8]] = [:]
    private var order: [CommandID] = []
    package init() {}

    /// False when the call's key stood for another wish before.
    package mutating func fits(_ call: LocalRequest) -> Bool {
        let wish = Hashing.blake2b(Array("\(call.path)\n".utf8) + call.body, length: 16)
        if let known = wishes[call.commandID] { return known == wish }
        wishes[call.commandID] = wish
        order.append(call.commandID)
        if order.count > WishKeys.keptMax { wishes[order.removeFirst()] = nil }
        return true
    }
}

extension LocalVerdict {
    /// True for what happens once for each key.
    var isKeyed: Bool {
        switch self {
        case .command, .record: true
        case .answer, .problem, .resume, .acceptRollback, .changeKey, .changeLinkKey, .trust: false
        }
    }
}

extension LocalAPI {
    static let keyReused = Problem(
        "key-reused", 422, "This Idempotency-Key was used for another request", detail: "The key belongs to another wish, and this one is not done.",
        cure: "Use a new key for a new request.")

    /// What the ledger says of the key of a command, whichever process wrote it: its kind, who asked, and of a closing the instrument of its orders.
    static func mustFit(_ id: CommandID, _ body: CommandBody, _ agent: Agent) throws(Problem) {
        guard try isKnown(id, as: body.kind, agent), case .close(let instrument) = body else { return }
        let book = agent.desk.book
        let orders = (book.commandOrders[id] ?? []).compactMap { book.order($0) }
        if orders.contains(where: { $0.leg.instrument != instrument }) { throw keyReused }
    }

    /// The same for money that a person writes down: what was written then stands just before the word that it was done.
    /// - Parameter isDated: the wish says when it was; without that, asked again, it is of another moment.
    static func mustFit(_ id: CommandID, _ fact: Fact, isDated: Bool, _ agent: Agent) throws(Problem) {
        guard try isKnown(id, as: "record", agent) else { return }
        var written: Fact?
        // Where the ledger cannot be read the key's kind is all that is known.
        do throws(JournalError) {
            let word = try agent.journal.entries(about: id.bytes, limit: 1).first
            guard let word, let entry = try agent.journal.read(from: Seq(word.seq.raw - 1), limit: 1).first else { return }
            written = try? entry.decoded()
        } catch { return }
        guard let written, let at = written.moneyAt else { throw keyReused }
        var wanted = fact
        if !isDated { wanted.moneyAt = at }
        guard wanted == written else { throw keyReused }
    }

    private static func isKnown(_ id: CommandID, as kind: String, _ agent: Agent) throws(Problem) -> Bool {
        let book = agent.desk.book
        guard let outcome = book.commands[id] else {
            // An order of the cloud's that is still under way; nothing of ours has orders and no outcome.
            if book.commandOrders[id] != nil { throw keyReused }
            return false
        }
        guard outcome.kind == kind, outcome.issuer == "console" else { throw keyReused }
        return true
    }
}

extension Fact {
    /// When the money moved, of what a person writes down.
    fileprivate var moneyAt: Instant? {
        get {
            switch self {
            case .transfer(let move), .dividend(let move), .interest(let move), .accountFee(let move), .borrowFee(let move): move.at
            case .exchange(let exchange): exchange.at
            default: nil
            }
        }
        set {
            guard let at = newValue else { return }
            switch self {
            case .transfer(var move): move.at = at; self = .transfer(move)
            case .dividend(var move): move.at = at; self = .dividend(move)
            case .interest(var move): move.at = at; self = .interest(move)
            case .accountFee(var move): move.at = at; self = .accountFee(move)
            case .borrowFee(var move): move.at = at; self = .borrowFee(move)
            case .exchange(var exchange): exchange.at = at; self = .exchange(exchange)
            default: break
            }
        }
    }
}
