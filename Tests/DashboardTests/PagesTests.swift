// The ledger and edges pages, and what holds on every page: keyboard, phone, themes, barriers, a clean console.
import Testing
import Wire

extension Dashboard {
    @Suite struct Pages {
        @Test func ledgerEntriesArriveWhileOneLooks() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .long")
                try await stage.go(toLedgerWhileAsking: "[data-testid=confirm]")
                try await stage.browser.says("[data-seq] .tag", "fill")
                let rows = "return [...document.querySelectorAll('tr[data-seq]')].map((r) => Number(r.dataset.seq))"
                let seqs = try await stage.browser.run(rows).list.compactMap(\.number)
                #expect(seqs == seqs.sorted(by: >) && Set(seqs).count == seqs.count && seqs.count > 10)
            }
        }

        @Test func theFilterShowsOneKindAndAnOrderIsFollowedToItsFill() async throws {
            try await Stage.set { stage in
                try await stage.go(to: "ledger")
                try await stage.browser.says(".chips", "fill")
                try await stage.browser.run("[...document.querySelectorAll('.chips button')].find((b) => b.textContent === 'fill').click()")
                try await stage.browser.wait("[...document.querySelectorAll('tr[data-seq] .tag')].every((t) => t.textContent === 'fill')")
                #expect(try await stage.browser.count("tr[data-seq]") == 2)
                try await stage.browser.click("tr[data-seq] td[data-name=Follow] a")
                try await stage.browser.appears(".path li")
                let tags = "return [...document.querySelectorAll('.path .tag')].map((t) => t.textContent)"
                let kinds = try await stage.browser.run(tags).list.compactMap(\.text)
                #expect(kinds.first == "intent" && kinds.contains("fill") && kinds.contains("order state"))
                try await stage.keepPicture("ledger-follow")
            }
        }

        @Test func aBacklogIsShownAsMissingEntries() async throws {
            try await Stage.set { stage in
                try await stage.turn(["backlog": 42])
                try await stage.go(to: "ledger")
                try await stage.browser.says(".gap", "42 newer entries are at the edge")
                try await stage.go(to: "edges")
                try await stage.browser.says("[aria-label=Ledger] .warn", "42")
            }
        }

        @Test func aClockMoreThanTwoSecondsOffIsPointedAt() async throws {
            try await Stage.set { stage in
                try await stage.go(to: "edges")
                let ours: [(Int64, String)] = [
                    (1_999, "+1999 ms"), (-1_999, "\u{2212}1999 ms"), (2_000, "+2000 ms"), (2_001, "+2001 ms: set the clock"),
                    (-2_001, "\u{2212}2001 ms: set the clock"), (12, "+12 ms"),
                ]
                for (millis, words) in ours {
                    try await stage.turn(["clockSkewMs": .integer(millis)])
                    try await stage.browser.says("[aria-label=Link]", words)
                    #expect(try await stage.browser.text("[aria-label=Link] .warn") == (abs(millis) > 2_000 ? words : ""))
                }
            }
        }

        @Test func whatLagsBehindTheStoredEntriesIsShownWithItsAge() async throws {
            try await Stage.set { stage in
                try await stage.go(to: "edges")
                #expect(try await stage.browser.count("[aria-label=Ledger] .warn") == 0)
                try await stage.turn(["behind": ["book": 4_096, "tables": 61_001, "ms": 75_000]])
                try await stage.browser.says("[aria-label=Ledger]", "61,001 behind, oldest 1 min")
                #expect(try await stage.browser.text("[aria-label=Ledger]").contains("4,096 behind, oldest 1 min"))
                try await stage.turn(["behind": ["tables": 61_001, "ms": 75_000]])
                try await stage.browser.wait("document.querySelectorAll('[aria-label=Ledger] .warn').length === 1")
                try await stage.turn(["behind": ["book": 0]])
                try await stage.browser.wait("document.querySelector('[aria-label=Ledger] .warn') === null")
            }
        }

        @Test func theEdgesPageShowsLinkLedgerAndRefusedLinks() async throws {
            try await Stage.set { stage in
                try await stage.pull("reset")
                try await stage.go(to: "edges")
                for word in ["home-1", "Last heard", "Round trip", "Backlog", "Acknowledged", "Halt level", "FORK", "nothing was merged"] {
                    try await stage.browser.says("main", word)
                }
            }
        }

        @Test func everythingWorksByKeyboardAlone() async throws {
            try await Stage.set(signedIn: false) { stage in
                try await stage.signIn()
                try await stage.tab(to: "Long")
                try await stage.browser.press(Browser.Key.enter)
                try await stage.browser.appears(".dialog .reckoning")
                try await stage.tab(to: "Long 1 MBTZ6")
                try await stage.browser.press(Browser.Key.enter)
                try await stage.browser.appears(".toast[data-outcome=filled]")
                try await stage.tab(to: "Ledger")
                try await stage.browser.press(Browser.Key.enter)
                try await stage.browser.appears("main[data-page=ledger]")
            }
        }

        @Test func thePhoneScrollsOnlyDownAndKeepsTheButtonsInReach() async throws {
            try await Stage.set(.phone) { stage in
                for page in ["ledger", "edges", "trade"] {
                    try await stage.go(to: page)
                    #expect(try await stage.browser.run("return document.documentElement.scrollWidth").number == 390, "\(page)")
                }
                let strip = try await stage.browser.run(
                    "return [...document.querySelectorAll('.strip button')].map((b) => { const r = b.getBoundingClientRect(); return [r.height, r.bottom]; })"
                ).list.map { $0.list.compactMap(\.number) }
                #expect(strip.count == 3 && strip.allSatisfy { $0[0] >= 44 && $0[1] <= 844 })
                try await stage.ask(".strip .long")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.browser.run("return document.documentElement.scrollWidth").number == 390)
            }
        }

        @Test func theBarOfAPhoneStaysOneLineWhateverThePillSays() async throws {
            try await Stage.set(.phone) { stage in
                let height = "return document.querySelector('.topbar').getBoundingClientRect().height"
                let calm = try await stage.browser.run(height)
                for change in [["silent": true, "silentForMs": 134_000], ["silent": false, "gatewayGone": true]] as [JSONValue] {
                    try await stage.turn(change)
                    try await stage.browser.wait(
                        "document.querySelector('.pill').dataset.tone === '\(change["gatewayGone"]?.isTrue == true ? "warning" : "error")'")
                    #expect(try await stage.browser.run(height) == calm)
                }
                try await stage.keepPicture("phone-gateway-gone")
            }
        }

        @Test(arguments: ["PAPER", "LIVE"]) func everyPageAndQuestionSaysWhoseMoneyItIs(_ mode: String) async throws {
            try await Stage.set { stage in
                try await stage.turn(["mode": .string(mode)])
                for page in ["ledger", "edges", "trade"] {
                    try await stage.go(to: page)
                    try await stage.browser.wait("document.querySelector('.topbar .mode').textContent === '\(mode)'")
                    #expect(try await stage.browser.run("return document.querySelector('.topbar .mode').dataset.mode").text == mode)
                }
                for (button, question) in [
                    (".ticket .long", ".dialog .mode"), (".ticket .flatten", ".dialog .mode"), (".topbar .kill", ".dialog .mode"),
                ] {
                    try await stage.browser.click(button)
                    try await stage.browser.says(question, mode)
                    try await stage.browser.press(Browser.Key.escape)
                    try await stage.browser.vanishes(".dialog")
                }
            }
        }

        @Test func nothingMovesForWhoAskedForStillness() async throws {
            try await Stage.set { stage in
                let moving =
                    "[...document.querySelectorAll('*')].filter((e) => { const s = getComputedStyle(e); return s.animationName !== 'none' || s.transitionDuration !== '0s'; }).length"
                for (wish, expected) in [("no-preference", true), ("reduce", false)] {
                    try await stage.browser.prefer(motion: wish)
                    try await stage.ask(".ticket .long")
                    try await stage.browser.click("[data-testid=confirm]")
                    try await stage.browser.appears(".toast[data-outcome=filled]")
                    #expect(try await stage.browser.run("return \(moving) > 0").isTrue == expected, "\(wish)")
                }
            }
        }

        @Test func theThemeIsChosenAndRemembered() async throws {
            try await Stage.set(.desktop, .light) { stage in
                let ground = "return getComputedStyle(document.documentElement).backgroundColor"
                let light = try await stage.browser.run(ground)
                try await stage.keepPicture("desktop-light")
                try await stage.browser.click(".topbar .square")
                try await stage.browser.wait("document.documentElement.dataset.theme === 'dark'")
                let dark = try await stage.browser.run(ground)
                #expect(light != dark)
                try await stage.browser.reload()
                try await stage.browser.appears("[data-testid=last-price]")
                #expect(try await stage.browser.run(ground) == dark)
            }
        }

        @Test(arguments: [Browser.Scheme.dark, .light]) func noPageHasBarriers(_ scheme: Browser.Scheme) async throws {
            try await Stage.set(.desktop, scheme, signedIn: false) { stage in
                try await stage.expectNoBarriers()
                try await stage.keepPicture("sign-in-\(scheme.rawValue)")
                try await stage.signIn()
                try await stage.expectNoBarriers()
                try await stage.turn(["silent": true])
                try await stage.browser.appears("[data-banner=edge]")
                try await stage.expectNoBarriers()
                try await stage.turn(["silent": false])
                try await stage.browser.click("#tab-Orders")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("orders-\(scheme.rawValue)")
                try await stage.go(to: "ledger")
                try await stage.browser.appears("tr[data-seq]")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("ledger-\(scheme.rawValue)")
                try await stage.pull("reset")
                try await stage.go(to: "edges")
                try await stage.browser.appears("[data-refusal]")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("edges-\(scheme.rawValue)")
                try await stage.browser.click(".topbar .kill")
                try await stage.browser.appears(".dialog")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("kill-\(scheme.rawValue)")
            }
        }

        @Test(arguments: [Browser.Scheme.dark, .light]) func thePhoneHasNoBarriersEither(_ scheme: Browser.Scheme) async throws {
            try await Stage.set(.phone, scheme) { stage in
                try await stage.expectNoBarriers()
                try await stage.keepPicture("phone-\(scheme.rawValue)")
                try await stage.turn(["silent": true, "silentForMs": 70_000])
                try await stage.browser.appears("[data-banner=edge]")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("phone-edge-silent-\(scheme.rawValue)")
                try await stage.turn(["silent": false])
                for page in ["ledger", "edges", "trade"] {
                    try await stage.go(to: page)
                    try await stage.browser.appears(["ledger": "tr[data-seq]", "edges": ".edge"][page] ?? ".ticket")
                    try await stage.expectNoBarriers()
                    try await stage.keepPicture("phone-\(page)-\(scheme.rawValue)")
                }
                try await stage.browser.wait("document.querySelector('.strip .long').disabled === false")
                try await stage.ask(".strip .long")
                try await stage.expectNoBarriers()
                try await stage.keepPicture("phone-confirm-\(scheme.rawValue)")
            }
        }

        @Test func aWholeDayLeavesTheConsoleEmptyUnderAStrictPolicy() async throws {
            try await Stage.set(signedIn: false) { stage in
                let policy = try await stage.cloud.send("GET", "/").headers["content-security-policy"] ?? ""
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
                try await stage.signIn()
                try await stage.ask(".ticket .long")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                try await stage.go(to: "ledger")
                try await stage.browser.appears("tr[data-seq]")
                try await stage.go(to: "edges")
                try await stage.go(to: "trade")
                try await stage.browser.appears(".chart-canvas canvas")
                try await stage.browser.click(".nav-leave")
                try await stage.browser.appears("input[name=password]")
                #expect(try await stage.browser.console() == [])
            }
        }
    }
}

extension Stage {
    /// Confirms and turns to the ledger at once, so that the entries come in while the page is open.
    fileprivate func go(toLedgerWhileAsking button: String) async throws {
        try await browser.run("document.querySelector(arguments[0]).click(); location.hash = '#/ledger'", .string(button))
        try await browser.appears("main[data-page=ledger]")
    }

    /// Presses Tab until the focus stands on what reads `words`; a page on which it never does has failed.
    fileprivate func tab(to words: String) async throws {
        for _ in 0..<60 {
            try await browser.press(Browser.Key.tab)
            if try await browser.run("return document.activeElement.textContent.trim()").text == words { return }
        }
        throw Browser.Failure(description: "Tab never reached \(words)")
    }
}
