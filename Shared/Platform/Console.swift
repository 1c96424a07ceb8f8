// The terminal: text out, error text, and one question.
internal import Glibc

/// Standard output and error of a command-line program.
package enum Console {
    /// Writes all of it to standard output.
    package static func write(_ text: String) { write(Array(text.utf8)) }
    /// Writes all of it to standard output; a reader that left ends the writing, not the program.
    package static func write(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }
    /// One line on standard error.
    package static func error(_ line: String) { write(Array((line + "\n").utf8), to: STDERR_FILENO) }

    /// Asks and waits for a line: true for `y` or `yes`. False at once when nobody is there to answer.
    package static func confirm(_ question: String) -> Bool {
        guard isatty(STDIN_FILENO) == 1 else { return false }
        write(Array((question + " [y/N] ").utf8), to: STDERR_FILENO)
        let answer = readLine()?.lowercased() ?? ""
        return answer == "y" || answer == "yes"
    }
    /// True when a person may be asked.
    package static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
