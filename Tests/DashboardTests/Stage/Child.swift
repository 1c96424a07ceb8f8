// A helper process of one test: started, heard until it names its port, killed when the test lets go of it.
import Dispatch
import Foundation
import Glibc

final class Child: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }

    private let pid: Int32
    private let mouth: FileHandle
    let port: UInt16

    /// Starts `program` (looked for in PATH) and waits until a line of its output holds `mark`; the digits after it are its port.
    init(_ program: String, _ arguments: [String], portAfter mark: String) async throws {
        let process = Process(), output = Pipe(), input = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.standardOutput = output
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        try process.run()
        let handle = output.fileHandleForReading
        do {
            port = try await withCheckedThrowingContinuation { done in
                DispatchQueue.global().async { done.resume(with: Result { try Self.port(after: mark, from: handle.fileDescriptor, program) }) }
            }
        } catch {
            kill(process.processIdentifier, SIGKILL)
            throw error
        }
        pid = process.processIdentifier
        mouth = input.fileHandleForWriting
        // Whatever it says later is drained, so that it never blocks on a full pipe.
        handle.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
    }

    deinit {
        kill(pid, SIGKILL)
        try? mouth.close()
    }

    private static func port(after mark: String, from handle: Int32, _ program: String) throws -> UInt16 {
        var heard = ""
        let millisMax: Int32 = 20_000
        while true {
            var wish = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            guard poll(&wish, 1, millisMax) > 0 else { throw Failure(description: "\(program) named no port; it said: \(heard)") }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(handle, &chunk, chunk.count)
            guard count > 0 else { throw Failure(description: "\(program) ended; it said: \(heard)") }
            heard += String(decoding: chunk[..<count], as: UTF8.self)
            guard let found = heard.range(of: mark) else { continue }
            let rest = heard[found.upperBound...]
            let digits = rest.prefix(while: \.isNumber)
            // The digits are whole only when something follows them.
            if digits.endIndex < rest.endIndex, let port = UInt16(digits) { return port }
        }
    }
}
