// The kill command tried under a backlog: it overtakes everything that waits.
internal import Ledger
internal import Sync
internal import Values

/// The steps of the trial.
enum KillDrill { case cut, mend, kill, due }

extension World {
    /// Long enough for a backlog that a narrow link takes a while to carry.
    private static let cutFor = Span.seconds(40)

    func drill(_ step: KillDrill) throws {
        switch step {
        case .cut:
            link.cut()
            tell("the drill cuts the link")
            try turn(.edge, .linkDown(connection: link.connection))
            queue.add(.drill(.mend), at: now + World.cutFor)
        case .mend:
            report.backlog = Int(edge.backlog)
            queue.add(.connect(.edge), at: now)
            queue.add(.drill(.kill), at: now)
        case .kill:
            // In the moment in which the session opens: nothing of the backlog has left yet.
            guard edge.phase == .open else { return queue.add(.drill(.kill), at: now + .milliseconds(1)) }
            try turn(.cloud, .ask(.halt(reason: "drill")))
            queue.add(.drill(.due), at: now + Span(nanoseconds: 2 * linkRules.beatEvery.nanoseconds))
        case .due:
            if !edge.isHalted { report.violations.append(Violation("kill", "two beats after the command the edge trades on")) }
            report.drilled = true
        }
    }
}
