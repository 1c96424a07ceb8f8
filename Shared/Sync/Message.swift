// What edge and cloud say to each other, typed; Message+codec.swift has their form on the wire.
package import Ledger
package import Values

/// One side's clocks at the moment a frame left, with an echo of the other side's last stamp.
package struct Stamp: Hashable, Sendable {
    /// The sender's boot clock.
    package var sentAt: Span
    package var wall: Instant
    package var echo: Echo?
    package init(sentAt: Span, wall: Instant, echo: Echo? = nil) { self.sentAt = sentAt; self.wall = wall; self.echo = echo }
}

/// The other side's stamp, and how long it was held before it was sent back.
package struct Echo: Hashable, Sendable {
    package var sentAt: Span
    package var held: Span
    package init(sentAt: Span, held: Span) { self.sentAt = sentAt; self.held = held }
}

/// How much a sender may have under way: not yet acknowledged.
package struct Credit: Hashable, Sendable {
    package var entries: Int
    /// Uncompressed bytes.
    package var bytes: Int
    package init(entries: Int, bytes: Int) { self.entries = entries; self.bytes = bytes }
    /// 65,536 entries or 16 MiB: a 50 ms link still carries a million entries a second.
    package static let standard = Credit(entries: 65_536, bytes: 16 << 20)
}

/// Edge to cloud, first of a session: who, which run, how far the ledger goes.
package struct Hello: Hashable, Sendable {
    package var edge: EdgeID
    package var protocolMin: Int64
    package var protocolMax: Int64
    /// The edge's product version.
    package var release: String
    package var boot: Boot
    /// Counts the HELLOs of one boot, so that a late copy of an old one is known.
    package var attempt: Int64
    package var epoch: UInt32
    /// The last durable entry.
    package var head: Head
    /// The last entry the edge knows to be durable in the cloud.
    package var acked: Head
    /// The oldest entry it could still send.
    package var oldest: Seq
    package var stamp: Stamp
    package var isClockSound: Bool
    /// Kinds of commands it understands.
    package var commandKinds: [String]
    /// What it can do beyond the first release of the protocol; see `Feature`.
    package var features: [String]
    /// The cloud's store that it was last welcomed by; empty before the first time.
    package var incarnation: String
    /// The names of stores that welcomed it before that one; a store that comes back under one of them is an old image.
    package var formerStores: [String] = []
    /// What its ledger says that it lost for good, the newest at the end.
    package var gaps: [GapFact] = []
    /// How long this edge waits for an answer, when its line is so slow that the usual time is too short.
    package var patience: Span?
    /// Bytes of a name in it (a release, a store, a kind of command) that are read.
    package static let nameBytesMax = 64
    /// Names of one sort that are read.
    package static let namesMax = 256
    package init(
        edge: EdgeID, protocolMin: Int64, protocolMax: Int64, release: String, boot: Boot, attempt: Int64, epoch: UInt32, head: Head, acked: Head,
        oldest: Seq, stamp: Stamp, isClockSound: Bool, commandKinds: [String], features: [String] = [], incarnation: String = ""
    ) {
        self.edge = edge; self.protocolMin = protocolMin; self.protocolMax = protocolMax; self.release = release; self.boot = boot
        self.attempt = attempt; self.epoch = epoch; self.head = head; self.acked = acked; self.oldest = oldest; self.stamp = stamp
        self.isClockSound = isClockSound; self.commandKinds = commandKinds; self.features = features; self.incarnation = incarnation
    }
    func can(_ feature: Feature) -> Bool { features.contains(feature.rawValue) }
}

/// What one end may do only if the other said that it understands it; a name is never used again for something else.
package enum Feature: String, Hashable, Sendable, CaseIterable {
    /// Takes entries from the cloud that its own ledger has lost.
    case heal
    /// Shows its branch of a fork, and carries out a person's decision.
    case settle
    /// Compares its stored bytes range by range, gives sound entries and takes right bytes for damaged ones.
    case audit
    /// Keeps the cloud's countersigned heads.
    case countersign
    /// Announces another key of its link in the ledger before it uses it.
    case linkKey
    /// Follows the key that countersigns when the one before announces another, and the key of the cloud's end of the link.
    case signers
}

/// Cloud to edge: the session is open (its id stands in the header), send what follows `have`.
package struct Welcome: Hashable, Sendable {
    /// Of the HELLO that this answers.
    package var attempt: Int64
    /// The cloud's last durable entry.
    package var have: Head
    package var credit: Credit
    /// Changes when the cloud's store was restored from a backup.
    package var incarnation: String
    package var release: String
    package var stamp: Stamp
    /// The last entry in the newest backup that was restored and verified; nil before the first.
    package var backup: Seq?
    /// The cloud takes entries that stand behind what HELLO named as lost.
    package var takesGaps = false
    /// The cloud lets in whom the ledger announces as the edge's next key.
    package var takesLinkKeys = false
    /// What the keys that countersigned before announced, oldest first.
    package var signers: [CloudKeyChange] = []
    /// The most that are read.
    package static let signersMax = 64
    /// The key of its link that the cloud is going to answer by; nil when it keeps the present one.
    package var serverKey: ServerKeyFact?
    package init(
        attempt: Int64, have: Head, credit: Credit, incarnation: String, release: String, stamp: Stamp, backup: Seq? = nil
    ) {
        self.attempt = attempt; self.have = have; self.credit = credit; self.incarnation = incarnation; self.release = release; self.stamp = stamp
        self.backup = backup
    }
}

/// Either way: alive, with clocks; from the edge also with its head and what it measured.
package struct Beat: Hashable, Sendable {
    package var boot: Boot?
    package var head: Head?
    package var roundTrip: Span?
    package var stamp: Stamp
    /// The other side is to beat back at once.
    package var wantsAnswer: Bool
    /// From the cloud: as in `Welcome`.
    package var backup: Seq?
    package init(boot: Boot? = nil, head: Head? = nil, roundTrip: Span? = nil, stamp: Stamp, wantsAnswer: Bool, backup: Seq? = nil) {
        self.boot = boot; self.head = head; self.roundTrip = roundTrip; self.stamp = stamp; self.wantsAnswer = wantsAnswer
        self.backup = backup
    }
}

/// Closed bars and their backfill; droppable.
package struct MarketBars: Hashable, Sendable {
    package var instrument: InstrumentID
    package var timeframe: Timeframe
    package var bars: [Bar]
    /// Backfill, not the bar that just closed.
    package var isHistory: Bool
    /// 1,500 bars of backfill and some room.
    package static let barsMax = 2_000
    package init(instrument: InstrumentID, timeframe: Timeframe, bars: [Bar], isHistory: Bool) {
        precondition(bars.count <= MarketBars.barsMax, "\(bars.count) bars in one frame")
        self.instrument = instrument; self.timeframe = timeframe; self.bars = bars; self.isHistory = isHistory
    }
}

/// A command on its way down. The edge counts its remaining life from when it was sent, on the edge's own boot clock.
package struct CommandOrder: Hashable, Sendable {
    package var command: Command
    /// What is left of its life at `sentAt`; nil for what never expires.
    package var remaining: Span?
    /// The cloud's boot clock when the frame left.
    package var sentAt: Span
    package init(command: Command, remaining: Span?, sentAt: Span) { self.command = command; self.remaining = remaining; self.sentAt = sentAt }
}

/// A word that something is wrong, with the cure.
package struct Trouble: Hashable, Sendable {
    /// A `RefusalCase` or a name of our own.
    package var code: String
    package var text: String
    package var cure: String
    /// The session, or the attempt at one, is over.
    package var ends: Bool
    package init(code: String, text: String, cure: String, ends: Bool) { self.code = code; self.text = text; self.cure = cure; self.ends = ends }
}

/// Every message of the protocol.
package enum Message: Hashable, Sendable {
    case hello(Hello)
    case welcome(Welcome)
    /// Show the hashes of these entries.
    case prove(attempt: Int64, seqs: [Seq])
    /// The hashes asked for; those that are not kept are left out.
    /// - Parameter asked: the entries that were asked for, so that an answer to an earlier question is not taken for one to this; nil from releases
    ///   that did not say so.
    case proof(attempt: Int64, heads: [Head], asked: [Seq]? = nil)
    /// The edge's ledger is the beginning of the cloud's, which ends at `have`: it may fetch the rest.
    case behind(attempt: Int64, have: Head)
    /// What a person decided about the two histories.
    case settle(attempt: Int64, Settlement)
    /// Show digests of stored entries.
    case range(RangeQuestion)
    case rangeHash(RangeAnswer)
    /// Send entries after this one up to a number. Before a session the asker has that entry; inside one it names the comparison, its own copy of the
    /// entry is damaged, and the hash says nothing.
    case fetch(attempt: Int64, after: Head, upTo: Seq)
    /// Entries that were fetched, as `Batch.encode` makes them.
    case heal([UInt8])
    /// Already encoded by `Batch.encode`.
    case batch([UInt8])
    /// Durable in the cloud up to here.
    case ack(Head)
    /// The same under the cloud's signature, now and then.
    case countersigned(CountersignedFact)
    /// Something is missing after this entry; send on from there.
    case nack(Head)
    case credit(Credit)
    case beat(Beat)
    /// Items of live state as of entry `seq`.
    case state(seq: Seq, items: [LiveItem])
    case market(MarketBars)
    case command(CommandOrder)
    /// The edge has the command (volatile), or will not take it for the reason given.
    case commandAck(CommandID, refusal: String?)
    case bye(reason: String)
    case error(Trouble)

    /// The frame type that carries it.
    package var type: FrameType {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .prove: .prove
        case .proof: .proof
        case .behind: .behind
        case .settle: .settle
        case .range: .range
        case .rangeHash: .rangeHash
        case .fetch: .fetch
        case .heal: .heal
        case .batch: .batch
        case .ack: .ack
        case .countersigned: .countersigned
        case .nack: .nack
        case .credit: .credit
        case .beat: .beat
        case .state: .state
        case .market: .market
        case .command: .command
        case .commandAck: .commandAck
        case .bye: .bye
        case .error: .error
        }
    }
}
