// All files of a cloud's data folder, opened together.
package import Platform

/// The three kinds of database. One owner, one thread.
package final class NodeStores {
    package let control: ControlStore
    package let ledgers: EdgeLedgers
    package let bars: BarStore

    /// - Parameters:
    ///   - folder: holds `control.db`, `market.db` and the folder `edges`, which must exist; empty on a simulated disk.
    ///   - vfs: the simulated disk, in tests.
    package init(folder: String, vfs: String? = nil) throws(DatabaseError) {
        let prefix = folder.isEmpty ? "" : folder + "/"
        control = try ControlStore(path: prefix + "control.db", vfs: vfs)
        bars = try BarStore(path: prefix + "market.db", vfs: vfs)
        ledgers = EdgeLedgers(folder: folder.isEmpty ? "edges" : prefix + "edges", vfs: vfs)
    }
}

/// One owner, one thread.
@available(*, unavailable) extension NodeStores: Sendable {}
