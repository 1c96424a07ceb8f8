// What the command line asks of the running process through its unix socket: edges and users.
internal import Control
internal import Ledger
internal import Sync
internal import Values
internal import Views
internal import Wire

extension Node {
    func consoleEdges(_ call: Call) -> Reply {
        let rows: [JSONValue] = enrolled.values.sorted { ($0.name, $0.id) < ($1.name, $1.id) }.map { edge in
            var row = Row()
            row.put("id", edge.id.description); row.put("name", edge.name);
            row.put("status", damaged[edge.id] == nil ? edge.status.rawValue : "damaged")
            row.put("enrolledAt", edge.enrolledAt)
            if edge.status == .pending { row.put("code", edge.code) }
            if let room = control.edges[edge.id] {
                row.put("link", room.presence == .live ? "live" : "silent"); row.put("lastHeard", lastHeard(edge.id))
                row.count("storedSeq", stores.ledgers.head(room.id).seq.raw); row.count("backlog", backlog(of: room))
            }
            return row.value
        }
        let open: [JSONValue] = openInvitations.filter { $0.usedAt == nil }.map {
            ["name": .string($0.name), "expiresAt": .string($0.expiresAt.description)]
        }
        return .answer(Answer(200, ["edges": .array(rows), "invitations": .array(open)]))
    }

    func consoleInvite(_ call: Call) throws(Problem) -> Reply {
        let body = try Body(call.request, allowed: ["name", "host"])
        let name = try edgeName(body)
        invite(name, host: try body.text("host"), call.number)
        return .later
    }

    func invitationAnswer(_ token: EnrolmentToken, _ invitation: Invitation) -> Answer {
        var row = Row()
        row.put("name", invitation.name); row.put("token", token.text); row.put("expiresAt", invitation.expiresAt)
        row.put("host", token.host); row.integer("linkPort", Int64(token.linkPort)); row.integer("enrolmentPort", Int64(token.enrolPort))
        return Answer(200, row.value)
    }

    func consoleConfirm(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["name", "code"])
        let name = try edgeName(body)
        try confirm(name, code: try body.required("code"))
        return .answer(Answer(200, ["name": .string(name), "status": "confirmed"]))
    }

    func consoleRevoke(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["name", "reason"])
        let name = try edgeName(body)
        let reason = try body.text("reason")
        guard (1...200).contains(reason?.utf8.count ?? 1) else { throw Problem.badRequest("'reason' must have 1 to 200 bytes.") }
        try revoke(name, reason: reason, by: "cloud-console")
        return .answer(Answer(200, ["name": .string(name), "status": "revoked"]))
    }

    func consoleUser(_ call: Call, mustBeNew: Bool) throws(Problem) -> Reply {
        let body = try Body(call.request, allowed: ["name", "role", "password"])
        var role: Role?
        if let text = try body.text("role") {
            guard let known = Role(rawValue: text) else {
                throw .badRequest("'role' must be one of \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            role = known
        }
        return try beginPassword(
            call.number, name: try body.required("name"), role: role, mustBeNew: mustBeNew, password: try body.required("password"))
    }

    private func edgeName(_ body: Body) throws(Problem) -> String {
        let name = try body.required("name")
        let isPlain = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || [0x2D, 0x5F, 0x2E].contains($0)
        }
        guard isPlain, (1...32).contains(name.utf8.count) else { throw .badRequest("an edge's name has 1 to 32 letters, digits and . _ -") }
        return name
    }
}
