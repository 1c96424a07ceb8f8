// What the real edge does for its ledger: it signs and marks it, notices one that was put back, and refuses to go on under another key.
import Platform
import Processes
import Testing
import Values
import Wire

@Suite struct LedgerKeepingTests {
    @FirstStage @Test func aLedgerThatWasPutBackWaitsForAPerson() throws {
        let stage = try Stage()
        try stage.start(.edge)
        #expect(try stage.edge("ledger", "rebuild").output.contains("compared with the running edge"))
        #expect(try stage.edge("ledger", "reindex").code != 0, "not while the edge writes")
        #expect(try stage.stop(.edge) == 0)
        let made = try stage.edge("ledger", "reindex")
        #expect(made.code == 0 && made.output.contains("follow the entries up to"), "\(made)")
        let copy = Files.bytes(stage.edgeLedger)
        try stage.start(.edge)
        #expect(try stage.edgeStatus()?["troubles"]?.elements?.isEmpty == true, "a ledger that only grew is in order")
        #expect(try stage.stop(.edge) == 0)

        try Files.write(stage.edgeLedger, copy)
        try stage.start(.edge)
        let trouble = try #require(try stage.edgeStatus()?["troubles"]?.elements?.first)
        #expect(trouble["words"]?.text?.contains("put back from a copy, or lost its end") == true)
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "REDUCING")
        #expect(try stage.edge("ledger", "accept-rollback").code == 3, "not without a person's yes")
        let accepted = try stage.edge("ledger", "accept-rollback", "--yes", "--reason", "the copy is what there is")
        #expect(accepted.code == 0 && accepted.output.contains("Given up"), "\(accepted)")
        #expect(try stage.edgeStatus()?["troubles"]?.elements?.isEmpty == true)
        #expect(try stage.edgeStatus()?["edge"]?["halt"]?["level"]?.text == "NONE")
        #expect(try stage.edge("ledger", "tail").output.contains("is given up: the copy is what there is"))
        #expect(try stage.stop(.edge) == 0)
        let verified = try stage.edge("ledger", "verify")
        #expect(verified.code == 0 && verified.output.contains("checkpoints signed by"), "\(verified)")
        try stage.start(.edge)
        #expect(try stage.edgeStatus()?["troubles"]?.elements?.isEmpty == true)
    }

    @FirstStage @Test func anEntryIsProvedAndAnotherKeyIsRefused() throws {
        let stage = try Stage()
        try stage.start(.edge)
        #expect(try stage.stop(.edge) == 0)
        let proof = try stage.json(try stage.edge("ledger", "prove", "1", "--json"))
        let bytes = try #require(proof["signed"]?.text.flatMap { Hex.bytes($0) }), key = try #require(proof["key"]?.text.flatMap { Hex.bytes($0) })
        let signature = try #require(proof["signature"]?.text.flatMap { Hex.bytes($0) })
        #expect(Signing.verifies(signature, over: bytes, by: key))
        let last = try #require(proof["path"]?.elements?.last?["hash"]?.text)
        #expect(Hex.text(bytes).contains(last))
        #expect(try stage.edge("ledger", "prove", "99").code == 1)
        #expect(try stage.edge("ledger", "verify", "--key", Hex.text(key)).code == 0)
        #expect(try stage.edge("ledger", "verify", "--key", Hex.text([UInt8](repeating: 9, count: 32))).code == 5)
        #expect(try stage.edge("ledger", "rebuild").code == 0)

        // Another key in its place: the edge does not sign on under it.
        try Files.write(stage.edgeFolder + "/keys/ledger.key", Hex.text([UInt8](1...32)) + "\n")
        let refused = try stage.run("tidewire-edge", stage.edgeWords)
        #expect(refused.code == 70 && refused.complaints.contains("signed by another key"), "\(refused)")
        let status = try stage.edge("status")
        #expect(status.code == 4 && status.complaints.contains("the last run ended by a failure of its store"), "\(status)")
    }
}
