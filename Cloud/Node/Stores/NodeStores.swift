// All files of a cloud's data folder, opened together.
package import Platform
package import Wire

/// The three kinds of database. One owner, one thread.
package final class NodeStores {
    package let control: ControlStore
    package let ledgers: EdgeLedgers
    package let bars: BarStore

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
        bars = try NodeStores.bars(prefix + "market.db", vfs)
        ledgers = EdgeLedgers(folder: folder.isEmpty ? "edges" : prefix + "edges", vfs: vfs, makeFile: makeFile, check: check)
    }
}

extension NodeStores {
    /// Market data comes again by itself: a damaged file gives way to a new one.
    private static func bars(_ path: String, _ vfs: String?) throws(DatabaseError) -> BarStore {
        do throws(DatabaseError) { return try BarStore(path: path, vfs: vfs) } catch {
            guard error.isCorrupt, vfs == nil else { throw error }
            Log.write(.warning, "market data begins anew", ["cause": error.message])
            for file in [path, path + "-wal", path + "-shm"] {
                do throws(FileError) { try PrivateFiles.remove(file) } catch { throw .cannotOpen(error.description) }
            }
            return try BarStore(path: path, vfs: vfs)
        }
    }
}

/// One owner, one thread.
@available(*, unavailable) extension NodeStores: Sendable {}
