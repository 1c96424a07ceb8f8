// `tidewire-edge enrol TOKEN`: shows the cloud our key, checks its answer, and notes where it is.
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

/// One enrolment from this machine, without a browser.
enum Enrolment {
    /// How long the cloud may take to answer, the connection included. Milliseconds.
    private static let answerMillisMax: Int64 = 15_000

    static func run(_ text: String, folder: EdgeFolder, replacing: Bool, renewing: Bool, isJSON: Bool) throws -> Int32 {
        if let cloud = try folder.cloud(), !replacing {
            Console.error("tidewire-edge: this edge is enrolled as \(cloud.name) with \(cloud.host); say --replace to leave that cloud")
            return ExitCode.refused
        }
        let token: EnrolmentToken
        do throws(EnrolmentTokenError) { token = try EnrolmentToken(text: text) } catch {
            Console.error("tidewire-edge: \(error)")
            return ExitCode.usage
        }
        let keys = renewing ? try folder.freshLinkKeys(.enrolled) : try folder.linkKeys()
        let request = EnrolmentRequest(
            edge: try folder.identity(), linkKey: keys.publicKey, ledgerKey: try firstLedgerKey(folder), head: try ledgerEnd(folder), token: token)
        guard let answer = try ask(request, token, keys) else {
            Console.error(
                "tidewire-edge: \(token.host):\(token.enrolPort) does not answer; is the cloud running, and is the token younger than 15 minutes?")
            return ExitCode.unreachable
        }
        switch answer {
        case .refused(let reason):
            Console.error("tidewire-edge: the cloud refused: \(reason)")
            return ExitCode.refused
        case .accepted(let name, let code, _, let signer):
            guard answer.isProved(for: request, by: token) else {
                Console.error("tidewire-edge: the answer does not come from the cloud that made the token; nothing was changed")
                return ExitCode.refused
            }
            // An edge that dies in between has the new key and the old cloud's name: it is enrolled once more.
            if renewing { try folder.promoteLinkKey(.enrolled) }
            // Announced before this enrolment, it is history for the cloud, and would lock the edge out.
            try folder.forgetAnnouncedLinkKey()
            try folder.setCloud(
                EnrolledCloud(
                    host: token.host, port: Int(token.linkPort), serverKey: token.serverKey, name: name, signer: signer?.key,
                    enrolment: request.invitation))
            if isJSON {
                Console.write(JSONWriter.plain(["name": .string(name), "code": .string(code), "edge": .string(request.edge.description)]) + [0x0A])
            } else {
                Console.write(
                    "Enrolled as \(name). The code is \(code).\nIf the cloud shows the same six digits, confirm there: tidewire-cloud edge confirm \(name) \(code)\n"
                )
            }
            return ExitCode.ok
        }
    }

    /// The key of the ledger's first signature: the stored one's, or the one that will be made with the present key.
    private static func firstLedgerKey(_ folder: EdgeFolder) throws -> [UInt8] {
        if PrivateFiles.exists(folder.ledger) {
            let kinds = [Kind.checkpoint.rawValue, Kind.keyRotated.rawValue]
            let store = try EntryStore(path: folder.ledger, .init(.readOnly))
            if let row = try store.read(kinds: kinds, from: 1, below: .max, newestFirst: false, limit: 1).first {
                switch try Entry(row).decoded() {
                case .checkpoint(let checkpoint): return checkpoint.key
                case .keyRotated(let change): return change.old
                default: break
                }
            }
        }
        return try folder.ledgerKeys().publicKey
    }

    /// The number of the ledger's last entry; 0 without a ledger.
    private static func ledgerEnd(_ folder: EdgeFolder) throws -> Seq {
        guard PrivateFiles.exists(folder.ledger) else { return Seq(0) }
        return Seq(try EntryStore(path: folder.ledger, .init(.readOnly)).head.seq)
    }

    /// Nil when nothing was heard in time.
    private static func ask(_ request: EnrolmentRequest, _ token: EnrolmentToken, _ keys: CurveKeys) throws(LinkError) -> EnrolmentAnswer? {
        let loop = EventLoop()
        var answer: EnrolmentAnswer?
        var isConnected = false
        let inbox = loop.inbox(of: LinkEvent.self) { events in
            for event in events {
                switch event {
                case .connected: isConnected = true
                case .message(_, let bytes): answer = (try? EnrolmentAnswer(bytes)) ?? answer
                case .disconnected, .handshakeFailed: isConnected = false
                }
            }
        }
        let client = try LinkClient(
            LinkClientConfiguration(host: token.host, port: Int(token.enrolPort), serverKey: token.serverKey, keys: keys)
        ) { inbox.post($0) }
        defer { client.stop() }
        let deadline = SystemClock.monotonic() + .milliseconds(answerMillisMax)
        var isSent = false
        while answer == nil, SystemClock.monotonic() < deadline {
            if !isSent, isConnected { isSent = client.send(request.encode()) == .sent }
            loop.turn(milliseconds: 100)
        }
        return answer
    }
}
