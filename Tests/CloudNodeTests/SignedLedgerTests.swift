// Signed checkpoints as the cloud takes them in: a wrong signature, or another key, is turned away before anything is written.
import CloudNode
import Ledger
import Platform
import Simulation
import Testing
import Values
import Wire

@Suite struct SignedLedgerTests {
    let edge: EdgeID
    let keys: SigningKeys
    init() throws {
        edge = try #require(EdgeID(bytes: [UInt8](1...16)))
        keys = try #require(SigningKeys(seed: [UInt8](0..<32)))
    }

    /// A boot, a halt and a checkpoint, each three entries; the checkpoint of the round `bad` is signed by `other`.
    private func entries(rounds: Int, bad: Int? = nil, by other: SigningKeys? = nil, spoilt: Bool = false) throws -> [Entry] {
        var chain = Chain(edge: edge, boot: Boot(raw: 5), last: nil)
        var book = Book(edge: edge)
        var all: [Entry] = []
        var clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        func add(_ fact: Fact) throws {
            clock.wall = clock.wall + .milliseconds(1); clock.monotonic = clock.monotonic + .milliseconds(1)
            let entry = try chain.append(Draft(fact), at: clock)
            book.apply(entry)
            all.append(entry)
        }
        for round in 0..<rounds {
            try add(.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")))
            try add(.halt(HaltFact(level: .halt, source: "console", reason: "\(round)")))
            var fact = CheckpointFact(
                head: chain.head, digest: book.digest(), edge: edge, epoch: 1, keys: round == bad ? other ?? keys : keys)
            if spoilt, round == bad { fact.signature[3] ^= 1 }
            try add(.checkpoint(fact))
        }
        return all
    }
    private func ledgers(_ disk: FaultyDisk) -> EdgeLedgers { EdgeLedgers(folder: "edges", vfs: disk.name) }

    @Test func whatIsSignedWellIsStored() throws {
        let disk = FaultyDisk(seed: 1)
        let ledgers = ledgers(disk)
        for entry in try entries(rounds: 4) { try ledgers.append(edge, [entry]) }
        #expect(ledgers.head(edge).seq == Seq(12))
    }

    @Test(arguments: [true, false]) func aBadSignatureIsTurnedAwayWhole(isSpoilt: Bool) throws {
        let disk = FaultyDisk(seed: 1)
        let ledgers = ledgers(disk)
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        let offered = try entries(rounds: 3, bad: 1, by: isSpoilt ? keys : other, spoilt: isSpoilt)
        var chain = ChainVerifier(edge: edge)
        for entry in offered { try chain.accept(entry) }
        try ledgers.append(edge, Array(offered[..<3]))
        let damage = #expect(throws: LedgerDamage.self) { try ledgers.append(edge, Array(offered[3...])) }
        #expect(damage?.words.contains(isSpoilt ? "signature of checkpoint 6 is wrong" : "another key") == true)
        #expect(ledgers.head(edge).seq == Seq(3), "nothing of it was written")
    }

    /// The branch that was sealed had changed the key: what is left is signed by the key of before, and that counts again.
    @Test func aCutTakesTheKeysOfTheSealedBranchWithIt() throws {
        let disk = FaultyDisk(seed: 1)
        let ledgers = ledgers(disk)
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        let common = try entries(rounds: 1)
        try ledgers.append(edge, common)
        var chain = Chain(edge: edge, boot: Boot(raw: 6), last: common.last)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(5))
        var branch = [
            try chain.append(Draft(.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))), at: clock)
        ]
        branch.append(
            try chain.append(Draft(.keyRotated(KeyRotatedFact(old: keys, new: other, edge: edge, epoch: 1, after: chain.head))), at: clock))
        try ledgers.append(edge, branch)
        try ledgers.cut(edge, after: common[2].head)
        #expect(ledgers.head(edge) == common[2].head)
        var again = Chain(edge: edge, boot: Boot(raw: 7), last: common.last)
        var next = [
            try again.append(Draft(.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))), at: clock)
        ]
        let word = CheckpointFact(head: again.head, digest: Head.start.hash, edge: edge, epoch: 1, keys: keys)
        next.append(try again.append(Draft(.checkpoint(word)), at: clock))
        try ledgers.append(edge, next)
        #expect(ledgers.head(edge).seq == Seq(5))
    }

    /// The key that an edge showed when its digits were compared is the one that its ledger begins under.
    @Test func anotherFirstKeyIsTurnedAway() throws {
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        for shown in [keys, other] {
            let disk = FaultyDisk(seed: 1)
            let ledgers = ledgers(disk)
            ledgers.expect(edge, firstKey: shown.publicKey)
            let offered = try entries(rounds: 1)
            if shown.publicKey == keys.publicKey {
                try ledgers.append(edge, offered)
            } else {
                #expect(throws: LedgerDamage.self) { try ledgers.append(edge, offered) }
            }
        }
    }

    /// What the next start would refuse is not acknowledged: a word about the cloud's key that does not hold, in this process or the next one.
    @Test(arguments: [false, true]) func aSecondFirstKeyOfTheCloudIsTurnedAway(isRestarted: Bool) throws {
        let disk = FaultyDisk(seed: 1)
        var ledgers: EdgeLedgers? = self.ledgers(disk)
        var chain = Chain(edge: edge, boot: Boot(raw: 5), last: nil)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        let facts = [
            Fact.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c")),
            .cloudKey(CloudKeyFact(key: [UInt8](repeating: 1, count: 32), ground: .firstUse)),
            .cloudKey(CloudKeyFact(key: [UInt8](repeating: 2, count: 32), ground: .firstUse)),
        ]
        let offered = try facts.map { try chain.append(Draft($0), at: clock) }
        try ledgers?.append(edge, Array(offered[..<2]))
        if isRestarted {
            ledgers = nil
            ledgers = self.ledgers(disk)
        }
        #expect(throws: LedgerDamage.self) { try ledgers?.append(edge, [offered[2]]) }
        #expect(ledgers?.head(edge).seq == Seq(2))
        ledgers = nil
        try self.ledgers(disk).open(edge) { _ in }
    }

    /// The cloud's word as the edge's ledger has it: what no start would take is not stored, however it came there.
    @Test(arguments: ["good", "signature", "another entry", "too far", "another key"], [false, true])
    func aFalseCountersignatureIsTurnedAway(_ way: String, isRestarted: Bool) throws {
        let disk = FaultyDisk(seed: 1)
        var ledgers: EdgeLedgers? = self.ledgers(disk)
        let cloud = try #require(SigningKeys(seed: [UInt8](3..<35))), other = try #require(SigningKeys(seed: [UInt8](5..<37)))
        var chain = Chain(edge: edge, boot: Boot(raw: 5), last: nil)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_000), monotonic: .seconds(5))
        let boot = Fact.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))
        let pin = Fact.cloudKey(CloudKeyFact(key: cloud.publicKey, ground: .firstUse))
        let first = try [boot, pin].map { try chain.append(Draft($0), at: clock) }
        try ledgers?.append(edge, first)
        if isRestarted {
            ledgers = nil
            ledgers = self.ledgers(disk)
        }
        var word = CountersignedFact(head: first[0].head, edge: edge, keys: way == "another key" ? other : cloud)
        switch way {
        case "signature": word.signature[7] ^= 1
        case "another entry": word = CountersignedFact(head: Head(seq: Seq(1), hash: first[1].hash), edge: edge, keys: cloud)
        case "too far": word = CountersignedFact(head: Head(seq: Seq(9), hash: first[1].hash), edge: edge, keys: cloud)
        default: break
        }
        let offered = try chain.append(Draft(.countersigned(word)), at: clock)
        if way == "good" {
            try ledgers?.append(edge, [offered])
        } else {
            let damage = #expect(throws: LedgerDamage.self) { try ledgers?.append(edge, [offered]) }
            let words = [
                "signature": "signature of countersigned head 3 is wrong", "another entry": "another entry 1", "too far": "entry 9, which is not",
            ]
            #expect(damage?.words.contains(words[way] ?? "another key than the one this ledger believes") == true, "\(String(describing: damage))")
        }
        #expect(ledgers?.head(edge).seq == Seq(way == "good" ? 3 : 2))
        ledgers = nil
        try self.ledgers(disk).open(edge) { _ in }
    }

    /// Branches that part at one entry have a file each, up to a bound: one more is not stored, and those that are stay as they are.
    @Test func branchesAreBounded() throws {
        let disk = FaultyDisk(seed: 1)
        let ledgers = ledgers(disk)
        let common = try entries(rounds: 1)
        try ledgers.append(edge, common)
        let head = try #require(common.last?.head)
        let clock = ClockReading(wall: Instant(seconds: 1_795_000_100), monotonic: .seconds(5))
        for number in 0..<64 {
            #expect(try ledgers.openBranch(edge, after: head, place: number) == head)
            var chain = Chain(edge: edge, boot: Boot(raw: UInt64(100 + number)), last: common.last)
            let boot = Fact.boot(BootFact(version: "t", mode: .paper, machine: "m", kernelBoot: "k", configuration: "c"))
            #expect(try ledgers.appendBranch(edge, [chain.append(Draft(boot), at: clock)])?.seq == head.seq.next)
        }
        #expect(try ledgers.openBranch(edge, after: head, place: 64) == nil)
        #expect(try ledgers.openBranch(edge, after: head, place: 63)?.seq == head.seq.next)
    }

    /// The key is remembered over a restart: it is read from the stored ledger.
    @Test func theKeyIsKnownAfterARestart() throws {
        let disk = FaultyDisk(seed: 1)
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        let offered = try entries(rounds: 2, bad: 1, by: other)
        do {
            let first = ledgers(disk)
            try first.append(edge, Array(offered[..<3]))
        }
        let second = ledgers(disk)
        #expect(throws: LedgerDamage.self) { try second.append(edge, Array(offered[3...])) }
    }
}
