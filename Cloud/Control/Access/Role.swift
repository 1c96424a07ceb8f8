// Roles and what each may do: the one table that every route asks.
package import Values

/// What a route needs.
package enum Permission: CaseIterable, Sendable {
    /// See everything.
    case read
    /// Open or enlarge a position.
    case enter
    /// Close, cancel: whatever can only lower risk.
    case reduce
    /// Raise the halt level.
    case halt
    /// Users, edges, keys.
    case administer
}

/// What a user is.
package enum Role: String, Hashable, Sendable, CaseIterable {
    case viewer, trader, risk, admin

    /// True when the role has the permission.
    package func may(_ permission: Permission) -> Bool {
        switch (self, permission) {
        case (_, .read), (.admin, _): true
        case (.trader, .enter), (.trader, .reduce), (.trader, .halt): true
        case (.risk, .reduce), (.risk, .halt): true
        case (.risk, .enter), (.trader, .administer), (.risk, .administer), (.viewer, _): false
        }
    }
}

/// Somebody who may sign in.
package struct User: Hashable, Sendable {
    /// Lower case; the key.
    package let name: String
    package var role: Role
    /// A password hash in its own text form; the shell makes and checks it.
    package var passwordHash: String
    /// Raised by every change of password or role: sessions of an older generation are over.
    package var generation: Int64
    package var createdAt: Instant

    /// Nil unless the name is 1...64 of `a-z 0-9 . _ @ -`; upper case is lowered.
    package init?(name: String, role: Role, passwordHash: String, generation: Int64 = 1, createdAt: Instant) {
        guard let name = User.canonicalName(name) else { return nil }
        self.name = name; self.role = role; self.passwordHash = passwordHash; self.generation = generation; self.createdAt = createdAt
    }

    /// The name as it is stored, or nil when it cannot be one.
    package static func canonicalName(_ text: String) -> String? {
        let name = text.lowercased()
        let allowed = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || [0x2E, 0x5F, 0x40, 0x2D].contains(byte)
        }
        return allowed && (1...64).contains(name.utf8.count) ? name : nil
    }
}
