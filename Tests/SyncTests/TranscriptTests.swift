// Golden transcripts: what each release's edge and cloud said to the other's, replayed with today's edge and today's cloud in either role.
import Foundation
import Ledger
import Sync
import Testing
import Values
import Wire

/// One recorded session. Steps are done at one end; frames are what left it, byte for byte.
struct Transcript {
    struct Line: Equatable {
        /// `edge` or `cloud`: who did it or said it.
        var who: String
        /// A step's name with its number, or nil for a frame.
        var step: String?
        var bytes: [UInt8] = []
    }
    var lines: [Line] = []

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/sync/transcripts")

    init() {}
    init(_ name: String) throws {
        let data = try Data(contentsOf: Transcript.folder.appending(path: "\(name).json"))
        let value = try JSONReader.read(Array(data), limits: JSONLimits(depth: 8, bytes: 4 << 20))
        for line in value.elements ?? [] {
            let who = try #require(line["who"]?.text)
            lines.append(Line(who: who, step: line["step"]?.text, bytes: try #require(Hex.bytes(line["frame"]?.text ?? ""))))
        }
    }

    /// One line a step or frame, as the file has it.
    var text: String {
        let rows = lines.map { line in
            line.step.map { #"{"who":"\#(line.who)","step":"\#($0)"}"# } ?? #"{"who":"\#(line.who)","frame":"\#(Hex.text(line.bytes))"}"#
        }
        return "[\n" + rows.joined(separator: ",\n") + "\n]\n"
    }
}

/// Today's two ends with clocks that stand still and a ledger from a seed.
struct TranscriptStage {
    var ledger: Samples.Ledger
    var all: [Entry]
    var sender: Sender
    var receiver: Receiver
    var stored: [Entry] = []
    var fromEdge: [[UInt8]] = []
    var fromCloud: [[UInt8]] = []
    /// What the edge's sender handed on, and what it could not read.
    var delivered: [CommandBody] = []
    var malformed: [FrameError] = []
    private static let edgeClock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(1_000))
    private static let cloudClock = ClockReading(wall: Instant(seconds: 1_795_000_003), monotonic: .seconds(77))
    private static let peer = Peer(edge: Samples.edge, connection: 1)

    /// - Parameter kept: entries that the edge has left of ten; the cloud has eight.
    init(keeping kept: Int) throws {
        ledger = try Samples.Ledger(seed: 77)
        try ledger.grow(9)
        all = ledger.entries
        stored = Array(all.prefix(8))
        try ledger.cut(to: kept)
        sender = Sender(
            Identity(edge: Samples.edge, boot: ledger.boot, epoch: 1, release: "0.1.0", mayHeal: true), head: ledger.head)
        receiver = Receiver(incarnation: "store-1", release: "0.1.0", sessionSeed: 9)
        _ = receiver.handle(.enrolled(Samples.edge, EdgeMemory(have: all[7].head, announced: all[7].head, epoch: 1)), at: Self.cloudClock)
    }

    mutating func edge(_ input: Sender.Input) {
        for action in sender.handle(input, at: Self.edgeClock) {
            switch action {
            case .send(_, let bytes): fromEdge.append(bytes)
            case .read(let from, let limit, _): edge(.entries(from: from, Array(ledger.entries[(Int(from.raw) - 1)...].prefix(limit))))
            case .readHeads(let attempt, let seqs):
                edge(.heads(attempt: attempt, asked: seqs, seqs.filter { $0 <= ledger.head.seq }.map { ledger.entries[Int($0.raw) - 1].head }))
            case .heal(let entries): ledger.adopt(entries); edge(.healed(entries))
            case .deliver(let command, _): delivered.append(command.body)
            case .malformed(let error): malformed.append(error)
            default: break
            }
        }
    }

    mutating func cloud(_ input: Receiver.Input) {
        for action in receiver.handle(input, at: Self.cloudClock) {
            switch action {
            case .send(let bytes, _): fromCloud.append(bytes)
            case .commit(_, let entries): stored += entries; cloud(.committed(Samples.edge, stored[stored.count - 1].head))
            case .lookUp(let edge, let seqs): cloud(.lookedUp(edge, seqs, seqs.map { stored[Int($0.raw) - 1].head }))
            case .read(let edge, let after, let upTo):
                cloud(.read(edge, after: after, Array(stored[Int(after.seq.raw)..<Int(upTo.raw)])))
            default: break
            }
        }
    }

    /// A step that somebody outside the protocol takes.
    mutating func take(_ step: String) throws {
        switch step {
        case "linkUp": edge(.linkUp)
        case "grow":
            let before = ledger.entries.count
            // A ledger that was set back goes on with a run of its own.
            if before < all.count { try ledger.restart() } else { try ledger.grow(3) }
            edge(.committed(Array(ledger.entries[before...])))
        case "stop": edge(.stop(reason: "asked to stop"))
        case "command":
            let id = try #require(CommandID(bytes: [UInt8](repeating: 3, count: 16)))
            cloud(
                .dispatch(
                    Command(
                        id: id, edge: Samples.edge, boundBoot: ledger.boot, issuer: "cloud:admin", tier: 0, issuedAt: Self.cloudClock.wall,
                        expiresAt: Self.cloudClock.wall + .seconds(60), body: .halt(reason: "r"))))
        default: Issue.record("no step \(step)")
        }
    }
    mutating func hearEdge(_ bytes: [UInt8]) { cloud(.frame(bytes, from: Self.peer)) }
    mutating func hearCloud(_ bytes: [UInt8]) { edge(.frame(bytes)) }
}

struct TranscriptTests {
    static let steps = ["linkUp", "command", "grow", "stop"]

    /// Edges whose words were recorded.
    enum Speaker {
        /// Names no features.
        case first
        /// Knows nothing of changes of the link's key and of the one that countersigns.
        case second
        /// Does not say what a PROOF answers.
        case third
        case now
    }

    /// A HELLO or a PROOF as such an edge wrote it: without what came later.
    private static func said(_ bytes: [UInt8], by speaker: Speaker) throws -> [UInt8] {
        var frame = try Frame(bytes)
        guard frame.type == .hello || frame.type == .proof, speaker != .now else { return bytes }
        var members = try JSONReader.read(frame.body).members ?? []
        if frame.type == .proof { members.removeAll { $0.key == "asked" } }
        switch speaker {
        case .first: members.removeAll { ["features", "incarnation"].contains($0.key) }
        case .second:
            let later = [Feature.linkKey, .signers].map { JSONValue.string($0.rawValue) }
            members = members.map { member in
                guard member.key == "features" else { return member }
                return JSONMember("features", .array((member.value.elements ?? []).filter { !later.contains($0) }))
            }
        case .third, .now: break
        }
        frame.body = try JSONWriter.canonical(.object(members))
        return frame.bytes
    }

    /// What today's two ends say; the edge greets as `speaker` does.
    static func record(keeping kept: Int, _ speaker: Speaker = .now) throws -> Transcript {
        var stage = try TranscriptStage(keeping: kept)
        var out = Transcript()
        for step in kept < 8 && speaker == .first ? ["linkUp"] : steps {
            let who = step == "command" ? "cloud" : "edge"
            out.lines.append(.init(who: who, step: step))
            try stage.take(step)
            while !stage.fromEdge.isEmpty || !stage.fromCloud.isEmpty {
                if !stage.fromEdge.isEmpty {
                    let said = stage.fromEdge.removeFirst()
                    let bytes = try Self.said(said, by: speaker)
                    out.lines.append(.init(who: "edge", bytes: bytes))
                    stage.hearEdge(bytes)
                } else {
                    let bytes = stage.fromCloud.removeFirst()
                    out.lines.append(.init(who: "cloud", bytes: bytes))
                    stage.hearCloud(bytes)
                }
            }
        }
        return out
    }

    /// Plays one end's lines from the record and expects today's other end to say its own lines.
    static func replay(_ transcript: Transcript, as role: String, keeping kept: Int) throws {
        var stage = try TranscriptStage(keeping: kept)
        for (number, line) in transcript.lines.enumerated() {
            if line.who == role {
                if let step = line.step { try stage.take(step); continue }
                let said = role == "edge" ? stage.fromEdge.first : stage.fromCloud.first
                #expect(said == line.bytes, "line \(number + 1): \(said.map { String(decoding: $0.dropFirst(20), as: UTF8.self) } ?? "nothing")")
                guard said != nil else { return }
                if role == "edge" { stage.fromEdge.removeFirst() } else { stage.fromCloud.removeFirst() }
            } else if line.step == nil {
                if role == "edge" { stage.hearCloud(line.bytes) } else { stage.hearEdge(line.bytes) }
            }
        }
        #expect(role == "edge" ? stage.fromEdge.isEmpty : stage.fromCloud.isEmpty, "more was said than recorded")
    }

    /// The records: the release of the edge, the release of the cloud, and how many entries the edge has left of ten; the cloud has eight.
    static let records: [(name: String, kept: Int, speaker: Speaker)] = [
        ("now-now", 10, .now), ("now-now-behind", 5, .now), ("second-now", 10, .second), ("second-now-behind", 5, .second),
        ("third-now", 10, .third), ("first-now", 10, .first), ("first-now-behind", 5, .first),
    ]

    /// Today's ends say what they said when it was recorded: a change of a byte on the wire is a change of the protocol, and needs a record of its own.
    /// An edge of an older release is played from its record; today's cloud answers it as it always did.
    @Test(arguments: records.indices) func theRecordedWordsAreSaid(index: Int) throws {
        let (name, kept, speaker) = Self.records[index]
        guard let transcript = try? Transcript(name) else {
            Issue.record("no record \(name).json; of today:\n\(try Self.record(keeping: kept, speaker).text)")
            return
        }
        try Self.replay(transcript, as: "cloud", keeping: kept)
        guard speaker == .now else { return }
        try Self.replay(transcript, as: "edge", keeping: kept)
        #expect(try Self.record(keeping: kept).lines == transcript.lines)
    }

    /// The edge is upgraded first: what a cloud of before said stands in the record, and is played to today's edge. In its HELLO such a cloud finds
    /// all that it reads there; whatever else it says is what the edge of that time said, byte for byte, for nothing more was offered.
    @Test(arguments: records.indices) func aCloudOfBeforeIsUnderstood(index: Int) throws {
        let (name, kept, speaker) = Self.records[index]
        let transcript = try Transcript(name)
        var stage = try TranscriptStage(keeping: kept)
        for (number, line) in transcript.lines.enumerated() {
            switch (line.who, line.step) {
            case ("edge", let step?): try stage.take(step)
            case ("edge", nil):
                let said = try #require(stage.fromEdge.first, "line \(number + 1): nothing")
                stage.fromEdge.removeFirst()
                #expect(try Self.reads(said, all: line.bytes), "line \(number + 1): \(String(decoding: said.dropFirst(20), as: UTF8.self))")
            case (_, nil): stage.hearCloud(line.bytes)
            default: break
            }
        }
        #expect(stage.fromEdge.isEmpty && stage.malformed.isEmpty && stage.sender.takesLinkKeys == [.third, .now].contains(speaker))
        if name == "first-now-behind" {
            guard case .refused(let trouble) = stage.sender.phase else { Issue.record("\(stage.sender.phase)"); return }
            #expect(trouble.code == "EDGE_BEHIND" && stage.delivered.isEmpty)
        } else {
            #expect(stage.sender.phase == .stopped && stage.sender.isCaughtUp && stage.sender.acked == stage.ledger.head)
            #expect(stage.delivered == [.halt(reason: "r")])
        }
    }

    /// True when a frame is the recorded one; a HELLO may say more than that, in lists and in members of its own, and a PROOF what it answers.
    private static func reads(_ said: [UInt8], all recorded: [UInt8]) throws -> Bool {
        let now = try Frame(said), then = try Frame(recorded)
        guard now.type == then.type, [.hello, .proof].contains(now.type) else { return said == recorded }
        let mine = try JSONReader.read(now.body)
        return try now.session == then.session && now.number == then.number
            && (JSONReader.read(then.body).members ?? []).allSatisfy { member in
                guard ["features", "commandKinds"].contains(member.key) else { return mine[member.key] == member.value }
                let texts = Set((mine[member.key]?.elements ?? []).compactMap(\.text))
                return (member.value.elements ?? []).allSatisfy { texts.contains($0.text ?? "") }
            }
    }

    /// An edge of the first release that was set back is refused by name: it cannot take entries back.
    @Test func theFirstReleaseSetBackIsToldWhatToDo() throws {
        let transcript = try Transcript("first-now-behind")
        let last = try #require(transcript.lines.last { $0.who == "cloud" && $0.step == nil })
        guard case .error(let trouble) = try Message(Frame(last.bytes)) else { Issue.record("no ERR"); return }
        #expect(trouble.code == "EDGE_BEHIND" && trouble.ends)
    }

    /// An edge of tomorrow: members, features, kinds of commands and frames that nobody here knows, and a protocol above ours beside ours.
    @Test func anEdgeOfTomorrowIsLetIn() throws {
        var tower = try Tower(4)
        guard case .hello(var hello) = tower.hello() else { return }
        hello.protocolMax = 2
        hello.features = ["settle", "somethingNew"]
        hello.commandKinds += ["order.2", "somethingNew"]
        var frame = Message.hello(hello).frame(session: 0, number: 1)
        let members = try #require(try JSONReader.read(frame.body, limits: .frame).members)
        frame.body = try JSONWriter.canonical(.object(members + [JSONMember("zzzNew", ["x": 1])]), limits: .frame)
        let opened = tower.say(.frame(frame.bytes, from: tower.peer))
        for case .send(let bytes, _) in opened { if let answer = try? Frame(bytes), answer.type == .welcome { tower.session = answer.session } }
        #expect(tower.session != 0)
        var unknown = Message.ack(.start).frame(session: tower.session, number: 2).bytes
        unknown[1] = 200
        #expect(tower.say(.frame(unknown, from: tower.peer)) == [.malformed(Samples.edge, .unknownType(200))], "named, and the session goes on")
        #expect(tower.hear(tower.batch(1...4)) == [.commit(Samples.edge, tower.ledger.entries)])
    }

    /// No common version: refused with the versions of both, and the edge keeps trading.
    @Test(arguments: [(2, 3), (0, 0)] as [(Int64, Int64)]) func noCommonVersion(minimum: Int64, maximum: Int64) throws {
        var tower = try Tower(4)
        guard case .hello(var hello) = tower.hello() else { return }
        (hello.protocolMin, hello.protocolMax) = (minimum, maximum)
        guard case .error(let trouble)? = try tower.sent(tower.hear(.hello(hello), session: 0)).first else { Issue.record("no ERR"); return }
        #expect(trouble.code == "VERSION" && trouble.ends && trouble.text.contains("\(minimum) to \(maximum)") && !trouble.haltsTrading)
    }
}
