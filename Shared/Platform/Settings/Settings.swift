// One program's settings: flag before environment before file before default, and an unknown key is an error with its line.

/// One setting of a program.
package struct SettingKey: Hashable, Sendable {
    /// The key in the file, dots for nesting: `gateway.port`. Its flag has dashes for dots, its variable is `TIDEWIRE_GATEWAY_PORT`.
    package let name: String
    /// Further environment names that are read after our own, oldest user first.
    package let variables: [String]
    package let fallback: String?
    package let help: String
    package init(_ name: String, variables: [String] = [], default fallback: String? = nil, _ help: String) {
        self.name = name; self.variables = variables; self.fallback = fallback; self.help = help
    }
    /// Without the two dashes.
    package var flag: String { String(name.map { $0 == "." || $0 == "_" ? "-" : $0 }) }
    package var variable: String { "TIDEWIRE_" + String(name.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 }) }
}

/// Why the settings were refused; the process ends with exit code 78.
package enum SettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    case unreadable(file: String, text: String)
    case unknownKey(String, file: String, line: Int)
    case notAScalar(String, file: String, line: Int)
    case badValue(key: String, value: String, source: String, wanted: String)
    case missing(String)

    package var description: String {
        switch self {
        case .unreadable(let file, let text): "\(file): \(text)"
        case .unknownKey(let key, let file, let line): "\(file), line \(line): there is no setting '\(key)'"
        case .notAScalar(let key, let file, let line): "\(file), line \(line): '\(key)' wants one value"
        case .badValue(let key, let value, let source, let wanted): "\(key) is '\(value)' (\(source)); it must be \(wanted)"
        case .missing(let key): "\(key) is not set and has no default"
        }
    }
}

/// One resolved value and where it came from.
package struct SettingValue: Hashable, Sendable {
    package let text: String
    /// `--flag`, `environment NAME`, `file:line` or `default`.
    package let source: String
}

/// All settings of a run.
package struct Settings: Sendable {
    package let keys: [SettingKey]
    private let values: [String: SettingValue]

    /// Resolves every key. `file` is the text of the settings file with its name, when there is one.
    package init(
        keys: [SettingKey], flags: [String: String], environment: [String: String], file: (name: String, bytes: [UInt8])?
    ) throws(SettingsError) {
        self.keys = keys
        var values: [String: SettingValue] = [:]
        for key in keys { if let fallback = key.fallback { values[key.name] = SettingValue(text: fallback, source: "default") } }
        if let file { try Settings.merge(file, keys, into: &values) }
        for key in keys {
            for name in [key.variable] + key.variables {
                guard let text = environment[name], !text.isEmpty else { continue }
                values[key.name] = SettingValue(text: text, source: "environment \(name)")
                break
            }
            if let text = flags[key.flag] { values[key.name] = SettingValue(text: text, source: "--\(key.flag)") }
        }
        self.values = values
    }

    private static func merge(
        _ file: (name: String, bytes: [UInt8]), _ keys: [SettingKey], into values: inout [String: SettingValue]
    ) throws(SettingsError) {
        let root: YAMLNode?
        do throws(YAMLError) { root = try YAML.read(file.bytes) } catch { throw .unreadable(file: file.name, text: error.description) }
        guard let root else { return }
        guard case .map(let members, _) = root else { throw .unreadable(file: file.name, text: "the file must be a list of 'key: value' lines") }
        try merge(members, prefix: "", file.name, keys, into: &values)
    }

    private static func merge(
        _ members: [YAMLMember], prefix: String, _ file: String, _ keys: [SettingKey], into values: inout [String: SettingValue]
    ) throws(SettingsError) {
        for member in members {
            let name = prefix + member.key
            if case .map(let inner, _) = member.value, keys.contains(where: { $0.name.hasPrefix(name + ".") }) {
                try merge(inner, prefix: name + ".", file, keys, into: &values)
                continue
            }
            guard keys.contains(where: { $0.name == name }) else { throw .unknownKey(name, file: file, line: member.line) }
            switch member.value {
            case .scalar(let text, let line): values[name] = SettingValue(text: text, source: "\(file):\(line)")
            case .list(let items, let line):
                // A list of plain words reads like the same words with commas.
                let words = items.compactMap { if case .scalar(let text, _) = $0 { text } else { nil } }
                guard words.count == items.count else { throw .notAScalar(name, file: file, line: line) }
                values[name] = SettingValue(text: words.joined(separator: ","), source: "\(file):\(line)")
            case .map(_, let line): throw .notAScalar(name, file: file, line: line)
            }
        }
    }

    /// The value of a key that the table has; nil when it is not set.
    package func value(_ name: String) -> SettingValue? {
        precondition(keys.contains { $0.name == name }, "no setting \(name) in the table")
        return values[name]
    }

    package func text(_ name: String) throws(SettingsError) -> String {
        guard let value = value(name) else { throw .missing(name) }
        return value.text
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws(SettingsError) -> Int {
        let found = try text(name)
        guard let number = Int(found), range.contains(number) else {
            throw .badValue(
                key: name, value: found, source: value(name)?.source ?? "", wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package func flag(_ name: String) throws(SettingsError) -> Bool {
        switch try text(name).lowercased() {
        case "yes", "true", "on", "1": return true
        case "no", "false", "off", "0": return false
        case let other: throw .badValue(key: name, value: other, source: value(name)?.source ?? "", wanted: "yes or no")
        }
    }

    package func word<T: RawRepresentable & CaseIterable>(_ name: String, _: T.Type) throws(SettingsError) -> T where T.RawValue == String {
        let found = try text(name)
        let words = T.allCases.map(\.rawValue)
        guard let word = T.allCases.first(where: { $0.rawValue.lowercased() == found.lowercased() }) else {
            throw .badValue(key: name, value: found, source: value(name)?.source ?? "", wanted: "one of \(words.joined(separator: ", "))")
        }
        return word
    }

    /// Every key with its value and source, for `config show`; `secret` keys are shown as set or not.
    package func listing(secret: Set<String>) -> [(name: String, value: String, source: String)] {
        keys.map { key in
            guard let value = values[key.name] else { return (key.name, "", "not set") }
            return (key.name, secret.contains(key.name) ? "(set)" : value.text, value.source)
        }
    }
}
