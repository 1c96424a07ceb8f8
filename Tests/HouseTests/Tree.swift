// The tree on disk: what git tracks (and what it would, were it added), read once for all laws.
import Foundation

enum Tree {
    enum Failure: Error { case git(String) }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Paths relative to the root, sorted. A machine without git, or a tree without its history, is a failure, never an empty list.
    static func paths() throws -> [String] {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // The tree may belong to another user than the one who tests it; reading names is harmless.
        process.arguments = [
            "git", "-c", "safe.directory=*", "-c", "core.quotePath=false", "-C", root.path, "ls-files", "--cached", "--others", "--exclude-standard",
        ]
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure.git("git ls-files ended with \(process.terminationStatus)") }
        let names = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        return Set(names).filter { FileManager.default.fileExists(atPath: root.appending(path: $0).path) }.sorted()
    }

    /// Every text file; what is not UTF-8 is skipped.
    static func sources() throws -> [Source] {
        try paths().compactMap { path in
            let data = try Data(contentsOf: root.appending(path: path))
            return String(validating: data, as: UTF8.self).map { Source(path, $0) }
        }
    }
}
