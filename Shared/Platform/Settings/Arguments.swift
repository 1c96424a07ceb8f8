// The command line: options from one table that also prints the help.

/// One option of a command.
package struct CommandOption: Hashable, Sendable {
    /// Without dashes: `data`.
    package let name: String
    /// The placeholder of its value in the help; nil for a switch.
    package let value: String?
    /// May be given several times; the values are joined by commas.
    package let isRepeatable: Bool
    package let help: String
    package init(_ name: String, value: String? = nil, isRepeatable: Bool = false, _ help: String) {
        self.name = name; self.value = value; self.isRepeatable = isRepeatable; self.help = help
    }
}

/// One command with its options and operands.
package struct CommandSpec: Hashable, Sendable {
    /// The words that select it: `["ledger", "verify"]`.
    package let words: [String]
    /// Names of operands in order, each required.
    package let operands: [String]
    package let options: [CommandOption]
    package let help: String
    package init(_ words: String, operands: [String] = [], options: [CommandOption] = [], _ help: String) {
        self.words = words.split(separator: " ").map(String.init); self.operands = operands; self.options = options; self.help = help
    }
    /// The first line of the help.
    var summary: String { String(help.prefix { $0 != "\n" }) }
}

/// Why a command line was refused; its text says what to type.
package enum ArgumentError: Error, Equatable, Sendable, CustomStringConvertible {
    case noCommand
    case unknownCommand(String)
    case unknownOption(String)
    case missingValue(String)
    case unexpectedValue(String)
    case repeated(String)
    case missingOperand(String)
    case unexpectedOperand(String)

    package var description: String {
        switch self {
        case .noCommand: "no command was given; see --help"
        case .unknownCommand(let word): "there is no command '\(word)'; see --help"
        case .unknownOption(let name): "there is no option '\(name)' here; see --help"
        case .missingValue(let name): "the option --\(name) wants a value"
        case .unexpectedValue(let name): "the option --\(name) takes no value"
        case .repeated(let name): "the option --\(name) is given twice"
        case .missingOperand(let name): "\(name) is missing; see --help"
        case .unexpectedOperand(let text): "'\(text)' is one word too many; see --help"
        }
    }
}

/// What the command line asks for.
package enum ParsedArguments: Equatable, Sendable {
    case help(String)
    case version
    case run(command: String, operands: [String], options: [String: String])
}

/// A program's commands.
package struct ArgumentParser: Sendable {
    package let program: String
    package let about: String
    package let commands: [CommandSpec]
    /// Options that every command takes.
    package let common: [CommandOption]

    package init(program: String, about: String, commands: [CommandSpec], common: [CommandOption]) {
        self.program = program; self.about = about; self.commands = commands; self.common = common
    }

    /// Reads the words after the program's name. Options may stand anywhere; `--` ends them; a switch's value is `yes`.
    package func parse(_ words: [String]) throws(ArgumentError) -> ParsedArguments {
        if words.contains("--version") { return .version }
        guard let command = commands.filter({ words.starts(with: $0.words) }).max(by: { $0.words.count < $1.words.count }) else {
            if words.contains("--help") || words.contains("-h") { return .help(help) }
            guard let first = words.first else { throw .noCommand }
            throw .unknownCommand(first)
        }
        let rest = Array(words.dropFirst(command.words.count))
        if rest.contains("--help") || rest.contains("-h") { return .help(help(of: command)) }
        let (operands, options) = try split(rest, command)
        if operands.count < command.operands.count { throw .missingOperand(command.operands[operands.count]) }
        if operands.count > command.operands.count { throw .unexpectedOperand(operands[command.operands.count]) }
        return .run(command: command.words.joined(separator: " "), operands: operands, options: options)
    }

    private func split(_ words: [String], _ command: CommandSpec) throws(ArgumentError) -> (operands: [String], options: [String: String]) {
        let known = command.options + common
        var operands: [String] = []
        var options: [String: String] = [:]
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            if word == "--" { operands += words[index...]; break }
            guard word.hasPrefix("--") else { operands.append(word); continue }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = known.first(where: { $0.name == parts[0] }) else { throw .unknownOption(word) }
            let earlier = options[option.name]
            guard earlier == nil || option.isRepeatable else { throw .repeated(option.name) }
            let value: String
            if option.value == nil {
                guard parts.count == 1 else { throw .unexpectedValue(option.name) }
                value = "yes"
            } else if parts.count == 2 {
                value = parts[1]
            } else {
                guard index < words.count, !words[index].hasPrefix("--") else { throw .missingValue(option.name) }
                value = words[index]
                index += 1
            }
            options[option.name] = earlier.map { $0 + "," + value } ?? value
        }
        return (operands, options)
    }

    /// The whole program's help.
    package var help: String {
        let rows = commands.map { ("\($0.words.joined(separator: " ")) \($0.operands.joined(separator: " "))", $0.summary) }
        let codes = ExitCode.table.map { ("\($0.code)", $0.words) }
        return "\(program): \(about)\n\nCommands:\n" + table(rows) + "\n\nEvery command takes:\n" + table(common.map(row)) + "\n\nExit codes:\n"
            + table(codes) + "\n"
    }

    private func help(of command: CommandSpec) -> String {
        let usage = ([program] + command.words + command.operands).joined(separator: " ")
        return "Usage: \(usage) [options]\n\(command.help)\n\nOptions:\n" + table((command.options + common).map(row)) + "\n"
    }

    private func row(_ option: CommandOption) -> (String, String) { ("--\(option.name)\(option.value.map { " \($0)" } ?? "")", option.help) }

    private func table(_ rows: [(String, String)]) -> String {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  \($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)" }.joined(separator: "\n")
    }
}
