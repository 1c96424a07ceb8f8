// The commands that talk to a running edge over its local socket: they work with the cloud gone.
internal import Ledger
internal import Platform
internal import Values
internal import Views
package import Wire

/// status, positions, orders, close, kill, resume, ledger record and balances, keys, and the decision about a lost end of the ledger.
package struct ConsoleCommands {
    private let folder: String
    private let isJSON: Bool
    private let socket: String
    /// How often the fate of a command is asked for, and how long to rest between.
    private let looks: (count: Int, milliseconds: Int)

    package init(folder: String, isJSON: Bool, looks: (count: Int, milliseconds: Int) = (300, 200)) {
        self.folder = folder; self.isJSON = isJSON; self.looks = looks
        socket = folder + "/edge.sock"
    }

    /// Does one command and gives the exit code.
    package func run(_ command: String, _ operands: [String], _ options: [String: String]) throws -> Int32 {
        do throws(HTTPClientError) {
            switch command {
            case "status": return show(try get("status"), status)
            case "positions": return show(try get("positions"), positions)
            case "orders": return show(try get("orders" + (options["working"] == nil ? "" : "?working=true")), orders)
            case "ledger balances": return show(try get("balances"), balances)
            case "ledger record": return try record(operands[0], options)
            case "close":
                guard confirmed(options, "Close the whole position in \(operands[0]) at market?") else { return ExitCode.refused }
                return try act("positions/\(operands[0])/close", [:])
            case "kill":
                guard let level = HaltLevel(killWord: options["level"] ?? "HALT") else {
                    Console.error("tidewire-edge: --level must be one of \(HaltLevel.killWords.joined(separator: ", "))")
                    return ExitCode.usage
                }
                guard confirmed(options, ConsoleCommands.question(level)) else { return ExitCode.refused }
                return try kill(level, reason: options["reason"] ?? "asked at the console")
            case "ledger accept-rollback":
                guard confirmed(options, "Give up the end of the ledger that is missing? What it held will not come back.") else {
                    return ExitCode.refused
                }
                return try act("ledger/accept-rollback", ["reason": .string(options["reason"] ?? "asked at the console")])
            case "keys rotate":
                let isLink = options["link"] != nil
                let question =
                    isLink
                    ? "Link with a new key from now on? The cloud takes the old one for another day." : "Sign the ledger with a new key from now on?"
                guard confirmed(options, question + " Copy keys/ again afterwards.") else { return ExitCode.refused }
                return try act("keys/rotate", ["which": isLink ? "link" : "ledger"])
            case "keys trust":
                guard confirmed(options, "Believe what the cloud signs by the key \(operands[0]) from now on?") else { return ExitCode.refused }
                return try act("keys/trust", ["key": .string(operands[0].lowercased())])
            default:
                guard confirmed(options, "Lift the halt and let orders leave again?") else { return ExitCode.refused }
                return try act("resume", ["reason": .string(options["reason"] ?? "asked at the console")])
            }
        } catch {
            guard case .unreachable = error else {
                Console.error(
                    "tidewire-edge: the edge on \(folder) did not answer (\(error)); what was asked may have been done. Look with "
                        + "`tidewire-edge status`, then ask again")
                return ExitCode.unreachable
            }
            Console.error("tidewire-edge: no edge runs on \(folder) (\(error)); start it with `tidewire-edge run`")
            if let words = try? PrivateFiles.read(folder + "/last-failure") {
                Console.error("the last run ended by a failure of its store: " + String(decoding: words.prefix { $0 != 0x0A }, as: UTF8.self))
            }
            return ExitCode.unreachable
        }
    }

    // MARK: Asking

    private func get(_ path: String) throws(HTTPClientError) -> (status: Int, value: JSONValue) {
        try call(HTTPCall(.get, url: "http://edge/api/v1/\(path)", unixSocket: socket))
    }

    private func call(_ call: HTTPCall) throws(HTTPClientError) -> (status: Int, value: JSONValue) {
        let answer = try HTTPClient.send(call)
        guard let value = try? JSONReader.read(answer.body, limits: .frame) else { throw .failed("the answer is not JSON") }
        return (answer.status, value)
    }

    private func confirmed(_ options: [String: String], _ question: String) -> Bool {
        if options["yes"] != nil || Console.confirm(question) { return true }
        Console.error("tidewire-edge: not done\(Console.isInteractive ? "" : "; say --yes where nobody can answer")")
        return false
    }

    private static func question(_ level: HaltLevel) -> String {
        switch level {
        case .normal, .halt: "Halt trading? No order will leave until `tidewire-edge resume`."
        case .reducing: "Let nothing open until `tidewire-edge resume`? Closing goes on."
        case .cancel: "Halt trading and cancel every working order that could open? Stops that protect stay. It holds until `tidewire-edge resume`."
        }
    }

    /// The halt must work when the edge does not: the file holds from its next start, whatever else is broken, and at whichever level was asked for
    /// halts at HALT. Of an edge that runs it is no sign that one is wanted: it may have taken the halt, and a resume would come to nothing.
    private func kill(_ level: HaltLevel, reason: String) throws(HTTPClientError) -> Int32 {
        let answer: (status: Int, value: JSONValue)
        do throws(HTTPClientError) { answer = try post("kill", ["level": .string(level.apiWord), "reason": .string(reason)]) } catch {
            guard case .unreachable = error else {
                Console.error(
                    "tidewire-edge: the edge on \(folder) did not answer (\(error)); it may be halted or not. Look with `tidewire-edge status`, and ask "
                        + "again. If it stays so, make a file named KILL in \(folder): it halts as soon as it is seen")
                return ExitCode.unreachable
            }
            do throws(FileError) { try PrivateFiles.write(folder + "/KILL", Array("\(reason)\n".utf8)) } catch let failure {
                Console.error("tidewire-edge: \(failure)")
                return ExitCode.failed
            }
            Console.write("No edge runs on \(folder). The file KILL is written: an edge that starts there is halted.\n")
            if level == .cancel { Console.write("The file cancels nothing: cancel at the broker's own screen, or ask again once the edge runs.\n") }
            return ExitCode.ok
        }
        return follow(answer)
    }

    private func post(_ path: String, _ body: JSONValue) throws(HTTPClientError) -> (status: Int, value: JSONValue) {
        let headers = [WebField("content-type", "application/json")]
        return try call(HTTPCall(.post, url: "http://edge/api/v1/\(path)", headers: headers, body: JSONWriter.plain(body), unixSocket: socket))
    }

    /// Shows what would be written, asks, and writes it.
    private func record(_ kind: String, _ options: [String: String]) throws(HTTPClientError) -> Int32 {
        let preview = try post("ledger/record", RecordCommand.body(kind, options, preview: true))
        guard preview.status < 400 else {
            Console.error("tidewire-edge: " + words(preview.value))
            return ExitCode.refused
        }
        let question = RecordCommand.question(preview.value)
        if options["yes"] != nil, !isJSON { Console.write(question.split(separator: "\n").dropLast().joined(separator: "\n") + "\n") }
        guard confirmed(options, question) else { return ExitCode.refused }
        return try act("ledger/record", RecordCommand.body(kind, options, preview: false))
    }

    /// Sends a command and follows it until its fate is known.
    private func act(_ path: String, _ body: JSONValue) throws(HTTPClientError) -> Int32 { follow(try post(path, body)) }

    /// Follows what the edge has taken. Whoever reads the exit code must not take what is under way for done, nor what was taken for never asked.
    private func follow(_ taken: (status: Int, value: JSONValue)) -> Int32 {
        var answer = taken
        let clock = EventLoop()
        var tries = 0
        while answer.value["state"]?.text == "working", let id = answer.value["id"]?.text, tries < looks.count {
            clock.turn(milliseconds: looks.milliseconds)
            tries += 1
            do throws(HTTPClientError) { answer = try get("commands/\(id)") } catch {
                Console.error(
                    "tidewire-edge: the edge took the command \(id), and then did not answer (\(error)). What became of it stands in its ledger: look at "
                        + "the positions and orders before you ask again")
                return ExitCode.underWay
            }
        }
        if isJSON { Console.write(JSONWriter.plain(answer.value) + [0x0A]) }
        if answer.status >= 400 {
            if !isJSON { Console.error("tidewire-edge: " + words(answer.value)) }
            return ExitCode.refused
        }
        if answer.value["state"]?.text == "working" {
            if !isJSON { Console.error("tidewire-edge: still under way, NOT done: \(words(answer.value)) Look at the positions and orders") }
            return ExitCode.underWay
        }
        if !isJSON { Console.write(words(answer.value) + "\n") }
        return answer.value["state"]?.text == "refused" ? ExitCode.refused : ExitCode.ok
    }

    private func words(_ value: JSONValue) -> String {
        if let text = value["text"]?.text { return text }
        return [value["detail"]?.text, value["cure"]?.text].compactMap { $0 }.joined(separator: " ")
    }

    // MARK: Showing

    private func show(_ answer: (status: Int, value: JSONValue), _ text: (JSONValue) -> String) -> Int32 {
        guard answer.status < 400 else {
            Console.error("tidewire-edge: " + words(answer.value))
            return ExitCode.failed
        }
        Console.write(isJSON ? JSONWriter.plain(answer.value) + [0x0A] : Array(text(answer.value).utf8))
        return ExitCode.ok
    }

    /// What `status` prints of the edge's answer.
    package func status(_ value: JSONValue) -> String {
        var lines: [String] = []
        func line(_ name: String, _ text: String) { lines.append(name + String(repeating: " ", count: max(1, 12 - name.count)) + text) }
        let edge = value["edge"] ?? .null
        line("edge", "\(cell(edge, "name")) (\(cell(edge, "mode")))")
        for (name, key) in [("gateway", "gateway"), ("broker", "reconciliation")] {
            if let part = edge[key], part != .null {
                line(name, sentence([cell(part, "state"), cell(part, "words"), cell(part, "cure"), since(part, value)]))
            }
        }
        if let halt = edge["halt"], halt["level"]?.text != "NONE" {
            line("halt", sentence([cell(halt, "level"), cell(halt, "by"), cell(halt, "reason"), since(halt, value)]))
        }
        line("ledger", "\(cell(edge, "announcedSeq")) entries, \(cell(edge, "ackedSeq")) of them in the cloud")
        if let lag = edge["tablesBehind"] {
            line("tables", "index and postings are \(cell(lag, "entries")) entries behind since \(cell(lag, "since")); orders do not wait for them")
        }
        for trouble in value["troubles"]?.elements ?? [] { line("TROUBLE", cell(trouble, "words") + " " + cell(trouble, "cure")) }
        line("link", cell(value, "link"))
        for bot in value["bots"]?.elements ?? [] {
            line("bot", [cell(bot, "name"), cell(bot, "state"), cell(bot, "words")].joined(separator: " · "))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func sentence(_ parts: [String]) -> String { parts.filter { $0 != "-" && !$0.isEmpty }.joined(separator: " · ") }

    /// The edge's clock measures, and not this terminal's.
    private func now(_ answer: JSONValue) -> Instant { answer["serverTime"]?.text.flatMap { Instant(rfc3339: $0) } ?? SystemClock.now() }
    private func since(_ part: JSONValue, _ answer: JSONValue) -> String {
        Plain.age(of: part["since"], at: now(answer)).map { "for \($0)" } ?? "-"
    }

    private func positions(_ value: JSONValue) -> String {
        table(
            value["positions"], ["instrument", "side", "quantity", "averagePrice", "markPrice", "unrealizedPnL", "stopPrice", "asOf"],
            none: "Nothing is held.")
    }

    private func balances(_ value: JSONValue) -> String {
        table(value["balances"], ["class", "account", "strategy", "asset", "amount"], none: "Nothing is posted yet.")
    }

    /// What `orders` prints of the edge's answer.
    package func orders(_ value: JSONValue) -> String {
        // When something last happened to each, as an age.
        let rows = (value["orders"]?.elements ?? []).map { row in
            JSONValue.object((row.members ?? []) + [JSONMember("age", .string(Plain.age(of: row["updatedAt"], at: now(value)) ?? "-"))])
        }
        return table(
            .array(rows), ["id", "instrument", "side", "type", "quantity", "filled", "status", "stopPrice", "origin", "age"],
            none: "There are no orders.")
    }

    private func table(_ rows: JSONValue?, _ columns: [String], none: String) -> String {
        let rows = rows?.elements ?? []
        return rows.isEmpty ? none + "\n" : Table.text(rows.map { row in columns.map { cell(row, $0) } }, heading: columns)
    }

    private func cell(_ value: JSONValue, _ key: String) -> String {
        switch value[key] {
        case .string(let text): text
        case .integer(let number): String(number)
        case .number(let text): text
        case .bool(let flag): flag ? "yes" : "no"
        default: "-"
        }
    }
}
