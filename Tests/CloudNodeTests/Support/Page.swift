// Pages of a database file that stop being pages.
import Foundation
import Platform
import Testing

enum Page {
    private static let bytes = 4_096

    /// The root page of a table, in a file that nobody holds.
    static func spoil(_ path: String, table: String) throws {
        let root: Int? = try {
            let database = try Database(path: path, .init(.readWrite))
            return try database.first("SELECT rootpage FROM sqlite_schema WHERE name = ?", .text(table)) { Int($0.integer(0)) }
        }()
        try spoil(path, at: (try #require(root) - 1) * bytes)
    }

    /// The page in which a text stands, in the file and in its log; somebody may hold the file.
    static func spoil(_ path: String, holding text: String) throws {
        var spoilt = 0
        for (file, head, pitch) in [(path, 0, bytes), (path + "-wal", 32, bytes + 24)] {
            guard let all = FileManager.default.contents(atPath: file).map({ [UInt8]($0) }) else { continue }
            for place in all.ranges(of: Array(text.utf8)) {
                try spoil(file, at: head + (place.lowerBound - head) / pitch * pitch + (pitch - bytes))
                spoilt += 1
            }
        }
        #expect(spoilt > 0, "the text stands nowhere")
    }

    /// The page that begins at this place; of the first one nothing tells any more what the file is.
    static func spoil(_ path: String, at offset: Int) throws {
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: [0xFF])
        try file.close()
    }
}
