// Frames and messages: there and back, and every way in which bytes fail to be one, by name.
import Ledger
import Sync
import Testing
import Values
import Wire

struct FrameTests {
    static let edge = Samples.edge
    static let head = Head(seq: Seq(7), hash: [UInt8](repeating: 9, count: 32))
    static let stamp = Stamp(sentAt: .seconds(5), wall: Instant(seconds: 9), echo: Echo(sentAt: .seconds(3), held: .milliseconds(2)))
    static let commandID = CommandID(bytes: Array(1...16)) ?? { preconditionFailure("16 bytes") }()

    /// With what only a WELCOME to a newer edge says.
    private static func announcing(_ message: Message) -> Message {
        guard case .welcome(var welcome) = message else { return message }
        welcome.takesGaps = true; welcome.takesLinkKeys = true
        welcome.signers = [
            CloudKeyChange(
                old: [UInt8](repeating: 1, count: 32), key: [UInt8](repeating: 2, count: 32), signature: [UInt8](repeating: 3, count: 64),
                proof: [UInt8](repeating: 4, count: 64))
        ]
        welcome.serverKey = ServerKeyFact(
            old: [UInt8](repeating: 5, count: 32), key: [UInt8](repeating: 6, count: 32), signer: [UInt8](repeating: 2, count: 32),
            signature: [UInt8](repeating: 3, count: 64))
        return .welcome(welcome)
    }

    static var everyMessage: [Message] {
        let command = Command(
            id: commandID, edge: edge, boundBoot: Boot(raw: 5), issuer: "cloud:admin", tier: 1, issuedAt: Instant(seconds: 1),
            expiresAt: Instant(seconds: 11),
            body: .close(instrument: InstrumentID("MBTZ6.CME")))
        let bar = Bar(start: Instant(seconds: 60), price: Price(whole: 98_000), size: Quantity(whole: 1))
        return [
            .hello(
                Hello(
                    edge: edge, protocolMin: 1, protocolMax: 1, release: "0.1.0", boot: Boot(raw: .max), attempt: 3, epoch: 1, head: head,
                    acked: .start,
                    oldest: Seq(1), stamp: Stamp(sentAt: .zero, wall: Instant(seconds: 1)), isClockSound: true, commandKinds: ["order", "close"])),
            .welcome(Welcome(attempt: 3, have: head, credit: .standard, incarnation: "i", release: "0.1.0", stamp: stamp, backup: Seq(5))),
            announcing(.welcome(Welcome(attempt: 3, have: head, credit: .standard, incarnation: "i", release: "0.1.0", stamp: stamp))),
            .behind(attempt: 1, have: Head(seq: Seq(9), hash: [UInt8](repeating: 9, count: 32))),
            .fetch(attempt: 1, after: .start, upTo: Seq(9)), .heal([1, 2, 3]),
            .range(RangeQuestion(audit: 7, from: Seq(1_025), through: Seq(2_048), step: 32)),
            .rangeHash(
                RangeAnswer(question: RangeQuestion(audit: 7, from: Seq(1), through: Seq(2), step: 1), hashes: [head.hash, Head.start.hash])),
            .settle(
                attempt: 1,
                Settlement(
                    edge: edge, kept: .cloud, epoch: 2,
                    dispute: Dispute(
                        verdict: .fork, common: .start, edgeHead: .start, edgeEpoch: 1, cloudHead: .start, isCloudBranchKept: true),
                    decidedBy: "cloud:a", decidedAt: Instant(seconds: 1))),
            .prove(attempt: 3, seqs: [Seq(1), Seq(9)]), .proof(attempt: 3, heads: [head]), .proof(attempt: 3, heads: [], asked: [head.seq]),
            .batch([1, 2, 3]), .ack(head), .nack(.start),
            .countersigned(CountersignedFact(head: head, signature: [UInt8](repeating: 5, count: 64), key: [UInt8](repeating: 6, count: 32))),
            .credit(Credit(entries: 10, bytes: 20)),
            .beat(Beat(boot: Boot(raw: 5), head: head, roundTrip: .milliseconds(4), stamp: stamp, wantsAnswer: true)),
            .state(seq: Seq(4), items: [.front(symbol: "MBT", InstrumentID("MBTZ6.CME"), asOf: Instant(seconds: 2))]),
            .market(MarketBars(instrument: InstrumentID("MBTZ6.CME"), timeframe: .minute, bars: [bar, bar], isHistory: true)),
            .command(CommandOrder(command: command, remaining: .seconds(10), sentAt: .seconds(77))),
            .commandAck(commandID, refusal: nil), .bye(reason: "stopping"), .error(Trouble(code: "FORK", text: "t", cure: "c", ends: true)),
        ]
    }

    @Test func everyMessageRoundTrips() throws {
        for (index, message) in Self.everyMessage.enumerated() {
            let frame = try Frame(message.frame(session: .max - 1, number: UInt64(index)).bytes)
            #expect(frame.session == .max - 1 && frame.number == UInt64(index) && frame.type == message.type)
            #expect(try Message(frame) == message)
        }
        #expect(Set(Self.everyMessage.map(\.type)) == Set(FrameType.allCases), "a message without an example")
    }

    @Test func onlyBatchesAndBarsTakeTheBulkLane() {
        #expect(Set(FrameType.allCases.filter { $0.lane == .bulk }) == [.batch, .market])
    }

    @Test func bytesThatAreNoFrameAreNamed() throws {
        let good = Message.ack(Self.head).frame(session: 1, number: 1).bytes
        for count in 0..<Frame.headerBytes { #expect(throws: FrameError.truncated(bytes: count)) { try Frame(Array(good.prefix(count))) } }
        let limit = Frame.headerBytes + Frame.bodyBytesMax
        #expect(throws: FrameError.tooLarge(bytes: limit + 1, limit: limit)) { try Frame([UInt8](repeating: 1, count: limit + 1)) }
        var other = good
        other[0] = 2
        #expect(throws: FrameError.version(2)) { try Frame(other) }
        other = good; other[1] = 0xFE
        #expect(throws: FrameError.unknownType(0xFE)) { try Frame(other) }
    }

    /// Flags are for releases to come: none of them makes a frame unreadable.
    @Test func flagsNobodyKnowsAreRead() throws {
        for message in Self.everyMessage {
            var bytes = message.frame(session: 1, number: 1).bytes
            bytes[2] = 0xFF; bytes[3] = 0xFF
            #expect(try Message(Frame(bytes)) == message)
        }
    }

    /// Every cut and every replaced byte of a control body is either refused by name or still a whole message; nothing traps.
    @Test func damagedBodiesNeverTrap() throws {
        for message in Self.everyMessage where ![.batch, .heal].contains(message.type) {
            let frame = message.frame(session: 1, number: 1)
            for count in 0..<frame.body.count {
                var cut = frame
                cut.body = Array(frame.body.prefix(count))
                #expect(throws: FrameError.self) { try Message(cut) }
            }
            for index in frame.body.indices {
                for byte: UInt8 in [0, UInt8(ascii: "-"), UInt8(ascii: "9"), UInt8(ascii: "\""), 0xFF] {
                    var damaged = frame
                    damaged.body[index] = byte
                    _ = try? Message(damaged)
                }
            }
        }
    }

    @Test func missingAndForeignMembersAreNamed() {
        func error(_ type: FrameType, _ text: String) -> FrameError? {
            do { _ = try Message(Frame(type: type, session: 0, number: 0, body: Array(text.utf8))); return nil } catch { return error }
        }
        #expect(error(.ack, "{}") == .body(.missing("have")))
        #expect(error(.ack, "[]") == .body(.wrongType("body")))
        #expect(error(.ack, "{\"have\":[-1,\"\(Hex.text(Self.head.hash))\"]}") == .body(.badValue("have")))
        #expect(error(.ack, "{\"have\":[1,\"00\"]}") == .body(.badValue("have")))
        #expect(error(.credit, "{\"entries\":0,\"bytes\":1}") == .body(.badValue("entries")))
        #expect(error(.prove, "{\"attempt\":1,\"seqs\":[\((0..<65).map { _ in "1" }.joined(separator: ","))]}") == .body(.badValue("seqs")))
        #expect(error(.bye, "{\"reason\":") == .notJSON(.endOfText))
        #expect(error(.market, "{\"instrument\":\"A\",\"seconds\":0,\"bars\":[],\"history\":true}") == .body(.badValue("seconds")))
        #expect(error(.bye, "{\"reason\":\"r\",\"new\":1}") == nil)
    }

    /// Each of these texts is longer than a frame once its control bytes are written out.
    @Test func wordsThatFitNoFrameAreCut() throws {
        let words = String(repeating: "\u{8}", count: 180_000)
        let long: [Message] = [
            .error(Trouble(code: "VERSION", text: words, cure: words, ends: true)), .bye(reason: words), .commandAck(Self.commandID, refusal: words),
        ]
        for message in long {
            let frame = try Frame(message.frame(session: 1, number: 1).bytes)
            #expect(frame.type == message.type && frame.body.count < 20_000)
            _ = try Message(frame)
        }
        guard case .error(let trouble) = try Message(long[0].frame(session: 1, number: 1)) else { Issue.record("no ERR"); return }
        #expect(trouble.code == "VERSION" && trouble.ends && trouble.text.hasPrefix("\u{8}"))
    }

    /// The words of a HELLO and of a WELCOME are told on or told back: none is longer than a frame has room for.
    @Test func theWordsOfAGreetingAreBounded() throws {
        guard case .hello(var hello) = Self.everyMessage[0], case .welcome(var welcome) = Self.everyMessage[1] else { return }
        func read(_ message: Message) throws(FrameError) -> Message { try Message(message.frame(session: 0, number: 1)) }
        let (most, over) = (String(repeating: "n", count: 64), String(repeating: "n", count: 65))
        hello.release = over; hello.commandKinds = ["order", over] + Array(repeating: "k", count: 300); hello.features = [over, "heal"]
        hello.incarnation = most; hello.formerStores = Array(repeating: most, count: 16)
        guard case .hello(let taken) = try read(.hello(hello)) else { return }
        #expect(taken.release == most + "\u{2026}" && taken.commandKinds.count == 256 && taken.commandKinds.prefix(2) == ["order", "k"])
        #expect(taken.features == ["heal"] && taken.incarnation == most && taken.formerStores == hello.formerStores)
        hello.formerStores.append("a")
        #expect(throws: FrameError.body(.badValue("formerStores"))) { try read(.hello(hello)) }
        hello.formerStores = []; hello.incarnation = over
        #expect(throws: FrameError.body(.badValue("incarnation"))) { try read(.hello(hello)) }
        hello.incarnation = ""; hello.epoch = .max
        #expect(throws: FrameError.body(.badValue("epoch"))) { try read(.hello(hello)) }
        welcome.incarnation = over
        #expect(throws: FrameError.body(.badValue("incarnation"))) { try read(.welcome(welcome)) }
        welcome.incarnation = most; welcome.release = over
        guard case .welcome(let heard) = try read(.welcome(welcome)) else { return }
        #expect(heard.incarnation == most && heard.release == most + "\u{2026}")
    }

    @Test func stateItemsOfANewerEdgeAreLeftOut() throws {
        let body = Array("{\"items\":[{\"t\":\"hologram\"},{\"t\":\"front\",\"symbol\":\"S\",\"instrument\":\"I\",\"asOf\":1}],\"seq\":1}".utf8)
        let message = try Message(Frame(type: .state, session: 0, number: 0, body: body))
        #expect(message == .state(seq: Seq(1), items: [.front(symbol: "S", InstrumentID("I"), asOf: Instant(nanoseconds: 1))]))
    }
}
