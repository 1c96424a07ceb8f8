// Tokens that are damaged, used or too old, wrong digits, unknown and revoked keys: who may link, and what the others are told.
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct EnrolmentTests {
    @ThirdStage @Test func aTokenWorksOnceAndWhole() throws {
        let stage = try Stage()
        try stage.openCloud()
        let token = try stage.invite("home-1")

        var letters = Array(token)
        letters[20] = letters[20] == "A" ? "B" : "A"
        let damaged = try stage.edge("enrol", String(letters))
        #expect(damaged.code == 2)
        #expect(damaged.complaints.contains("The enrolment token is incomplete or was changed on the way."))
        #expect(try stage.edge("enrol", "hello").complaints.contains("This is not an enrolment token"))

        let first = try stage.json(try stage.edge("enrol", token, "--json"))
        let code = try #require(first["code"]?.text)
        #expect(code.count == 6 && code.allSatisfy(\.isNumber))

        let second = try stage.run("tidewire-edge", ["enrol", token, "--data", stage.folder + "/other"])
        #expect(second.code == 3)
        #expect(second.complaints.contains("This token was used already; it works once."), "\(second.complaints)")

        // Digits that do not fit let nobody in; the right ones do.
        let wrong = try stage.cloud("edge", "confirm", "home-1", code == "000000" ? "000001" : "000000")
        #expect(wrong.code == 3)
        #expect(wrong.complaints.contains("These are not the six digits of home-1."))
        try stage.start(.edge)
        stage.patience.pass(milliseconds: 1_500)
        #expect(try stage.edgeRow()?["state"]?.text != "live")
        #expect(try stage.cloud("edge", "confirm", "home-1", code).code == 0)
        try stage.awaitLink()
    }

    @ThirdStage @Test func anOldTokenIsRefusedByName() throws {
        let stage = try Stage()
        try stage.openCloud()
        let old = try stage.invite("old")
        // A quarter of an hour passes in the cloud's store.
        #expect(try stage.stop(.cloud) == 0)
        let past = SystemClock.now() - .seconds(1)
        try Database(path: stage.cloudFolder + "/control.db", .init(.readWrite)).run(
            "UPDATE invitation SET expires = ? WHERE name = 'old'", .integer(past.nanoseconds))
        try stage.start(.cloud)
        // Another invitation holds the door open.
        let fresh = try stage.invite("fresh")
        let refused = try stage.edge("enrol", old)
        #expect(refused.code == 3)
        #expect(refused.complaints.contains("This token expired at \(past)"), "\(refused.complaints)")
        #expect(try stage.edge("enrol", fresh).code == 0)
    }

    @ThirdStage @Test func unknownAndRevokedKeysStayOutside() throws {
        let stage = try Stage()
        try stage.openUnbrokered()
        // A stranger who knows where the cloud is, and its key.
        let other = stage.folder + "/stranger"
        try PrivateFiles.makeFolder(other + "/keys")
        try Files.write(other + "/keys/cloud.json", Files.bytes(stage.edgeFolder + "/keys/cloud.json"))
        let stranger = try stage.spawn("stranger", "tidewire-edge", ["run", "--data", other, "--gateway-port", "\(stage.gatewayPort)"])
        let unknown = try stage.patience.first("the cloud lists the stranger") { try stage.refusal("UNKNOWN_KEY") }
        #expect(unknown["words"]?.text == "An unknown key knocked from 127.0.0.1.")
        #expect(unknown["cure"]?.text == "If it is yours, enrol it: tidewire-cloud edge invite NAME.")
        stranger.kill()
        #expect(try stage.edgeRow()?["state"]?.text == "live")

        #expect(try stage.cloud("edge", "revoke", "home-1", "--yes").code == 0)
        var told: String?
        try stage.patience.until("the edge is told", excuse: { "It says \(told ?? "")" }) {
            told = try stage.edgeStatus()?["link"]?.text
            let words = "refused: The cloud revoked this edge's key. To let it in again, at the cloud: tidewire-cloud edge settle NAME --keep readmit"
            return told?.hasPrefix(words) == true
        }
        let answer = try stage.post("kill", ["level": "HALT", "reason": "try"], key: Stage.key())
        #expect(answer.status == 404)
        #expect(answer.value["type"]?.text == "/problems/no-edge")
        // It knocks in vain from then on, and both sides say so; the edge goes on without a cloud.
        stage.kill(.edge)
        try stage.start(.edge)
        let revoked = try stage.patience.first("the cloud lists the revoked one") { try stage.refusal("REVOKED_KEY") }
        #expect(revoked["words"]?.text == "The key of home-1, which was revoked, knocked from 127.0.0.1.")
        try stage.patience.until("the edge is told again") {
            try stage.edgeStatus()?["link"]?.text?.hasPrefix("refused: the cloud does not know this edge's key") == true
        }
    }
}

extension Stage {
    fileprivate func refusal(_ verdict: String) throws -> JSONValue? {
        try get("edges").value["refusals"]?.elements?.first { $0["verdict"]?.text == verdict }
    }
}
