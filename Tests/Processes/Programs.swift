// The programs under test: the ones built beside the running program, so that nothing else can be meant.
internal import Glibc

/// What a program said until its end.
package struct Ending {
    package let code: Int32
    package let output: String
    package let complaints: String
}

package enum Programs {
    /// The folder of the running program: SwiftPM puts the test bundle and all products into one.
    package static func folder() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else { throw ProcessTrouble("cannot read /proc/self/exe: errno \(errno)") }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }

    /// The path of `tidewire-edge`, `tidewire-cloud` or `rig`.
    package static func path(_ name: String) throws -> String {
        let path = try folder() + "/" + name
        guard access(path, X_OK) == 0 else { throw ProcessTrouble("\(path) is not built: swift build") }
        return path
    }
}
