// The decision about an edge's two histories, or about an edge that was revoked, from the Edges page and from the console.
internal import Control
internal import Ledger
internal import Sync
internal import Values
internal import Views
internal import Wire

extension Node {
    /// How long after a sign-in such a decision is taken.
    static let stepUpFor = Span.minutes(5)

    /// POST /api/v1/edges/{edge}/settle
    func settleEdge(_ call: Call) throws -> Reply {
        guard let text = call.places["edge"] else { throw Problem.noEdge }
        guard let caller = call.caller else { throw Problem.notSignedIn }
        let body = try Body(call.request, allowed: ["keep", "confirm"])
        if let decision = try body.text("keep").flatMap({ Revocation.Decision(rawValue: $0) }) {
            guard let revoked = revokedEdge(named: text) else { throw Problem.noEdge }
            guard now - caller.session.createdAt <= Node.stepUpFor else { throw Problem.stepUp }
            guard try body.required("confirm") == text else { throw Problem.notConfirmed(text) }
            try decide(revoked, decision, by: "cloud:\(caller.user)")
            return .answer(Answer(200, ["edge": .string(name(revoked)), "keep": .string(decision.rawValue), "state": "decided"]))
        }
        guard let edge = control.edge(named: text) else { throw Problem.noEdge }
        let kept = try kept(body)
        guard now - caller.session.createdAt <= Node.stepUpFor else { throw Problem.stepUp }
        guard try body.required("confirm") == edge.name else { throw Problem.notConfirmed(edge.name) }
        try settle(edge.id, kept, by: "cloud:\(caller.user)")
        return .answer(Answer(200, ["edge": .string(edge.name), "keep": .string(kept.rawValue), "state": "decided"]))
    }

    /// POST /console/edges/settle
    func consoleSettle(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["name", "keep"])
        if let decision = try body.text("keep").flatMap({ Revocation.Decision(rawValue: $0) }) {
            guard let revoked = revokedEdge(named: try body.required("name")) else { throw Problem.noEdge }
            try decide(revoked, decision, by: "cloud-console")
            return .answer(Answer(200, ["name": .string(name(revoked)), "keep": .string(decision.rawValue)]))
        }
        guard let edge = control.edge(named: try body.required("name")) else { throw Problem.noEdge }
        let kept = try kept(body)
        try settle(edge.id, kept, by: "cloud-console")
        return .answer(Answer(200, ["name": .string(edge.name), "keep": .string(kept.rawValue)]))
    }

    private func kept(_ body: Body) throws(Problem) -> KeptBranch {
        guard let kept = KeptBranch(rawValue: try body.required("keep")) else {
            throw .badRequest("'keep' must be edge or cloud; of a revoked edge readmit or close.")
        }
        return kept
    }
}
