// The auditor of commands: a few dictionaries that know what was asked, what the edge's ledger says, and what the cloud told the person.
internal import Control
internal import Ledger
internal import Values

/// Everything that must hold of commands whatever happens, kept apart from the code it watches.
struct CommandAuditor {
    /// What a person asked, by the world's own time.
    struct Wish {
        var body: CommandBody
        var issuer: String
        var askedAt: Span
        var life: Span?
        /// It was asked on a picture that never was.
        var isOnFalsePicture: Bool
        var supersedes: CommandID?
    }
    let watchesOrder: Bool

    private(set) var wishes: [CommandID: Wish] = [:]
    private(set) var effects: [CommandID: Span] = [:]
    private(set) var violations: [String] = []
    /// Codes of refusals, counted.
    private(set) var refusals: [String: Int] = [:]
    private var ends: [CommandID: Int] = [:]
    /// Commands that had an effect of which the edge's ledger tells no more.
    private var lost: Set<CommandID> = []
    private var orders: [String: Int] = [:]
    private var bound: [CommandID: Boot] = [:]
    private var places: [CommandID: CommandPlace] = [:]
    private var lastNumber: [String: Int64] = [:]
    private var told: [CommandID: CommandStage] = [:]
    private var stored: Set<CommandID> = []
    private var orderTimes: [String: [Span]] = [:]
    /// Commands that the edge says it has taken back, and commands by what was to replace them.
    private var takenBack: Set<CommandID> = []
    private var replacement: [CommandID: CommandID] = [:]
    private var given: [String: CommandID] = [:]

    init(watchesOrder: Bool) { self.watchesOrder = watchesOrder }

    private mutating func broken(_ text: String) { if violations.count < 10 { violations.append(text) } }

    mutating func asked(_ id: CommandID, _ wish: Wish) {
        wishes[id] = wish
        if let old = wish.supersedes { replacement[old] = id }
    }

    // MARK: - The edge's ledger

    /// Entries the edge has made durable.
    mutating func edgeWrote(_ entry: Entry, at now: Span) {
        guard let fact = try? entry.decoded() else { return }
        switch fact {
        case .intent(let ticket):
            guard let id = ticket.command else { return }
            for leg in ticket.legs where leg.role != .protect {
                orders["\(id) \(leg.role)", default: 0] += 1
                if orders["\(id) \(leg.role)", default: 0] > 1 { broken("\(id) brought about two orders to \(leg.role)") }
                if leg.role == .open { end(id); effect(id, entry.boot, now) }
            }
        case .commandAccepted(let outcome):
            if outcome.code != "closing" { end(outcome.command) }
            effect(outcome.command, entry.boot, now)
            if case .withdraw(let target, _, _)? = wishes[outcome.command]?.body { takenBack.insert(target) }
        case .commandRefused(let outcome):
            refusals[outcome.code, default: 0] += 1
            end(outcome.command)
        default: break
        }
    }

    /// Entries that the edge has lost with a restored image. Those that nobody was told of nobody can miss: the cloud then says of their commands that
    /// the ledger does not mention them, and the edge may end them once more. No order may come of them a second time for that.
    mutating func edgeLost(_ entries: some Sequence<Entry>) {
        for entry in entries {
            guard let fact = try? entry.decoded() else { continue }
            switch fact {
            case .intent(let ticket):
                guard let id = ticket.command else { continue }
                if ticket.legs.contains(where: { $0.role == .open }) { ends[id, default: 0] -= 1 }
                lost.insert(id)
            case .commandAccepted(let outcome):
                if outcome.code != "closing" { ends[outcome.command, default: 0] -= 1 }
                lost.insert(outcome.command)
            case .commandRefused(let outcome): ends[outcome.command, default: 0] -= 1
            default: continue
            }
        }
    }

    private mutating func end(_ id: CommandID) {
        ends[id, default: 0] += 1
        if ends[id, default: 0] > 1 { broken("\(id) has two outcomes in the ledger") }
    }

    private mutating func effect(_ id: CommandID, _ boot: Boot, _ now: Span) {
        guard effects[id] == nil else { return }
        effects[id] = now
        if let run = bound[id] {
            if run != boot { broken("\(id) was bound to run \(run) and executed in run \(boot)") }
        } else {
            broken("\(id) was executed and never stored as sent")
        }
        if let stage = told[id], [.withdrawn, .superseded, .expired].contains(stage) {
            broken("\(id) was told \(stage.rawValue) and executed after that")
        }
        if takenBack.contains(id) { broken("\(id) was taken back and executed after that") }
        if let newer = replacement[id], effects[newer] != nil { broken("\(id) was executed after \(newer), which had its place") }
        if let place = places[id], watchesOrder {
            let key = "\(boot) \(place.key)"
            if place.number <= lastNumber[key] ?? 0 { broken("\(id) is number \(place.number) of \(place.key), after \(lastNumber[key] ?? 0)") }
            lastNumber[key] = place.number
        }
        guard let wish = wishes[id] else { return }
        if let life = wish.life, now > wish.askedAt + life {
            broken("\(id) was executed \((now - wish.askedAt - life).nanoseconds / 1_000_000) ms after its time")
        }
        if wish.isOnFalsePicture { broken("\(id) was executed on a picture that never was") }
        if case .order = wish.body {
            if let old = wish.supersedes, effects[old] != nil { broken("\(id) came on top of \(old), which it was to replace") }
            let lately = (orderTimes[wish.issuer] ?? []).filter { now - $0 <= .seconds(60) } + [now]
            orderTimes[wish.issuer] = lately
            if lately.count > 20 { broken("\(lately.count) orders of \(wish.issuer) in a minute") }
        }
    }

    // MARK: - The cloud

    /// Entries that the cloud has stored.
    mutating func cloudStored(_ entry: Entry) {
        guard let fact = try? entry.decoded() else { return }
        switch fact {
        case .intent(let ticket): if let id = ticket.command { stored.insert(id) }
        case .commandAccepted(let outcome), .commandRefused(let outcome): stored.insert(outcome.command)
        default: break
        }
    }

    /// A row that the cloud has stored, which is what the person sees.
    mutating func cloudTold(_ record: CommandRecord) {
        let id = record.id
        if let boot = record.command.boundBoot {
            if let before = bound[id], before != boot { broken("\(id) was bound to two runs") }
            bound[id] = boot
            places[id] = record.command.place
            if let place = record.command.place {
                let taken = given.updateValue(id, forKey: "\(boot) \(place.key) \(place.number)")
                if taken.map({ $0 != id }) ?? false { broken("number \(place.number) of \(place.key) was given twice") }
            }
        }
        if wishes[id] == nil, !record.command.body.isKill { broken("\(id) was asked by nobody") }
        let isSaidDone = record.stage == .accepted || record.stage == .filled
        if isSaidDone, record.command.boundBoot != nil, !stored.contains(id) {
            broken("\(id) was called \(record.stage.rawValue) before the ledger said so")
        }
        guard record.isFinal else { return }
        if effects[id] != nil, !lost.contains(id), [.withdrawn, .superseded, .expired].contains(record.stage) {
            broken("\(id) was executed and told \(record.stage.rawValue)")
        }
        told[id] = record.stage
    }

    /// Nothing is under way any more.
    mutating func atRest(_ records: [CommandRecord]) {
        for record in records {
            if record.isUndecided { broken("\(record.id) is still \(record.stage.rawValue)") }
            let isSaidDone = record.stage == .accepted || record.stage == .filled
            if isSaidDone, record.command.boundBoot != nil, effects[record.id] == nil {
                broken("\(record.id) is told \(record.stage.rawValue) and had no effect")
            }
        }
    }
}
