// Bad weather from a seed: cuts, dying clouds, power losses, a disk without room, restarting edges and wishes in between; then calm, and the promises are checked.
import CloudNode
import Control
import Ledger
import Simulation
import Sync
import Testing
import Values
import Wire

/// One cloud on a simulated disk and one edge, moved by chance.
private final class Weather {
    var chance: SeededRandom
    let disk: FaultyDisk
    let cloud: TestCloud
    private(set) var edge: TestEdge
    private var who: [Request.Pair] = []
    private var boot: UInt64 = 7
    /// Wishes that were answered 202, and those the edge acted on.
    private(set) var taken: [CommandID] = []
    private(set) var acted: [CommandID: Int] = [:]
    /// Wishes that were refused because there was no room.
    private(set) var refused: [CommandID] = []
    private(set) var deaths = 0
    /// The cloud acknowledged entries that its disk did not have after a power loss.
    private(set) var broken: [String] = []

    init(seed: UInt64) throws {
        chance = SeededRandom(seed: seed)
        disk = FaultyDisk(seed: chance.next(), now: TestCloud.start)
        cloud = try TestCloud(edges: [TestEdge.id], vfs: disk.name)
        edge = TestEdge(cloud)
        edge.goLive()
        try edge.connect()
        who = try cloud.bearer()
    }

    func step() throws {
        switch chance.int(0...19) {
        case 0: edge.disconnect()
        case 1: try edge.connect()
        case 2: try crash(of: .nothing)
        case 3: try crash(of: .anySubset)
        case 4: try restartEdge()
        case 5: disk.freezeAt = disk.mutations + chance.int(1...6)
        case 6...9: for _ in 0..<chance.int(1...4) { edge.fill(nil, side: chance.chance(1, in: 2) ? .buy : .sell, quantity: 1) }
        case 10...12: try wish()
        case 14: disk.fullPrefix = disk.fullPrefix == nil ? "control.db" : nil
        case 13: edge.quote(98_000 + Int64(chance.int(0...200)) * 5)
        default: break
        }
        try edge.pass(.milliseconds(Int64(chance.int(50...3_000))))
        try act()
    }

    /// A step in which the cloud may die halfway through a turn.
    func survive(_ body: () throws -> Void) throws {
        do { try body() } catch {
            guard disk.isFrozen else { throw error }
            try crash(of: chance.chance(1, in: 2) ? .nothing : .anySubset)
        }
    }

    private func crash(of mode: CrashMode) throws {
        deaths += 1
        let acked = edge.sender.acked
        edge.disconnect()
        disk.freezeAt = nil
        disk.fullPrefix = nil
        disk.crash(mode)
        try cloud.restart()
        let have = cloud.node.receiver.link(TestEdge.id)?.have ?? .start
        if have.seq < acked.seq { broken.append("acknowledged \(acked.seq), after the crash the disk has \(have.seq)") }
    }

    private func restartEdge() throws {
        boot += 1
        edge.disconnect()
        edge = TestEdge(cloud, boot: boot, after: edge.entries)
        edge.goLive()
        try edge.connect()
    }

    private func wish() throws {
        let id = CommandID(bytes: (0..<16).map { _ in UInt8(chance.int(0...255)) })
        guard let id else { return }
        let answer =
            chance.chance(1, in: 3)
            ? try cloud.post("/api/v1/kill", #"{"level":"HALT","reason":"weather"}"#, who, key: id.description)
            : try cloud.post("/api/v1/positions/MBTZ6.CME/close", "{}", who, key: id.description)
        if answer?.status == 202 { taken.append(id) }
        if answer?.status == 507 { refused.append(id) }
    }

    /// The edge's desk: each command of this run once, refused or done.
    private func act() throws {
        for command in edge.commands where acted[command.id] == nil {
            #expect(command.boundBoot == edge.boot, "a command of another run was delivered")
            acted[command.id] = (acted[command.id] ?? 0) + 1
            if chance.chance(1, in: 4) { edge.refuse(command, "No.") } else { edge.accept(command) }
            if case .close = command.body, chance.chance(1, in: 2) { edge.fill(command, side: .sell, quantity: 1, role: .close) }
        }
        try edge.pump()
    }

    /// The weather ends: everything that was on its way arrives.
    func calm() throws {
        disk.freezeAt = nil
        disk.fullPrefix = nil
        try edge.connect()
        for _ in 0..<60 {
            try edge.pass(.seconds(2))
            try act()
        }
    }
}

@Suite struct WeatherTests {
    @Test(arguments: 1...16 as ClosedRange<UInt64>) func whatWasPromisedHolds(_ seed: UInt64) throws {
        let weather = try Weather(seed: seed)
        for _ in 0..<120 { try weather.survive { try weather.step() } }
        try weather.survive { try weather.calm() }
        try weather.calm()
        #expect(weather.broken == [])
        let room = try #require(weather.cloud.node.control.edges[TestEdge.id])
        #expect(room.book.head == weather.edge.entries.last?.head, "the cloud has the whole ledger")
        var book = Book(edge: TestEdge.id)
        for entry in weather.edge.entries { book.apply(entry) }
        #expect(room.book.positions == book.positions && room.book.commands == book.commands)
        for id in weather.refused { #expect(book.commands[id] == nil && weather.acted[id] == nil, "a refused wish was acted upon") }
        for id in weather.taken {
            let record = try #require(weather.cloud.node.control.outbox.records[id], "a wish that was answered 202 is never forgotten")
            #expect(record.isFinal || record.stage == .accepted, "\(record.command.body.kind) is \(record.stage) for ever")
            let outcome = book.commands[id]
            if record.stage == .expired { #expect(outcome == nil, "expired by the cloud, and the edge's ledger says \(outcome?.code ?? "")") }
            if outcome == nil { #expect(record.stage == .expired) }
        }
    }

    @Test func theWeatherIsBad() throws {
        var deaths = 0
        var wishes = 0, refused = 0
        for seed in 1...6 as ClosedRange<UInt64> {
            let weather = try Weather(seed: seed)
            for _ in 0..<120 { try weather.survive { try weather.step() } }
            deaths += weather.deaths; wishes += weather.taken.count; refused += weather.refused.count
        }
        #expect(deaths > 30 && wishes > 40 && refused > 5, "\(deaths) deaths, \(wishes) wishes, \(refused) refused")
    }
}
