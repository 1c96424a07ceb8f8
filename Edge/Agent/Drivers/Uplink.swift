// The edge's link driver: moves frames between ZeroMQ's thread and the sender, and commands from the sender to the loop.
package import Ledger
package import Platform
package import Sync
package import Values

/// Where the cloud is and who we are to it; written by enrolment.
package struct UplinkSettings: Sendable {
    package var host: String
    package var port: Int
    package var serverKey: [UInt8]
    package var keys: CurveKeys
    /// The key that the cloud announced as its next one; tried by turns while the present one is not answered.
    package var nextServerKey: [UInt8]?
    package init(host: String, port: Int, serverKey: [UInt8], keys: CurveKeys, nextServerKey: [UInt8]? = nil) {
        self.host = host; self.port = port; self.serverKey = serverKey; self.keys = keys; self.nextServerKey = nextServerKey
    }
}

/// Belongs to the loop's thread; only `LinkClient` inside it has another.
package final class Uplink {
    private var core: UplinkCore
    private let settings: UplinkSettings
    private let client: LinkClient
    private let journal: Journal
    /// Frames that a full lane did not take, oldest first; the sender holds back while there are any.
    private var waiting: [[[UInt8]]] = [[], []]
    private var isBlocked = [false, false]
    private var isOverfull = false
    private var lanesUp: Set<Int> = []
    /// True since the cloud's door turned our key away, until it lets us in.
    package private(set) var isKeyRefused = false
    private var isUp = false
    /// Commands for the desk, with the end of their life by the boot clock.
    private var delivered: [(Command, Span?)] = []
    private var toHeal: [[Entry]] = []
    private var toMend: [Entry] = []
    private var countersigned: CountersignedFact?
    private var signers: [CloudKeyChange] = []
    private var serverKey: ServerKeyFact?
    private var search: ServerKeySearch
    private var answeredBy: [UInt8]?
    private var copied: String?
    private var missing: [(from: Seq, to: Seq)] = []
    private var settlement: Settlement?
    private var notedAt = Span.zero
    /// How often the acknowledged number is written down: it is advice, learned again at each session.
    private static let noteEvery = Span.seconds(10)
    /// Batches read from the ledger in one turn: the rest follow in the next, so that a backlog never delays an order.
    private static let batchesPerTurn = 4
    private var noted = Seq(0)
    /// Frames that wait for one lane; with one more the session begins anew. The sender holds entries and live state back by itself: these are
    /// answers to a cloud that asks and does not read.
    package static let framesMax = 512
    /// The most that wait for a lane now.
    package var framesWaiting: Int { waiting.map(\.count).max() ?? 0 }

    /// Starts connecting. `events` is told from the link's thread and must hand them to `receive` on the loop's.
    package init(
        _ settings: UplinkSettings, journal: Journal, identity: Identity, events: @escaping @Sendable (LinkEvent) -> Void
    ) throws {
        var configuration = LinkClientConfiguration(host: settings.host, port: settings.port, serverKey: settings.serverKey, keys: settings.keys)
        configuration.lanes = Lane.allCases.count
        self.journal = journal
        self.settings = settings
        search = ServerKeySearch(proved: settings.serverKey, announced: settings.nextServerKey, at: SystemClock.monotonic())
        core = UplinkCore(identity, head: journal.head, acked: try UplinkCore.acknowledged(in: journal), ledger: journal)
        client = try LinkClient(configuration, handler: events)
    }

    /// True when this is the cloud that it connects to.
    func dials(_ other: UplinkSettings) -> Bool {
        settings.host == other.host && settings.port == other.port && search.proved == other.serverKey
            && settings.keys.publicKey == other.keys.publicKey
    }
    /// How the link stands, for the edge's own screen.
    package var phase: LinkPhase { core.sender.phase }
    package var acked: Head { core.sender.acked }
    /// The same for a change of its key.
    var keyView: LinkKeyView { LinkKeyView(core.sender, acked: acked.seq, isKeyRefused: isKeyRefused) }
    /// The sender as it stands, for the gate of the start.
    package var sender: Sender { core.sender }
    /// True while entries wait to be read and sent.
    package var hasMore: Bool { core.hasMore }

    /// An event of the link's thread, on the loop's.
    package func receive(_ event: LinkEvent, at clock: ClockReading) throws(JournalError) {
        switch event {
        case .connected(let lane):
            lanesUp.insert(lane)
            isKeyRefused = false
            search.connected()
            if lanesUp.count == Lane.allCases.count, !isUp { isUp = true; try feed(.linkUp, at: clock) }
        case .disconnected(let lane), .handshakeFailed(let lane, _):
            if case .handshakeFailed(_, .refused) = event { isKeyRefused = true }
            lanesUp.remove(lane)
            waiting = [[], []]; isBlocked = [false, false]
            if isUp { isUp = false; try feed(.linkDown, at: clock) }
            if lanesUp.isEmpty { search.disconnected(at: clock.monotonic) }
            if case .handshakeFailed(_, let why) = event, why != .refused, let key = search.failed(at: clock.monotonic) {
                try renew(serverKey: key, at: clock)
            }
        case .message(_, let bytes): try feed(.frame(bytes), at: clock)
        }
        try relieve(at: clock)
    }

    /// What a turn of the agent brought.
    package func note(_ effects: [AgentEffect], at clock: ClockReading) throws(JournalError) { try perform(core.note(effects, at: clock), at: clock) }
    /// Live items beside those of a turn: the whole state, at a session's start.
    package func live(_ items: [LiveItem], at clock: ClockReading) throws(JournalError) { for item in items { try feed(.live(item), at: clock) } }
    package func market(_ bars: MarketBars, at clock: ClockReading) throws(JournalError) { try feed(.market(bars), at: clock) }

    /// Reads on for the sender while its window has room.
    package func readOn(at clock: ClockReading) throws(JournalError) {
        for _ in 0..<Uplink.batchesPerTurn where core.hasMore { try perform(core.readOn(at: clock), at: clock) }
    }

    /// Time passed: retries what waits, beats, notes what was acknowledged.
    package func tick(at clock: ClockReading) throws(JournalError) {
        for lane in Lane.allCases { try flush(lane, at: clock) }
        try feed(.tick, at: clock)
        try relieve(at: clock)
        if let key = search.tick(at: clock.monotonic) { try renew(serverKey: key, at: clock) }
        guard clock.monotonic - notedAt >= Uplink.noteEvery, acked.seq > noted else { return }
        notedAt = clock.monotonic
        noted = acked.seq
        try journal.noteAcknowledged(noted)
    }

    /// The next piece of what this ledger had lost, to be written down; nil when none has come.
    package func takeHealing() -> [Entry]? { toHeal.isEmpty ? nil : toHeal.removeFirst() }
    /// The newest head that the cloud has signed, once.
    package func takeCountersigned() -> CountersignedFact? {
        defer { countersigned = nil }
        return countersigned
    }
    /// What the cloud's keys announced, once.
    package func takeSigners() -> [CloudKeyChange] {
        defer { signers = [] }
        return signers
    }
    /// What the cloud announced of its end's key, once.
    package func takeServerKey() -> ServerKeyFact? {
        defer { serverKey = nil }
        return serverKey
    }
    /// The cloud answered by this key, which is another than the one before; once.
    package func takeAnsweredKey() -> [UInt8]? {
        defer { answeredBy = nil }
        return answeredBy
    }
    /// The cloud's next key is this one: tried when the present one is not answered.
    package func mayTry(_ key: [UInt8]) { search.announce(key) }
    /// What the cloud says of a copy of this edge that it turned away, once.
    package func takeCopied() -> String? {
        defer { copied = nil }
        return copied
    }
    /// Right bytes for damaged entries, each to be tried on the journal; then `mended`.
    package func takeMends() -> [Entry] {
        defer { toMend = [] }
        return toMend
    }
    /// The journal has taken these bytes, or not.
    package func mended(_ seq: Seq, at clock: ClockReading) throws(JournalError) { try feed(.mended(seq), at: clock) }
    /// Entries that the cloud asked for and that cannot be read, once.
    package func takeMissing() -> [(from: Seq, to: Seq)] {
        defer { missing = [] }
        return missing
    }
    /// What a person decided, once.
    package func takeSettlement() -> Settlement? {
        defer { settlement = nil }
        return settlement
    }
    /// That piece is durable.
    package func healed(_ entries: [Entry], at clock: ClockReading) throws(JournalError) { try feed(.healed(entries), at: clock) }

    /// That piece was not taken, for this reason.
    package func healRefused(_ words: String, at clock: ClockReading) throws(JournalError) { try feed(.healRefused(words), at: clock) }

    /// Commands that arrived since last asked.
    package func takeDelivered() -> [(Command, Span?)] {
        defer { delivered = [] }
        return delivered
    }

    /// Says goodbye and closes; what is not acknowledged goes up at the next start.
    package func stop(reason: String, at clock: ClockReading) {
        // The end comes whether or not a last frame can be made.
        try? feed(.stop(reason: reason), at: clock)
        client.stop()
        // The next run may be let in by nobody before it knows how far the cloud had read: a key of the link that was announced is found by it.
        if acked.seq > noted { try? journal.noteAcknowledged(acked.seq) }
    }

    private func feed(_ input: Sender.Input, at clock: ClockReading) throws(JournalError) { try perform(core.handle(input, at: clock), at: clock) }

    private func perform(_ effects: [UplinkEffect], at clock: ClockReading) throws(JournalError) {
        for effect in effects {
            switch effect {
            case .send(let lane, let frame):
                guard waiting[Int(lane.rawValue)].count < Uplink.framesMax else { isOverfull = true; continue }
                waiting[Int(lane.rawValue)].append(frame)
                try flush(lane, at: clock)
            case .deliver(let command, let deadline): delivered.append((command, deadline))
            case .acked: break
            case .heal(let entries): toHeal.append(entries)
            case .mend(let entry): toMend.append(entry)
            case .settle(let decision): settlement = decision
            case .incarnation(let name, let have): try journal.noteIncarnation(name, have: have)
            case .missing(let from, let to): missing.append((from, to))
            case .countersigned(let fact): countersigned = fact
            case .signers(let changes): signers = changes
            case .serverKey(let word): serverKey = word
            case .backedUp(let seq): try journal.noteBackup(seq)
            case .reopen: try renew(at: clock)
            case .copied(let words): copied = words
            case .phase(let phase):
                if phase == .open, let key = search.opened() { answeredBy = key }
                Log.write(.info, "link", ["phase": "\(phase)"])
            case .malformed(let error): Log.write(.warning, "link frame refused", ["error": "\(error)"])
            }
        }
    }

    /// What waits for a lane that takes nothing is given up, and with it the session: the next one begins from what is acknowledged.
    private func relieve(at clock: ClockReading) throws(JournalError) {
        guard isOverfull else { return }
        isOverfull = false
        Log.write(.warning, "link overfull", ["frames": "\(framesWaiting)"])
        try renew(at: clock)
    }

    /// Other sockets: what waits in these would stand before everything that the next session sends.
    /// - Parameter serverKey: the cloud's, when another one is tried from now on.
    private func renew(serverKey: [UInt8]? = nil, at clock: ClockReading) throws(JournalError) {
        waiting = [[], []]; isBlocked = [false, false]; lanesUp = []; isUp = false
        try feed(.linkDown, at: clock)
        if let serverKey { client.renew(serverKey: serverKey) } else { client.renew() }
    }

    /// Hands waiting frames to the lane; tells the sender when it fills and when it has room again.
    private func flush(_ lane: Lane, at clock: ClockReading) throws(JournalError) {
        let index = Int(lane.rawValue)
        guard !waiting[index].isEmpty, isUp else { return }
        waiting[index].removeFirst(client.send(waiting[index], lane: index))
        guard waiting[index].isEmpty == isBlocked[index] else { return }
        isBlocked[index].toggle()
        try feed(.blocked(lane, isBlocked[index]), at: clock)
    }
}
