// Enrolment: tokens survive copying and nothing else, proofs hold for one key, one secret and one request only.
import Sync
import Testing
import Values

@Suite struct EnrolmentTests {
    let token: EnrolmentToken
    let edge: EdgeID
    let linkKey = [UInt8](64..<96)

    init() throws {
        token = try #require(
            EnrolmentToken(
                host: "cloud.example", linkPort: 5570, enrolPort: 5571, serverKey: [UInt8](0..<32), secret: [UInt8](100..<116)))
        edge = try #require(EdgeID(bytes: [UInt8](1...16)))
    }
    func other(serverKey: [UInt8]? = nil, secret: [UInt8]? = nil) throws -> EnrolmentToken {
        try #require(
            EnrolmentToken(
                host: token.host, linkPort: 1, enrolPort: 2, serverKey: serverKey ?? token.serverKey, secret: secret ?? token.secret))
    }

    @Test func aTokenIsReadBackInAnyCaseAndWithBlanks() throws {
        #expect(try EnrolmentToken(text: token.text) == token)
        #expect(try EnrolmentToken(text: "  " + token.text.lowercased() + "\n") == token)
        let middle = token.text.index(token.text.startIndex, offsetBy: 20)
        #expect(try EnrolmentToken(text: token.text[..<middle] + "\n  " + token.text[middle...]) == token)
    }

    @Test func anyChangedLetterIsNoticed() {
        let letters = Array(token.text)
        for index in 5..<letters.count {
            var changed = letters
            changed[index] = letters[index] == "A" || letters[index] == "a" ? "b" : "a"
            let text = String(changed)
            guard text.lowercased() != token.text.lowercased() else { continue }
            #expect(throws: EnrolmentTokenError.damaged) { try EnrolmentToken(text: text) }
        }
        #expect(throws: EnrolmentTokenError.damaged) { try EnrolmentToken(text: String(token.text.dropLast(3))) }
        #expect(throws: EnrolmentTokenError.notAToken) { try EnrolmentToken(text: "hello") }
        #expect(throws: EnrolmentTokenError.notAToken) { try EnrolmentToken(text: "") }
    }

    @Test func aTokenHasTheRightLengths() {
        #expect(EnrolmentToken(host: "", linkPort: 1, enrolPort: 2, serverKey: [UInt8](0..<32), secret: [UInt8](0..<16)) == nil)
        #expect(EnrolmentToken(host: "a", linkPort: 1, enrolPort: 2, serverKey: [UInt8](0..<31), secret: [UInt8](0..<16)) == nil)
        #expect(EnrolmentToken(host: "a", linkPort: 1, enrolPort: 2, serverKey: [UInt8](0..<32), secret: [UInt8](0..<15)) == nil)
    }

    /// The ledger's key is under the proof and under the six digits; an edge of an older release shows none.
    @Test func theLedgersKeyIsProvedToo() throws {
        let shown = EnrolmentRequest(edge: edge, linkKey: linkKey, ledgerKey: [UInt8](repeating: 7, count: 32), token: token)
        let read = try EnrolmentRequest(shown.encode())
        #expect(read == shown && read.isProved(by: token) && shown.encode().count <= EnrolmentRequest.bytesMax)
        let swapped = String(decoding: shown.encode(), as: UTF8.self).replacing("07070707", with: "08080808")
        let other = try EnrolmentRequest(Array(swapped.utf8))
        #expect(!other.isProved(by: token) && other.code(serverKey: token.serverKey) != shown.code(serverKey: token.serverKey))
        let old = try EnrolmentRequest(EnrolmentRequest(edge: edge, linkKey: linkKey, token: token).encode())
        #expect(old.ledgerKey == nil && old.isProved(by: token))
        #expect(EnrolmentAnswer.accepting(shown, as: "home-1", token: token).isProved(for: shown, by: token))
        #expect(!EnrolmentAnswer.accepting(shown, as: "home-1", token: token).isProved(for: old, by: token))
    }

    @Test func aRequestIsProvedByItsTokenOnly() throws {
        let request = EnrolmentRequest(edge: edge, linkKey: linkKey, token: token)
        let read = try EnrolmentRequest(request.encode())
        #expect(read == request)
        #expect(request.encode().count <= EnrolmentRequest.bytesMax)
        #expect(read.isProved(by: token))
        #expect(read.invitation == EnrolmentRequest.invitation(of: token.secret))
        #expect(!read.isProved(by: try other(secret: [UInt8](0..<16))))
        #expect(!read.isProved(by: try other(serverKey: [UInt8](1..<33))))
        let stolen = String(decoding: request.encode(), as: UTF8.self).replacing("4041", with: "4042")
        #expect(!(try EnrolmentRequest(Array(stolen.utf8))).isProved(by: token))
    }

    @Test func anAcceptanceIsProvedForItsRequestOnly() throws {
        let request = EnrolmentRequest(edge: edge, linkKey: linkKey, token: token)
        let answer = EnrolmentAnswer.accepting(request, as: "home", token: token)
        let read = try EnrolmentAnswer(answer.encode())
        #expect(read == answer)
        #expect(read.isProved(for: request, by: token))
        #expect(!read.isProved(for: EnrolmentRequest(edge: edge, linkKey: [UInt8](65..<97), token: token), by: token))
        #expect(!read.isProved(for: request, by: try other(secret: [UInt8](0..<16))))
        #expect(
            !EnrolmentAnswer.accepted(name: "other", code: request.code(serverKey: token.serverKey), proof: [UInt8](repeating: 0, count: 32))
                .isProved(for: request, by: token))
        #expect(!EnrolmentAnswer.refused("no").isProved(for: request, by: token))
        #expect(try EnrolmentAnswer(EnrolmentAnswer.refused("expired").encode()) == .refused("expired"))
    }

    @Test func theKeyThatCountersignsComesWithAProof() throws {
        let request = EnrolmentRequest(edge: edge, linkKey: linkKey, token: token)
        let signer = [UInt8](repeating: 0xAB, count: 32)
        let answer = EnrolmentAnswer.accepting(request, as: "home", token: token, signer: signer)
        guard case .accepted(_, _, _, let shown) = try EnrolmentAnswer(answer.encode()) else { Issue.record("refused"); return }
        #expect(shown?.key == signer && answer.isProved(for: request, by: token))
        #expect(answer.encode().count <= EnrolmentRequest.bytesMax)
        let swapped = String(decoding: answer.encode(), as: UTF8.self).replacing("abab", with: "abac", maxReplacements: 1)
        #expect(!(try EnrolmentAnswer(Array(swapped.utf8))).isProved(for: request, by: token))
        // A cloud of an older release shows none.
        guard case .accepted(_, _, _, nil) = EnrolmentAnswer.accepting(request, as: "home", token: token) else {
            Issue.record("one is shown"); return
        }
    }

    @Test func theCodeHasSixDigitsAndDependsOnBothKeys() {
        var codes: Set<String> = []
        for byte in UInt8(0)..<50 {
            let request = EnrolmentRequest(edge: edge, linkKey: [UInt8](repeating: byte, count: 32), token: token)
            let code = request.code(serverKey: token.serverKey)
            #expect(code.count == 6 && code.allSatisfy { $0.isASCII && $0.isNumber })
            #expect(code != request.code(serverKey: [UInt8](1..<33)))
            codes.insert(code)
        }
        #expect(codes.count > 45)
    }

    @Test func badFramesAreNamed() {
        func refused(_ text: String, _ error: EnrolmentError) { #expect(throws: error) { try EnrolmentRequest(Array(text.utf8)) } }
        refused("", .notJSON)
        refused("{}", .field("type"))
        refused(#"{"type":"enrol"}"#, .field("edge"))
        refused(#"{"type":"enrol","edge":"0102030405060708090a0b0c0d0e0f10","key":"00"}"#, .field("key"))
        refused(String(repeating: "x", count: 1025), .tooLong)
        #expect(throws: EnrolmentError.field("type")) { try EnrolmentAnswer(Array(#"{"type":"enrol"}"#.utf8)) }
        #expect(throws: EnrolmentError.field("reason")) { try EnrolmentAnswer(Array(#"{"type":"refused"}"#.utf8)) }
    }
}
