// The cloud's disk fails at each call of its intake: what it acknowledged and what it sent down is on the disk, and the next process goes on.
import CloudNode
import Control
import Ledger
import Platform
import Simulation
import Sync
import Testing
import Values

@Suite struct StoreFaultTests {
    /// One life of a cloud over a disk that fails at one call, then a power cut, then the next life.
    /// - Returns: nil when the call was never made.
    private func life(failingAt index: Int, _ operation: DiskFault.Operation, _ answer: DiskFault.Answer) throws -> (ended: Bool, acked: UInt64)? {
        let disk = FaultyDisk(seed: UInt64(index), now: TestCloud.start)
        let cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        let edge = TestEdge(cloud)
        edge.goLive()
        let who = try cloud.bearer()
        disk.fault = DiskFault(operation, disk.count(of: operation) + index, answer)
        var ended = false
        do {
            try edge.connect()
            try edge.pass(.milliseconds(250))
            for number in 0..<3 {
                edge.fill(nil, quantity: 1)
                try edge.pass(.milliseconds(250))
                let key = "0000000000000000000000000000000\(number)"
                _ = try cloud.post("/api/v1/orders", #"{"side":"BUY","quantity":"1"}"#, who, key: key)
                try edge.pass(.milliseconds(250))
                for command in edge.commands { edge.fill(command, quantity: 1) }
                try edge.pass(.seconds(1))
            }
        } catch { ended = true }
        guard disk.faultIsOver else { return nil }
        let acked = edge.sender.acked, commands = edge.commands.map(\.id)
        edge.disconnect()
        try cloud.restart { disk.crash(.nothing) }
        let have = cloud.node.receiver.link(TestEdge.id)?.have ?? cloud.node.control.edges[TestEdge.id]?.book.head ?? .start
        #expect(have.seq >= acked.seq, "\(operation) \(index): acknowledged \(acked.seq), there are \(have.seq)")
        #expect(have.seq == Seq(0) || edge.entries[Int(have.seq.raw) - 1].head == have, "\(operation) \(index): another history")
        let known = Set(cloud.node.control.outbox.records.keys)
        #expect(commands.allSatisfy { known.contains($0) }, "\(operation) \(index): a command left that the cloud does not know")
        try edge.connect()
        for _ in 0..<4 { try edge.pass(.seconds(1)) }
        #expect(edge.sender.isCaughtUp, "\(operation) \(index): the next process does not go on")
        return (ended, acked.seq.raw)
    }

    @Test(arguments: [(DiskFault.Operation.call, DiskFault.Answer.io), (.write, .full), (.sync, .full)]) func atEveryCallNothingAcknowledgedIsLost(
        operation: DiskFault.Operation, answer: DiskFault.Answer
    ) throws {
        var calls = 0, ended = 0, acknowledged = 0
        while let life = try life(failingAt: calls + 1, operation, answer) {
            calls += 1
            ended += life.ended ? 1 : 0
            acknowledged += life.acked > 0 ? 1 : 0
        }
        #expect(calls > 15 && acknowledged > calls / 3, "\(calls) calls, \(acknowledged) with acknowledgements")
        #expect(answer == .full || ended > calls / 3, "\(ended) of \(calls)")
    }
}
