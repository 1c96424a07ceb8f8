// An edge trades the same whether there is a cloud or not.
import Simulation
import Testing
import Values

struct CloudlessTests {
    /// The same seed, once without any cloud, once with one that comes late and hangs on a bad link: every entry is the same.
    @Test(arguments: [UInt64(1), 2, 3, 4, 5, 6]) func theCloudChangesNothing(seed: UInt64) {
        let faults: Set<WorldFault> = [.delay, .loss, .duplication, .reordering, .stragglers, .holding, .cuts]
        func world(_ cloud: WorldCloud) -> WorldReport {
            World(seed: seed, duration: .seconds(60), faults: faults, cloud: cloud, asks: false).run()
        }
        let (alone, linked) = (world(.absent), world(.late))
        #expect(alone.violations == [] && linked.violations == [])
        #expect(alone.tradingHash == linked.tradingHash && alone.orders > 0 && alone.entries > 20, "\(alone.entries) entries, \(alone.orders) orders")
        #expect(linked.events > alone.events, "the other one talked to a cloud")
    }

    /// The control: a cloud that is asked for something is not nothing.
    @Test func wishesDoChangeIt() {
        let differ = (UInt64(1)...6).contains { seed in
            let alone = World(seed: seed, duration: .seconds(60), faults: [], cloud: .absent, asks: false).run()
            return alone.tradingHash != World(seed: seed, duration: .seconds(60), faults: [], cloud: .late).run().tradingHash
        }
        #expect(differ)
    }
}
