// `tidewire-cloud store renew-incarnation`: a data folder that was put back from a backup says so, by another name.
internal import Platform
internal import Values
internal import Wire

/// A restored control database, while no cloud runs on it.
package enum RestoredStore {
    /// Gives the store another name, durably.
    /// - Returns: the name before; empty for a store that had none.
    package static func renew(_ store: ControlStore, as name: String) throws -> String {
        let old = try store.load().meta["incarnation"] ?? ""
        try store.commit([.meta(key: "incarnation", value: name)])
        return old
    }

    /// Gives the store a new name, durably. Edges compare it with the one they know: a store of another name may have less than it acknowledged.
    /// - Throws: `CloudRefusal` when there is no store; `DatabaseError` when a cloud is running on it.
    static func renew(folder: String, isJSON: Bool) throws -> Int32 {
        let path = folder + "/control.db"
        guard PrivateFiles.exists(path) else {
            throw CloudRefusal("there is no cloud in \(folder)", exitCode: ExitCode.failed)
        }
        let store = try ControlStore(path: path)
        let new = Hex.text(Chance.bytes(8))
        let old = try renew(store, as: new)
        if isJSON {
            Console.write(JSONWriter.plain(["old": .string(old), "new": .string(new)]) + [0x0A])
        } else {
            Console.write("The store is now \(new), it was \(old.isEmpty ? "nameless" : old). Start the cloud; the edges send again what it lacks.\n")
        }
        return ExitCode.ok
    }
}
