// `tidewire-cloud store backup FOLDER`: a copy of everything, put back on trial and checked entry by entry; only then do the edges hear of it.
internal import Ledger
internal import Platform
internal import Values
internal import Wire

/// A backup of a data folder, made while the cloud runs or not.
struct Backup {
    let folder: String
    let target: String

    /// Copies the databases and keys into the target folder, which must hold no other backup.
    /// - Throws: `CloudRefusal`, `DatabaseError`, `FileError`.
    func make() throws {
        guard PrivateFiles.exists(folder + "/control.db") else { throw CloudRefusal("there is no cloud in \(folder)", exitCode: ExitCode.failed) }
        guard !PrivateFiles.exists(target + "/control.db") else {
            throw CloudRefusal("\(target) holds a backup already: name a new folder", exitCode: ExitCode.refused)
        }
        try PrivateFiles.makeFolder(target, isOwn: false)
        for path in [target + "/edges", target + "/keys"] { try PrivateFiles.makeFolder(path) }
        for name in try PrivateFiles.names(in: folder + "/keys") {
            try PrivateFiles.write("\(target)/keys/\(name)", try PrivateFiles.read("\(folder)/keys/\(name)"))
        }
        // The ledgers first: what control.db says was announced is then never less than what they hold.
        for file in try databases() { try Backup.copy("\(folder)/\(file)", to: "\(target)/\(file)") }
        try Backup.copy(folder + "/control.db", to: target + "/control.db")
    }

    /// Puts the backup back into a scratch folder beside it and starts a node on it, as a restored cloud would: users, commands, keys and what waits
    /// for a decision are read, every ledger is walked from its first entry, its signatures under the key that its edge was enrolled with.
    /// - Returns: how far each edge's ledger reaches in it.
    /// - Throws: for whatever would stop a restored cloud, or would be set aside by it; the backup is worth nothing then.
    func restoreOnTrial() throws -> [(edge: EdgeID, head: Head)] {
        let scratch = target + "/.trial"
        for path in [scratch, scratch + "/edges"] { try PrivateFiles.makeFolder(path) }
        defer { Backup.clear(scratch) }
        for file in try databases(in: target) + ["control.db"] { try Backup.copy("\(target)/\(file)", to: "\(scratch)/\(file)") }
        let stores = try NodeStores(folder: scratch)
        var settings = NodeSettings(
            serverKey: [UInt8](repeating: 0, count: Signing.keyBytes), tokenKey: Chance.bytes(32), decoyHash: "", random: { Chance.bytes($0) })
        settings.signingKeys = try keys()
        let node = try Node(stores: stores, settings: settings, at: ClockReading(wall: SystemClock.now(), monotonic: SystemClock.monotonic()))
        if let (edge, why) = node.damaged.min(by: { $0.key < $1.key }) { throw LedgerDamage(edge: edge, words: why.words) }
        var heads: [(edge: EdgeID, head: Head)] = []
        for edge in try stores.control.load().edges where PrivateFiles.exists(EdgeLedgers.path(folder: scratch + "/edges", edge.id)) {
            // Of a revoked edge no book is made; its ledger is kept, and so it is checked.
            if !stores.ledgers.isOpen(edge.id) { try stores.ledgers.open(edge.id) { _ in } }
            heads.append((edge.id, stores.ledgers.head(edge.id)))
        }
        return heads
    }

    /// The keys that lie beside the databases; none are made.
    /// - Returns: the pair that countersigns, nil in a backup from before there was one.
    private func keys() throws -> SigningKeys? {
        let copy = try CloudFolder(target)
        let names = try PrivateFiles.names(in: target + "/keys")
        if names.contains("link.key") { _ = try copy.linkKeys() }
        if names.contains("token.key") { _ = try copy.tokenKey() }
        return names.contains("sign.key") ? try copy.signingKeys() : nil
    }

    private func databases() throws -> [String] { try databases(in: folder) }
    private func databases(in folder: String) throws -> [String] {
        try PrivateFiles.names(in: folder + "/edges").filter { $0.hasSuffix(".db") }.map { "edges/\($0)" }
    }

    /// A whole and compact copy of a database that may be in use, on the disk when this returns.
    private static func copy(_ path: String, to other: String) throws {
        do {
            let database = try Database(path: path, .init(.readOnly))
            try database.run("VACUUM INTO ?", .text(other))
        }
        // A copy is no write-ahead database by itself; every reader of ours wants one.
        do { _ = try Database(path: other, .init(.readWrite)) }
        try PrivateFiles.remove(other + ".lock")
        try PrivateFiles.settle(other)
    }

    private static func clear(_ scratch: String) {
        for folder in [scratch + "/edges", scratch] {
            for name in (try? PrivateFiles.names(in: folder)) ?? [] { try? PrivateFiles.remove("\(folder)/\(name)") }
            PrivateFiles.removeFolder(folder)
        }
    }
}
