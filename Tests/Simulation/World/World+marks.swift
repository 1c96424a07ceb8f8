// Counts what the tables of verdicts and commands speak of, so that a campaign can show that each of their branches was met.
internal import Ledger
internal import Sync
internal import Wire

extension World {
    private func mark(_ word: String) { report.marks[word, default: 0] += 1 }

    /// The talk before a session, and what ends one.
    func mark(_ frame: Frame) {
        switch frame.type {
        case .welcome: mark("verdict WELCOME")
        case .prove: mark("verdict PROVE")
        case .heal: mark("verdict HEAL")
        case .settle: mark("verdict SETTLE")
        case .nack: mark("link NACK")
        case .error: if case .error(let trouble)? = try? Message(frame) { mark("verdict \(trouble.code)") }
        default: break
        }
    }

    func mark(_ observation: Observation) {
        switch observation {
        case .chosen: mark("verdict chosen")
        case .countersigned: mark("house countersigned")
        case .backedUp: mark("house backed up")
        case .compared(let end, _): mark("house compared: \(end.rawValue)")
        case .folded: mark(edge.startedFrom > 0 ? "house start from a snapshot" : "house start from the first entry")
        case .reported(let verdict): mark("verdict told: \(verdict)")
        case .injected(.revoked): mark("keys revoked")
        case .injected(.readmitted(let wrote)): mark(wrote.isEmpty ? "keys readmitted, nothing written" : "keys readmitted, quarantine")
        case .decided(let kept): mark("verdict decided: \(kept.rawValue)")
        case .injected(.rotten(let side, _)): mark("rot at the \(side.rawValue)")
        case .injected(.rotHadTime(let isMended, _)): mark(isMended ? "rot mended" : "rot put right by the world")
        case .started(let side, let isRefused, _): mark("rot \(isRefused ? "refused" : "passed over") by a start of the \(side.rawValue)")
        default: break
        }
    }

    /// What the world's events were: how long it takes to live it is a matter of these.
    func markEvents() {
        report.marks["events: ticks"] = ticked
        report.marks["events: frames and faults"] = report.events - ticked
        report.marks["events: of the edge's disk"] = edge.diskOperations
        report.marks["events: of the cloud's disk"] = cloud.diskOperations
    }

    /// How commands ended, and what else came of them, by the edge's ledger at rest.
    func markCommands(_ rows: StoredRows) {
        for row in rows {
            switch Kind(rawValue: row.kind) {
            case .commandAccepted, .commandRefused:
                let code = (try? JSONReader.read(row.body))?["code"]?.text ?? ""
                mark("command \(row.kind == Kind.commandRefused.rawValue ? "refused: " : "")\(code)")
            case .healed: mark("ledger healed")
            case .keyRotated: mark("keys of the ledger changed")
            case .linkKey: mark("keys of the link announced")
            case .lineage: mark("ledger lineage")
            case .snapshot: mark("house snapshot")
            default: break
            }
        }
        if edge.movedThrough > 0 { report.marks["house entries moved", default: 0] += Int(edge.movedThrough) }
    }
}
