// market.db as the node uses it: whatever becomes of the file, charts are all that is lost, and they come again by themselves.
internal import Platform
internal import Values
internal import Wire

/// The bar store, or the wait for one. One owner, one thread.
final class BarShelf {
    private let path: String
    private let vfs: String?
    /// Nil after an error of the disk, which leaves nobody knowing what is in memory, until the next try.
    private var store: BarStore?
    private var failure: DatabaseError?
    private var retryAt = Span.zero
    private static let retryEvery = Span.minutes(1)

    /// Opens the file, or says in the log why there are no charts for now.
    /// - Parameter vfs: the simulated disk, in tests.
    init(path: String, vfs: String?) {
        self.path = path; self.vfs = vfs
        do throws(DatabaseError) { store = try open() } catch {
            failure = error
            Log.write(.error, "no market data", ["cause": error.message])
        }
    }

    /// Lends the store. Damage met on the way ends this file: the next caller finds an empty one. After another error of the disk the file is
    /// opened anew, a minute later.
    /// - Parameter now: by the boot clock.
    /// - Throws: `DatabaseError`.
    func use<Value>(at now: Span, _ body: (BarStore) throws -> Value) throws -> Value {
        if store == nil {
            if let failure, now < retryAt { throw failure }
            do throws(DatabaseError) { store = try open() } catch { try give(up: error, at: now) }
        }
        guard let store else { throw failure ?? DatabaseError.refused("there is no market data") }
        do { return try body(store) } catch let error as DatabaseError {
            // A full disk leaves what is there as it is; so does somebody who reads it.
            guard error.isCorrupt || error.isIO else { throw error }
            try give(up: error, at: now)
        }
    }

    /// Closes the file after an error.
    private func give(up error: DatabaseError, at now: Span) throws -> Never {
        store = nil
        failure = error
        // A damaged file is renewed by opening it.
        retryAt = error.isCorrupt && vfs == nil ? now : now + BarShelf.retryEvery
        wasDamaged = error.isCorrupt
        throw error
    }
    private var wasDamaged = false

    private func open() throws(DatabaseError) -> BarStore {
        if !wasDamaged {
            do throws(DatabaseError) { return try BarStore(path: path, vfs: vfs) } catch {
                guard error.isCorrupt, vfs == nil else { throw error }
                wasDamaged = true
                failure = error
            }
        }
        if vfs == nil {
            Log.write(.warning, "market data begins anew", ["cause": failure?.message ?? ""])
            for file in [path, path + "-wal", path + "-shm"] {
                do throws(FileError) { try PrivateFiles.remove(file) } catch { throw .cannotOpen(error.description) }
            }
        }
        let fresh = try BarStore(path: path, vfs: vfs)
        wasDamaged = false
        return fresh
    }
}

/// One owner, one thread.
@available(*, unavailable) extension BarShelf: Sendable {}
