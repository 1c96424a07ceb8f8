// `tidewire-cloud keys`: the public halves of the cloud's keys for who compares them, and the changes of both.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// The keys of a cloud's folder, whether or not it runs.
struct CloudKeys {
    private let folder: CloudFolder
    private let isJSON: Bool

    init(folder path: String, isJSON: Bool) throws {
        guard PrivateFiles.exists(path + "/keys/link.key") else {
            throw CloudRefusal("there is no cloud in \(path); start one with tidewire-cloud run", exitCode: ExitCode.unreachable)
        }
        folder = try CloudFolder(path)
        self.isJSON = isJSON
    }

    func show() throws -> Int32 { try say("") }

    /// Changes the signing key.
    func rotate() throws -> Int32 {
        _ = try folder.rotateSigningKey()
        return try say("Start the cloud again: it signs by the new key then, and its edges follow.")
    }

    /// Makes the next key of the link, which the cloud announces from its next start on.
    func announce() throws -> Int32 {
        _ = try folder.makeNextLinkKeys()
        return try say(
            "Start the cloud again: it tells its edges of the next key then, and each writes it down. When all have it, stop the cloud and say keys adopt."
        )
    }

    /// Takes the announced key of the link up.
    /// - Parameter anyway: also when some edge has not written it down; it has to be enrolled anew.
    func adopt(anyway: Bool) throws -> Int32 {
        guard try folder.nextLinkKeys() != nil else {
            throw CloudRefusal("no next key of the link was made; make one with tidewire-cloud keys rotate --link", exitCode: ExitCode.failed)
        }
        let unaware = try edges().filter { !$0.knows }.map(\.name)
        guard anyway || unaware.isEmpty else {
            throw CloudRefusal(
                "not told yet: \(unaware.joined(separator: ", ")). Let them link to this cloud once, or revoke them; "
                    + "with --anyway they have to be enrolled anew. Nothing was changed",
                exitCode: ExitCode.failed)
        }
        try folder.adoptLinkKeys()
        return try say("Copy keys/ and start the cloud again: it answers by the new key then, and the edges that know it follow.")
    }

    /// Whether each edge that may link has the next key in its ledger, as far as that has come.
    private func edges() throws -> [(name: String, knows: Bool)] {
        guard let next = try folder.nextLinkKeys(), PrivateFiles.exists(folder.path + "/control.db") else { return [] }
        let control = try Database(path: folder.path + "/control.db", .init(.readOnly))
        let rows = try control.rows("SELECT id, name FROM edge WHERE status != ? ORDER BY name, id", .text(EnrolmentStatus.revoked.rawValue)) {
            (EdgeID(bytes: $0.bytes(0)), $0.text(1))
        }
        return try rows.compactMap { row in
            guard let edge = row.0 else { return nil }
            return (row.1, try knows(edge, next.publicKey))
        }
    }

    private func knows(_ edge: EdgeID, _ key: [UInt8]) throws -> Bool {
        let path = EdgeLedgers.path(folder: folder.path + "/edges", edge)
        guard PrivateFiles.exists(path) else { return false }
        let newest = try EntryStore(path: path, .init(.readOnly)).read(
            kinds: [Kind.serverKey.rawValue], from: 1, below: UInt64(Int64.max), newestFirst: true, limit: 1)
        guard let row = newest.first, let entry = try? Entry(row), case .serverKey(let word)? = try? entry.decoded() else { return false }
        return word.key == key
    }

    private func say(_ cure: String) throws -> Int32 {
        let link = Hex.text(try folder.linkKeys().publicKey), signer = Hex.text(try folder.signingKeys().publicKey)
        let next = try folder.nextLinkKeys().map { Hex.text($0.publicKey) }
        let edges = try edges()
        if isJSON {
            var members = [JSONMember("link", .string(link)), JSONMember("signing", .string(signer))]
            if let next {
                members.append(JSONMember("nextLink", .string(next)))
                members.append(JSONMember("knownTo", .array(edges.filter(\.knows).map { .string($0.name) })))
                members.append(JSONMember("unknownTo", .array(edges.filter { !$0.knows }.map { .string($0.name) })))
            }
            Console.write(JSONWriter.plain(.object(members)) + [0x0A])
            return ExitCode.ok
        }
        var words = "link     \(link)\nsigning  \(signer)\n"
        if let next {
            words += "next     \(next) (of the link)\n"
            for edge in edges { words += "         \(edge.name) \(edge.knows ? "has it" : "does not have it yet")\n" }
        }
        Console.write(words + (cure.isEmpty ? "" : cure + "\n"))
        return ExitCode.ok
    }
}
