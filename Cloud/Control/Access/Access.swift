// Users and their sessions: who is asking, and what has to be stored when that changes.
package import Values
internal import Wire

/// One sign-in of one user, by cookie or by bearer token.
package struct WebSession: Hashable, Sendable {
    /// Hash of the secret that the client holds, in hexadecimal: a copy of the database opens nothing.
    package let id: String
    package let user: String
    /// The user's generation at sign-in.
    package let generation: Int64
    /// True for a token for scripts, false for a browser's cookie.
    package let isBearer: Bool
    package let createdAt: Instant
    package let expiresAt: Instant
    package init(id: String, user: String, generation: Int64, isBearer: Bool, createdAt: Instant, expiresAt: Instant) {
        self.id = id; self.user = user; self.generation = generation; self.isBearer = isBearer; self.createdAt = createdAt; self.expiresAt = expiresAt
    }
    /// The same with another end.
    fileprivate func ending(at end: Instant) -> WebSession {
        WebSession(id: id, user: user, generation: generation, isBearer: isBearer, createdAt: createdAt, expiresAt: end)
    }
}

/// Who a request comes from.
package struct Caller: Hashable, Sendable {
    package let user: String
    package let role: Role
    package let session: WebSession
}

/// What must be stored before the answer leaves.
package enum AccessWrite: Hashable, Sendable {
    case user(User)
    case removeUser(name: String)
    case session(WebSession)
    case endSession(id: String)
}

/// What a try to sign in needs next.
package enum SignInTry: Hashable, Sendable {
    /// Check the password against this hash (a decoy when there is no such user), then call `finish`.
    case check(passwordHash: String)
    /// Too many tries: come back after this.
    case wait(Span)
}

/// A finished sign-in: what the client gets, once.
package struct SignIn: Hashable, Sendable {
    package let caller: Caller
    /// The value of the cookie.
    package let cookie: String
    /// The bearer token, when one was asked for.
    package let bearer: String?
}

/// The accounts of the cloud. Chance and password hashing come from the shell.
package struct Access: Sendable {
    /// How long a sign-in lasts.
    package static let sessionLife = Span.hours(12)
    /// Sessions of one user at a time; the oldest ends when one more begins.
    package static let sessionsPerUserMax = 20

    package private(set) var users: [String: User] = [:]
    package private(set) var sessions: [String: WebSession] = [:]
    package private(set) var throttle = Throttle()
    private let tokenKey: [UInt8]
    private let decoyHash: String

    /// - Parameters:
    ///   - tokenKey: at least 32 bytes; signs bearer tokens.
    ///   - decoyHash: hash of a password nobody has, so that an unknown name takes as long as a wrong password.
    package init(users: [User], sessions: [WebSession], tokenKey: [UInt8], decoyHash: String) {
        precondition(tokenKey.count >= 32, "a token key of \(tokenKey.count) bytes")
        self.tokenKey = tokenKey; self.decoyHash = decoyHash
        for user in users { self.users[user.name] = user }
        for session in sessions { self.sessions[session.id] = session }
    }

    /// The first half of a sign-in: may it be tried, and against which hash.
    package mutating func begin(name: String, address: String, at now: Instant) -> SignInTry {
        let account = User.canonicalName(name) ?? ""
        if let wait = throttle.admit(account: account, address: address, at: now) { return .wait(wait) }
        return .check(passwordHash: users[account]?.passwordHash ?? decoyHash)
    }

    /// The second half.
    /// - Parameters:
    ///   - passwordHash: the hash of `check`. Checking takes its time: when the password was changed meanwhile, what fits is the old one, and
    ///     nobody comes in by it.
    ///   - verified: whether the password fits that hash.
    ///   - secret: 32 fresh random bytes.
    package mutating func finish(
        name: String, address: String, passwordHash: String, verified: Bool, wantsBearer: Bool, secret: [UInt8], at now: Instant
    ) -> (SignIn?, [AccessWrite]) {
        precondition(secret.count == 32, "a session secret of \(secret.count) bytes")
        let account = User.canonicalName(name) ?? ""
        guard verified, let user = users[account], user.passwordHash == passwordHash else {
            throttle.failed(account: account, address: address, at: now)
            return (nil, [])
        }
        throttle.succeeded(account: account, address: address)
        let session = WebSession(
            id: Access.sessionID(secret), user: account, generation: user.generation, isBearer: wantsBearer, createdAt: now,
            expiresAt: now + Access.sessionLife)
        var writes = endOldest(of: account)
        sessions[session.id] = session
        writes.append(.session(session))
        let claims = BearerClaims(user: account, session: session.id, issuedAt: now, expiresAt: session.expiresAt)
        let caller = Caller(user: account, role: user.role, session: session)
        let bearer = wantsBearer ? BearerToken.issue(claims, key: tokenKey) : nil
        return (SignIn(caller: caller, cookie: TextCoding.base64url(secret), bearer: bearer), writes)
    }

    /// Who holds this cookie, or nil.
    package func identify(cookie: String, at now: Instant) -> Caller? {
        guard let secret = TextCoding.fromBase64url(cookie), secret.count == 32 else { return nil }
        return caller(of: Access.sessionID(secret), at: now)
    }

    /// Who holds this bearer token, or why nobody does.
    package func identify(bearer: String, at now: Instant) throws(BearerError) -> Caller {
        let claims = try BearerToken.verify(bearer, key: tokenKey, at: now)
        guard let caller = caller(of: claims.session, at: now), caller.user == claims.user else { throw .expired }
        return caller
    }

    /// True while the session may still be used; streams ask it again and again.
    package func isInForce(_ session: WebSession, at now: Instant) -> Bool { caller(of: session.id, at: now) != nil }

    /// Ends one session.
    package mutating func signOut(_ session: WebSession) -> [AccessWrite] {
        guard sessions.removeValue(forKey: session.id) != nil else { return [] }
        return [.endSession(id: session.id)]
    }

    /// Creates a user or gives one a new password hash and role; all its sessions end.
    package mutating func put(_ user: User) -> [AccessWrite] {
        var user = user
        if let old = users[user.name] { user.generation = old.generation + 1; user.createdAt = old.createdAt }
        users[user.name] = user
        let ended = sessions.values.filter { $0.user == user.name }.map(\.id).sorted()
        for id in ended { sessions[id] = nil }
        return [.user(user)] + ended.map { .endSession(id: $0) }
    }

    /// Forgets sessions that are over. One with more than a whole life before it was begun by a clock that was set back since, while no process
    /// looked: it gets no more than that.
    package mutating func sweep(at now: Instant) -> [AccessWrite] {
        let over = sessions.values.filter { caller(of: $0.id, at: now) == nil }.map(\.id).sorted()
        for id in over { sessions[id] = nil }
        return over.map { .endSession(id: $0) } + shorten { $0.expiresAt > now + Access.sessionLife ? now + Access.sessionLife : nil }
    }

    /// The wall clock was set by `step`. Waits stay as long as they were, and sessions get no longer by it: a clock that was set back would let
    /// them live on. One that was set forward may be right, and ends them as it says.
    package mutating func clockWasSet(by step: Span) -> [AccessWrite] {
        throttle.clockWasSet(by: step)
        return step < .zero ? shorten { $0.expiresAt + step } : []
    }

    private mutating func shorten(_ end: (WebSession) -> Instant?) -> [AccessWrite] {
        sessions.keys.sorted().compactMap { id in
            guard let session = sessions[id], let end = end(session) else { return nil }
            sessions[id] = session.ending(at: end)
            return sessions[id].map { .session($0) }
        }
    }

    private func caller(of id: String, at now: Instant) -> Caller? {
        guard let session = sessions[id], now < session.expiresAt, let user = users[session.user], user.generation == session.generation
        else { return nil }
        return Caller(user: user.name, role: user.role, session: session)
    }

    private mutating func endOldest(of user: String) -> [AccessWrite] {
        let own = sessions.values.filter { $0.user == user }.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
        let ended = own.prefix(max(0, own.count - Access.sessionsPerUserMax + 1)).map(\.id)
        for id in ended { sessions[id] = nil }
        return ended.map { .endSession(id: $0) }
    }

    private static func sessionID(_ secret: [UInt8]) -> String { Hex.text(Hashing.blake2b(secret)) }
}
