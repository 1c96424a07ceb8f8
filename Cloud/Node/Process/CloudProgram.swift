// `tidewire-cloud`: its commands, options and exit codes.
internal import Platform
internal import Values

/// The program behind the process.
package enum CloudProgram {
    private static let yes = CommandOption("yes", "do it without asking")

    static let parser = ArgumentParser(
        program: "tidewire-cloud", about: "shows what the edges do, and asks them",
        commands: [
            CommandSpec(
                "run",
                options: CloudConfiguration.keys.map {
                    CommandOption($0.flag, value: "VALUE", "\($0.help)\($0.fallback.map { $0.isEmpty ? "" : " (\($0))" } ?? "")")
                },
                """
                serves the dashboard and takes the edges' links until it is stopped

                The first start makes the user admin, with a password that lies in the file first-password of the data folder until it is changed. With
                TIDEWIRE_PASSWORD the password of TIDEWIRE_USERNAME (admin) is that one instead: set when the user is new, and when the variable says
                another one than at the start before. What was changed by `user password` since is not put back.
                """),
            CommandSpec(
                "edge invite", operands: ["NAME"], options: [CommandOption("host", value: "HOST", "what the edge dials instead of link_address")],
                "prints a one-time token for a new edge; it lives 15 minutes"),
            CommandSpec("edge confirm", operands: ["NAME", "CODE"], "lets an edge in whose six digits you have compared"),
            CommandSpec(
                "edge revoke", operands: ["NAME"], options: [CommandOption("reason", value: "TEXT", "kept with the record of it"), yes],
                "refuses an edge's key for ever and ends its commands; its ledger stays"),
            CommandSpec(
                "edge settle", operands: ["NAME"],
                options: [CommandOption("keep", value: "WHICH", "edge or cloud: whose history goes on; of a revoked edge readmit or close"), yes],
                "decides about an edge whose ledger has two histories or lost its end, or whose key was revoked; what does not go on is sealed"),
            CommandSpec(
                "reconcile", operands: ["EDGE"],
                "compares every stored byte of an edge's ledger here with the edge's own copy, puts damaged entries right, and prints a proof"),
            CommandSpec("edge list", "lists edges and open invitations"),
            CommandSpec(
                "user add", operands: ["NAME"],
                options: [
                    CommandOption("role", value: "ROLE", "viewer, trader, risk or admin (viewer)"),
                    CommandOption("stdin", "take the password from standard input instead of making one"),
                ], "adds a user and prints the password once"),
            CommandSpec(
                "user password", operands: ["NAME"],
                options: [CommandOption("stdin", "take the password from standard input instead of making one")],
                "sets a new password, prints it once, and ends the user's sessions"),
            CommandSpec("keys show", "the public halves of this cloud's keys: of its link, and of its word for the edges' ledgers"),
            CommandSpec(
                "keys rotate",
                options: [CommandOption("link", "the key of the link instead: makes the next one, which the cloud tells its edges of"), yes],
                "changes the key of this cloud's word for the edges' ledgers, announced under the present one; copy keys/ and start the cloud again"),
            CommandSpec(
                "keys adopt", options: [CommandOption("anyway", "also when an edge does not have it yet, which then has to be enrolled anew"), yes],
                "takes up the next key of the link once every edge has it; while the cloud does not run, or to be used from its next start on"),
            CommandSpec(
                "store renew-incarnation", options: [yes],
                "after a backup was put back, before the cloud starts: edges then send again what the backup lacks, and nobody is alarmed"),
            CommandSpec(
                "store backup", operands: ["FOLDER"],
                "copies everything into FOLDER while the cloud runs, puts the copy back on trial, verifies it, and tells the edges how far it reaches"
            ),
            CommandSpec(
                "ledger verify", options: [CommandOption("edge", value: "ID", "only the edge of this id")],
                "checks the stored ledgers, entry by entry"),
            CommandSpec(
                "ledger reindex", operands: ["EDGE"],
                "makes the tables beside an edge's stored entries anew, when a check finds them damaged or wrong; while the cloud does not run"),
            CommandSpec("ledger rebuild", operands: ["EDGE"], "folds an edge's stored entries again and compares with the signed digests"),
            CommandSpec("ledger prove", operands: ["EDGE", "SEQ"], "the hashes from an entry to the signature over it"),
            CommandSpec(
                "ledger tail", operands: ["EDGE"], options: [CommandOption("count", value: "N", "how many entries (20)")],
                "an edge's newest stored entries"),
            CommandSpec(
                "ledger export", operands: ["EDGE"], options: [CommandOption("raw", value: "SEQ", "the bytes that this entry's hash is made of")],
                "every stored entry of an edge, one JSON object a line"),
        ],
        common: [
            CommandOption("data", value: "FOLDER", "the data folder"),
            CommandOption("config", value: "FILE", "the settings file (FOLDER/cloud.yaml)"),
            CommandOption("json", "answer as JSON"), CommandOption("help", "this text"), CommandOption("version", "the version"),
        ])

    /// Runs one command.
    /// - Parameter environment: the values of `CloudConfiguration.variables` that are set.
    /// - Returns: the exit code.
    package static func run(_ words: [String], environment: [String: String]) -> Int32 {
        do throws(ArgumentError) {
            switch try parser.parse(words) {
            case .help(let text): Console.write(text)
            case .version: Console.write("tidewire-cloud \(Version.product)\n")
            case .run(let command, let operands, let options): return perform(command, operands, options, environment)
            }
            return ExitCode.ok
        } catch {
            return fail(error.description, ExitCode.usage)
        }
    }

    private static func perform(_ command: String, _ operands: [String], _ options: [String: String], _ environment: [String: String]) -> Int32 {
        do {
            if command == "run" { return try serve(options, environment) }
            let folder = CloudConfiguration.folder(options["data"], environment)
            let console = ConsoleCalls(folder: folder, isJSON: options["json"] != nil)
            if command == "edge settle", options["keep"] == nil {
                return fail("say whose history goes on: --keep edge or --keep cloud; of a revoked edge --keep readmit or close", ExitCode.usage)
            }
            guard confirmed(command, operands, options) else { return ExitCode.refused }
            switch command {
            case "keys show", "keys rotate", "keys adopt":
                return try keys(command, CloudKeys(folder: folder, isJSON: options["json"] != nil), options)
            case "store renew-incarnation": return try RestoredStore.renew(folder: folder, isJSON: options["json"] != nil)
            case "store backup": return try console.backUp(to: operands[0])
            case "ledger verify": return try StoredLedgers(folder: folder, isJSON: options["json"] != nil).verify(only: options["edge"])
            case "ledger reindex": return try StoredLedgers(folder: folder, isJSON: options["json"] != nil).reindex(operands[0])
            case "ledger rebuild", "ledger prove", "ledger tail", "ledger export":
                return try StoredLedgers(folder: folder, isJSON: options["json"] != nil).read(command, operands, options)
            case "user add", "user password":
                return try console.user(operands[0], role: options["role"], mustBeNew: command == "user add", fromInput: options["stdin"] != nil)
            case "edge invite": return try console.invite(operands[0], host: options["host"])
            case "edge confirm": return try console.confirm(operands[0], code: operands[1])
            case "reconcile": return try console.reconcile(operands[0])
            case "edge revoke": return try console.revoke(operands[0], reason: options["reason"])
            case "edge settle": return try console.settle(operands[0], keep: options["keep"] ?? "")
            default: return try console.list()
            }
        } catch let error as CloudRefusal {
            return fail(error.description, error.exitCode)
        } catch let error as SettingsError {
            return fail(error.description, ExitCode.configuration)
        } catch {
            return fail("\(error)", ExitCode.of(error))
        }
    }

    /// What cannot be taken back is asked for once more, as the edge's console does and as the page does by the typed name.
    private static func confirmed(_ command: String, _ operands: [String], _ options: [String: String]) -> Bool {
        guard let question = question(command, operands, options), options["yes"] == nil, !Console.confirm(question) else { return true }
        Console.error("tidewire-cloud: not done\(Console.isInteractive ? "" : "; say --yes where nobody can answer")")
        return false
    }

    /// Nil for what needs none.
    private static func question(_ command: String, _ operands: [String], _ options: [String: String]) -> String? {
        switch command {
        case "edge revoke": return "Refuse the key of \(operands[0]) for ever and end its commands?"
        case "edge settle":
            switch options["keep"] {
            case "edge", "cloud": return "Let the \(options["keep"] ?? "")'s history of \(operands[0]) go on? The other one is sealed."
            case "readmit": return "Let \(operands[0]), which was revoked, come back with a new key?"
            default: return "Keep \(operands[0]) out?"
            }
        case "keys rotate":
            let which = options["link"] == nil ? "by which this cloud signs for the edges' ledgers" : "of the link"
            return "Change the key \(which)? Copy keys/ again afterwards."
        case "keys adopt": return "Answer the edges by the next key of the link from the next start on? The present one is given up."
        case "store renew-incarnation":
            return "Was this store put back from a backup? Its edges then send again what it lacks, and nobody is alarmed."
        default: return nil
        }
    }

    private static func keys(_ command: String, _ keys: CloudKeys, _ options: [String: String]) throws -> Int32 {
        switch command {
        case "keys rotate": return try options["link"] == nil ? keys.rotate() : keys.announce()
        case "keys adopt": return try keys.adopt(anyway: options["anyway"] != nil)
        default: return try keys.show()
        }
    }

    static func fail(_ words: String, _ code: Int32) -> Int32 {
        Console.error("tidewire-cloud: \(words)")
        return code
    }

    private static func serve(_ options: [String: String], _ environment: [String: String]) throws -> Int32 {
        let configuration = try CloudConfiguration(options: options, environment: environment)
        let isJSON = options["json"] != nil
        let shell = try CloudShell(configuration)
        do {
            try shell.run { addresses in announce(addresses, configuration, isJSON: isJSON) }
        } catch {
            return fail("the store failed, the process must start anew: \(error)", ExitCode.storeFailed)
        }
        return ExitCode.ok
    }

    private static func announce(_ addresses: CloudAddresses, _ configuration: CloudConfiguration, isJSON: Bool) {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        let shown = ["0.0.0.0", "[::]"].contains(host) ? "127.0.0.1" : host
        let url = "\(configuration.certificate == nil ? "http" : "https")://\(shown):\(addresses.web)"
        if isJSON {
            Console.write(Array(#"{"ready":"\#(url)","link":\#(addresses.link)}"#.utf8) + [0x0A])
        } else {
            Console.write("ready \(url) (link on port \(addresses.link))\n")
        }
    }
}
