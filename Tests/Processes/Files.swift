// Folders and files of a test: made in the system's place for temporary things, gone with their holder.
internal import Glibc

/// Small reads and writes without Foundation.
package enum Files {
    /// The whole file; empty when there is none.
    package static func bytes(_ path: String) -> [UInt8] {
        guard let file = fopen(path, "re") else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&block, 1, block.count, file)
            if count == 0 { return all }
            all += block[..<count]
        }
    }
    package static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    package static func write(_ path: String, _ bytes: [UInt8]) throws {
        guard let file = fopen(path, "we") else { throw ProcessTrouble("cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw ProcessTrouble("cannot write \(path)") }
    }
    package static func write(_ path: String, _ text: String) throws { try write(path, Array(text.utf8)) }
    /// Changes one byte of a file in its place, whoever has it open.
    package static func poke(_ path: String, at offset: Int, _ byte: UInt8) throws {
        guard let file = fopen(path, "r+e") else { throw ProcessTrouble("cannot open \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        guard fseek(file, offset, SEEK_SET) == 0, fputc(Int32(byte), file) == Int32(byte) else { throw ProcessTrouble("cannot write \(path)") }
    }
    /// Connections that somebody on this machine has to a port of 127.0.0.1, as the kernel lists them.
    package static func clients(ofPort port: Int) -> Int {
        text("/proc/net/tcp").split(separator: "\n").count { line in
            // Number, local and remote address, state: 01 is an open one.
            let columns = line.split(separator: " ")
            guard columns.count > 3, columns[3] == "01", let colon = columns[2].firstIndex(of: ":") else { return false }
            return Int(columns[2][columns[2].index(after: colon)...], radix: 16) == port
        }
    }
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a folder, sorted; none when there is no such folder.
    package static func names(_ path: String) -> [String] {
        guard let listing = opendir(path) else { return [] }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            names.append(withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    package static func removeFile(_ path: String) { unlink(path) }

    /// Everything below the path and the path itself; links are removed, not followed.
    package static func remove(_ path: String) {
        if let listing = opendir(path) {
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                guard name != ".", name != ".." else { continue }
                if entry.pointee.d_type == UInt8(DT_DIR) { remove("\(path)/\(name)") } else { unlink("\(path)/\(name)") }
            }
            closedir(listing)
        }
        rmdir(path)
    }
}

/// A folder of its own, removed with its holder unless it is to be kept.
package final class ScratchFolder {
    package let path: String
    package var isKept = false

    /// Short, because sockets lie below it and their paths have 107 bytes at most.
    package init(in parent: String = "/tmp") throws {
        var name = Array("\(parent)/tw-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw ProcessTrouble("cannot make a folder in \(parent): \(String(cString: strerror(errno)))") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
    deinit { if !isKept { Files.remove(path) } }
}
