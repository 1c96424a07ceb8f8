// One line an event on the error stream, key=value, written by one system call; rotation is the supervisor's.
internal import Glibc
internal import Synchronization
package import Values

/// How much a line matters. `debug` is off unless asked for.
package enum LogLevel: Int, Comparable, Sendable {
    case debug, info, warning, error
    package static func < (a: LogLevel, b: LogLevel) -> Bool { a.rawValue < b.rawValue }
    /// `debug`, `info`, `warning` or `error`, as the configuration writes it.
    package init?(name: String) {
        switch name {
        case "debug": self = .debug
        case "info": self = .info
        case "warning": self = .warning
        case "error": self = .error
        default: return nil
        }
    }
    /// The word written in the line.
    package var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// The process's log. Secrets never go in: callers pass names and numbers, not payloads.
package enum Log {
    private static let threshold = Mutex(LogLevel.info)

    /// The least level that is written; set once at the start.
    package static func setThreshold(_ level: LogLevel) { threshold.withLock { $0 = level } }

    /// Writes one line to file descriptor 2. `event` is a short fixed phrase; `fields` keep their order.
    package static func write(_ level: LogLevel, _ event: String, _ fields: KeyValuePairs<String, String> = [:]) {
        guard threshold.withLock({ level >= $0 }) else { return }
        emit(line(level, event, fields, at: SystemClock.now()))
    }

    /// The line without writing it: `time=… level=… event=… key=value`, ended by a newline.
    package static func line(_ level: LogLevel, _ event: String, _ fields: KeyValuePairs<String, String>, at now: Instant) -> String {
        var line = "time=\(now) level=\(level.name) event=\(quoted(event))"
        for (key, value) in fields { line += " \(key)=\(quoted(value))" }
        return line + "\n"
    }

    /// Bare when plain; otherwise in double quotes with escapes, so that a value can never start a line of its own.
    private static func quoted(_ value: String) -> String {
        let plain = !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        if plain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: text += "\\x" + hex(scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    private static func hex(_ value: UInt32) -> String { (value < 16 ? "0" : "") + String(value, radix: 16) }

    private static func emit(_ line: String) {
        var line = line
        // One write keeps lines of several threads apart (a pipe takes up to 4,096 bytes whole).
        line.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
    }
}
