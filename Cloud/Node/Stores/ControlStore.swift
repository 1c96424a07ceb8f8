// control.db: users, sessions, commands, edges, invitations and the names of this store. Deleted secrets are overwritten.
package import Control
package import Ledger
package import Platform
package import Values
internal import Wire

/// One change of control.db; a turn's changes are one transaction.
package enum StoreWrite: Hashable, Sendable {
    case access(AccessWrite)
    case command(CommandRecord)
    case forgetCommand(CommandID)
    case edge(EnrolledEdge)
    case announced(EdgeID, Head)
    case invitation(Invitation)
    case removeInvitation(secret: [UInt8])
    case meta(key: String, value: String)
}

/// What a start finds.
package struct ControlState: Sendable {
    package var users: [User] = []
    package var sessions: [WebSession] = []
    /// Oldest first.
    package var commands: [CommandRecord] = []
    /// By name.
    package var edges: [EnrolledEdge] = []
    package var invitations: [Invitation] = []
    package var meta: [String: String] = [:]
}

/// The control database. One owner, one thread.
package final class ControlStore {
    package static let schema: Int64 = 1
    private let database: Database

    /// Opens or creates the file.
    /// - Parameter vfs: the simulated disk, in tests.
    package init(path: String, vfs: String? = nil) throws(DatabaseError) {
        database = try Database(path: path, Database.Options(.create, synchronous: .full, secureDelete: true, vfs: vfs))
        switch try database.first("PRAGMA user_version", read: { $0.integer(0) }) ?? 0 {
        case 0: try database.create(ControlStore.tables)
        case ControlStore.schema: break
        case let found: throw .refused("\(path) has schema \(found), this release reads schema \(ControlStore.schema)")
        }
    }

    /// Writes all changes in one transaction and waits for the disk.
    /// - Throws: `DatabaseError`; when it `isFull`, none of them is written and the store goes on.
    package func commit(_ writes: [StoreWrite]) throws {
        guard !writes.isEmpty else { return }
        try database.write { _ in for write in writes { try self.apply(write) } }
        // The whole state is small; the log is folded in before it grows. The changes are durable without it, and so is a full disk borne.
        guard database.logBytes > 4 << 20 else { return }
        do throws(DatabaseError) { try database.checkpoint() } catch { if !error.isFull { throw error } }
    }

    /// Everything.
    package func load() throws(DatabaseError) -> ControlState {
        var state = ControlState()
        state.users = try database.rows("SELECT name, role, hash, generation, created FROM user ORDER BY name") {
            row throws(DatabaseError) in try ControlStore.user(row)
        }
        state.sessions = try database.rows("SELECT id, user, generation, bearer, created, expires FROM session ORDER BY created, id") { row in
            WebSession(
                id: row.text(0), user: row.text(1), generation: row.integer(2), isBearer: row.integer(3) != 0,
                createdAt: Instant(nanoseconds: row.integer(4)), expiresAt: Instant(nanoseconds: row.integer(5)))
        }
        state.commands = try database.rows("SELECT record FROM command ORDER BY created, id") { row throws(DatabaseError) in
            try ControlStore.command(row.bytes(0))
        }
        state.edges = try database.rows(
            "SELECT id, name, link_key, status, code, enrolled, announced_seq, announced_hash FROM edge ORDER BY name, id"
        ) { row throws(DatabaseError) in try ControlStore.edge(row) }
        state.invitations = try database.rows("SELECT name, secret, created, expires, used FROM invitation ORDER BY created, secret") { row in
            Invitation(
                name: row.text(0), secret: row.bytes(1), createdAt: Instant(nanoseconds: row.integer(2)),
                expiresAt: Instant(nanoseconds: row.integer(3)), usedAt: row.integer(4) == 0 ? nil : Instant(nanoseconds: row.integer(4)))
        }
        for (key, value) in try database.rows("SELECT key, value FROM meta", read: { ($0.text(0), $0.text(1)) }) { state.meta[key] = value }
        return state
    }

    private func apply(_ write: StoreWrite) throws(DatabaseError) {
        switch write {
        case .access(let write): try apply(write)
        case .command(let record):
            try database.run(
                "INSERT INTO command(id, created, record) VALUES (?, ?, ?) ON CONFLICT(id) DO UPDATE SET record = excluded.record",
                .blob(record.id.bytes), .integer(record.command.issuedAt.nanoseconds), .utf8(JSONWriter.plain(record.value)))
        case .forgetCommand(let id): try database.run("DELETE FROM command WHERE id = ?", .blob(id.bytes))
        case .edge(let edge):
            try database.run(
                """
                INSERT INTO edge(id, name, link_key, status, code, enrolled, announced_seq, announced_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT(id) DO UPDATE SET name = excluded.name, link_key = excluded.link_key, status = excluded.status, code = excluded.code,
                enrolled = excluded.enrolled
                """,
                .blob(edge.id.bytes), .text(edge.name), .blob(edge.linkKey), .text(edge.status.rawValue), .text(edge.code),
                .integer(edge.enrolledAt.nanoseconds), .integer(Int64(edge.announced.seq.raw)), .blob(edge.announced.hash))
        case .announced(let edge, let head):
            try database.run(
                "UPDATE edge SET announced_seq = ?, announced_hash = ? WHERE id = ?", .integer(Int64(head.seq.raw)), .blob(head.hash),
                .blob(edge.bytes))
        case .invitation(let invitation):
            try database.run(
                "INSERT OR REPLACE INTO invitation(secret, name, created, expires, used) VALUES (?, ?, ?, ?, ?)", .blob(invitation.secret),
                .text(invitation.name), .integer(invitation.createdAt.nanoseconds), .integer(invitation.expiresAt.nanoseconds),
                .integer(invitation.usedAt?.nanoseconds ?? 0))
        case .removeInvitation(let secret): try database.run("DELETE FROM invitation WHERE secret = ?", .blob(secret))
        case .meta(let key, let value):
            try database.run("INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)", .text(key), .text(value))
        }
    }

    private func apply(_ write: AccessWrite) throws(DatabaseError) {
        switch write {
        case .user(let user):
            try database.run(
                "INSERT OR REPLACE INTO user(name, role, hash, generation, created) VALUES (?, ?, ?, ?, ?)", .text(user.name),
                .text(user.role.rawValue), .text(user.passwordHash), .integer(user.generation), .integer(user.createdAt.nanoseconds))
        case .removeUser(let name): try database.run("DELETE FROM user WHERE name = ?", .text(name))
        case .session(let session):
            try database.run(
                "INSERT OR REPLACE INTO session(id, user, generation, bearer, created, expires) VALUES (?, ?, ?, ?, ?, ?)", .text(session.id),
                .text(session.user), .integer(session.generation), .integer(session.isBearer ? 1 : 0), .integer(session.createdAt.nanoseconds),
                .integer(session.expiresAt.nanoseconds))
        case .endSession(let id): try database.run("DELETE FROM session WHERE id = ?", .text(id))
        }
    }

    private static func user(_ row: borrowing Row) throws(DatabaseError) -> User {
        let name = row.text(0), role = Role(rawValue: row.text(1))
        guard let role,
            let user = User(
                name: name, role: role, passwordHash: row.text(2), generation: row.integer(3), createdAt: Instant(nanoseconds: row.integer(4)))
        else { throw .corrupt("user \(name) in control.db has an unknown role or a bad name") }
        return user
    }

    private static func edge(_ row: borrowing Row) throws(DatabaseError) -> EnrolledEdge {
        let name = row.text(1)
        guard let id = EdgeID(bytes: row.bytes(0)), let status = EnrolmentStatus(rawValue: row.text(3)), row.byteCount(2) == 32,
            let seq = UInt64(exactly: row.integer(6)), row.byteCount(7) == 32
        else { throw .corrupt("edge \(name) in control.db is damaged") }
        return EnrolledEdge(
            id: id, name: name, linkKey: row.bytes(2), status: status, code: row.text(4), enrolledAt: Instant(nanoseconds: row.integer(5)),
            announced: Head(seq: Seq(seq), hash: row.bytes(7)))
    }

    private static func command(_ bytes: [UInt8]) throws(DatabaseError) -> CommandRecord {
        guard let value = try? JSONReader.read(bytes, limits: .frame), let record = try? CommandRecord(value) else {
            throw .corrupt("a command in control.db cannot be read")
        }
        return record
    }

    private static let tables = """
        CREATE TABLE user(name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, generation INTEGER NOT NULL,
          created INTEGER NOT NULL) STRICT;
        CREATE TABLE session(id TEXT PRIMARY KEY, user TEXT NOT NULL, generation INTEGER NOT NULL, bearer INTEGER NOT NULL, created INTEGER NOT NULL,
          expires INTEGER NOT NULL) STRICT;
        CREATE TABLE command(id BLOB PRIMARY KEY, created INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
        CREATE TABLE edge(id BLOB PRIMARY KEY, name TEXT NOT NULL, link_key BLOB NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL,
          enrolled INTEGER NOT NULL, announced_seq INTEGER NOT NULL, announced_hash BLOB NOT NULL) STRICT;
        CREATE TABLE invitation(secret BLOB PRIMARY KEY, name TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
          used INTEGER NOT NULL) STRICT;
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
        PRAGMA user_version = 1;
        """
}

/// One owner, one thread.
@available(*, unavailable) extension ControlStore: Sendable {}
