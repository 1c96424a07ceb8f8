// Sign-in, sessions, tokens, origins: each refusal and each door that must stay shut.
import Control
import Testing
import Values
import Wire

private let t0 = Instant(seconds: 1_796_135_400)
private let key = [UInt8](repeating: 9, count: 32)

private func secret(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 32) }

private func makeAccess() throws -> Access {
    let admin = try #require(User(name: "Admin", role: .admin, passwordHash: "hash-of-admin", createdAt: t0))
    return Access(users: [admin], sessions: [], tokenKey: key, decoyHash: "decoy")
}

@Suite struct AccessTests {
    @Test func rightPasswordOpensASessionThatIsStoredHashed() throws {
        var access = try makeAccess()
        #expect(access.begin(name: "admin", address: "10.0.0.1", at: t0) == .check(passwordHash: "hash-of-admin"))
        let (signIn, writes) = access.finish(
            name: "ADMIN", address: "10.0.0.1", passwordHash: "hash-of-admin", verified: true, wantsBearer: false, secret: secret(1), at: t0)
        let session = try #require(signIn)
        #expect(session.bearer == nil)
        #expect(writes == [.session(session.caller.session)])
        #expect(session.caller.session.id == Hex.text(Hashing.blake2b(secret(1))))
        #expect(access.identify(cookie: session.cookie, at: t0 + .hours(11))?.user == "admin")
        #expect(access.identify(cookie: session.cookie, at: t0 + .hours(12)) == nil)
        #expect(access.identify(cookie: session.caller.session.id, at: t0) == nil, "the stored hash must not open anything")
    }

    @Test func unknownNameIsCheckedAgainstADecoyAndNeverOpens() throws {
        var access = try makeAccess()
        #expect(access.begin(name: "nobody", address: "10.0.0.1", at: t0) == .check(passwordHash: "decoy"))
        let (signIn, writes) = access.finish(
            name: "nobody", address: "10.0.0.1", passwordHash: "decoy", verified: true, wantsBearer: true, secret: secret(1), at: t0)
        #expect(signIn == nil && writes.isEmpty)
    }

    @Test func sixthTryWithinAMinuteWaitsAndTheWaitDoubles() throws {
        var access = try makeAccess()
        for _ in 0..<5 {
            guard case .check = access.begin(name: "admin", address: "10.0.0.1", at: t0) else { Issue.record("refused too early"); return }
            _ = access.finish(
                name: "admin", address: "10.0.0.1", passwordHash: "hash-of-admin", verified: false, wantsBearer: false, secret: secret(1), at: t0)
        }
        guard case .wait = access.begin(name: "admin", address: "10.0.0.1", at: t0) else { Issue.record("the sixth try was let in"); return }
        #expect(
            access.begin(name: "admin", address: "10.0.0.2", at: t0) == .check(passwordHash: "hash-of-admin"), "another address is not locked out")
        var now = t0 + .minutes(2)
        var waits: [Span] = []
        for _ in 0..<4 {
            guard case .check = access.begin(name: "admin", address: "10.0.0.1", at: now) else { Issue.record("still waiting at \(now)"); return }
            _ = access.finish(
                name: "admin", address: "10.0.0.1", passwordHash: "hash-of-admin", verified: false, wantsBearer: false, secret: secret(1), at: now)
            guard case .wait(let wait) = access.begin(name: "admin", address: "10.0.0.1", at: now) else { Issue.record("no wait"); return }
            waits.append(wait)
            now = now + .minutes(1)
        }
        #expect(waits == [.seconds(2), .seconds(4), .seconds(8), .seconds(16)])
    }

    @Test func oneAddressCannotTryManyAccounts() {
        var throttle = Throttle()
        let admitted = (0..<50).filter { throttle.admit(account: "user\($0)", address: "2001:db8:1:2::\($0)", at: t0) == nil }.count
        #expect(admitted == Throttle.addressTriesMax, "addresses of one /64 count as one")
        #expect(throttle.admit(account: "user60", address: "2001:db8:1:2::99", at: t0 + .seconds(61)) == nil)
    }

    @Test(arguments: [
        ("10.1.2.3", "10.1.2.3"), ("2001:db8:a:b:c:d:e:f", "2001:db8:a:b::/64"), ("2001:DB8::1", "2001:db8:0:0::/64"), ("::1", "0:0:0:0::/64"),
        ("fe80::1:2", "fe80:0:0:0::/64"),
    ])
    func addressesOfOneCustomerAreOneNetwork(_ address: String, _ network: String) { #expect(Throttle.network(address) == network) }

    @Test func throttleForgetsTheOldestAndStaysBounded() {
        var throttle = Throttle()
        for number in 0..<(Throttle.windowsMax + 500) {
            _ = throttle.admit(account: "u\(number)", address: "10.0.\(number / 250).\(number % 250)", at: t0)
        }
        #expect(throttle.admit(account: "last", address: "192.0.2.1", at: t0 + .seconds(1)) == nil)
    }

    @Test func newPasswordEndsEverySession() throws {
        var access = try makeAccess()
        let (first, _) = access.finish(
            name: "admin", address: "a", passwordHash: "hash-of-admin", verified: true, wantsBearer: true, secret: secret(1), at: t0)
        let signIn = try #require(first)
        let bearer = try #require(signIn.bearer)
        #expect(try access.identify(bearer: bearer, at: t0).user == "admin")
        let writes = access.put(try #require(User(name: "admin", role: .viewer, passwordHash: "new", createdAt: t0)))
        #expect(writes.contains(.endSession(id: signIn.caller.session.id)))
        #expect(access.users["admin"]?.generation == 2)
        #expect(throws: BearerError.expired) { try access.identify(bearer: bearer, at: t0) }
        #expect(access.identify(cookie: signIn.cookie, at: t0) == nil)
    }

    @Test func aPasswordThatWasChangedWhileItWasCheckedOpensNothing() throws {
        var access = try makeAccess()
        guard case .check(let hash) = access.begin(name: "admin", address: "a", at: t0) else { Issue.record("not let in to try"); return }
        _ = access.put(try #require(User(name: "admin", role: .admin, passwordHash: "new", createdAt: t0)))
        let (signIn, writes) = access.finish(
            name: "admin", address: "a", passwordHash: hash, verified: true, wantsBearer: true, secret: secret(1), at: t0)
        #expect(signIn == nil && writes.isEmpty && access.sessions.isEmpty)
        let (fresh, _) = access.finish(
            name: "admin", address: "a", passwordHash: "new", verified: true, wantsBearer: true, secret: secret(2), at: t0)
        #expect(fresh != nil)
    }

    @Test func signOutEndsTheSessionOnce() throws {
        var access = try makeAccess()
        let (signIn, _) = access.finish(
            name: "admin", address: "a", passwordHash: "hash-of-admin", verified: true, wantsBearer: false, secret: secret(1), at: t0)
        let session = try #require(signIn).caller.session
        #expect(access.isInForce(session, at: t0))
        #expect(access.signOut(session) == [.endSession(id: session.id)])
        #expect(access.signOut(session).isEmpty)
        #expect(!access.isInForce(session, at: t0))
    }

    @Test func sessionsAreBoundedAndSwept() throws {
        var access = try makeAccess()
        for number in 0..<30 {
            _ = access.finish(
                name: "admin", address: "a", passwordHash: "hash-of-admin", verified: true, wantsBearer: false, secret: secret(UInt8(number)),
                at: t0 + .seconds(Int64(number)))
        }
        #expect(access.sessions.count == Access.sessionsPerUserMax)
        #expect(access.sweep(at: t0 + .hours(13)).count == Access.sessionsPerUserMax)
        #expect(access.sessions.isEmpty)
    }

    @Test func rolesAreTheTable() {
        let table: [Role: [Permission]] = [
            .viewer: [.read], .trader: [.read, .enter, .reduce, .halt], .risk: [.read, .reduce, .halt], .admin: Permission.allCases,
        ]
        for role in Role.allCases { #expect(Permission.allCases.filter(role.may) == table[role]) }
    }

    @Test(arguments: ["", "a b", "ä", "x\u{0}", String(repeating: "a", count: 65)])
    func oddNamesAreRefused(_ name: String) { #expect(User(name: name, role: .viewer, passwordHash: "", createdAt: t0) == nil) }
}

@Suite struct BearerTokenTests {
    private let claims = BearerClaims(user: "admin", session: "s1", issuedAt: t0, expiresAt: t0 + .hours(1))

    @Test func roundTrip() throws {
        let token = BearerToken.issue(claims, key: key)
        #expect(try BearerToken.verify(token, key: key, at: t0) == claims)
        #expect(token.hasPrefix("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."))
    }

    @Test func everyAlteredByteIsRefused() {
        let token = Array(BearerToken.issue(claims, key: key).utf8)
        for index in token.indices {
            var altered = token
            altered[index] = altered[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: BearerError.self) { try BearerToken.verify(String(decoding: altered, as: UTF8.self), key: key, at: t0) }
        }
    }

    @Test func theTokenDoesNotChooseItsAlgorithm() {
        let body = TextCoding.base64url(Array(#"{"aud":"tidewire","exp":4000000000,"iat":0,"jti":"s1","sub":"admin"}"#.utf8))
        for head in [#"{"alg":"none"}"#, #"{"alg":"HS512","typ":"JWT"}"#, #"{"typ":"JWT","alg":"HS256"}"#] {
            let signed = TextCoding.base64url(Array(head.utf8)) + "." + body
            let signature = TextCoding.base64url(Hashing.hmacSHA256(Array(signed.utf8), key: key))
            #expect(throws: BearerError.malformed) { try BearerToken.verify(signed + "." + signature, key: key, at: t0) }
            #expect(throws: BearerError.malformed) { try BearerToken.verify(signed + ".", key: key, at: t0) }
        }
    }

    @Test func timesAreHeld() {
        let token = BearerToken.issue(claims, key: key)
        #expect(throws: BearerError.expired) { try BearerToken.verify(token, key: key, at: t0 + .hours(1)) }
        #expect(throws: BearerError.notYet) { try BearerToken.verify(token, key: key, at: t0 - .minutes(2)) }
        #expect(throws: BearerError.forged) { try BearerToken.verify(token, key: [UInt8](repeating: 8, count: 32), at: t0) }
        #expect(throws: BearerError.malformed) { try BearerToken.verify(String(repeating: "a", count: 3_000), key: key, at: t0) }
    }
}

@Suite struct OriginRuleTests {
    @Test(arguments: [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", false, true), ("http://localhost:8000", "127.0.0.1:8000", false, false),
        ("https://tide.example", "tide.example", true, true), ("https://tide.example:443", "tide.example", true, true),
        ("http://tide.example", "tide.example", true, false), ("https://evil.example", "tide.example", true, false),
        ("https://tide.example.evil.example", "tide.example", true, false), ("null", "tide.example", true, false),
        ("https://TIDE.example", "tide.Example:443", true, true), ("https://tide.example:8443", "tide.example", true, false),
    ])
    func ownPageOnly(_ origin: String, _ host: String, _ secure: Bool, _ allowed: Bool) {
        #expect(OriginRule(host: host, isSecure: secure).allows(origin: origin) == allowed)
    }

    @Test func noOriginIsNoWrite() { #expect(!OriginRule(host: "localhost", isSecure: false).allows(origin: nil)) }

    @Test(
        arguments: [
            ("tide.example", true, "__Host-tidewire"), ("127.0.0.1:8000", false, "tidewire"), ("[::1]:8000", false, "tidewire"),
            ("localhost", false, "tidewire"), ("192.168.1.5:8000", false, nil), ("localhost.evil.example", false, nil),
            ("127.evil.example", false, nil), ("127.0.0.1.evil.example", false, nil), ("[::ffff:127.0.0.1]:8000", false, "tidewire"),
        ] as [(String, Bool, String?)])
    func cookieOnlyWhereItTravelsSafely(_ host: String, _ secure: Bool, _ name: String?) {
        #expect(OriginRule(host: host, isSecure: secure).cookieName == name)
    }
}

@Suite struct LoopbackTests {
    @Test(arguments: [
        "127.0.0.1", "127.255.0.9", "[::1]", "::1", "0:0:0:0:0:0:0:1", "[0::1]", "::ffff:127.0.0.1", "[::ffff:7f00:1]", "0:0:0:0:0:ffff:127.1.2.3",
    ])
    func isHere(_ text: String) { #expect(Loopback.isAddress(text)) }

    @Test(arguments: [
        "", "127.", "127.evil.example", "127.0.0.1.evil.example", "127.1", "127.0.0.256", "127.0.0.01", "0127.0.0.1", "127.0.0.1 ", "128.0.0.1",
        "+127.0.0.1", "2130706433", "0x7f000001", "localhost", "::", "::2", "1::1", ":::1", "::1::", "[::1", "::1]", "::ffff:128.0.0.1",
        "::127.0.0.1.1", "fe80::1", "0:0:0:0:0:0:0:0:1", "::1%lo", "::00001", "127.0.0.1:8000",
    ])
    func isNot(_ text: String) { #expect(!Loopback.isAddress(text)) }
}
