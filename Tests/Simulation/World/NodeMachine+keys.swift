// What a person at the cloud does about the edge's key: revokes it, lets the edge come back, and enrols it by another one.
internal import CloudNode
internal import Control
internal import Ledger
internal import Sync
internal import Values
internal import Wire

extension NodeMachine {
    /// Whether the link's door lets this key in.
    func admits(_ key: [UInt8]) -> Bool {
        guard breaker == .dropsFormerKey else { return door.contains { $0.key == key && $0.isConfirmed } }
        return door.first.map { $0.key == key && $0.isConfirmed } ?? false
    }

    func stranger(_ key: [UInt8], at clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded { try node([.stranger(key: key, address: "10.0.0.7")], at: clock) }
    }

    private func console(_ path: String, _ body: JSONValue, at clock: ClockReading) throws -> Answer? {
        try send(Request(method: "POST", path: "/console/edges/" + path, body: JSONWriter.plain(body), isLocal: true), at: clock)
    }

    /// Refuses the edge's key for ever.
    /// - Returns: the commands of which the page does not tell how they ended; nil when nothing was revoked.
    func revoke(at clock: ClockReading) throws -> [String]? {
        disk.now = clock.wall
        var unended: [String]?
        try guarded {
            guard try console("revoke", ["name": "home", "reason": "lost"], at: clock)?.status == 200 else { return }
            bearer = nil
            try signIn(at: clock)
            unended = []
            for id in asked {
                let answer = try send(
                    Request(method: "GET", path: "/api/v1/commands/\(id)", headers: [("authorization", "Bearer " + (bearer ?? ""))]), at: clock)
                guard let answer, answer.status == 200, let row = try? JSONReader.read(answer.body) else { continue }
                let isTold = row["state"]?.text == "filled" || row["state"]?.text == "accepted" || row["reason"]?.text?.isEmpty == false
                if row["final"]?.boolValue != true || !isTold { unended?.append(id) }
            }
            asked = []
        }
        return unended
    }

    /// Decides that the edge may come back and enrols it by a fresh key.
    /// - Parameter head: where the edge's ledger ends.
    /// - Returns: the key; nil when it did not come to its end.
    func readmit(closesFirst: Bool, head: Seq, at clock: ClockReading) throws -> [UInt8]? {
        disk.now = clock.wall
        var taken: [UInt8]?
        try guarded {
            bearer = nil
            try signIn(at: clock)
            for keep in closesFirst ? ["close", "readmit"] : ["readmit"] {
                _ = try post("/api/v1/edges/home/settle", ["keep": .string(keep), "confirm": "home"], at: clock)
            }
            var answer = try console("invite", ["name": "home"], at: clock)
            if answer == nil {
                try node([.enrolmentOpen(port: 5_571)], at: clock)
                answer = lastAnswer
            }
            guard let text = answer.flatMap({ try? JSONReader.read($0.body) })?["token"]?.text, let token = try? EnrolmentToken(text: text) else {
                return
            }
            let key = drawKey()
            enrolmentAnswer = nil
            try node([.enrolment(EnrolmentRequest(edge: edge, linkKey: key, head: head, token: token).encode(), key: key, from: 1)], at: clock)
            guard let bytes = enrolmentAnswer, case .accepted(_, let code, _, _)? = try? EnrolmentAnswer(bytes) else { return }
            guard try console("confirm", ["name": "home", "code": .string(code)], at: clock)?.status == 200 else { return }
            taken = key
        }
        return taken
    }
}
