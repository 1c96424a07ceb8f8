// What edges send is bounded by bytes, each edge by itself; what is lost is lost aloud, and comes again.
import CloudNode
import Control
import Ledger
import Sync
import Testing
import Values

struct LinkIntakeTests {
    private let edge = TestEdge.edge(1)
    private let other = TestEdge.edge(2)
    private let frame = 1 << 20

    /// Offers frames until one is dropped; answers how many were taken.
    private func fill(_ intake: LinkIntake, _ edge: EdgeID, bytes: Int, edges: Int = 1) -> Int {
        var taken = 0
        while intake.offer(edge, bytes: bytes, edges: edges) == .take { taken += 1 }
        return taken
    }

    @Test(arguments: [0, 17, 1_024, 1 << 20]) func oneEdgeHoldsNoMoreThanItsShare(_ bytes: Int) {
        let intake = LinkIntake()
        let taken = fill(intake, edge, bytes: bytes)
        #expect(taken > 0 && intake.waiting <= LinkIntake.bytesOfEdgeMax && taken * bytes <= LinkIntake.bytesOfEdgeMax)
        #expect(taken <= LinkIntake.bytesOfEdgeMax / LinkIntake.frameCost, "empty frames are bounded too")
    }

    @Test func aFloodTakesNothingFromTheOthers() {
        let intake = LinkIntake()
        _ = fill(intake, edge, bytes: frame, edges: 2)
        #expect(fill(intake, other, bytes: frame, edges: 2) >= 31)
    }

    @Test func allTogetherHoldNoMoreThanTheBudget() {
        let intake = LinkIntake()
        for number in 0..<200 as Range<UInt8> { _ = fill(intake, TestEdge.edge(number), bytes: 60_000, edges: 200) }
        #expect(intake.waiting <= LinkIntake.bytesOfAllMax)
        #expect(intake.waiting > LinkIntake.bytesOfAllMax - frame, "and the budget is used")
    }

    @Test func theFirstLossIsToldAndNothingIsTakenUntilTheSessionIsOver() {
        let intake = LinkIntake()
        var verdicts: [LinkIntake.Verdict] = []
        for _ in 0..<40 { verdicts.append(intake.offer(edge, bytes: frame, edges: 1)) }
        #expect(verdicts.filter { $0 == .dropAndTell }.count == 1 && verdicts.last == .drop)
        let taken = verdicts.filter { $0 == .take }.count
        for _ in 0..<taken { intake.release(edge, bytes: frame) }
        #expect(intake.waiting == 0 && intake.dropped == 40 - taken)
        // A frame behind a lost one belongs to a session that is about to end.
        #expect(intake.offer(edge, bytes: 1, edges: 1) == .drop)
        intake.forgive(edge)
        #expect(intake.offer(edge, bytes: 1, edges: 1) == .take)
    }

    /// Frames are lost in the middle of a stream of entries and of live state; the link begins again and brings all of it.
    @Test func theProtocolSurvivesTheLoss() throws {
        let (cloud, edge) = try TestCloud.linked()
        for _ in 0..<5 { edge.fill(nil, quantity: 1) }
        edge.quote(99_005)
        try edge.lose()
        #expect(cloud.node.control.edges[TestEdge.id]?.book.head.seq != edge.entries.last?.seq)
        try cloud.turn([.flooded(TestEdge.id)])
        try edge.pump()
        #expect(edge.sender.phase == .down && edge.reopened == 1, "the edge was told")
        edge.fill(nil, quantity: 1)
        try edge.connect()
        try edge.pass(.milliseconds(250))
        let room = try #require(cloud.node.control.edges[TestEdge.id])
        #expect(room.book.head == edge.entries.last?.head && edge.sender.isCaughtUp)
        let quote = try #require(room.live.quote(TestEdge.mbt))
        #expect(quote.last == Price(whole: 99_005), "live state comes whole with the new session")
    }
}
