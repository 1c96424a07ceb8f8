// Who may come in: passwords, cookies, tokens, origins, rates and roles.
import CloudNode
import Control
import Testing
import Values
import Wire

@Suite struct SignInTests {
    @Test func theCookieOpensAndTheTokenOnlyOnDemand() throws {
        let cloud = try TestCloud()
        let answer = try cloud.signIn("admin", "right", token: false)
        #expect(answer.status == 200 && answer.json?["token"] == nil)
        #expect(answer.json?["user"]?["role"]?.text == "admin")
        let cookie = try #require(answer.headers.first { $0.name == "set-cookie" }?.value)
        #expect(cookie.hasPrefix("tidewire=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"))
        #expect(try cloud.signIn("admin", "right", token: true).json?["token"]?.text?.split(separator: ".").count == 3)
        #expect(try cloud.get("/api/v1/accounts", cloud.browser())?.status == 200)
        #expect(try cloud.get("/api/v1/accounts", cloud.bearer())?.status == 200)
    }

    @Test func theSeedPathAnswersWithTheToken() throws {
        let cloud = try TestCloud()
        let answer = try cloud.signIn("admin", "right", token: false, path: "/api/auth/login")
        let token = try #require(answer.json?["token"]?.text)
        #expect(answer.headers.isEmpty, "no cookie for scripts")
        #expect(try cloud.get("/api/positions", [("authorization", "Bearer \(token)")])?.status == 200)
    }

    @Test func nobodyComesInWithoutASession() throws {
        let cloud = try TestCloud()
        for who: [Request.Pair] in [
            [], [("cookie", "tidewire=AAAA")], [("authorization", "Bearer a.b.c")], [("authorization", "Basic YWRtaW46cmlnaHQ=")],
        ] {
            let answer = try cloud.get("/api/v1/orders", who)
            #expect(answer?.status == 401 && answer?.json?["type"]?.text == "/problems/not-signed-in", "\(who)")
            #expect(answer?.type == "application/problem+json")
        }
        #expect(try cloud.get("/api/v1/session")?.json?["signedIn"]?.boolValue == false)
    }

    @Test func aWrongPasswordAndAnUnknownNameLookTheSame() throws {
        let cloud = try TestCloud()
        let wrong = try cloud.signIn("admin", "wrong", token: false), unknown = try cloud.signIn("nobody", "wrong", token: false)
        #expect(wrong.status == 401 && wrong == unknown && wrong.json?["type"]?.text == "/problems/wrong-credentials")
    }

    @Test func theSixthTryOfAMinuteWaitsAndAnotherAddressDoesNot() throws {
        let cloud = try TestCloud()
        for _ in 0..<5 { #expect(try cloud.signIn("admin", "wrong", token: false).status == 401) }
        let refused = try cloud.signIn("admin", "right", token: false)
        #expect(refused.status == 429 && refused.json?["type"]?.text == "/problems/too-many-tries")
        let wait = try #require(refused.json?["retryAfterMs"]?.integerValue)
        #expect((1...60_000).contains(wait) && refused.headers.contains { $0.name == "retry-after" })
        #expect(try cloud.signIn("admin", "right", token: false, address: "10.0.0.9").status == 200)
        cloud.pass(.minutes(2))
        #expect(try cloud.signIn("admin", "right", token: false).status == 200)
    }

    @Test func onlySoManyPasswordsAreHashedAtOnce() throws {
        let cloud = try TestCloud()
        let body = Array(#"{"username":"admin","password":"right"}"#.utf8)
        var waiting = 0
        for index in 0..<18 {
            let request = Request(method: "POST", path: "/api/v1/auth/login", body: body, address: "10.0.\(index).1")
            if try cloud.send(request).answer == nil { waiting += 1 }
        }
        #expect(waiting == 18)
        let one = try cloud.send(Request(method: "POST", path: "/api/v1/auth/login", body: body, address: "10.1.0.1"))
        #expect(one.answer?.status == 503 && one.answer?.json?["type"]?.text == "/problems/busy")
    }

    @Test func theCookieWritesFromOurOwnPagesOnly() throws {
        let cloud = try TestCloud()
        let own = try cloud.browser()
        let cookie = try #require(own.first { $0.name == "cookie" })
        #expect(try cloud.post("/api/v1/auth/logout", "", [cookie, ("origin", "http://evil.example")])?.status == 403)
        #expect(try cloud.post("/api/v1/auth/logout", "", [cookie])?.status == 403, "a browser always says where it comes from")
        #expect(try cloud.get("/api/v1/orders", [cookie])?.status == 200, "reading is no writing")
        let login = Request(
            method: "POST", path: "/api/v1/auth/login", headers: [("origin", "http://evil.example")],
            body: Array(#"{"username":"admin","password":"right"}"#.utf8))
        #expect(try cloud.send(login).answer?.status == 403, "no sign-in for another page")
        #expect(try cloud.post("/api/v1/auth/logout", "", own)?.status == 204)
        #expect(try cloud.get("/api/v1/orders", [cookie])?.status == 401)
    }

    @Test func noCookieTravelsInTheClear() throws {
        let cloud = try TestCloud()
        let body = Array(#"{"username":"admin","password":"right"}"#.utf8)
        var request = Request(method: "POST", path: "/api/v1/auth/login", body: body)
        request.origin = OriginRule(host: "cloud.example", isSecure: false)
        #expect(try cloud.send(request).answer?.json?["type"]?.text == "/problems/not-private")
        request.origin = OriginRule(host: "cloud.example", isSecure: true)
        let (number, _) = try cloud.send(request)
        try cloud.turn([.passwordChecked(number, fits: true)])
        let cookie = try #require(cloud.answer(number)?.headers.first { $0.name == "set-cookie" }?.value)
        #expect(cookie.hasPrefix("__Host-tidewire=") && cookie.hasSuffix("Secure"))
    }

    @Test func aSessionEndsByItselfAndSurvivesARestart() throws {
        let cloud = try TestCloud()
        let who = try cloud.browser()
        try cloud.restart()
        #expect(try cloud.get("/api/v1/orders", who)?.status == 200)
        cloud.pass(.hours(12))
        #expect(try cloud.get("/api/v1/orders", who)?.status == 401)
    }

    /// The clock is set back by an hour in the middle of its life: a session lives twelve hours, in this process and in the next.
    @Test(arguments: [false, true]) func aSessionLivesNoLongerWhenTheClockIsSetBack(isRestarted: Bool) throws {
        let cloud = try TestCloud()
        let who = try cloud.browser()
        cloud.pass(.hours(6))
        cloud.setClock(by: .hours(-1))
        try cloud.tick()
        if isRestarted { try cloud.restart() }
        cloud.pass(.hours(6) - .seconds(1))
        #expect(try cloud.get("/api/v1/orders", who)?.status == 200)
        cloud.pass(.seconds(1))
        #expect(try cloud.get("/api/v1/orders", who)?.status == 401)
    }

    /// Set back while no process looked: nobody can tell by how much, and what is left is a whole life at the most.
    @Test func aSessionFromTheFutureHasAWholeLifeAtTheMost() throws {
        let cloud = try TestCloud()
        let who = try cloud.browser()
        try cloud.restart { cloud.setClock(by: .hours(-48)) }
        try cloud.tick()
        #expect(try cloud.get("/api/v1/orders", who)?.status == 200)
        cloud.pass(.hours(12))
        #expect(try cloud.get("/api/v1/orders", who)?.status == 401)
    }

    /// A wait is as long as it was told, whatever the clock is set to.
    @Test(arguments: [-60, 60]) func aWaitIsAsLongAsToldWhenTheClockIsSet(minutes: Int64) throws {
        let cloud = try TestCloud()
        for _ in 0..<5 { #expect(try cloud.signIn("admin", "wrong", token: false).status == 401) }
        cloud.setClock(by: .minutes(minutes))
        #expect(try cloud.signIn("admin", "right", token: false).status == 429)
        cloud.pass(.minutes(1))
        #expect(try cloud.signIn("admin", "right", token: false).status == 200)
    }

    @Test func rolesMayWhatTheTableSays() throws {
        let cloud = try TestCloud()
        let viewer = try cloud.bearer("viewer")
        #expect(try cloud.get("/api/v1/orders", viewer)?.status == 200)
        for path in ["/api/v1/orders", "/api/v1/kill", "/api/v1/positions/MBTZ6.CME/close", "/api/v1/orders/1f-1/cancel", "/api/order"] {
            let answer = try cloud.post(path, "{}", viewer, key: "00000000000000000000000000000001")
            #expect(answer?.status == 403 && answer?.json?["type"]?.text == "/problems/not-allowed", "\(path)")
        }
    }

    @Test func tooManyRequestsAreAskedToWait() throws {
        let cloud = try TestCloud()
        let who = try cloud.bearer()
        var statuses: [Int] = []
        for _ in 0..<80 { statuses.append(try cloud.get("/api/v1/orders", who)?.status ?? 0) }
        #expect(statuses.filter { $0 == 200 }.count == 60 && statuses.last == 429)
        cloud.pass(.seconds(1))
        #expect(try cloud.get("/api/v1/orders", who)?.status == 200)
    }

    /// The old password is being checked while the new one is set: it fits, and opens nothing.
    @Test func aSignInThatStraddlesAPasswordChangeIsRefused() throws {
        let cloud = try TestCloud()
        let body = Array(#"{"username":"trader","password":"right","token":true}"#.utf8)
        let (signIn, _) = try cloud.send(Request(method: "POST", path: "/api/v1/auth/login", body: body))
        let fits = cloud.take { if case .checkPassword(_, let password, let hash) = $0 { password == hash } else { nil } }.first
        let change = Array(#"{"name":"trader","password":"a new one"}"#.utf8)
        let (number, _) = try cloud.send(Request(method: "POST", path: "/console/users/password", body: change, address: "unix", isLocal: true))
        try cloud.turn([.passwordHashed(number, "fresh")])
        #expect(cloud.answer(number)?.status == 200)
        try cloud.turn([.passwordChecked(signIn, fits: fits == true)])
        let answer = try #require(cloud.answer(signIn))
        #expect(answer.status == 401 && answer.json?["type"]?.text == "/problems/wrong-credentials" && answer.json?["token"] == nil)
        #expect(cloud.node.access.sessions.isEmpty)
    }

    @Test func theConsoleSetsPasswordsAndEndsSessions() throws {
        let cloud = try TestCloud()
        let old = try cloud.browser("trader")
        var request = Request(
            method: "POST", path: "/console/users/password", body: Array(#"{"name":"trader","password":"a new one"}"#.utf8), address: "unix")
        #expect(try cloud.send(request).answer?.status == 404, "the console's paths are not on the network")
        request.isLocal = true
        let (number, _) = try cloud.send(request)
        #expect(cloud.take { if case .hashPassword(number, let password) = $0 { password } else { nil } } == ["a new one"])
        try cloud.turn([.passwordHashed(number, "fresh")])
        #expect(cloud.answer(number)?.status == 200)
        #expect(try cloud.get("/api/v1/orders", old)?.status == 401)
        #expect(try cloud.signIn("trader", "fresh", token: false).status == 200)
        try cloud.restart()
        #expect(try cloud.signIn("trader", "right", token: false).status == 401)
    }
}
