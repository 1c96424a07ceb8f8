// A machine that was put back or copied is told of by the time a session opens, and nobody is accused when nothing was done.
package import Values

/// Invariant I14, its first and its last part.
package struct TellChecker: Checker {
    package static let name = "told"
    /// What has to be told before the edge's next session opens: any of these words will do.
    private var due: [(words: Set<String>, why: String)] = []
    private var allowed: Set<String> = []
    /// The entry that the cloud lacks since it was put back, though the edge had its word for it.
    private var lacking: UInt64?
    /// A copy of the edge had a session since.
    private var copySpoke = false
    private var twinIsDue = false
    /// Until then an edge that was put back is to be healed, and nothing else.
    private var healsUntil: Span?
    private var epochs: [Claimant: UInt32] = [:]
    private var chosen: UInt32 = 1
    package init() {}

    /// A HELLO, the two seconds of a twin check, and the entries.
    package static let healing = Span.seconds(10)
    private static let lineage: Set<String> = ["EDGE_BEHIND", "ROLLBACK_UNSYNCED", "FORK", "FENCED", "TWIN"]

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .injected(let disaster): return note(disaster, at: now)
        case .greeted(let who, let epoch): epochs[who] = epoch
        case .chosen(let epoch): chosen = max(chosen, epoch)
        case .reported(let verdict):
            guard allowed.contains(verdict) else { return "false alarm: \(verdict), and nothing of the kind was done" }
            due.removeAll { $0.words.contains(verdict) }
            if verdict == "TWIN" || verdict == "FORK" { twinIsDue = false }
            guard verdict == "FORK" || verdict == "ROLLBACK_UNSYNCED" else { return nil }
            if let until = healsUntil, now < until { return "an edge that only had to be healed has written: \(verdict)" }
        // A chosen copy that vanished before it wrote leaves the question open; once its first entry is stored there is none.
        case .refused(let who, "FORK", let stored), .refused(let who, "ROLLBACK_UNSYNCED", let stored):
            if let epoch = epochs[who], epoch < stored { return "a copy of lineage \(epoch) is put before a person, \(stored) is stored" }
        case .rows(.edge, _), .setBack(.edge):
            // A new run knows of acknowledgements only what was noted lazily, and a branch that is given up takes along what was known of its own.
            due.removeAll { $0.words == ["CLOUD_RESTORED"] }
        case .copyAcked(let seq):
            // A copy of the edge has sent them again before the edge could ask: nothing is short any more.
            if let last = lacking, seq >= last, copySpoke { due.removeAll { $0.words == ["CLOUD_RESTORED"] } }
        case .opened(let who):
            if who == .twin { copySpoke = true }
            if let epoch = epochs[who], epoch < chosen { return "a copy of lineage \(epoch) has a session, \(chosen) was chosen" }
            return who == .edge ? overdue : nil
        case .quiet: return overdue
        default: break
        }
        return nil
    }

    private var overdue: String? { due.first.map { "\($0.why), and a session opened without a word" } }

    private mutating func note(_ disaster: Disaster, at now: Span) -> String? {
        switch disaster {
        case .edgeRestored(let losesKnown, let isFair, _):
            healsUntil = isFair ? now + TellChecker.healing : nil
            allowed.formUnion(TellChecker.lineage)
            guard let losesKnown else { return nil }
            due.removeAll { $0.words == TellChecker.lineage }
            if losesKnown { due.append((TellChecker.lineage, "the edge was put back")) }
        case .cloudRestored(let isRenamed, let mayBeKnown, let lacks):
            due = []
            lacking = isRenamed ? nil : lacks
            copySpoke = false
            chosen = 1
            healsUntil = nil
            if !isRenamed || mayBeKnown { allowed.insert("CLOUD_RESTORED") }
            if lacking != nil { due.append((["CLOUD_RESTORED"], "the cloud was put back")) }
        case .twinStarted(let meetsOriginal):
            allowed.formUnion(TellChecker.lineage)
            twinIsDue = meetsOriginal
            healsUntil = nil
        case .twinStopped:
            twinIsDue = false
            epochs[.twin] = nil
        case .revoked: allowed.insert("QUARANTINED")
        case .readmitted(let wrote):
            if !wrote.isEmpty { due.append((["QUARANTINED"], "a revoked edge wrote on")) }
        case .rotten, .rotHadTime: break
        case .twinHadTime: if twinIsDue { return "a copy of the edge runs beside it, and nobody was told" }
        }
        return nil
    }
}
