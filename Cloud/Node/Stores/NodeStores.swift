// All files of a cloud's data folder, opened together.
package import Platform
package import Wire

/// The three kinds of database. One owner, one thread.
package final class NodeStores {
    package let control: ControlStore
    package let ledgers: EdgeLedgers
    let bars: BarShelf

    /// - Parameters:
    ///   - folder: holds `control.db`, `market.db` and the folder `edges`, which must exist; empty on a simulated disk.
    ///   - vfs: the simulated disk, in tests.
    ///   - makeFile: what stands before each edge's file, in tests.
    ///   - check: of the edges' signatures.
    package init(
        folder: String, vfs: String? = nil, check: @escaping SignatureCheck = Signing.check,
        makeFile: @escaping (EntryStore) -> any LedgerFile = { $0 }
    ) throws(DatabaseError) {
        let prefix = folder.isEmpty ? "" : folder + "/"
        control = try ControlStore(path: prefix + "control.db", vfs: vfs)
        bars = BarShelf(path: prefix + "market.db", vfs: vfs)
        ledgers = EdgeLedgers(folder: folder.isEmpty ? "edges" : prefix + "edges", vfs: vfs, makeFile: makeFile, check: check)
    }
}

/// One owner, one thread.
@available(*, unavailable) extension NodeStores: Sendable {}
