// What happens to whole machines: put back from a copy, copied, and looked after by a person who decides what only a person can.
internal import Platform
internal import Sync
internal import Values
internal import Wire

extension World {
    func planDisasters() {
        plan(.image, .image, within: menu.images)
        plan(.rollback, .rollback, within: menu.rollbacks)
        plan(.restore, .restore, within: menu.restores)
        plan(.twin, .twin, within: menu.twins)
        plan(.visit, .visit, within: menu.visits)
    }

    func disaster(_ happening: Happening) throws {
        switch happening {
        case .image:
            if var chance = due(.image) { keepImages(&chance) }
            plan(.image, .image, within: menu.images)
        case .rollback:
            if var chance = due(.rollback, if: images[.edge] != nil && twin == nil) { try rollBack(&chance) }
            plan(.rollback, .rollback, within: menu.rollbacks)
        case .restore:
            if var chance = due(.restore, if: images[.cloud] != nil) { try restoreCloud(&chance) }
            plan(.restore, .restore, within: menu.restores)
        case .twin:
            if var chance = due(.twin, if: images[.edge] != nil && twin == nil) { startTwin(&chance) }
            plan(.twin, .twin, within: menu.twins)
        case .twinHadTime:
            // Another one started since.
            guard now >= quietUntil else { return }
            look([.injected(.twinHadTime)])
            if !isCalm { link.weather = menu.weather; twinLink.weather = menu.weather }
        case .twinEnds: endTwin()
        case .visit:
            try visit()
            // Somebody is there until the end: what only a person decides would never come to rest.
            plan(.visit, .visit, within: isCalm ? min(menu.visits, .seconds(10)) : menu.visits)
        default: preconditionFailure("no disaster")
        }
    }

    // MARK: - Copies

    private func keepImages(_ chance: inout SeededRandom) {
        if chance.chance(2, in: 3) { images[.edge, default: []].append(edge.image()) }
        if chance.chance(2, in: 3) { images[.cloud, default: []].append(cloud.image()) }
        for who in [Who.edge, .cloud] where images[who]?.count ?? 0 > World.imagesMax { images[who]?.removeFirst() }
    }
    private static let imagesMax = 4

    private func image(of who: Who, _ chance: inout SeededRandom) -> FaultyDisk? {
        guard let all = images[who], !all.isEmpty else { return nil }
        return all[chance.int(0...all.count - 1)]
    }

    /// The edge's process ends and its disk is put back.
    private func rollBack(_ chance: inout SeededRandom) throws {
        guard let image = image(of: .edge, &chance) else { return }
        let (keepsMark, isFair) = (chance.chance(1, in: 2), chance.chance(1, in: 3) && cloud.isRunning && !cloud.isDiskFailing)
        try end(.edge)
        let before = sights[.edge] ?? StoredRows()
        edge.restore(image, keepsMark: keepsMark)
        let ours = try sight(of: .edge, isWhole: true), theirs = try cloud.entries(in: cloud.image())
        // What the cloud has and this copy lacks, or was told of and nobody has. A branch that a decision for this copy's lineage is about to seal
        // lacks nobody.
        let isOver = theirs.last?.epoch ?? 0 < ours.last?.epoch ?? 0
        let lacks = !isOver && (theirs.count > ours.count || theirs.last.map { $0 != ours[theirs.count - 1] } ?? false)
        tell("the edge is put back to entry \(ours.count), the cloud has \(theirs.count) and was told of \(told)")
        // Nobody knows of more than the cloud has, and all that is left is its beginning: it only has to give it back.
        let isBeginning = !ours.isEmpty && ours.count < theirs.count && theirs[ours.count - 1] == ours[ours.count - 1]
        let heals = isFair && isBeginning && announced <= UInt64(theirs.count) && before.count <= theirs.count
        let short = edge.marked.flatMap { $0 > UInt64(ours.count) ? ours.count : nil }
        if heals {
            quietUntil = now + TellChecker.healing
            link.weather = LinkWeather()
            queue.add(.twinHadTime, at: quietUntil)
        }
        // A copy that lacks nothing of what was there brings nothing new, whatever else waits for a decision; nor does the beginning of a branch that
        // had parted from the cloud's before: what is lost since then was the edge's alone, for no session opens with such a branch, and what the
        // cloud was told of is of the other.
        let isOfBefore = ours.count <= before.count && ours.last == (ours.isEmpty ? nil : before[ours.count - 1])
        let both = min(ours.count, theirs.count), isParted = both > 0 && ours[both - 1] != theirs[both - 1]
        let isSame = isOfBefore && (ours.count == before.count || isParted)
        let known = isSame ? nil : lacks || told > UInt64(ours.count)
        look([.setBack(.edge), .rows(.edge, ours), .injected(.edgeRestored(losesKnown: known, isFair: heals, short: short))])
        queue.add(.restart(.edge), at: now + .milliseconds(Int64(heals ? 50 : chance.int(50...6_000))))
    }

    private func restoreCloud(_ chance: inout SeededRandom) throws {
        guard let image = image(of: .cloud, &chance) else { return }
        let name = chance.chance(1, in: 2) ? "store-\(now.nanoseconds)" : nil
        let (acked, known) = (edge.acked, edge.store)
        try end(.cloud)
        let present = try cloud.restore(image, name: name)
        let theirs = try sight(of: .cloud, isWhole: true)
        told = 0
        tell("the cloud is put back to entry \(theirs.count), \(name.map { "and is \($0) now" } ?? "under its old name"); the edge knows of \(acked)")
        // A copy from before an earlier renaming has another name than the edge knows, too.
        let isRenamed = known.map { !$0.isEmpty && $0 != present } ?? false
        let disaster = Disaster.cloudRestored(isRenamed: isRenamed, mayBeKnown: name == nil, lacks: acked > UInt64(theirs.count) ? acked : nil)
        age += 1
        look([.setBack(.cloud), .rows(.cloud, theirs), .injected(disaster)])
        queue.add(.restart(.cloud), at: now + .milliseconds(Int64(chance.int(50...6_000))))
    }

    /// A process ends in order to be put back: what it held is looked at once more before.
    private func end(_ who: Who) throws {
        var chance = plans.next(.life).chance
        machine(who)?.crash(.everything)
        look([.rows(who == .edge ? .edge : .cloud, try sight(of: who))])
        report.crashes += 1
        link.forget(isUpward: who == .edge)
        if who == .edge { site?.edgeDied(at: now); planBroker() } else { twinLink.forget(isUpward: false) }
        for over in [Who.edge, .twin] where who == .cloud || who == over { cut(over, &chance) }
        log(10, who.rawValue)
    }

    // MARK: - Twins

    private func startTwin(_ chance: inout SeededRandom) {
        let isFresh = chance.chance(1, in: 2)
        guard let image = isFresh ? edge.image() : image(of: .edge, &chance) else { return }
        var setup = setup
        setup.isClone = true
        setup.seed = chance.next()
        let twin = EdgeMachine(setup)
        twin.restore(image)
        self.twin = twin
        let meets = edge.phase == .open && cloud.isRunning && link.isUp && !edge.isDiskFailing && !cloud.isDiskFailing
        // An original whose session the cloud has ended finds that out by silence, and then shows itself too.
        let patience = meets && !cloud.serves(edge.boot) ? World.acquaintance + linkRules.deadAfter : World.acquaintance
        tell("a copy of the edge starts beside it\(meets ? ", which has a session" : "")")
        log(11, meets ? 1 : 0)
        if meets {
            quietUntil = now + patience
            link.weather = LinkWeather(); twinLink.weather = LinkWeather()
        }
        look([.injected(.twinStarted(meetsOriginal: meets))])
        queue.add(.restart(.twin), at: now)
        queue.add(.twinHadTime, at: now + patience)
        queue.add(.twinEnds, at: now + .seconds(Int64(chance.int(15...60)) * max(1, pace.rarity / 8)))
    }
    /// Enough for a HELLO, a challenge and its two seconds.
    private static let acquaintance = Span.seconds(8)

    /// Somebody stops the copy.
    func endTwin() {
        guard let twin else { return }
        twin.crash(.everything)
        self.twin = nil
        twinLink.forget(isUpward: true)
        if twinLink.isUp {
            queue.add(.learnOfCut(.cloud, connection: twinLink.connection), at: now + .milliseconds(200))
            twinLink.cut()
        }
        tell("the copy is stopped")
        log(12)
        look([.injected(.twinStopped)])
    }

    // MARK: - A person

    /// Does what the cures say: decides what waits for a decision, restarts an edge that cannot be healed while it runs, empties a copy that a
    /// decision set aside, and lets trading go on.
    private func visit() throws {
        var (chance, _) = plans.next(.visit)
        let kept: KeptBranch = chance.chance(1, in: 2) ? .cloud : .edge
        var decided: KeptBranch?
        try act(.cloud) { _ in decided = try cloud.settle(kept, at: cloudClock) }
        // A person has given up whatever the edge announced beyond what it showed: a copy that lacks it once more lacks nothing that counts.
        if decided == .edge { told = min(told, lastSaid) }
        guard twin == nil else { return }
        switch edge.phase {
        case .refused(let trouble)? where trouble.code == RefusalCase.fenced.rawValue:
            tell("the edge's disk is emptied")
            try end(.edge)
            edge.restore(FaultyDisk(seed: 0))
            look([
                .setBack(.edge), .rows(.edge, try sight(of: .edge, isWhole: true)),
                .injected(.edgeRestored(losesKnown: true, isFair: false, short: nil)),
            ])
            queue.add(.restart(.edge), at: now + .milliseconds(Int64(chance.int(50...3_000))))
        case .refused(let trouble)? where trouble.code == RefusalCase.edgeBehind.rawValue:
            tell("the edge is restarted")
            try end(.edge)
            queue.add(.restart(.edge), at: now + .milliseconds(Int64(chance.int(50...3_000))))
        case .open?: try act(.edge) { _ in try edge.lookAfter(at: edgeClock) }
        default: break
        }
    }
}
