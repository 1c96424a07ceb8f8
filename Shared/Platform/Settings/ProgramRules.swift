// What every program of the house does alike: its exit codes, and where it keeps its data.

/// Exit codes of the programs; scripts and supervisors decide by them.
package enum ExitCode {
    package static let ok: Int32 = 0
    package static let failed: Int32 = 1
    /// The command line is wrong.
    package static let usage: Int32 = 2
    /// A rule or a person said no.
    package static let refused: Int32 = 3
    /// The other side does not answer.
    package static let unreachable: Int32 = 4
    /// A check found a difference.
    package static let difference: Int32 = 5
    /// What was asked for was taken, and its end is not known yet.
    package static let underWay: Int32 = 6
    /// The ledger or another store failed: the supervisor starts the program again.
    package static let storeFailed: Int32 = 70
    /// The settings are wrong: starting again does not help.
    package static let configuration: Int32 = 78

    /// All of them, for `--help` and the guide; both ends of the product keep to one table.
    package static let table: [(code: Int32, words: String)] = [
        (ok, "done"), (failed, "failed; the sentence says why"), (usage, "the command line is wrong"), (refused, "a rule or a person said no"),
        (unreachable, "the other side does not answer"), (difference, "a check found a difference"),
        (underWay, "taken, and its end is not known yet: look again"),
        (storeFailed, "the ledger or another store failed (the disk, damage, somebody holds it): start again"),
        (configuration, "the settings are wrong: starting again does not help"),
    ]

    /// The code of an error that no command made up itself: a store that failed, at the start as later, or anything else. A file that is not there is
    /// no failing store.
    package static func of(_ error: any Error) -> Int32 {
        switch error {
        case let error as DatabaseError: error.isMissing ? failed : storeFailed
        case StoreError.database(let cause), StoreError.failed(let cause): cause.isMissing ? failed : storeFailed
        case is StoreError: storeFailed
        case let error as FileError: error.isIO || error.isFull ? storeFailed : failed
        default: failed
        }
    }
}

/// Where a program keeps its data.
package enum DataFolder {
    /// The variables that `path` asks for.
    package static let variables = ["STATE_DIRECTORY", "XDG_STATE_HOME", "HOME"]

    /// `--data`, else `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/tidewire/WING`, else `~/.local/state/tidewire/WING`.
    /// - Parameters:
    ///   - wing: `edge` or `cloud`.
    ///   - environment: a variable's value by its name; one that is set to nothing counts as not set.
    package static func path(_ option: String?, wing: String, environment: (String) -> String?) -> String {
        func value(_ name: String) -> String? { environment(name).flatMap { $0.isEmpty ? nil : $0 } }
        if let option { return option }
        if let folder = value("STATE_DIRECTORY") { return folder }
        if let folder = value("XDG_STATE_HOME") { return folder + "/tidewire/" + wing }
        return (value("HOME") ?? ".") + "/.local/state/tidewire/" + wing
    }
}
