// A folder of one bench on the real disk, gone with the bench; and what the kernel says of a process.
import Glibc
import Values

/// Removed with everything in it when the last user lets go.
final class BenchFolder {
    let path: String
    private let isKept: Bool

    /// - Parameter kept: a folder to use and to leave behind; nil makes one under TMPDIR.
    init(kept: String? = nil) throws {
        if let kept {
            path = kept; isKept = true
            return
        }
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/tidewire-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw UsageError(text: "cannot make a folder in \(parent): \(String(cString: strerror(errno)))") }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        isKept = false
    }

    deinit {
        guard !isKept else { return }
        BenchFolder.remove(path)
    }

    /// A file, or a folder with all that is in it; symbolic links are not followed.
    private static func remove(_ path: String) {
        if unlink(path) == 0 { return }
        if let folder = opendir(path) {
            var names: [String] = []
            while let entry = readdir(folder) {
                names.append(
                    withUnsafePointer(to: &entry.pointee.d_name) { $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) } })
            }
            closedir(folder)
            for name in names where name != "." && name != ".." { remove(path + "/" + name) }
        }
        rmdir(path)
    }
}

/// What /proc tells.
enum Machine {
    /// Resident memory of a process in megabytes; 0 when it is gone.
    static func residentMegabytes(_ pid: Int32) -> Double {
        guard let line = lines("/proc/\(pid)/status").first(where: { $0.hasPrefix("VmRSS:") }) else { return 0 }
        return (Double(line.split(separator: " ").dropFirst().first ?? "0") ?? 0) / 1_024
    }
    /// Processor time of a process so far, all its threads, in milliseconds.
    static func processorMillis(_ pid: Int32) -> Double {
        let text = lines("/proc/\(pid)/stat").first ?? ""
        // The name in brackets may hold blanks; utime and stime are the 12th and 13th after it.
        let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
        return (user + system) * 1_000 / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
    static var ownPID: Int32 { getpid() }
    /// Running and waiting processes over the last minute.
    static var load: Double { Double(lines("/proc/loadavg").first?.split(separator: " ").first ?? "0") ?? 0 }

    private static func lines(_ path: String) -> [Substring] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
    }
}
