// `tidewire-edge`: its command line, its exit codes, and which part does what.
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Wire

/// The program behind `tidewire-edge`.
package enum EdgeProgram {
    private static let yes = CommandOption("yes", "do it without asking")

    static let parser = ArgumentParser(
        program: "tidewire-edge", about: "the trading side of Tidewire: it runs beside IB Gateway and trades whether or not the internet is there",
        commands: [
            CommandSpec("run", options: EdgeSettings.keys.map { CommandOption($0.flag, value: "VALUE", $0.help) }, "trade until told to stop"),
            CommandSpec(
                "enrol", operands: ["TOKEN"],
                options: [
                    CommandOption("replace", "leave the cloud this edge belongs to"),
                    CommandOption("new-key", "make a new key for the link: the old one was revoked, or may be known to others"),
                ],
                "make this edge known to a cloud, with a token from `tidewire-cloud edge invite`"),
            CommandSpec("status", "how the edge, its gateway and its link are"),
            CommandSpec("positions", "what is held"),
            CommandSpec("orders", options: [CommandOption("working", "only those that are at the broker")], "orders and what became of them"),
            CommandSpec(
                "ledger verify",
                options: [
                    CommandOption("witness", value: "SEQ:HASH", "a head known from elsewhere that the ledger must reach"),
                    CommandOption("key", value: "HEX", "the public key that must have signed the checkpoints"),
                ],
                "check every entry of the ledger, whether or not the edge runs"),
            CommandSpec(
                "ledger tail",
                options: [CommandOption("count", value: "N", "how many entries, 20 by default"), CommandOption("follow", "go on as entries come")],
                "the newest entries"),
            CommandSpec(
                "ledger export", options: [CommandOption("raw", value: "SEQ", "the bytes that this entry's hash is made of")],
                "every entry, one JSON object a line"),
            CommandSpec(
                "ledger compact",
                options: [
                    CommandOption("dry-run", "only say what would move"), CommandOption("days", value: "N", "entries younger than this stay (30)"),
                ],
                "move old entries into segment files, as far as the cloud has them in its backup; a running edge does so by itself and says how far it is"
            ),
            CommandSpec(
                "ledger reindex",
                "make the tables beside the entries anew, for a search or a check that finds them damaged or wrong; while the edge does not run"),
            CommandSpec("ledger rebuild", "fold every entry again and compare with the signed digests and the running edge"),
            CommandSpec("ledger prove", operands: ["SEQ"], "the hashes from an entry to the signature over it, and how to check them with b2sum"),
            CommandSpec(
                "ledger accept-rollback", options: [yes, CommandOption("reason", value: "TEXT", "noted in the ledger")],
                "give up the end of the ledger that a restore or a lost disk took away; only here, at the edge"),
            CommandSpec(
                "keys rotate",
                options: [yes, CommandOption("link", "change the key of the link instead, announced in the ledger; the cloud takes both for a day")],
                "sign the ledger with a new key, announced under the present one; only here, at the edge. Copy keys/ afterwards"),
            CommandSpec(
                "keys trust", operands: ["KEY"], options: [yes],
                "believe what the cloud signs by this key (tidewire-cloud keys show), after it lost its own; only here, at the edge"),
            CommandSpec("ledger balances", "what the books hold, by account and asset"),
            CommandSpec(
                "ledger record", operands: ["KIND"],
                options: [
                    yes, CommandOption("amount", value: "NUMBER", "how much, without a sign (interest you paid: below zero)"),
                    CommandOption("currency", value: "CODE", "of the amount: USD"),
                    CommandOption("note", value: "TEXT", "what it was, for the reader"),
                    CommandOption("at", value: "DAY", "when it happened at the broker; by default now"),
                    CommandOption("account", value: "NAME", "the broker's account; by default that of the session"),
                    CommandOption("instrument", value: "ID", "what paid the dividend, or was borrowed"),
                    CommandOption("to-amount", value: "NUMBER", "of an exchange: what came in"),
                    CommandOption("to-currency", value: "CODE", "of an exchange: its currency"),
                ], "write down money that no order moved: deposit, withdrawal, dividend, interest, fee, borrow-fee or exchange"),
            CommandSpec("close", operands: ["INSTRUMENT"], options: [yes], "close a position at market and cancel its protection"),
            CommandSpec(
                "kill",
                options: [
                    yes, CommandOption("reason", value: "TEXT", "noted in the ledger"),
                    CommandOption("level", value: "LEVEL", "REDUCING, HALT (if none is named) or CANCEL, which halts and cancels what could open"),
                ], "halt trading: no order leaves; working orders and stops stay"),
            CommandSpec(
                "resume", options: [yes, CommandOption("reason", value: "TEXT", "noted in the ledger")], "lift the halt; only here, at the edge"),
            CommandSpec(
                "config check", options: EdgeSettings.keys.map { CommandOption($0.flag, value: "VALUE", $0.help) },
                "read the settings and say what is wrong"),
            CommandSpec(
                "config show", options: EdgeSettings.keys.map { CommandOption($0.flag, value: "VALUE", $0.help) },
                "every setting with its value and source"),
        ],
        common: [
            CommandOption("data", value: "DIR", "the data folder"),
            CommandOption("config", value: "FILE", "edge.yaml; by default the one in the data folder"),
            CommandOption("json", "answer with JSON"), CommandOption("help", "this text"), CommandOption("version", "the version"),
        ])

    /// Runs one command line (without the program's name) and gives the exit code. `environment` gives a variable's value by its name.
    package static func run(_ words: [String], environment: (String) -> String?) -> Int32 {
        let parsed: ParsedArguments
        do throws(ArgumentError) { parsed = try parser.parse(words) } catch {
            Console.error("tidewire-edge: \(error)")
            return ExitCode.usage
        }
        switch parsed {
        case .help(let text):
            Console.write(text)
            return ExitCode.ok
        case .version:
            Console.write("tidewire-edge \(Version.product)\n")
            return ExitCode.ok
        case .run(let command, let operands, let options): return run(command, operands, options, environment)
        }
    }

    private static func run(
        _ command: String, _ operands: [String], _ options: [String: String], _ environment: (String) -> String?
    ) -> Int32 {
        let path = DataFolder.path(options["data"], wing: "edge", environment: environment)
        let isJSON = options["json"] != nil
        do {
            switch command {
            case "run": return try EdgeRun.run(folder: try EdgeFolder(path), settings: try settings(path, options, environment))
            case "enrol":
                return try Enrolment.run(
                    operands[0], folder: try EdgeFolder(path), replacing: options["replace"] != nil, renewing: options["new-key"] != nil,
                    isJSON: isJSON)
            case "ledger verify":
                return try LedgerCommands.verify(path + "/ledger.db", witness: options["witness"], key: options["key"], isJSON: isJSON)
            case "ledger tail": return try LedgerCommands.tail(path, count: options["count"], follows: options["follow"] != nil, isJSON: isJSON)
            case "ledger compact":
                return try LedgerCommands.compact(path, days: options["days"], isDry: options["dry-run"] != nil, isJSON: isJSON)
            case "ledger reindex": return try LedgerCommands.reindex(path + "/ledger.db", isJSON: isJSON)
            case "ledger rebuild": return try LedgerCommands.rebuild(path, isJSON: isJSON)
            case "ledger prove": return try LedgerCommands.prove(path + "/ledger.db", operands[0], isJSON: isJSON)
            case "ledger export": return try LedgerCommands.export(path + "/ledger.db", raw: options["raw"])
            case "config check":
                _ = try EdgeConfiguration(try settings(path, options, environment))
                Console.write("The settings are good.\n")
                return ExitCode.ok
            case "config show": return show(try settings(path, options, environment), isJSON: isJSON)
            default: return try ConsoleCommands(folder: path, isJSON: isJSON).run(command, operands, options)
            }
        } catch let error as SettingsError {
            Console.error("tidewire-edge: \(error)")
            return ExitCode.configuration
        } catch let error as ArgumentError {
            Console.error("tidewire-edge: \(error)")
            return ExitCode.usage
        } catch let error as JournalError where error.isBusy {
            // The run that has the ledger is well: no word of a failure is left in its folder.
            Console.error("tidewire-edge: the ledger: \(error)")
            return ExitCode.storeFailed
        } catch let error as JournalError {
            return storeFailed("the ledger: \(error)", during: command, folder: path)
        } catch let error as AgentFailure {
            return storeFailed("the ledger cannot be written: \(error)", during: command, folder: path)
        } catch {
            Console.error("tidewire-edge: \(error)")
            return ExitCode.of(error)
        }
    }

    /// The stop rule: nothing more is tried in this process. The reason is left for `status` and for the next run, which reads everything again.
    private static func storeFailed(_ words: String, during command: String, folder: String) -> Int32 {
        Console.error("tidewire-edge: \(words)")
        if command == "run" {
            Log.write(.error, "the store failed: no order leaves, resting orders stay at the broker, the process ends", ["error": words])
            try? PrivateFiles.write(folder + "/last-failure", Array("\(SystemClock.now()) \(words)\n".utf8))
        }
        return ExitCode.storeFailed
    }

    /// Flag, then environment, then the file, then the default.
    static func settings(_ folder: String, _ options: [String: String], _ environment: (String) -> String?) throws -> Settings {
        let name = options["config"] ?? folder + "/edge.yaml"
        var file: (name: String, bytes: [UInt8])?
        do throws(FileError) { file = (name, try PrivateFiles.read(name)) } catch {
            // A file that was named must be there; the one in the folder need not be.
            if !error.isMissing || options["config"] != nil { throw SettingsError.unreadable(file: name, text: error.reason) }
        }
        var variables: [String: String] = [:]
        for name in EdgeSettings.keys.flatMap({ [$0.variable] + $0.variables }) { variables[name] = environment(name) }
        return try Settings(keys: EdgeSettings.keys, flags: options, environment: variables, file: file)
    }

    private static func show(_ settings: Settings, isJSON: Bool) -> Int32 {
        let rows = settings.listing(secret: [])
        if isJSON {
            let members = rows.map { JSONMember($0.name, ["value": .string($0.value), "source": .string($0.source)]) }
            Console.write(JSONWriter.plain(.object(members)) + [0x0A])
        } else {
            Console.write(Table.text(rows.map { [$0.name, $0.value, $0.source] }, heading: ["setting", "value", "from"]))
        }
        return ExitCode.ok
    }
}
