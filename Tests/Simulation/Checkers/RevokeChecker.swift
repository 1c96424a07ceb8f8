// A revoked edge is heard no more, its commands have an end, and what it wrote meanwhile goes where a person decided.
internal import Sync
package import Values
internal import Wire

/// Section 5.2's revocation.
package struct RevokeChecker: Checker {
    package static let name = "revoked"
    /// Entries that the cloud had when the key was refused.
    private var have: Int?
    /// The first that it wrote meanwhile, and what was decided about it.
    private var apart: [(seq: Int, hash: [UInt8], kept: KeptBranch?, isDone: Bool)] = []
    package init() {}

    package mutating func look(_ observation: Observation, at now: Span) -> String? {
        switch observation {
        case .injected(.revoked(let count)):
            have = count
            // What was asked before and is not carried out is asked anew, of all that it has written by then. So is what was let in and has not
            // come: until the cloud has it, it is among what the edge wrote while its key was refused, and the newest word about that counts.
            apart.removeAll { !$0.isDone || ($0.kept == .edge && $0.seq > count) }
        case .injected(.readmitted(let wrote)):
            if let first = wrote.first { apart.append(((have ?? 0) + 1, first, nil, false)) }
            have = nil
        case .decided(let kept): if let last = apart.indices.last { apart[last].kept = kept }
        case .chosen: if let last = apart.indices.last { apart[last].isDone = true }
        case .unended(let commands): if !commands.isEmpty { return "the edge was revoked, and these commands have no end: \(commands.sorted())" }
        case .rows(.cloud, let rows):
            if let have, rows.count > have { return "the cloud took entry \(rows.count) of a revoked edge, it had \(have)" }
        case .quiet(let edge, _, _):
            // That somebody was asked is `TellChecker`'s to see; an answer may be durable although the process that took it died over it.
            for case (_, let hash, let kept?, _) in apart {
                let isThere = edge.contains { $0.hash == hash }
                if isThere != (kept == .edge) {
                    return "it was decided to keep the \(kept.rawValue)'s, and what the edge wrote is \(isThere ? "" : "not ")there"
                }
            }
        default: break
        }
        return nil
    }
}
