// Machines that die and come back, and the last look at what their disks hold.
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

extension World {
    // MARK: - Life and death

    func die(_ who: Who) throws {
        var (chance, _) = plans.next(.life)
        let modes = CrashMode.allCases
        // A process that ends because its disk failed leaves the machine running.
        guard let machine = machine(who) else { return }
        let mode = machine.isDiskFailing ? .everything : modes[chance.int(0...modes.count - 1)]
        tell("\(who) dies, its disk keeps \(mode)")
        machine.crash(mode)
        // A twin that met it in quiet meets nobody any more.
        if now < quietUntil { look([.injected(.twinStarted(meetsOriginal: false))]) }
        rotten?.isFair = false
        report.crashes += 1
        log(6, who.rawValue)
        if who != .twin { link.forget(isUpward: who == .edge) }
        if who != .edge { twinLink.forget(isUpward: who == .twin) }
        if who == .edge { site?.edgeDied(at: now); planBroker() }
        queue.add(.restart(who), at: now + .milliseconds(Int64(chance.int(50...3_000))))
        for over in [Who.edge, .twin] where who == .cloud || who == over { cut(over, &chance) }
    }

    func restart(_ who: Who) throws {
        guard let machine = machine(who), !machine.isRunning else { return }
        log(7, who.rawValue)
        tell("\(who) starts")
        hurry()
        if who != .twin { look([.rows(who == .edge ? .edge : .cloud, try sight(of: who))]) }
        let isDamaged = try isStillRotten(who)
        var (chance, isSpared) = plans.next(.life)
        let (freezes, mutations) = (chance.chance(1, in: 6), chance.int(1...12))
        let (diesAtOrder, dies) = (chance.chance(1, in: 2), chance.chance(1, in: 2))
        if !isCalm, !isSpared {
            if menu.freezes > .zero, freezes { machine.freezeDisk(after: mutations); plans.note(.life) }
            if who == .edge, menu.diesAtOrders, diesAtOrder { edge.deathAtNextOrder = dies ? .before : .after; plans.note(.life) }
        }
        var died = false
        do { try machine.start(at: clock(who)) } catch is MachineDied { died = true } catch let error where isDamaged {
            return try refused(who, error)
        }
        try carry(who)
        if isDamaged, !died { startedRotten(who) }
        if died { try die(who) } else if who != .cloud { queue.add(.connect(who), at: now + .milliseconds(Int64(chance.int(1...300)))) }
    }

    /// What is not at rest, in words.
    private var unrest: String {
        guard edge.unrest.isEmpty else { return edge.unrest }
        return cloud.serves(edge.boot) ? "" : "the cloud has no session with the edge's run"
    }

    /// Both processes end, and their disks are compared.
    func compare() throws {
        let rested = isAtRest
        let (books, unrest) = (site.map { $0.books(believed: edge.believed) } ?? edge.brokerBooks, unrest)
        edge.crash(.everything)
        cloud.crash(.everything)
        let (ours, theirs) = (try sight(of: .edge, isWhole: true), try sight(of: .cloud, isWhole: true))
        look([.rows(.edge, ours), .rows(.cloud, theirs)])
        if report.violations.isEmpty, rested, let books { look([.quiet(edge: ours, cloud: theirs, books)]) }
        if report.violations.isEmpty, !rested {
            report.violations.append(Violation("rest", "long after the last fault the two had not come to rest: \(unrest)"))
        }
        for row in ours {
            tell("\(row.seq) \(Kind(rawValue: row.kind).map { "\($0)" } ?? "\(row.kind)") \(String(decoding: row.body, as: UTF8.self))")
        }
        markCommands(ours)
        report.entries = ours.count
        report.ledgerHash = Hex.text(ours.last?.hash ?? [])
        report.orders = ours.count { $0.kind == Kind.intent.rawValue }
        report.fills = ours.count { $0.kind == Kind.fill.rawValue }
    }

    private func survivors(of who: Who, from seq: UInt64) throws -> [EntryRow] {
        let rows = try machine(who)?.survivors(from: seq) ?? []
        // What the world damaged is its own doing; whoever reads beside the checkers gets what is stored.
        guard let rotten, rotten.who == who else { return rows }
        return rows.map { $0.seq == rotten.row.seq ? rotten.row : $0 }
    }

    /// The edge's ledger up to the end of the duration: what another world of the same seed must have written too.
    func compareAlone() throws {
        edge.crash(.everything)
        let ours = try sight(of: .edge, isWhole: true)
        look([.rows(.edge, ours)])
        let end = World.start + duration - .seconds(1)
        let last = ours.last { $0.wall < end.nanoseconds }
        report.entries = ours.count
        report.orders = ours.count { $0.kind == Kind.intent.rawValue }
        report.fills = ours.count { $0.kind == Kind.fill.rawValue }
        report.tradingHash = "\(last?.seq ?? 0) \(Hex.text(last?.hash ?? []))"
    }

    /// What a machine's disk holds. Between restarts only the end is read again; the last look takes everything.
    func sight(of who: Who, isWhole: Bool = false) throws -> StoredRows {
        let known = sights[who] ?? StoredRows()
        var start = isWhole ? 0 : max(0, known.count - World.overlap)
        var tail = try survivors(of: who, from: UInt64(start) + 1)
        // Not even the overlap is as it was: look at everything.
        if start > 0, tail.first != known[start] {
            start = 0
            tail = try survivors(of: who, from: 1)
        }
        let rows = StoredRows(known, upTo: start, then: tail)
        sights[who] = rows
        return rows
    }
    /// Rows at the end that are compared with what was known.
    static let overlap = 64

    func look(_ seen: [Observation]) {
        for one in seen {
            mark(one)
            let found = checkers.look(one, at: now)
            for violation in found { tell("BROKEN \(violation)") }
            report.violations += found
        }
    }

    // MARK: - The log

    static func name(of bytes: [UInt8]) -> String {
        do throws(FrameError) {
            let frame = try Frame(bytes)
            switch try Message(frame) {
            case .hello(let hello): return "HELLO head \(hello.head.seq) acked \(hello.acked.seq)"
            case .welcome(let welcome): return "WELCOME have \(welcome.have.seq)"
            case .ack(let head): return "ACK \(head.seq)"
            case .nack(let head): return "NACK \(head.seq)"
            case .command(let order): return "CMD \(order.command.id)"
            case .error(let trouble): return "ERR \(trouble.code) \(trouble.text)"
            default: return "\(frame.type) \(frame.number)"
            }
        } catch { return "unreadable: \(error)" }
    }

    func tell(_ text: @autoclosure () -> String) {
        guard let trace else { return }
        trace("\(now.nanoseconds / 1_000_000) ms  \(text())")
    }

    /// Folds what happened, and when, into the log's hash.
    func log(_ words: UInt64..., bytes: [UInt8] = []) {
        var text = ByteWriter(reserving: 8 * (2 + words.count) + bytes.count)
        text.little(report.logHash)
        text.little(UInt64(bitPattern: now.nanoseconds))
        for word in words { text.little(word) }
        text.append(bytes)
        report.logHash = Hashing.blake2b(text.bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
