// A whole session takes ticks without asking the heap for anything; apart from the codec's own counts, which planted faults are tried on.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite(.enabled(if: Heap.canCount, "a sanitizer brings an allocator of its own"))
struct SessionAllocationTests {
    /// The whole way of a tick: frames cut, read, looked up, told. The lists of events keep their memory from read to read.
    @Test func aSessionTakesTicksWithoutAllocation() throws {
        var gateway = ScriptedGateway.up(known: [IBKRSessionNoticeTests.stock])
        gateway.ask(.watch(IBKRSessionNoticeTests.stock.id))
        gateway.pass(.seconds(1))
        let request = try #require(gateway.sent("1").first)[2]
        let now = gateway.now
        var session = gateway.session
        var out = SessionOutput()
        let frames: [[String]] = [
            ["1", "6", request, "1", "230.25", "4", "1"], ["1", "6", request, "2", "230.27", "3", "1"],
            ["1", "6", request, "4", "230.26", "100", "0"],
            ["2", "6", request, "8", "12345"], ["46", "6", request, "48", "230.26;100;1795186800000;12345;230.1;true"],
            ["45", "6", request, "49", "0"], ["46", "6", request, "45", "1795186800"], ["1", "6", request, "4", "230.28", "100", "0"],
        ]
        /// Blocks of a thousand reads that bring so many rounds of the frames at once.
        func blocks(_ rounds: Int) -> Int {
            let read = (0..<rounds).flatMap { _ in frames.flatMap { ScriptedGateway.frame($0) } }
            return Heap.blocks {
                for _ in 0..<1_000 {
                    session.receive(read.span.bytes, at: now, into: &out)
                    out.clear()
                }
            }
        }
        let (one, many) = (blocks(1), blocks(40))
        // An unoptimised build asks for a few blocks a read, whatever it brings; a tick asks for none.
        #expect(many <= one && one <= 8_000, "\(one) for eight ticks a read, \(many) for 320")
    }
}
