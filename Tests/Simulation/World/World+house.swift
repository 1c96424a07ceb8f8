// What people and time do to the files of a world: backups, comparisons, and damage to a stored entry.
internal import Ledger
internal import Sync
internal import Values
internal import Wire

/// A stored entry whose bytes are wrong.
struct Rotten {
    let who: World.Who
    /// As it was written.
    let row: EntryRow
    /// Nobody died since, so that the comparison had its chance.
    var isFair = true
}

extension World {
    func planHouse() {
        plan(.backup, .backup, within: house.backups)
        plan(.compare, .compare, within: house.compares)
        plan(.rot, .rot, within: house.rots)
    }

    func keepHouse(_ happening: Happening) throws {
        switch happening {
        case .backup:
            if due(.backup, if: cloud.isRunning && !cloud.isDiskFailing) != nil { try backUp() }
            plan(.backup, .backup, within: house.backups)
        case .compare:
            if due(.compare, if: cloud.isRunning) != nil { try act(.cloud) { _ in try cloud.compare(at: cloudClock) } }
            plan(.compare, .compare, within: house.compares)
        case .rot:
            if var chance = due(.rot, if: mayRot) { try rot(&chance) }
            plan(.rot, .rot, within: house.rots)
        case .rotHadTime(let number): if number == rots { try rotHadTime() }
        default: preconditionFailure("not of the house")
        }
    }

    private func backUp() throws {
        var through: UInt64?
        try act(.cloud) { _ in through = try cloud.backUp(at: cloudClock) }
        guard let through else { return }
        tell("a backup with \(through) entries was put back on trial")
        look([.backedUp(through: through)])
    }

    // MARK: - Damage

    /// Both have a session and sound disks, so that what is damaged can be put right.
    private var mayRot: Bool {
        rotten == nil && twin == nil && edge.phase == .open && cloud.serves(edge.boot) && link.isUp && !edge.isDoomed && !cloud.isDoomed
            && edge.acked > 1
    }
    /// A comparison begins at once and asks again after ten seconds of silence.
    private static let patience = Span.seconds(30)

    private func rot(_ chance: inout SeededRandom) throws {
        let (isCloud, dies) = (chance.chance(1, in: 2), chance.chance(1, in: 3))
        let seq = UInt64(chance.int(1...Int(edge.acked)))
        let (who, side): (Who, LedgerSide) = isCloud ? (.cloud, .cloud) : (.edge, .edge)
        guard let row = isCloud ? try cloud.rot(seq) : try edge.rot(seq) else { return }
        rotten = Rotten(who: who, row: row)
        cloud.isRotten = isCloud
        rots += 1
        tell("entry \(seq) of the \(who) rots")
        log(13, who.rawValue, seq)
        quietUntil = now + World.patience
        link.weather = LinkWeather()
        look([.injected(.rotten(side, seq: seq))])
        queue.add(.rotHadTime(number: rots), at: quietUntil)
        if dies { return try die(who) }
        if isCloud, chance.chance(1, in: 2) { try act(.cloud) { _ in try cloud.look(at: seq, clock: cloudClock) } }
        try act(.cloud) { _ in try cloud.compare(at: cloudClock) }
    }

    private func rotHadTime() throws {
        guard !isCalm || rotten != nil else { return }
        if !isCalm { link.weather = menu.weather }
        guard let rotten else { return }
        let isDamaged = try isStillRotten(rotten.who), isMended = !isDamaged
        // A process on a disk that died meanwhile, or a link that broke, had no chance.
        let isFair = rotten.isFair && edge.phase == .open && cloud.serves(edge.boot)
        tell("entry \(rotten.row.seq) of the \(rotten.who) is \(isMended ? "right again" : "still damaged")")
        if !isMended { try putRight() } else { settle() }
        look([.injected(.rotHadTime(isMended: isMended, isFair: isFair))])
    }

    /// Its disk has a damaged entry now: what was put right before the process died needs no word from its start.
    func isStillRotten(_ who: Who) throws -> Bool {
        guard let rotten, rotten.who == who else { return false }
        return try rotten.row != (who == .cloud ? cloud.stored(rotten.row.seq) : edge.stored(rotten.row.seq))
    }

    /// The program would not start on the damaged ledger: somebody puts the right bytes back.
    func refused(_ who: Who, _ error: any Error) throws {
        tell("\(who) does not start: \(error)")
        machine(who)?.crash(.everything)
        _ = machine(who)?.takeEffects()
        _ = machine(who)?.takeSeen()
        look([.started(who == .cloud ? .cloud : .edge, refused: true, isSpared: false)])
        try putRight()
        look([.injected(.rotHadTime(isMended: true, isFair: false))])
        queue.add(.restart(who), at: now + .seconds(1))
    }

    /// The program started, and the damage is still there: a snapshot spared it the reading, or it has folded what nobody wrote.
    func startedRotten(_ who: Who) {
        let isSpared = who == .edge && edge.startedFrom >= rotten?.row.seq ?? .max
        look([.started(who == .cloud ? .cloud : .edge, refused: false, isSpared: isSpared)])
    }

    private func putRight() throws {
        guard let rotten else { return }
        if rotten.who == .cloud { try cloud.putRight(rotten.row) } else { try edge.putRight(rotten.row) }
        settle()
    }

    private func settle() {
        rotten = nil
        cloud.isRotten = false
    }
}
