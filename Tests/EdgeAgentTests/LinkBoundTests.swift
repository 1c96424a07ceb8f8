// What waits between the edge's loop and its link is bounded: frames of the cloud by bytes, frames to it by their number.
import EdgeAgent
import Ledger
import Platform
import Sync
import Testing
import Values
import Wire

@Suite struct LinkBoundTests {
    @Test func framesOfTheCloudAreBoundedAndNewsOfTheConnectionIsNot() {
        let budget = LinkBudget()
        let frame = LinkEvent.message(lane: 0, [UInt8](repeating: 1, count: 1 << 20))
        var taken = 0
        while budget.offer(frame) { taken += 1 }
        #expect(taken == LinkBudget.bytesMax / ((1 << 20) + LinkBudget.frameCost) && budget.waiting <= LinkBudget.bytesMax && budget.dropped == 1)
        #expect(budget.offer(.disconnected(lane: 0)) && budget.offer(.connected(lane: 0)))
        budget.release(.disconnected(lane: 0))
        budget.release(frame)
        #expect(budget.offer(frame) && !budget.offer(frame), "what was taken up makes room")
        for _ in 0..<taken { budget.release(frame) }
        #expect(budget.waiting == 0)
        let empty = LinkEvent.message(lane: 1, [])
        taken = 0
        while budget.offer(empty) { taken += 1 }
        #expect(taken == LinkBudget.bytesMax / LinkBudget.frameCost, "a flood of empty frames is bounded too")
    }

    /// A cloud that asks on and on and reads nothing: the answers do not pile up, the session begins anew.
    @Test func answersThatNobodyReadsEndTheSession() throws {
        let folder = try TemporaryFolder()
        let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 7, after: nil)
        _ = try journal.commit([writer.entry(LedgerWriter.bootFact)])
        let keys = CurveKeys.generate()
        // Nobody listens there, so that no lane ever takes a frame.
        let settings = UplinkSettings(host: "127.0.0.1", port: 1, serverKey: keys.publicKey, keys: keys)
        let uplink = try Uplink(settings, journal: journal, identity: Identity(edge: LedgerWriter.edge, boot: Boot(raw: 7), epoch: 1, release: "t")) {
            _ in
        }
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
        defer { uplink.stop(reason: "over", at: clock) }
        func connect() throws { for lane in 0...1 { try uplink.receive(.connected(lane: lane), at: clock) } }
        try connect()
        #expect(uplink.phase == .opening && uplink.framesWaiting == 1)
        var most = 0, fewest = Int.max
        for number in 0..<(3 * Uplink.framesMax) {
            // Given up with its sockets; the next ones connect.
            if uplink.phase == .down { try connect() }
            for attempt in Int64(1)...4 {
                let asked = Message.prove(attempt: attempt, seqs: [Seq(1)]).frame(session: 0, number: UInt64(attempt))
                try uplink.receive(.message(lane: 0, asked.bytes), at: clock)
            }
            most = max(most, uplink.framesWaiting)
            if number > Uplink.framesMax { fewest = min(fewest, uplink.framesWaiting) }
        }
        #expect(most == Uplink.framesMax && fewest < Uplink.framesMax / 2, "given up at the bound, and begun anew")
        try connect()
        #expect(uplink.phase == .opening)
    }

    /// A cloud that lets the edge in and answers nothing: what the sockets hold would stand before the next session's first word, so that each one has
    /// other connections.
    @Test func aSessionThatDoesNotOpenIsTriedOnOtherConnections() throws {
        let folder = try TemporaryFolder()
        let journal = try Journal(path: folder.file("ledger.db"), edge: LedgerWriter.edge)
        var writer = LedgerWriter(boot: 7, after: nil)
        _ = try journal.commit([writer.entry(LedgerWriter.bootFact)])
        let loop = EventLoop()
        var events: [LinkEvent] = []
        var greeted: [LinkPeer: Int] = [:]
        let toEdge = loop.inbox(of: LinkEvent.self) { events += $0 }
        let toCloud = loop.inbox(of: LinkMessage.self) { messages in for message in messages { greeted[message.peer, default: 0] += 1 } }
        let (server, own) = (CurveKeys.generate(), CurveKeys.generate())
        let cloud = try LinkServer(
            LinkServerConfiguration(endpoints: [("127.0.0.1", 0)], keys: server) { _ in .accept(userID: "edge") }, handler: { toCloud.post($0) })
        defer { cloud.stop() }
        let settings = UplinkSettings(host: "127.0.0.1", port: cloud.ports[0], serverKey: server.publicKey, keys: own)
        let identity = Identity(edge: LedgerWriter.edge, boot: Boot(raw: 7), epoch: 1, release: "t")
        let uplink = try Uplink(settings, journal: journal, identity: identity) { toEdge.post($0) }
        var clock = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(50))
        defer { uplink.stop(reason: "over", at: clock) }
        /// Turns the loop until it is so; false after ten seconds.
        func wait(until isSo: () -> Bool) throws -> Bool {
            let end = SystemClock.monotonic() + .seconds(10)
            while !isSo(), SystemClock.monotonic() < end {
                loop.turn(milliseconds: 50)
                let taken = events
                events = []
                for event in taken { try uplink.receive(event, at: clock) }
                try uplink.tick(at: clock)
            }
            return isSo()
        }
        var before: Set<LinkPeer> = []
        for round in 1...3 {
            #expect(try wait { greeted.count == round }, "round \(round): \(uplink.phase)")
            #expect(before.isSubset(of: greeted.keys))
            before = Set(greeted.keys)
            // Nobody answers, for as long as it asks.
            for _ in 0..<200 where uplink.phase == .opening {
                clock.monotonic = clock.monotonic + .seconds(1); clock.wall = clock.wall + .seconds(1)
                try uplink.tick(at: clock)
            }
            #expect(uplink.phase == .down)
        }
    }
}
