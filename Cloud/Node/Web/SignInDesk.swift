// Signing in and out, and who asks: cookie or bearer token, with the origin looked at wherever a cookie can write.
internal import Control
internal import Platform
internal import Values
internal import Views
internal import Wire

/// Sign-ins whose password is being checked, and users whose new password is being hashed.
struct SignInDesk {
    /// Two are hashed at a time, sixteen wait; more are turned away.
    static let pendingMax = 18

    struct SignIn {
        let name: String
        let address: String
        /// What the password is checked against.
        let hash: String
        let wantsToken: Bool
        let isSeed: Bool
        let origin: OriginRule
    }
    struct NewPassword {
        let name: String
        /// Nil keeps the role of a known user.
        let role: Role?
        let mustBeNew: Bool
    }
    var signIns: [UInt64: SignIn] = [:]
    var passwords: [UInt64: NewPassword] = [:]
    var isFull: Bool { signIns.count + passwords.count >= SignInDesk.pendingMax }
}

extension Node {
    /// The longest password that is looked at: hashing costs the same for all, reading must not.
    private static let passwordBytesMax = 1_024

    /// Who asks; nil for nobody.
    /// - Parameter isWrite: the cookie counts only when the request comes from a page of our own.
    func identify(_ request: Request, isWrite: Bool) throws(Problem) -> Caller? {
        if let header = request.header("authorization") {
            let parts = header.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { throw .notSignedIn }
            return try bearer(String(parts[1]))
        }
        // A browser's WebSocket cannot carry a header; S0's helper puts its token into the query.
        if request.path == "/api/ws/candles", let token = request.parameter("token") { return try bearer(token) }
        guard let name = request.origin.cookieName, let cookie = request.cookie(name) else { return nil }
        guard let caller = access.identify(cookie: cookie, at: now) else { return nil }
        if isWrite, !request.origin.allows(origin: request.header("origin")) { throw .foreignOrigin }
        return caller
    }

    private func bearer(_ token: String) throws(Problem) -> Caller {
        do throws(BearerError) { return try access.identify(bearer: token, at: now) } catch { throw .notSignedIn }
    }

    // MARK: - In

    /// The first half: the form, the rate, and the password on its way to be hashed.
    func beginSignIn(_ call: Call, _ number: UInt64, isSeed: Bool) throws(Problem) -> Reply {
        let request = call.request
        let body = try Body(request, allowed: ["username", "password", "token"])
        let name = try body.required("username"), password = try body.required("password")
        let wantsToken = try body.flag("token") ?? isSeed
        guard (1...Node.passwordBytesMax).contains(password.utf8.count), name.utf8.count <= 64 else {
            throw .badRequest("the name or the password is empty or too long.")
        }
        if let origin = request.header("origin"), !request.origin.allows(origin: origin) { throw .foreignOrigin }
        guard wantsToken || request.origin.cookieName != nil else { throw .notPrivate }
        guard !signIns.isFull else { throw .busy }
        switch access.begin(name: name, address: request.address, at: now) {
        case .wait(let span):
            counters.signInsRefused += 1
            throw .tooManyTries(span)
        case .check(let hash):
            signIns.signIns[number] = SignInDesk.SignIn(
                name: name, address: request.address, hash: hash, wantsToken: wantsToken, isSeed: isSeed, origin: request.origin)
            effect(.checkPassword(number, password: password, hash: hash))
            return .later
        }
    }

    /// The second half.
    func finishSignIn(_ number: UInt64, fits: Bool) {
        guard let desk = signIns.signIns.removeValue(forKey: number) else { return }
        let (signIn, changes) = access.finish(
            name: desk.name, address: desk.address, passwordHash: desk.hash, verified: fits, wantsBearer: desk.wantsToken,
            secret: settings.random(32), at: now)
        for change in changes { store(.access(change)) }
        guard let signIn else {
            counters.signInsRefused += 1
            log(.warning, "sign-in refused", "from \(desk.address)")
            return effect(.respond(number, Problem.wrongCredentials.answer))
        }
        counters.signIns += 1
        log(.info, "signed in", "\(signIn.caller.user) from \(desk.address)")
        var row = Row()
        if desk.isSeed {
            row.put("token", signIn.bearer); row.put("tokenType", "Bearer")
        } else {
            row.put("user", Node.userRow(signIn.caller))
        }
        row.put("expiresAt", signIn.caller.session.expiresAt)
        if !desk.isSeed { row.put("token", signIn.bearer) }
        var answer = Answer(200, row.value)
        if !desk.isSeed, let name = desk.origin.cookieName {
            answer.add("set-cookie", Node.cookie(name, signIn.cookie, secondsMax: 12 * 3_600, isSecure: desk.origin.isSecure))
        }
        effect(.respond(number, answer))
    }

    static func userRow(_ caller: Caller) -> JSONValue { ["name": .string(caller.user), "role": .string(caller.role.rawValue)] }

    // MARK: - Out

    /// Ends the session, its streams with it, and takes the cookie back.
    func signOut(_ call: Call) -> Reply {
        guard let caller = call.caller else { return .answer(Problem.notSignedIn.answer) }
        for change in access.signOut(caller.session) { store(.access(change)) }
        endStreams()
        var answer = Answer.empty
        if let name = call.request.origin.cookieName {
            answer.add("set-cookie", Node.cookie(name, "", secondsMax: 0, isSecure: call.request.origin.isSecure))
        }
        return .answer(answer)
    }

    /// Closes the streams whose session is over.
    func endStreams() {
        for stream in streams.sorted where !access.isInForce(stream.session, at: now) {
            streams.close(stream.number, at: now)
            effect(.closeStream(stream.number, code: 4401, reason: "signed out"))
        }
    }

    private static func cookie(_ name: String, _ value: String, secondsMax: Int, isSecure: Bool) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(secondsMax); HttpOnly; SameSite=Strict\(isSecure ? "; Secure" : "")"
    }

    // MARK: - Users, from the console

    /// A new user, or a new password for a known one; the answer follows when it is hashed.
    func beginPassword(_ number: UInt64, name: String, role: Role?, mustBeNew: Bool, password: String) throws(Problem) -> Reply {
        guard let account = User.canonicalName(name) else {
            throw .badRequest("a user's name has 1 to 64 of a-z, 0-9 and . _ @ -", cure: "Choose another name.")
        }
        guard (8...Node.passwordBytesMax).contains(password.utf8.count) else {
            throw .badRequest("a password has at least 8 characters.", cure: "Choose a longer one.")
        }
        if mustBeNew, access.users[account] != nil {
            throw .verdict(refused: "There is a user \(account).", cure: "tidewire-cloud user password \(account)")
        }
        if !mustBeNew, access.users[account] == nil { throw .unknown("user") }
        guard !signIns.isFull else { throw .busy }
        signIns.passwords[number] = SignInDesk.NewPassword(name: account, role: role, mustBeNew: mustBeNew)
        effect(.hashPassword(number, password: password))
        return .later
    }

    func finishPassword(_ number: UInt64, _ hash: String?) {
        guard let desk = signIns.passwords.removeValue(forKey: number) else { return }
        let known = access.users[desk.name]
        guard let hash,
            let user = User(
                name: desk.name, role: desk.role ?? known?.role ?? .viewer, passwordHash: hash, createdAt: known?.createdAt ?? now)
        else { return effect(.respond(number, Problem.busy.answer)) }
        for change in access.put(user) { store(.access(change)) }
        endStreams()
        log(.info, known == nil ? "user added" : "password changed", desk.name)
        effect(.respond(number, Answer(200, ["name": .string(user.name), "role": .string(user.role.rawValue)])))
    }
}

/// How often one user (or one address) may ask.
struct RequestBudgets {
    static let perSecond: Int64 = 60
    /// Budgets kept; the fullest are forgotten first, which gives nobody more than a full one.
    static let keptMax = 10_000
    private struct Budget { var millis: Int64; var at: Instant }
    private var budgets: [String: Budget] = [:]

    /// Takes one request, or says how long to wait.
    mutating func take(_ who: String, at now: Instant) -> Span? {
        let full = RequestBudgets.perSecond * 1_000
        var budget = budgets[who] ?? Budget(millis: full, at: now)
        let grown = max(0, (now - budget.at).nanoseconds / 1_000_000) * RequestBudgets.perSecond
        budget.millis = min(full, budget.millis + min(grown, full))
        budget.at = now
        let isEnough = budget.millis >= 1_000
        if isEnough { budget.millis -= 1_000 }
        if budgets.count >= RequestBudgets.keptMax, budgets[who] == nil { budgets = [:] }
        budgets[who] = budget
        return isEnough ? nil : .milliseconds((1_000 - budget.millis) / RequestBudgets.perSecond + 1)
    }
}
