// Who comes in, who does not, and how one leaves.
import Testing
import Wire

extension Dashboard {
    @Suite struct SignIn {
        @Test func wrongPasswordIsToldAndTheRightOneOpensTheTradePage() async throws {
            try await Stage.set(signedIn: false, console: ["status of 401"]) { stage in
                try await stage.signIn(password: "not-it")
                try await stage.browser.says("[role=alert]", "The name or the password is wrong")
                #expect(try await stage.browser.run("return document.activeElement.name").text == "password")
                #expect(try await stage.browser.run("return document.querySelector('input[name=password]').value").text == "")
                try await stage.signIn()
                #expect(try await stage.browser.text(".topbar .mode") == "PAPER")
            }
        }

        @Test func tooManyTriesMustWait() async throws {
            try await Stage.set(signedIn: false, console: ["status of 401", "status of 429"]) { stage in
                let tries = """
                    for (let i = 0; i < 10; i += 1) await fetch("/api/v1/auth/login", { method: "POST", body: '{"username":"admin","password":"no"}' });
                    return true;
                    """
                #expect(try await stage.browser.runAsync(tries).isTrue)
                try await stage.signIn(password: "tidewire-demo-wrong")
                try await stage.browser.says("[role=alert]", "Too many sign-in tries")
                try await stage.browser.says("[role=alert]", "left)")
                #expect(try await stage.browser.isEnabled("form button[type=submit]") == false)
            }
        }

        @Test func aCloudThatDoesNotAnswerIsNamedOnTheSignInPage() async throws {
            try await Stage.set(signedIn: false, console: ["net::ERR_"]) { stage in
                try await stage.pull("drop", ["ms": 1500])
                try await stage.signIn(password: "anything")
                try await stage.browser.says("[role=alert]", "The cloud node does not answer")
                try await stage.browser.says("[role=alert]", "Check that it runs")
                // Back again, the same form works.
                try await stage.browser.answers("/api/v1/session")
                try await stage.signIn()
            }
        }

        @Test func signingOutForgetsEverything() async throws {
            try await Stage.set { stage in
                try await stage.browser.click(".nav-leave")
                try await stage.browser.appears("input[name=password]")
                #expect(try await stage.browser.run("return document.body.innerText.includes('MBT')") == .bool(false))
                try await stage.browser.reload()
                try await stage.browser.appears("input[name=password]")
            }
        }

        @Test func aSessionThatEndsLeadsToTheSignInPageWithTheReason() async throws {
            // What the page asks in the moment in which its session ends is refused, and the browser says so.
            try await Stage.set(console: ["status of 401"]) { stage in
                try await stage.pull("end-sessions")
                try await stage.browser.says(".signin .note", "Your session is over")
                try await stage.signIn()
                #expect(try await stage.browser.count("[data-position]") == 2)
            }
        }

        @Test func aSessionThatEndsUnderAnOrderDoesTheSame() async throws {
            try await Stage.set(console: ["status of 401"]) { stage in
                try await stage.ask(".ticket .long")
                try await stage.pull("end-sessions")
                try await stage.browser.appears("input[name=password]")
                #expect(try await stage.writes().isEmpty)
            }
        }
    }
}
