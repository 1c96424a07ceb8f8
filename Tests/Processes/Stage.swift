// Four real processes on loopback: gateway, relay, cloud and edge, in one folder, with ports that the system gave.
internal import Platform
package import Wire

/// What differs from stage to stage.
package struct StageWishes {
    /// More words for `rig gateway`.
    package var gateway: [String] = []
    /// More words for `tidewire-edge run`.
    package var edge: [String] = []
    /// Whether the bot trades, on two simulated stocks.
    package var hasBot = false
    /// How much faster than time prices move.
    package var speed = 1
    package var seed: UInt64 = 1
    package init() {}

    /// A bot that enters at the next tick up, leaves soon, and comes back after a second.
    package static func busy(seed: UInt64 = 1, speed: Int = 60) -> StageWishes {
        var wishes = StageWishes()
        wishes.hasBot = true; wishes.speed = speed; wishes.seed = seed
        return wishes
    }
}

/// The four processes and what they share. Everything is killed with its holder.
package final class Stage {
    package enum Part: String, CaseIterable { case gateway, relay, edge, cloud }

    package let wishes: StageWishes
    package let scratch: ScratchFolder
    package let patience = Patience()
    package let cloudPort, linkPort, enrolmentPort, relayPort, gatewayPort: Int
    package static let password = "a long enough sentence"
    private let warden: Warden
    private var children: [Part: Child] = [:]
    private var calls = 0
    private var token: String?

    package init(_ wishes: StageWishes = StageWishes()) throws {
        self.wishes = wishes
        scratch = try ScratchFolder()
        warden = try Warden()
        // Drawn together: one that is given back could be given again.
        var drawn: [Int] = []
        while drawn.count < 5 {
            let port = try patience.freePort()
            if !drawn.contains(port) { drawn.append(port) }
        }
        (cloudPort, linkPort, relayPort, gatewayPort, enrolmentPort) = (drawn[0], drawn[1], drawn[2], drawn[3], drawn[4])
        try settle()
    }

    deinit { for part in [Part.edge, .cloud, .relay, .gateway] { children[part]?.kill() } }

    package var folder: String { scratch.path }
    package var edgeFolder: String { folder + "/edge" }
    package var cloudFolder: String { folder + "/cloud" }
    package var gatewayFolder: String { folder + "/gateway" }
    package var edgeLedger: String { edgeFolder + "/ledger.db" }
    package var url: String { "http://127.0.0.1:\(cloudPort)" }

    /// The edge dials the relay; everything else is direct.
    private func settle() throws {
        for folder in [edgeFolder, cloudFolder] { try PrivateFiles.makeFolder(folder) }
        try Files.write(
            cloudFolder + "/cloud.yaml",
            """
            port: \(cloudPort)
            link_address: 127.0.0.1:\(relayPort)
            link:
              host: 127.0.0.1
              port: \(linkPort)
            enrolment:
              port: \(enrolmentPort)

            """)
    }

    /// The words of `tidewire-edge run` on this stage.
    package var edgeWords: [String] {
        let bot = [
            "--bots-breakout-stocks", "NVDA,TSLA", "--bots-breakout-entry-offset", "0.000001", "--bots-breakout-trail", "0.0002",
            "--bots-breakout-cooldown-seconds", "1", "--bots-breakout-entry-seconds", "5",
        ]
        return ["run", "--data", edgeFolder, "--name", "home-1", "--gateway-port", "\(gatewayPort)", "--stocks", "NVDA@NASDAQ,TSLA@NASDAQ"]
            + (wishes.hasBot ? bot : []) + wishes.edge
    }

    // MARK: Processes

    package func child(_ part: Part) -> Child? { children[part] }
    package func isRunning(_ part: Part) -> Bool { children[part]?.isRunning ?? false }

    /// Starts one process and waits until it says that it is ready.
    /// - Parameters:
    ///   - seconds: how long it may take; debug builds on a busy machine are slow.
    ///   - environment: more of it, as what makes system calls fail.
    package func start(_ part: Part, within seconds: Int = 30, environment: [String: String] = [:]) throws {
        let (program, words, isReady): (String, [String], (Child) -> Bool) =
            switch part {
            case .gateway: ("rig", gatewayWords, { $0.output.contains("listening on") })
            case .relay: ("rig", relayWords, { $0.output.contains("listening on") })
            case .cloud: ("tidewire-cloud", ["run", "--data", cloudFolder], { $0.output.contains("ready ") })
            case .edge: ("tidewire-edge", edgeWords, { $0.complaints.contains("edge ready") })
            }
        let child = try spawn(part.rawValue, program, words, environment: environment)
        children[part] = child
        try patience.until("\(part) is ready", within: seconds, excuse: { "It said: \(child.output)\(child.complaints)" }) {
            guard child.isRunning else {
                throw ProcessTrouble("\(part) ended with \(child.exitCode ?? 0) at its start; it said: \(child.output)\(child.complaints)")
            }
            return isReady(child)
        }
    }

    private var gatewayWords: [String] {
        ["gateway", "--port", "\(gatewayPort)", "--data", gatewayFolder, "--seed", "\(wishes.seed)", "--speed", "\(wishes.speed)"] + wishes.gateway
    }
    private var relayWords: [String] {
        ["relay", "--listen", "127.0.0.1:\(relayPort)", "--to", "127.0.0.1:\(linkPort)", "--control", folder + "/relay.control"]
    }

    /// Starts a program of ours without waiting for anything.
    package func spawn(_ name: String, _ program: String, _ words: [String], environment: [String: String] = [:]) throws -> Child {
        let own = ["HOME": folder, "PATH": "/usr/bin:/bin", "TIDEWIRE_PASSWORD": Stage.password]
        return try Child(
            name: name, path: try Programs.path(program), words, environment: own.merging(environment) { _, given in given }, folder: folder,
            warden: warden)
    }

    /// Runs a line of shell to its end; throws with its words when it fails.
    package func shell(_ line: String, within seconds: Int = 60) throws {
        calls += 1
        let child = try Child(
            name: "call-\(calls)", path: "/bin/sh", ["-c", line], environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"], folder: folder,
            warden: warden)
        guard try patience.first("'\(line)' ends", within: seconds, { child.exitCode }) == 0 else {
            throw ProcessTrouble("'\(line)' says: \(child.output)\(child.complaints)")
        }
    }

    /// `kill -9`.
    package func kill(_ part: Part) { children.removeValue(forKey: part)?.kill() }

    /// Asks a process to stop in order and waits for its end.
    package func stop(_ part: Part, within seconds: Int = 20) throws -> Int32 {
        guard let child = children.removeValue(forKey: part) else { throw ProcessTrouble("\(part) does not run") }
        child.terminate()
        return try patience.first("\(part) ends", within: seconds) { child.exitCode }
    }

    /// Runs a program to its end.
    package func run(_ program: String, _ words: [String], environment: [String: String] = [:], within seconds: Int = 40) throws -> Ending {
        calls += 1
        let child = try spawn("call-\(calls)", program, words, environment: environment)
        defer { for path in [child.outputPath, child.errorPath] { Files.remove(path) } }
        let code = try patience.first("\(program) \(words.joined(separator: " ")) ends", within: seconds) { child.exitCode }
        return Ending(code: code, output: child.output, complaints: child.complaints)
    }

    // MARK: The story's steps

    /// Gateway, relay, cloud and edge, enrolled and linked, and the broker compared.
    package func open() throws {
        try start(.gateway)
        try openCloud()
        try enrol()
        try start(.edge)
        try awaitLink()
        try awaitBroker()
    }

    package func openCloud() throws {
        try start(.relay)
        try start(.cloud)
    }

    /// Relay, cloud and a linked edge; the gateway is the test's own affair.
    package func openUnbrokered() throws {
        try openCloud()
        try enrol()
        try start(.edge)
        try awaitLink()
    }

    /// Invites this stage's edge and confirms it by the digits it shows.
    package func enrol() throws { try enrol(by: try invite("home-1")) }

    package func enrol(by token: String) throws {
        let answer = try json(try edge("enrol", token, "--json"))
        guard let code = answer["code"]?.text else { throw ProcessTrouble("enrolment shows no code: \(answer)") }
        let confirmed = try cloud("edge", "confirm", "home-1", code)
        guard confirmed.code == 0 else { throw ProcessTrouble("the cloud does not confirm: \(confirmed.complaints)") }
    }

    /// A fresh one-time token.
    package func invite(_ name: String) throws -> String {
        let answer = try json(try cloud("edge", "invite", name, "--json"))
        guard let token = answer["token"]?.text else { throw ProcessTrouble("the cloud gives no token: \(answer)") }
        return token
    }

    package func edge(_ words: String...) throws -> Ending { try run("tidewire-edge", words + ["--data", edgeFolder]) }
    package func cloud(_ words: String...) throws -> Ending { try run("tidewire-cloud", words + ["--data", cloudFolder]) }

    /// `cut`, `mend`, `status`, or `weather` and its words.
    @discardableResult package func link(_ words: String...) throws -> String {
        var last = ""
        return try patience.first("relay \(words.joined(separator: " "))", within: 60, excuse: { last }) {
            let ending = try run("rig", ["relay"] + words + ["--control", folder + "/relay.control"])
            if ending.code == 0 { return ending.output }
            last = ending.complaints
            // A relay that got no time on a busy machine is asked again; whatever it says itself is final.
            guard last.contains("did not answer") else { throw ProcessTrouble("relay \(words.joined(separator: " ")): \(last)") }
            return nil
        }
    }

    /// The one JSON object that a command answered.
    package func json(_ ending: Ending) throws -> JSONValue {
        guard ending.code == 0 else { throw ProcessTrouble("exit code \(ending.code): \(ending.output)\(ending.complaints)") }
        return try JSONReader.read(Array(ending.output.utf8), limits: .frame)
    }

    /// `tidewire-edge status --json`; nil while no edge answers.
    package func edgeStatus() throws -> JSONValue? {
        let ending = try edge("status", "--json")
        return ending.code == 0 ? try json(ending) : nil
    }

    /// The edge's row at the cloud; nil while there is none or the cloud is gone.
    package func edgeRow() throws -> JSONValue? {
        guard let answer = try? get("edges"), answer.status == 200 else { return nil }
        return answer.value["edges"]?.elements?.first
    }

    package func awaitLink(within seconds: Int = 45) throws {
        try patience.until("the edge is linked", within: seconds, excuse: { "The row: \(String(describing: try? self.edgeRow()))" }) {
            try edgeRow()?["state"]?.text == "live"
        }
    }

    /// Connected, compared, trading.
    package func awaitBroker(within seconds: Int = 45) throws {
        var last: JSONValue?
        try patience.until("the broker is compared", within: seconds, excuse: { "The edge: \(String(describing: last))" }) {
            last = try edgeStatus()?["edge"]
            return last?["reconciliation"]?["state"]?.text == "clean" || last?["reconciliation"]?["state"]?.text == "difference"
        }
    }

    // MARK: The cloud's API

    package func get(_ path: String) throws -> (status: Int, value: JSONValue) { try call(.get, path, nil, key: nil) }
    package func post(_ path: String, _ body: JSONValue, key: String?) throws -> (status: Int, value: JSONValue) {
        try call(.post, path, body, key: key)
    }

    private func call(_ method: HTTPMethod, _ path: String, _ body: JSONValue?, key: String?) throws -> (status: Int, value: JSONValue) {
        let word = try signIn()
        var call = HTTPCall(method, url: "\(url)/api/v1/\(path)", headers: [WebField("authorization", "Bearer \(word)")])
        if let body {
            call.headers.append(WebField("content-type", "application/json"))
            call.body = JSONWriter.plain(body)
        }
        if let key { call.headers.append(WebField("idempotency-key", key)) }
        let answer = try HTTPClient.send(call)
        return (answer.status, try JSONReader.read(answer.body, limits: .frame))
    }

    /// The bearer token, asked for once; it outlives the cloud's restarts.
    package func signIn() throws -> String {
        if let token { return token }
        var call = HTTPCall(.post, url: "\(url)/api/v1/auth/login", headers: [WebField("content-type", "application/json")])
        call.body = JSONWriter.plain(["username": "admin", "password": .string(Stage.password), "token": true])
        let answer = try HTTPClient.send(call)
        guard answer.status == 200, let word = try JSONReader.read(answer.body, limits: .frame)["token"]?.text else {
            throw ProcessTrouble("sign-in: \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        token = word
        return word
    }

    /// After the cloud was made anew: the next call signs in again.
    package func forgetSignIn() { token = nil }

    /// The command as the cloud tells it, when `look` is content with it.
    package func command(_ id: String, _ what: String, within seconds: Int = 30, _ look: (JSONValue) -> Bool) throws -> JSONValue {
        var last: JSONValue?
        return try patience.first("command \(id) is \(what)", within: seconds, excuse: { "It is \(String(describing: last))" }) {
            let answer = try get("commands/\(id)")
            last = answer.value
            return answer.status == 200 && look(answer.value) ? answer.value : nil
        }
    }

    /// A fresh idempotency key.
    package static func key() -> String {
        (0..<4).map { _ in
            let digits = String(UInt32.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }
}
