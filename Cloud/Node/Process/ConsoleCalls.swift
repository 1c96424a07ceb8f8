// The commands that ask the running process through its unix socket; user commands work without one too.
internal import Control
internal import Ledger
internal import Platform
package import Values
internal import Views
package import Wire

/// edge invite, confirm, revoke and list; user add and password.
struct ConsoleCalls {
    let folder: String
    let isJSON: Bool

    // MARK: - Edges

    func invite(_ name: String, host: String?) throws -> Int32 {
        var body: [JSONMember] = [JSONMember("name", .string(name))]
        if let host { body.append(JSONMember("host", .string(host))) }
        return show(try ask(.post, "edges/invite", .object(body))) { value in
            """
            \(value["token"]?.text ?? "")
            On the edge's machine, before \(value["expiresAt"]?.text ?? ""):  tidewire-edge enrol TOKEN
            It will dial \(value["host"]?.text ?? "") on ports \(number(value["linkPort"])) and \(number(value["enrolmentPort"])). \
            Then compare the six digits and say:  tidewire-cloud edge confirm \(name) CODE

            """
        }
    }

    func confirm(_ name: String, code: String) throws -> Int32 {
        show(try ask(.post, "edges/confirm", ["name": .string(name), "code": .string(code)])) { _ in "\(name) is confirmed and may link.\n" }
    }

    func revoke(_ name: String, reason: String?) throws -> Int32 {
        let body = [JSONMember("name", .string(name))] + (reason.map { [JSONMember("reason", .string($0))] } ?? [])
        return show(try ask(.post, "edges/revoke", .object(body))) { _ in
            "\(name) is revoked; its ledger stays. When you have looked at the broker, decide: tidewire-cloud edge settle \(name) --keep readmit|close\n"
        }
    }

    func settle(_ name: String, keep: String) throws -> Int32 {
        show(try ask(.post, "edges/settle", ["name": .string(name), "keep": .string(keep)])) { _ in
            switch keep {
            case "readmit":
                "\(name) may come back with a new key: tidewire-cloud edge invite \(name), then tidewire-edge enrol TOKEN --replace --new-key\n"
            case "close": "\(name) stays out; its ledger stays.\n"
            default: "The \(keep)'s history goes on; \(name) is told when it asks next.\n"
            }
        }
    }

    /// Begins a comparison and waits for its end.
    /// - Returns: 0 when both copies are the same, or were made so; 5 when an entry stays damaged.
    func reconcile(_ name: String) throws -> Int32 {
        var answer = try ask(.post, "edges/reconcile", ["name": .string(name)])
        let clock = EventLoop()
        var told = Span.zero
        while answer.status < 400, answer.value["comparison"]?["state"]?.text == "running" {
            clock.turn(milliseconds: 100)
            answer = try ask(.get, "edges/reconcile?name=\(name)", nil)
            if SystemClock.monotonic() - told >= .seconds(2), !isJSON, let words = answer.value["comparison"]?["words"]?.text {
                told = SystemClock.monotonic()
                Console.error(words)
            }
        }
        let code = show(answer) { value in
            let row = value["comparison"]
            let proof = (row?["proof"]?.elements ?? []).compactMap(\.text)
            return ([row?["words"]?.text ?? "", row?["cure"]?.text].compactMap { $0 } + proof).joined(separator: "\n") + "\n"
        }
        guard code == ExitCode.ok else { return code }
        switch answer.value["comparison"]?["state"]?.text {
        case "agrees", "healed": return ExitCode.ok
        case "differs": return ExitCode.difference
        default: return ExitCode.failed
        }
    }

    /// Makes a backup, proves that it can be put back, and only then lets the edges know how far it reaches.
    func backUp(to target: String) throws -> Int32 {
        let backup = Backup(folder: folder, target: target)
        try backup.make()
        let heads = try backup.restoreOnTrial()
        let rows: [JSONValue] = heads.map {
            ["edge": .string($0.edge.description), "seq": .integer(Int64(clamping: $0.head.seq.raw)), "hash": .string(Hex.text($0.head.hash))]
        }
        var isTold = true
        var leftOut: [JSONValue] = []
        do {
            let answer = try ask(.post, "store/backed-up", ["heads": .array(rows)])
            guard answer.status < 400 else {
                let words = "\(target) can be put back: it was, on trial. But no edge is told of it, for the cloud that runs here does not take it"
                return show(answer, prefix: words) { _ in "" }
            }
            leftOut = answer.value["leftOut"]?.elements ?? []
        } catch let refusal as CloudRefusal where refusal.exitCode == ExitCode.unreachable {
            // Nobody runs on the folder: the store is ours to write, and the edges hear of it when one does.
            isTold = false
            let store = try ControlStore(path: folder + "/control.db")
            try store.commit(heads.map { .meta(key: BackupMark.key($0.edge), value: String($0.head.seq.raw)) })
        }
        if isJSON {
            let answer: JSONValue = [
                "folder": .string(target), "heads": .array(rows), "leftOut": .array(leftOut), "told": .bool(isTold),
            ]
            Console.write(JSONWriter.plain(answer) + [0x0A])
        } else {
            var lines = heads.map { "edge \($0.edge): verified up to entry \($0.head.seq), \(Hex.text($0.head.hash))" }
            lines += leftOut.map { "\($0["name"]?.text ?? "") is in the backup and is not told of it: \($0["why"]?.text ?? "")." }
            lines.append(
                "\(target) can be put back: it was, on trial. "
                    + (isTold ? leftOut.isEmpty ? "The edges are told." : "The others are told." : "The edges are told when the cloud runs."))
            Console.write(lines.joined(separator: "\n") + "\n")
        }
        return ExitCode.ok
    }

    func list() throws -> Int32 {
        show(try ask(.get, "edges", nil)) { EdgeListing.text($0, at: SystemClock.now()) }
    }

    // MARK: - Users

    func user(_ name: String, role: String?, mustBeNew: Bool, fromInput: Bool) throws -> Int32 {
        var password = Chance.password()
        if fromInput {
            guard let line = readLine(), !line.isEmpty else { throw CloudRefusal("there is no password on standard input", exitCode: ExitCode.usage) }
            password = line
        }
        var body = [JSONMember("name", .string(name)), JSONMember("password", .string(password))]
        if mustBeNew { body.append(JSONMember("role", .string(role ?? Role.viewer.rawValue))) }
        do {
            let answer = try ask(.post, mustBeNew ? "users/add" : "users/password", .object(body))
            // First of all it is shown: nobody else knows it.
            let code = show(answer) { _ in fromInput ? "The password of \(name) is set.\n" : "\(name): \(password)\n" }
            if answer.status < 400 { forgetFirstPassword(of: name) }
            return code
        } catch let refusal as CloudRefusal where refusal.exitCode == ExitCode.unreachable {
            try setAlone(name, role: role, mustBeNew: mustBeNew, password)
            Console.write(fromInput ? "The password of \(name) is set.\n" : "\(name): \(password)\n")
            forgetFirstPassword(of: name)
            return ExitCode.ok
        }
    }

    /// The file of the first user's password tells of one that is no longer.
    private func forgetFirstPassword(of name: String) {
        guard User.canonicalName(name) == FirstUser.name, let place = try? CloudFolder(folder) else { return }
        FirstUser.forgetFirstPassword(place)
    }

    /// Without a running process the store is ours to write.
    private func setAlone(_ name: String, role: String?, mustBeNew: Bool, _ password: String) throws {
        guard PrivateFiles.exists(folder + "/control.db") else {
            throw CloudRefusal("there is no cloud in \(folder); start one with tidewire-cloud run", exitCode: ExitCode.unreachable)
        }
        guard let account = User.canonicalName(name) else {
            throw CloudRefusal("a user's name has 1 to 64 of a-z, 0-9 and . _ @ -", exitCode: ExitCode.usage)
        }
        guard password.utf8.count >= 8 else { throw CloudRefusal("a password has at least 8 characters", exitCode: ExitCode.usage) }
        guard let wanted = Role(rawValue: role ?? Role.viewer.rawValue) else {
            throw CloudRefusal("a role is one of \(Role.allCases.map(\.rawValue).joined(separator: ", "))", exitCode: ExitCode.usage)
        }
        let store = try ControlStore(path: folder + "/control.db")
        let known = try store.load().users.first { $0.name == account }
        if mustBeNew, known != nil { throw CloudRefusal("there is a user \(account)", exitCode: ExitCode.refused) }
        if !mustBeNew, known == nil { throw CloudRefusal("there is no user \(account)", exitCode: ExitCode.refused) }
        let user = try FirstUser.user(account, role: known?.role ?? wanted, password, known, .standard, SystemClock.now())
        try store.commit([.access(.user(user))])
    }

    // MARK: - Asking

    private func ask(_ method: HTTPMethod, _ path: String, _ body: JSONValue?) throws -> (status: Int, value: JSONValue) {
        var call = HTTPCall(method, url: "http://cloud/console/\(path)", unixSocket: folder + "/cloud.sock")
        if let body {
            call.headers = [WebField("content-type", "application/json")]
            call.body = JSONWriter.plain(body)
        }
        do throws(HTTPClientError) {
            let answer = try HTTPClient.send(call)
            return (answer.status, (try? JSONReader.read(answer.body, limits: .frame)) ?? .null)
        } catch {
            throw CloudRefusal("no cloud runs on \(folder) (\(error)); start it with tidewire-cloud run", exitCode: ExitCode.unreachable)
        }
    }

    /// - Parameter prefix: what was done before the cloud refused the rest.
    private func show(_ answer: (status: Int, value: JSONValue), prefix: String? = nil, _ text: (JSONValue) -> String) -> Int32 {
        guard answer.status < 400 else {
            if isJSON { Console.write(JSONWriter.plain(answer.value) + [0x0A]) }
            let words = [answer.value["detail"]?.text ?? answer.value["title"]?.text, answer.value["cure"]?.text].compactMap { $0 }
            let reason = words.isEmpty ? "the cloud answered \(answer.status)" : words.joined(separator: " ")
            return CloudProgram.fail(prefix.map { "\($0): \(reason)" } ?? reason, ExitCode.refused)
        }
        if isJSON { Console.write(JSONWriter.plain(answer.value) + [0x0A]) } else { Console.write(text(answer.value)) }
        return ExitCode.ok
    }

    private func number(_ value: JSONValue?) -> String { value?.integerValue.map { String($0) } ?? "?" }
}

/// What `edge list` prints.
package enum EdgeListing {
    /// - Parameter value: the answer of the running process.
    package static func text(_ value: JSONValue, at now: Instant) -> String {
        var lines = (value["edges"]?.elements ?? []).map { edge in
            let code = edge["code"]?.text.map { ", six digits \($0)" } ?? ""
            let heard = Plain.age(of: edge["lastHeard"], at: now).map { "last heard \($0) ago" } ?? "not heard since this cloud started"
            let entries = edge["storedSeq"]?.integerValue.map { String($0) } ?? "?"
            let link = edge["link"]?.text.map { ", link \($0), \(heard), \(entries) entries" } ?? ""
            return "\(edge["name"]?.text ?? "")  \(edge["status"]?.text ?? "")\(code)\(link)"
        }
        lines += (value["invitations"]?.elements ?? []).map { "\($0["name"]?.text ?? "")  invited until \($0["expiresAt"]?.text ?? "")" }
        return lines.isEmpty ? "No edge is enrolled; begin with:  tidewire-cloud edge invite NAME\n" : lines.joined(separator: "\n") + "\n"
    }
}
