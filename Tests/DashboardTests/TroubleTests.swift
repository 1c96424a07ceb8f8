// Bad days: what the page says and what it forbids when something beyond it is gone.
import Testing
import Wire

extension Dashboard {
    @Suite struct Trouble {
        @Test func anExpiredCommandSaysSo() async throws {
            try await Stage.set { stage in
                try await stage.turn(["expire": true, "ttlMs": 800])
                try await stage.ask(".ticket .flatten")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=queued]")
                try await stage.browser.appears(".toast[data-outcome=expired]")
                try await stage.browser.says(".toast .reason", "did not take it")
                #expect(try await stage.browser.text(".position-bar").contains("3 @"))
            }
        }

        @Test func aCommandOfWhichNobodyCanTellIsNotLeftWithoutAWord() async throws {
            try await Stage.set { stage in
                try await stage.turn(["lost": true, "ttlMs": 500])
                try await stage.ask(".ticket .flatten")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=dispatched]")
                try await stage.browser.says(".toast .reason", "will be known when the edge reports")
            }
        }

        @Test func whatNobodyHasExecutedCanBeTakenBack() async throws {
            try await Stage.set { stage in
                try await stage.turn(["lost": true])
                try await stage.ask(".ticket .flatten")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=dispatched]")
                try await stage.browser.click("[data-testid=take-back]")
                try await stage.browser.appears(".toast[data-outcome=withdrawn]")
                try await stage.browser.says(".toast[data-outcome=withdrawn] .reason", "Taken back before it was executed")
                try await stage.browser.appears(".toast[data-outcome=accepted]")
                #expect(try await stage.writes().last?["path"]?.text?.hasSuffix("/withdraw") == true)
            }
        }

        @Test func aRefusedCommandShowsReasonAndCure() async throws {
            try await Stage.set { stage in
                try await stage.turn(["refuse": true])
                try await stage.ask(".ticket .long")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=refused]")
                try await stage.browser.says(".toast .reason", "collar of 5 %")
                try await stage.browser.says(".toast .reason", "ask again")
            }
        }

        @Test func anOrderThatCannotBePaidCannotBeConfirmed() async throws {
            try await Stage.set { stage in
                try await stage.browser.type("00", into: "#quantity")
                try await stage.ask(".ticket .long")
                try await stage.browser.says(".dialog [role=alert]", "initial margin")
                #expect(try await stage.browser.isEnabled("[data-testid=confirm]") == false)
            }
        }

        @Test func withTheEdgeSilentEntriesAreOffAndEveryAgeShows() async throws {
            try await Stage.set { stage in
                try await stage.turn(["silent": true, "silentForMs": 134_000])
                try await stage.browser.says("[data-banner=edge]", "silent for 2 min 1")
                try await stage.browser.says(".pill", "Edge silent")
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
                #expect(try await stage.browser.isEnabled(".ticket .short") == false)
                #expect(try await stage.browser.isEnabled(".ticket .flatten"))
                try await stage.browser.says("[data-testid=why-not]", "edge is silent")
                try await stage.browser.says(".last small", "quote 2 min 1")
                try await stage.browser.says(".position-bar .age", "2 min 1")
                try await stage.browser.says(".figures .age", "2 min 1")
                try await stage.browser.says("[data-position] .age", "2 min 1")
                try await stage.keepPicture("edge-silent")
                try await stage.turn(["silent": false])
                try await stage.browser.vanishes("[data-banner=edge]")
                try await stage.browser.wait("document.querySelector('.ticket .long').disabled === false")
            }
        }

        @Test func closeIsQueuedWhileTheEdgeIsSilentAndExpires() async throws {
            try await Stage.set { stage in
                try await stage.turn(["silent": true, "ttlMs": 900])
                try await stage.browser.appears("[data-banner=edge]")
                try await stage.ask(".ticket .flatten")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=queued]")
                try await stage.browser.appears(".toast[data-outcome=expired]")
            }
        }

        @Test func afterAStartOfTheCloudNoOtherInstrumentTakesThePlaceOfTheFront() async throws {
            try await Stage.set { stage in
                try await stage.turn(["unheard": true])
                try await stage.browser.says("[data-banner=unheard]", "home-1 has not reported since the cloud node started")
                try await stage.browser.says(".trade", "No front contract yet")
                for part in [".ticket", ".strip"] { #expect(try await stage.browser.count(part) == 0, "\(part)") }
                // Positions are known from the ledger and can still be closed, each by its own name.
                #expect(try await stage.browser.count("[data-position]") == 2)
                try await stage.browser.click("[data-position='NVDA.NASDAQ'] button[aria-label='Close NVDA']")
                try await stage.browser.says(".dialog h2", "Close long 120 NVDA")
                try await stage.browser.says(".dialog .note", "waits for it and expires")
            }
        }

        @Test func aGatewayThatIsGoneSpeaksInWordsWithACure() async throws {
            try await Stage.set { stage in
                try await stage.turn(["gatewayGone": true])
                try await stage.browser.says("[data-banner=gateway]", "does not take connections")
                try await stage.browser.says("[data-banner=gateway]", "Start IB Gateway")
                try await stage.browser.says(".pill", "Gateway unreachable")
                try await stage.browser.wait("document.querySelector('.last small').textContent.includes('old')")
                try await stage.browser.wait("document.querySelector('.figures').dataset.stale === 'true'")
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
                try await stage.keepPicture("gateway-gone")
                try await stage.go(to: "edges")
                try await stage.browser.says("[aria-label=Broker]", "unreachable")
            }
        }

        @Test func delayedDataForbidsOrders() async throws {
            try await Stage.set { stage in
                try await stage.turn(["delayed": true])
                try await stage.browser.says("[data-testid=why-not]", "delayed")
                #expect(try await stage.browser.isEnabled(".ticket .short") == false)
                try await stage.browser.says(".last small", "delayed")
            }
        }

        @Test func noticesStandOnTopWithTheirCure() async throws {
            try await Stage.set { stage in
                try await stage.pull("reset")
                try await stage.browser.says("[data-banner=ib-354]", "(354)")
                try await stage.browser.says("[data-banner=ib-354]", "client portal")
                try await stage.turn(["clearNotices": true])
                try await stage.browser.vanishes("[data-banner=ib-354]")
            }
        }

        @Test(
            arguments: [
                (203, "No trading permission for MBTZ6", "permission to trade crypto futures"),
                (354, "No live market data", "Subscribe to CME live data"),
                (10_089, "No live market data", "for the API"), (10_168, "No live market data", "no order is placed on delayed data"),
            ])
        func whatTheBrokerDeniesIsSaidInWordsWithItsCure(_ code: Int, _ title: String, _ cure: String) async throws {
            try await Stage.set { stage in
                try await stage.turn(["notice": .integer(Int64(code))])
                let banner = "[data-banner='ib-\(code)-MBTZ6.CME']"
                try await stage.browser.says(banner, title)
                try await stage.browser.says(banner, "(\(code))")
                try await stage.browser.says(banner, cure)
                try await stage.browser.says("[data-testid=why-not]", cure)
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
                #expect(try await stage.browser.isEnabled(".ticket .short") == false)
                #expect(try await stage.browser.isEnabled(".ticket .flatten"))
            }
        }

        @Test func aLostCloudIsToldAtOnceAndTheStreamResumesWithoutDoubles() async throws {
            try await Stage.set(console: ["net::ERR_", "WebSocket connection to"]) { stage in
                try await stage.browser.click("#tab-Fills")
                let fills = try await stage.browser.count("[data-fill]")
                try await stage.pull("drop", ["ms": 2500])
                try await stage.browser.says("[data-banner=cloud]", "No link to the cloud node")
                for button in [".ticket .long", ".ticket .short", ".ticket .flatten"] { #expect(try await stage.browser.isEnabled(button) == false) }
                try await stage.keepPicture("cloud-lost")
                try await stage.browser.vanishes("[data-banner=cloud]")
                #expect(try await stage.browser.count("[data-fill]") == fills)
                #expect(
                    try await stage.browser.run(
                        "const ids = [...document.querySelectorAll('[data-fill]')].map((r) => r.dataset.fill); return new Set(ids).size === ids.length"
                    ).isTrue)
                let price = try await stage.browser.text("[data-testid=last-price]")
                try await stage.browser.wait("document.querySelector('[data-testid=last-price]').textContent !== '\(price)'")
                try await stage.ask(".ticket .long")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.wait("document.querySelectorAll('[data-fill]').length === \(fills + 1)")
            }
        }

        @Test func liveMoneyIsSaidOutLoud() async throws {
            try await Stage.set { stage in
                try await stage.turn(["mode": "LIVE"])
                try await stage.browser.wait("document.querySelector('.topbar .mode').textContent === 'LIVE'")
                try await stage.ask(".ticket .long")
                try await stage.browser.says(".dialog", "real money")
                #expect(try await stage.browser.text(".dialog .mode") == "LIVE")
            }
        }

        @Test func theKillSwitchHaltsFromEveryPage() async throws {
            try await Stage.set { stage in
                for page in ["ledger", "edges", "trade"] {
                    try await stage.go(to: page)
                    #expect(try await stage.browser.isEnabled(".topbar .kill"))
                }
                try await stage.browser.click(".topbar .kill")
                #expect(try await stage.browser.run("return document.activeElement.textContent").text == "Cancel")
                try await stage.browser.click(".dialog .kill")
                try await stage.browser.says("[data-banner=halt]", "HALT by admin: Stopped from the dashboard")
                try await stage.browser.says("[data-banner=halt]", "tidewire-edge resume")
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
                #expect(try await stage.browser.isEnabled(".ticket .flatten"))
                let write = try await stage.writes().first
                #expect(write?["path"] == "/kill" && write?["body"]?["level"] == "HALT")
            }
        }

        @Test(arguments: [("REDUCING", "Reduce only now"), ("CANCEL", "Halt and cancel now")])
        func theKillSwitchHasLevels(_ level: String, _ words: String) async throws {
            try await Stage.set { stage in
                try await stage.browser.click(".topbar .kill")
                try await stage.browser.click(".levels input[value=\(level)]")
                try await stage.browser.says(".dialog .button.kill", words)
                try await stage.expectNoBarriers()
                try await stage.browser.click(".dialog .button.kill")
                try await stage.browser.says("[data-banner=halt]", "\(level) by admin: Stopped from the dashboard")
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
                let write = try await stage.writes().first
                #expect(write?["path"] == "/kill" && write?["body"]?["level"]?.text == level)
            }
        }
    }
}
