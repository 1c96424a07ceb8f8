// The cloud's data folder: keys made at the first start, and the first user.
internal import Control
package import Ledger
package import Platform
package import Values
package import Wire

/// What lies where in the data folder. Made with mode 0700 when it is not there.
package struct CloudFolder: Sendable {
    package let path: String

    package init(_ path: String) throws(FileError) {
        self.path = path
        for folder in [path, path + "/keys", path + "/edges"] { try PrivateFiles.makeFolder(folder) }
    }

    /// The socket of the command line.
    package var socket: String { path + "/cloud.sock" }

    /// The password that was made for the first user, until it is another.
    var firstPassword: String { path + "/first-password" }

    /// This cloud's CURVE pair; its secret half never leaves the folder.
    package func linkKeys() throws -> CurveKeys {
        let file = path + "/keys/link.key"
        if PrivateFiles.exists(file) {
            guard let secret = try line(file), let keys = CurveKeys(secretKey: secret) else {
                throw CloudRefusal("\(file) is damaged", exitCode: ExitCode.failed)
            }
            return keys
        }
        let keys = CurveKeys.generate()
        try PrivateFiles.write(file, Array((Hex.text(keys.secretKey) + "\n").utf8))
        return keys
    }

    /// The pair that is to follow it; nil while none was made.
    package func nextLinkKeys() throws -> CurveKeys? {
        let file = path + "/keys/link.key.next"
        guard PrivateFiles.exists(file) else { return nil }
        guard let secret = try line(file), let keys = CurveKeys(secretKey: secret) else {
            throw CloudRefusal("\(file) is damaged", exitCode: ExitCode.failed)
        }
        return keys
    }

    /// Makes the pair that is to follow; one that was made before stays, as edges may know it.
    package func makeNextLinkKeys() throws -> CurveKeys {
        if let made = try nextLinkKeys() { return made }
        let keys = CurveKeys.generate()
        try PrivateFiles.write(path + "/keys/link.key.next", Array((Hex.text(keys.secretKey) + "\n").utf8))
        return keys
    }

    /// Puts the pair that was announced in its place. The one before stays beside it, for whoever has to go back by hand.
    package func adoptLinkKeys() throws {
        guard let next = try nextLinkKeys() else { return }
        let old = try linkKeys()
        // A crash in between leaves both files with one key, which is mended here.
        if old.publicKey != next.publicKey {
            try PrivateFiles.write(path + "/keys/link.key.former", Array((Hex.text(old.secretKey) + "\n").utf8))
            try PrivateFiles.write(path + "/keys/link.key", Array((Hex.text(next.secretKey) + "\n").utf8))
        }
        try PrivateFiles.remove(path + "/keys/link.key.next")
    }

    /// What the signing key says of the pair that is to follow; nil while there is none.
    package func serverKeyChange() throws -> ServerKeyFact? {
        guard let next = try nextLinkKeys() else { return nil }
        let old = try linkKeys()
        return old.publicKey == next.publicKey ? nil : ServerKeyFact(old: old.publicKey, key: next.publicKey, keys: try signingKeys())
    }

    /// The pair that countersigns the heads of the edges' ledgers; its secret half never leaves the folder.
    package func signingKeys() throws -> SigningKeys {
        let file = path + "/keys/sign.key"
        if !PrivateFiles.exists(file) { try PrivateFiles.write(file, Array((Hex.text(Chance.bytes(Signing.keyBytes)) + "\n").utf8)) }
        guard let seed = try line(file), let keys = SigningKeys(seed: seed) else {
            throw CloudRefusal("\(file) is damaged", exitCode: ExitCode.failed)
        }
        // Announced, and the process died before it was put in its place: who announces a key holds it.
        guard let last = try signerChanges().last, last.key != keys.publicKey, PrivateFiles.exists(file + ".next"),
            let next = try line(file + ".next").flatMap({ SigningKeys(seed: $0) }), next.publicKey == last.key
        else { return keys }
        try promoteSigningKey(next)
        return next
    }

    /// What the keys before the present one announced, oldest first: an edge that believes any of them can follow.
    package func signerChanges() throws -> [CloudKeyChange] {
        let file = path + "/keys/sign.changes"
        guard PrivateFiles.exists(file) else { return [] }
        do { return try (JSONReader.read(try PrivateFiles.read(file)).elements ?? []).map { try CloudKeyChange($0) } } catch {
            throw CloudRefusal("\(file) is damaged", exitCode: ExitCode.failed)
        }
    }
    /// Announcements kept; an edge that slept through more of them needs a person's word.
    package static let signerChangesMax = 16

    /// Makes another signing key, announces it under the present one, and puts it in its place. A running cloud takes it up at its next start.
    package func rotateSigningKey() throws -> CloudKeyChange {
        let old = try signingKeys()
        guard let new = SigningKeys(seed: Chance.bytes(Signing.keyBytes)) else {
            throw CloudRefusal("no signing key could be made", exitCode: ExitCode.failed)
        }
        // Before it is announced: a key that edges follow and nobody holds would be worse than none.
        try PrivateFiles.write(path + "/keys/sign.key.next", Array((Hex.text(new.seed) + "\n").utf8))
        let change = CloudKeyChange(from: old, to: new)
        let rows = (try signerChanges() + [change]).suffix(CloudFolder.signerChangesMax).map(\.value)
        try PrivateFiles.write(path + "/keys/sign.changes", JSONWriter.plain(.array(rows)))
        try promoteSigningKey(new)
        return change
    }

    private func promoteSigningKey(_ keys: SigningKeys) throws {
        try PrivateFiles.write(path + "/keys/sign.key", Array((Hex.text(keys.seed) + "\n").utf8))
        try PrivateFiles.remove(path + "/keys/sign.key.next")
    }

    /// The key that signs bearer tokens.
    package func tokenKey() throws -> [UInt8] {
        let file = path + "/keys/token.key"
        if PrivateFiles.exists(file) {
            guard let key = try line(file), key.count == 32 else { throw CloudRefusal("\(file) is damaged", exitCode: ExitCode.failed) }
            return key
        }
        let key = Chance.bytes(32)
        try PrivateFiles.write(file, Array((Hex.text(key) + "\n").utf8))
        return key
    }

    private func line(_ file: String) throws -> [UInt8]? {
        Hex.bytes(String(decoding: try PrivateFiles.read(file).prefix { $0 != 0x0A }, as: UTF8.self))
    }
}

/// The users that a start makes sure of.
package enum FirstUser {
    /// The one that is made when there is none.
    static let name = "admin"
    /// Where control.db keeps the hash of the password that the environment gave last.
    static func givenKey(_ name: String) -> String { "given-password:\(name)" }

    /// Makes sure of the given user; without any user makes `admin`, whose password lies in a file of the folder that only its owner reads.
    package static func prepare(_ store: ControlStore, _ folder: CloudFolder, given: GivenUser?, cost: PasswordCost, at now: Instant) throws {
        let state = try store.load()
        if let given {
            try put(given, state, store, cost, now)
        } else if state.users.isEmpty {
            let password = Chance.password()
            // Written before it is stored: a start that fails afterwards must not leave a user whose password nobody can read.
            try PrivateFiles.write(folder.firstPassword, Array((password + "\n").utf8))
            Console.error(
                "first user: \(name); the password lies in \(folder.firstPassword) until it is changed: tidewire-cloud user password \(name)")
            try store.commit([.access(.user(try user(name, role: .admin, password, nil, cost, now)))])
        }
        forgetFirstPassword(folder, try store.load().users, cost)
    }

    /// Deletes the file when its password opens nothing any more. It is a convenience: what fails about it stops nobody.
    private static func forgetFirstPassword(_ folder: CloudFolder, _ users: [User], _ cost: PasswordCost) {
        guard let bytes = try? PrivateFiles.read(folder.firstPassword) else { return }
        let password = String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
        if let user = users.first(where: { $0.name == name }), Passwords.verify(password, hash: user.passwordHash) { return }
        // Without memory nothing verifies: it is the last word of a password that may be good.
        guard let hash = Passwords.hash(password, cost: cost), Passwords.verify(password, hash: hash) else { return }
        forgetFirstPassword(folder)
    }

    /// Deletes the file: the password in it was replaced.
    static func forgetFirstPassword(_ folder: CloudFolder) {
        do { try PrivateFiles.remove(folder.firstPassword) } catch {
            Console.error("\(folder.firstPassword) tells a password that was replaced, and cannot be deleted: \(error)")
        }
    }

    private static func put(_ given: GivenUser, _ state: ControlState, _ store: ControlStore, _ cost: PasswordCost, _ now: Instant) throws {
        guard let name = User.canonicalName(given.name) else {
            throw CloudRefusal("'\(given.name)' cannot be a user's name: 1 to 64 of a-z, 0-9 and . _ @ -", exitCode: ExitCode.configuration)
        }
        let known = state.users.first { $0.name == name }
        // It was taken before; another one that the user has now is his own word.
        if known != nil, let last = state.meta[givenKey(name)], Passwords.verify(given.password, hash: last) { return }
        var user = known
        if known.map({ !Passwords.verify(given.password, hash: $0.passwordHash) }) ?? true {
            user = try self.user(name, role: known?.role ?? .admin, given.password, known, cost, now)
        }
        guard let user else { return }
        try store.commit([.access(.user(user)), .meta(key: givenKey(name), value: user.passwordHash)])
    }

    /// A user with a fresh hash; a changed password ends the sessions of the old one by its generation.
    static func user(_ name: String, role: Role, _ password: String, _ known: User?, _ cost: PasswordCost, _ now: Instant) throws -> User {
        guard let hash = Passwords.hash(password, cost: cost),
            let user = User(
                name: name, role: role, passwordHash: hash, generation: (known?.generation ?? 0) + 1, createdAt: known?.createdAt ?? now)
        else { throw CloudRefusal("there is no memory to hash a password", exitCode: ExitCode.failed) }
        return user
    }
}
