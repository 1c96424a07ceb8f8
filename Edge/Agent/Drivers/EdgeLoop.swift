// The edge's loop: one thread that owns the agent, the broker's socket and the link's sender, and runs turn after turn.
package import Ledger
internal import Platform
package import Sync
internal import Trading
internal import Values
internal import Venues
internal import Views
internal import Wire

/// What the loop is started with.
package struct EdgeLoopSettings: Sendable {
    /// What this edge is called on its own screens.
    package var name: String
    package var gatewayHost: String
    package var gatewayPort: Int
    package init(name: String, gatewayHost: String, gatewayPort: Int) {
        self.name = name; self.gatewayHost = gatewayHost; self.gatewayPort = gatewayPort
    }
}

/// Runs an agent until it is told to stop.
package final class EdgeLoop {
    private let agent: Agent
    private let settings: EdgeLoopSettings
    private let folder: EdgeFolder
    private let inbox: EdgeInbox
    private let greeting: Greeting
    private var socket: BrokerSocket?
    private var uplink: Uplink?
    private var server: WebServer?
    private var enrolmentTrouble = ""
    /// The enrolment that was acted on.
    private var enrolledBy: [FileStamp?]?
    private var linkKeys: LinkKeyChanger
    private var serverKeys: ServerKeyFollower
    private var linkKeyTrouble = ""
    private var serverKeyTrouble = ""
    /// What the enrolment says of the cloud's key, until it is written down.
    private var enrolledKey: CloudKeyFact?
    private var inputs: [AgentInput] = []
    private var asked: [(RequestID, CommandID)] = []
    /// What keys of calls stand for.
    private var wishKeys = WishKeys()
    /// A person decided for the cloud's history: this run ends, and the process recovers from what is left and the cloud's copy.
    private var givingUp: Settlement?
    private var tickedAt = Span.zero
    private var slowTickedAt = Span.zero
    private var sentBars: [InstrumentID: Instant] = [:]
    private var wasOpen = false
    /// Ten times a second: sessions have timeouts of seconds, bots look at quotes.
    private static let tickEvery = Span.milliseconds(100)
    private static let slowTickEvery = Span.seconds(1)

    /// - Parameter greeting: what came before the agent's first entry.
    package init(
        agent: Agent, folder: EdgeFolder, settings: EdgeLoopSettings, inbox: EdgeInbox = EdgeInbox(),
        greeting: Greeting = Greeting()
    ) {
        self.agent = agent; self.folder = folder; self.settings = settings; self.inbox = inbox
        self.greeting = greeting
        linkKeys = LinkKeyChanger(folder)
        serverKeys = ServerKeyFollower(folder)
        uplink = greeting.uplink
    }

    private static func clock() -> ClockReading { .present() }

    /// Serves until SIGTERM or SIGINT. Working orders stay where they are.
    /// - Returns: the decision by which this ledger's branch has to be given up before the edge starts anew; nil for an ordinary end.
    @discardableResult package func run(_ boot: BootFact) throws -> Settlement? {
        let messages = inbox.open()
        socket = BrokerSocket(inbox.loop, host: settings.gatewayHost, port: settings.gatewayPort) { [unowned self] in inputs.append($0) }
        let findings = greeting.findings
        try perform(agent.start(boot, healed: findings.healed, settlement: findings.adopted, at: Self.clock()), at: Self.clock())
        inputs += findings.inputs
        server = try WebServer(WebServerConfiguration(listeners: [.unix(path: folder.socket)]), handler: LocalHandler(inbox: messages))
        enrolLate()
        try believeEnrolment(at: Self.clock())
        Log.write(.info, "edge ready", ["head": "\(agent.journal.head.seq)", "cloud": uplink == nil ? "not enrolled" : "enrolled"])
        while inbox.stopReason == nil, givingUp == nil { try step() }
        if let givingUp { return end(for: givingUp) }
        try finish(inbox.stopReason ?? "")
        return nil
    }

    /// The edge trades without a cloud; an enrolment that comes later, or leads to another cloud, is seen within a second.
    private func enrolLate() {
        // Looked at every second, read when somebody wrote it: the files and the key's arithmetic are not the loop's daily work.
        let stamps = folder.enrolmentStamps
        guard stamps != enrolledBy else { return }
        do {
            try startUplink()
            enrolledKey = try folder.cloud()?.word
            enrolledBy = stamps
        } catch {
            // Trading goes on; the words are said once, not every second.
            if enrolmentTrouble != "\(error)" { Log.write(.error, "enrolment cannot be read", ["error": "\(error)"]) }
            enrolmentTrouble = "\(error)"
        }
    }

    /// A new enrolment is a person's word for the key that came with it; each is taken up once.
    private func believeEnrolment(at clock: ClockReading) throws {
        guard let word = enrolledKey else { return }
        guard word.enrolment != agent.journal.trust.enrolment else { enrolledKey = nil; return }
        guard let effects = try agent.believe(word, at: clock) else { return }
        enrolledKey = nil
        try perform(effects, at: clock)
    }

    private func startUplink() throws {
        guard let link = try folder.uplink() else { return }
        var greeted: Int64 = 0
        if let old = uplink {
            guard !old.dials(link) else { return }
            Log.write(.info, "enrolled with another cloud", ["host": link.host, "port": "\(link.port)"])
            old.stop(reason: "the edge was enrolled with another cloud", at: Self.clock())
            greeted = old.sender.attempt
            uplink = nil
            // What the old connection still said is nobody's any more.
            inbox.loop.turn(milliseconds: 0)
            _ = inbox.takeLinkEvents()
        }
        let identity = try Greeting.identity(agent.journal, agent.boot, mayHeal: false, after: greeted)
        uplink = try Uplink(link, journal: agent.journal, identity: identity, events: inbox.linkHandler())
    }

    private func step() throws {
        inbox.loop.turn(milliseconds: agent.hasPending || !inputs.isEmpty || uplink?.hasMore == true ? 0 : 50)
        let clock = Self.clock()
        if clock.monotonic - tickedAt >= Self.tickEvery {
            tickedAt = clock.monotonic
            inputs.append(.tick)
        }
        for event in inbox.takeLinkEvents() { try uplink?.receive(event, at: clock) }
        if let settlement = uplink?.takeSettlement() {
            if settlement.kept == .cloud { givingUp = settlement; return }
            inputs.append(.settle(settlement))
        }
        try takeMends(at: clock)
        if let changes = uplink?.takeSigners(), !changes.isEmpty { try perform(agent.follow(changes, at: clock), at: clock) }
        if let words = uplink?.takeCopied() { try perform(agent.noteCopy(words, at: clock), at: clock) }
        if let fact = uplink?.takeCountersigned() { try perform(agent.countersigned(fact, at: clock), at: clock) }
        takeCommands(at: clock)
        try takeRequests(at: clock)
        let head = agent.journal.head.seq
        if !inputs.isEmpty || agent.hasPending {
            let taken = inputs
            inputs.removeAll(keepingCapacity: true)
            try perform(agent.turn(taken, at: clock) { SystemClock.monotonic() - clock.monotonic }, at: clock)
        }
        try perform(agent.keep(at: clock), at: clock)
        // In a lively market no turn is without prices: one that wrote nothing is quiet enough for the journal's own work.
        if !agent.hasPending, agent.journal.head.seq == head { try perform(agent.idle(at: clock), at: clock) }
        answerAsked()
        try uplink?.readOn(at: clock)
        for (from, to) in uplink?.takeMissing() ?? [] { try perform(agent.noteMissing(from: from, to: to, at: clock), at: clock) }
        if tickedAt == clock.monotonic { try uplink?.tick(at: clock) }
        if clock.monotonic - slowTickedAt >= Self.slowTickEvery { slowTickedAt = clock.monotonic; try slowTick(at: clock) }
    }

    private func perform(_ effects: [AgentEffect], at clock: ClockReading) throws {
        for effect in effects {
            switch effect {
            case .write(let bytes): socket?.write(bytes)
            case .transport(let wish): socket?.take(wish)
            case .live, .committed, .heldBack, .entries: break
            }
        }
        try uplink?.note(effects, at: clock)
    }

    /// Ends the run and writes nothing more: what is sealed is what the cloud has stored of this branch.
    private func end(for settlement: Settlement) -> Settlement {
        Log.write(.warning, "this ledger's branch is given up", ["after": "\(settlement.dispute.common.seq)", "by": settlement.decidedBy])
        server?.stop()
        uplink?.stop(reason: "the ledger goes on with the cloud's history", at: Self.clock())
        socket?.take(.disconnect)
        return settlement
    }

    private func finish(_ reason: String) throws {
        Log.write(.info, "edge stopping", ["reason": reason])
        server?.stop()
        let clock = Self.clock()
        try perform(agent.shutdown(reason: reason, at: clock), at: clock)
        try sendLast()
        uplink?.stop(reason: reason, at: Self.clock())
        socket?.take(.disconnect)
    }

    /// The end of the run goes up too when the cloud is there to take it; a supervisor's patience is longer.
    private static let farewell = Span.seconds(1)

    private func sendLast() throws {
        guard let uplink, uplink.phase == .open else { return }
        let end = Self.clock().monotonic + Self.farewell
        while uplink.phase == .open, uplink.acked.seq < agent.journal.head.seq, Self.clock().monotonic < end {
            inbox.loop.turn(milliseconds: 10)
            let clock = Self.clock()
            for event in inbox.takeLinkEvents() { try uplink.receive(event, at: clock) }
            try uplink.readOn(at: clock)
            try uplink.tick(at: clock)
        }
    }

    /// The cloud found damaged bytes here and sent the right ones.
    private func takeMends(at clock: ClockReading) throws {
        for entry in uplink?.takeMends() ?? [] {
            try perform(agent.mend(entry, at: clock), at: clock)
            try uplink?.mended(entry.seq, at: clock)
        }
    }

    /// Commands of the cloud: their life ends by the boot clock, which a jump of the wall clock cannot stretch.
    private func takeCommands(at clock: ClockReading) {
        for (command, deadline) in uplink?.takeDelivered() ?? [] { inputs.append(.command(command, deadline: deadline)) }
    }

    // MARK: - Once a second

    private func slowTick(at clock: ClockReading) throws {
        if agent.desk.book.haltLevel < .halt, PrivateFiles.stamp(folder.killFile) != nil {
            inputs.append(.desk(.halt(source: "file", reason: "the file KILL lies in the data folder")))
        }
        try changeLinkKey(at: clock)
        try followServerKey(at: clock)
        enrolLate()
        try believeEnrolment(at: clock)
        guard let uplink else { return }
        if case .refused(let trouble) = uplink.phase, trouble.haltsTrading, agent.desk.book.haltLevel < .halt { inputs.append(trouble.halt) }
        let isOpen = uplink.phase == .open
        defer { wasOpen = isOpen }
        guard isOpen else { return }
        if !wasOpen {
            // A new session starts with everything: the cloud may have restarted with nothing live.
            sentBars = [:]
            try uplink.live(agent.desk.live.sorted, at: clock)
        }
        for instrument in agent.desk.charted { try sendClosedBars(of: instrument, to: uplink, at: clock) }
    }

    private func sendClosedBars(of instrument: InstrumentID, to uplink: Uplink, at clock: ClockReading) throws {
        let present = Timeframe.minute.start(of: clock.wall)
        let since = sentBars[instrument]
        let closed = agent.takeClosedBars(of: instrument, before: present, after: since)
        guard let last = closed.last else { return }
        sentBars[instrument] = max(last.start, since ?? last.start)
        // Corrections of the past are history; only what is newer has just closed.
        let past = since.map { since in closed.filter { $0.start <= since } } ?? closed
        for (bars, isHistory) in [(past, true), (Array(closed.dropFirst(past.count)), false)] where !bars.isEmpty {
            try uplink.market(MarketBars(instrument: instrument, timeframe: .minute, bars: bars, isHistory: isHistory), at: clock)
        }
    }

    // MARK: - The local socket

    private func takeRequests(at clock: ClockReading) throws {
        for request in inbox.requests {
            guard let id = LocalAPI.id(key: request.header("idempotency-key")) else { answer(request.id, LocalAPI.badKey); continue }
            let call = LocalRequest(
                method: request.method.rawValue, path: request.path,
                query: Dictionary(request.query.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first }), body: request.body,
                commandID: id,
                link: linkWords)
            let verdict = LocalAPI.handle(call, agent: agent, picture: picture(at: clock.wall), at: clock.wall)
            // The ledger tells wishes of one kind apart as far as it has their words; of this process every byte is known.
            guard !verdict.isKeyed || wishKeys.fits(call) else { answer(request.id, LocalAPI.keyReused); continue }
            switch verdict {
            case .answer(let value): answer(request.id, 200, value)
            case .problem(let problem): answer(request.id, problem)
            case .command(let command, let lifetime):
                inputs.append(.command(command, deadline: lifetime.map { clock.monotonic + $0 }))
                asked.append((request.id, id))
            case .record(let fact, let command):
                inputs.append(.desk(.record(fact, command: command)))
                asked.append((request.id, id))
            case .resume(let reason):
                // The file would halt it again within a second, and nobody would say so.
                guard PrivateFiles.stamp(folder.killFile) == nil else {
                    answer(request.id, isDone: false, "The file \(folder.killFile) lies there and would halt again at once: remove it, then resume.")
                    continue
                }
                inputs.append(.desk(.resume(reason: reason)))
                answer(request.id, isDone: true, "Trading is resumed.")
            case .changeKey:
                do { try changeKey(for: request.id, at: clock) } catch let error as EdgeFolderError {
                    answer(request.id, isDone: false, "The key cannot be changed now: \(error)")
                }
            case .changeLinkKey:
                do {
                    let begun = try linkKeys.begin(agent, uplink?.keyView, at: clock)
                    try perform(begun.effects, at: clock)
                    answer(request.id, isDone: begun.isDone, begun.words)
                } catch let error as EdgeFolderError {
                    answer(request.id, isDone: false, "The key cannot be changed now: \(error)")
                }
            case .trust(let key):
                let effects = try agent.believe(CloudKeyFact(key: key, ground: .person), at: clock)
                try perform(effects ?? [], at: clock)
                let words = effects == nil ? "Not now: the disk is full." : "Heads that the cloud signs by this key are believed from now on."
                answer(request.id, isDone: effects != nil, words)
            case .acceptRollback(let reason):
                let effects = try agent.acceptRollback(reason: reason, at: clock)
                try perform(effects ?? [], at: clock)
                let words = effects == nil ? "Nothing is missing: the ledger reaches its mark." : "Given up. The ledger goes on from where it ends."
                answer(request.id, isDone: effects != nil, words)
            }
        }
        inbox.requests.removeAll(keepingCapacity: true)
    }

    private func answer(_ request: RequestID, isDone: Bool, _ words: String) {
        answer(request, 200, ["state": isDone ? "done" : "refused", "text": .string(words)])
    }

    private func changeLinkKey(at clock: ClockReading) throws {
        do {
            try perform(linkKeys.step(agent, uplink?.keyView, at: clock), at: clock)
            linkKeyTrouble = ""
        } catch let error as EdgeFolderError {
            // Trading goes on; the words are said once, not every second.
            if linkKeyTrouble != "\(error)" { Log.write(.error, "link key not changed", ["error": "\(error)"]) }
            linkKeyTrouble = "\(error)"
        }
    }

    /// Another key of the cloud's end: heard of, written down, and kept once the cloud answered by it.
    private func followServerKey(at clock: ClockReading) throws {
        if let word = uplink?.takeServerKey() { serverKeys.hear(word) }
        if let key = uplink?.takeAnsweredKey() { serverKeys.answered(by: key) }
        do {
            let (effects, key) = try serverKeys.step(agent, at: clock)
            if let key { uplink?.mayTry(key) }
            try perform(effects, at: clock)
            serverKeyTrouble = ""
        } catch let error as EdgeFolderError {
            if serverKeyTrouble != "\(error)" { Log.write(.error, "the cloud's next key is not kept", ["error": "\(error)"]) }
            serverKeyTrouble = "\(error)"
        }
    }

    private func changeKey(for request: RequestID, at clock: ClockReading) throws {
        let change = try agent.changeKey(in: folder, at: clock)
        try perform(change.effects, at: clock)
        answer(request, isDone: change.isDone, change.words)
    }

    /// After the turn that decided them: the command's fate so far.
    private func answerAsked() {
        for (request, command) in asked {
            let call = LocalRequest(method: "GET", path: "/api/v1/commands/\(command)", query: [:], body: [], commandID: command)
            switch LocalAPI.handle(call, agent: agent, picture: picture(at: SystemClock.now()), at: SystemClock.now()) {
            case .answer(let value): answer(request, 202, value)
            case .problem(let problem): answer(request, problem)
            case .command, .resume, .record, .acceptRollback, .changeKey, .changeLinkKey, .trust: preconditionFailure("a read asks for nothing")
            }
        }
        asked.removeAll(keepingCapacity: true)
    }

    private func answer(_ id: RequestID, _ status: Int, _ value: JSONValue) {
        server?.respond(id, HTTPResponse(status: status, headers: [WebField("content-type", "application/json")], body: JSONWriter.plain(value)))
    }

    private func answer(_ id: RequestID, _ problem: Problem) {
        let headers = [WebField("content-type", Problem.type)] + problem.headers.map { WebField($0.name, $0.value) }
        server?.respond(id, HTTPResponse(status: problem.status, headers: headers, body: JSONWriter.plain(problem.value)))
    }

    private var linkWords: String {
        guard let uplink else { return "not enrolled: run `tidewire-edge enrol TOKEN`" }
        return switch uplink.phase {
        case .open: "open"
        case .refused(let trouble): "refused: \(trouble.text)\(trouble.text.hasSuffix(".") ? "" : ".") \(trouble.cure)"
        case _ where uplink.isKeyRefused:
            "refused: the cloud does not know this edge's key, or not any more. Enrol it anew: tidewire-edge enrol TOKEN --replace"
        default: "no answer from the cloud; what happens here is kept and goes up later"
        }
    }

    private func picture(at now: Instant) -> EdgePicture {
        let head = agent.journal.head.seq
        let link = LinkPicture(state: .live, lastHeard: now, announced: head, acked: uplink?.acked.seq ?? Seq(0))
        var picture = EdgePicture(
            id: agent.journal.edge, name: settings.name, book: agent.desk.book, live: agent.desk.live, link: link, milestones: agent.milestones)
        picture.tablesLag = agent.tablesLag(at: Self.clock())
        return picture
    }
}

/// Posts every request to the loop; answers nothing itself.
private struct LocalHandler: WebHandler {
    let inbox: LoopInbox<LoopMessage>
    func request(_ request: HTTPRequest) -> RequestVerdict {
        inbox.post(.local(request))
        return .later
    }
}
