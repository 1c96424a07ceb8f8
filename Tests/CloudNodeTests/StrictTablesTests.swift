// The tables of every database that a program makes: a value of another kind than its column's is refused, not taken as it is.
import CloudNode
import Foundation
import Platform
import Testing
import Values

@Suite struct StrictTablesTests {
    private struct Taken: Error {}
    /// A value of each kind that a column may have, and one that is none of it.
    private static let right = ["INTEGER": "1000000007", "TEXT": "'t'", "BLOB": "x'00'", "ANY": "1"]
    private static let wrong = ["INTEGER": "'words'", "TEXT": "x'00'", "BLOB": "'words'"]

    /// The columns of a database that take what is not of their kind, and the tables that do not even take what is.
    private static func misfits(_ path: String) throws -> (columns: Int, found: [String]) {
        let database = try Database(path: path, .init(.readWrite))
        func takes(_ table: String, _ values: [String]) throws -> Bool {
            do {
                // What is taken is taken back at once.
                try database.write { database -> Void in
                    try database.run("INSERT INTO \(table) VALUES (\(values.joined(separator: ", ")))")
                    throw Taken()
                }
                return true
            } catch is Taken {
                return true
            } catch let error as DatabaseError where error.extendedCode == 3_091 || error.code == 20 {
                // CONSTRAINT_DATATYPE, and MISMATCH for a row's own number.
                return false
            }
        }
        var columns = 0, found: [String] = []
        let tables = try database.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") { $0.text(0) }
        for table in tables {
            let kinds = try database.rows("SELECT name, type FROM pragma_table_info('\(table)') ORDER BY cid") { ($0.text(0), $0.text(1)) }
            // The anchor is one row, whose number says so.
            let row = try kinds.map { name, kind in name == "one" ? "1" : try #require(Self.right[kind], "\(table).\(name)") }
            if try takes(table, row) == false { found.append(table) }
            for (index, (name, kind)) in kinds.enumerated() {
                guard let misfit = Self.wrong[kind] else { continue }
                var values = row
                values[index] = misfit
                columns += 1
                if try takes(table, values) { found.append("\(table).\(name)") }
            }
        }
        return (columns, found)
    }

    @Test func noColumnOfTheCloudTakesAnotherKind() throws {
        let cloud = try TestCloud(edges: [TestEdge.id])
        let edge = TestEdge(cloud)
        edge.goLive()
        try edge.connect()
        try edge.pass(.seconds(1))
        edge.disconnect()
        try cloud.restart {
            for (name, columns) in [("control.db", 29), ("market.db", 7), ("edges/\(TestEdge.id).db", 28)] {
                let misfits = try Self.misfits(cloud.folder + "/" + name)
                #expect(misfits.found == [] && misfits.columns == columns, "\(name): \(misfits)")
            }
        }
    }

    /// The edge's own file is the same store's; so is a database whose tables are not strict, which must be seen.
    @Test func noColumnOfTheEdgeTakesAnotherKindAndALooseOneIsSeen() throws {
        let folder = NSTemporaryDirectory() + "tidewire-strict-" + UUID().uuidString
        try PrivateFiles.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do { _ = try EntryStore(path: folder + "/ledger.db", .init(.create)) }
        let misfits = try Self.misfits(folder + "/ledger.db")
        #expect(misfits.found == [] && misfits.columns == 28, "\(misfits)")
        do { try Database(path: folder + "/loose.db", .init(.create)).run("CREATE TABLE loose(a INTEGER, b TEXT, c BLOB)") }
        #expect(try Self.misfits(folder + "/loose.db").found == ["loose.a", "loose.b", "loose.c"])
    }
}
