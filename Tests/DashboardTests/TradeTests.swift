// The trade page: what it shows, and what becomes of an order.
import Testing
import Wire

extension Dashboard {
    @Suite struct Trade {
        @Test func theFrontContractIsNamedWithMonthExpiryAndRule() async throws {
            try await Stage.set { stage in
                let head = try await stage.browser.text(".chart-head h2")
                #expect(head.contains("MBT") && head.contains("MBTZ6") && head.contains("20"))
                let rule = try await stage.browser.text(".contract")
                #expect(rule.contains("Front month") && rule.contains("last trade") && rule.contains("nearest month"))
                try await stage.browser.appears(".chart-canvas canvas")
                #expect(try await stage.browser.text(".legend").contains("O 9"))
                #expect(try await stage.browser.text(".caption a") == "TradingView")
                try await stage.keepPicture("desktop-dark")
            }
        }

        @Test func thePriceMovesAndShowsItsAge() async throws {
            try await Stage.set { stage in
                let before = try await stage.browser.text("[data-testid=last-price]")
                try await stage.browser.wait("document.querySelector('[data-testid=last-price]').textContent !== '\(before)'")
                #expect(try await stage.browser.text(".last small").contains("live quote"))
                #expect(try await stage.browser.text(".position-bar").contains("Effective leverage"))
                #expect(try await stage.browser.count(".position-bar time.age") == 1)
                #expect(try await stage.browser.count("[data-position] time.age") == 2)
            }
        }

        @Test func longIsConfirmedWithItsFiguresAndWalksToFilled() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .long")
                #expect(try await stage.browser.run("return document.activeElement.textContent").text == "Cancel")
                #expect(try await stage.browser.text(".dialog .mode") == "PAPER")
                let figures = try await stage.browser.text(".reckoning")
                for word in ["Quantity", "Notional", "Effective leverage", "Initial margin", "Maintenance margin", "Expires"] {
                    #expect(figures.contains(word))
                }
                try await stage.keepPicture("confirm")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.browser.text(".toast .steps") == "queueddispatchedreceivedacceptedfilled")
                try await stage.browser.says(".position-bar", "4 @")
                let writes = try await stage.writes()
                #expect(writes.count == 1)
                #expect(writes.first?["path"] == "/orders" && writes.first?["body"]?["side"] == "BUY" && writes.first?["body"]?["quantity"] == "1")
                #expect(writes.first?["body"]?["confirmed"]?["quantity"] == "1")
                try await stage.browser.click("#tab-Orders")
                try await stage.browser.says("[data-order] .status", "filled")
            }
        }

        @Test func cancelAndEscapeSendNothing() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .short")
                try await stage.browser.click(".dialog-actions button")
                try await stage.browser.vanishes(".dialog")
                try await stage.ask(".ticket .long")
                try await stage.browser.press(Browser.Key.escape)
                try await stage.browser.vanishes(".dialog")
                #expect(try await stage.browser.run("return document.activeElement.textContent").text == "Long")
                #expect(try await stage.writes().isEmpty)
            }
        }

        @Test func enterTwiceIsOneOrder() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .long")
                try await stage.browser.run("document.querySelector('[data-testid=confirm]').focus()")
                try await stage.browser.press(Browser.Key.enter, Browser.Key.enter)
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.writes().count == 1)
                #expect(try await stage.browser.count(".toast") == 1)
            }
        }

        @Test func twoClicksInOneTurnAreOneOrder() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .long")
                try await stage.browser.run("const b = document.querySelector('[data-testid=confirm]'); b.click(); b.click();")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.writes().count == 1)
            }
        }

        @Test func maxNamesTheTermThatBindsIt() async throws {
            try await Stage.set { stage in
                try await stage.browser.click(".stepper button[aria-pressed]")
                try await stage.browser.says("[data-testid=max]", "available funds")
                try await stage.ask(".ticket .long")
                try await stage.browser.says(".reckoning", "bound by")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                let body = try await stage.writes().first?["body"] ?? .null
                #expect(body["quantity"] == "max" && body["confirmed"]?["quantity"] != nil)
            }
        }

        @Test(arguments: [Browser.Scheme.dark, .light]) func theChartDrawsCandlesFillsTheAverageAndTheStop(_ scheme: Browser.Scheme) async throws {
            try await Stage.set(.desktop, scheme) { stage in
                try await stage.turn(["still": true])
                try await stage.browser.appears(".chart-canvas canvas")
                // Candles of both colours, and the line at the average; the sample's stop lies too far below and is named at the edge.
                for colour in ["--up", "--down", "--accent"] { try await stage.chartShows(colour) }
                try await stage.browser.says(".beyond[data-where=below]", "TRAIL 3")
                #expect(try await stage.pixels(of: "--warning") == 0)
                try await stage.choose("1", in: "#trail")
                try await stage.ask(".ticket .long")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                try await stage.chartShows("--warning")
                try await stage.keepPicture("product-\(scheme.rawValue)")
            }
        }

        @Test func aTrailingStopRestsAtTheBrokerAndCanBeCancelled() async throws {
            try await Stage.set { stage in
                try await stage.turn(["flat": true])
                try await stage.browser.says(".position-bar", "Flat")
                try await stage.choose("2", in: "#trail")
                try await stage.ask(".ticket .short")
                try await stage.browser.says(".reckoning", "Trailing stop, first at")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.writes().first?["body"]?["trailingStop"] == ["percent": "2"])
                // The chart names the average and the stop, as lines or at its edge when they lie outside.
                try await stage.keepPicture("trailing-stop")
                try await stage.browser.click("#tab-Orders")
                try await stage.browser.says("tr[data-working=true]", "Trailing stop 2 %")
                let rows = try await stage.browser.count("tr[data-working=true]")
                try await stage.browser.click(".toast header button")
                try await stage.browser.click("tr[data-working=true] td[data-name=Cancel] button")
                try await stage.browser.appears(".toast[data-outcome=accepted]")
                try await stage.browser.wait("document.querySelectorAll('tr[data-working=true]').length === \(rows - 1)")
            }
        }

        @Test func shortWhileLongOnlyClosesUnlessAskedForMore() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .short")
                try await stage.browser.says(".dialog h2", "Close long 3")
                try await stage.browser.says(".dialog .note", "opens nothing")
                try await stage.browser.click(".dialog-actions button:nth-child(2)")
                try await stage.browser.says(".dialog h2", "Close 3, then short 1")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.appears(".toast[data-outcome=filled]")
                #expect(try await stage.writes().first?["body"]?["reverse"]?.isTrue == true)
                try await stage.browser.says(".position-bar", "1 @")
            }
        }

        @Test func closeFlattensThePosition() async throws {
            try await Stage.set { stage in
                try await stage.ask(".ticket .flatten")
                try await stage.browser.click("[data-testid=confirm]")
                try await stage.browser.says(".position-bar", "Flat")
                let write = try await stage.writes().first
                #expect(write?["path"] == "/positions/MBTZ6.CME/close" && write?["body"]?["confirmed"]?["quantity"] == "3")
                #expect(try await stage.browser.isEnabled(".ticket .flatten") == false)
            }
        }

        @Test func aTicketThatCannotBeSentSaysWhy() async throws {
            try await Stage.set { stage in
                try await stage.browser.type("x", into: "#quantity")
                try await stage.browser.says(".ticket [role=alert]", "must be a number")
                #expect(try await stage.browser.isEnabled(".ticket .long") == false)
            }
        }

        @Test func barSizesRedrawTheChart() async throws {
            try await Stage.set { stage in
                try await stage.browser.click(".segments button:nth-child(3)")
                #expect(try await stage.browser.run("return document.querySelector('.segments [aria-pressed=true]').textContent").text == "15m")
                #expect(
                    try await stage.browser.run("return document.querySelector('.chart-canvas').getAttribute('aria-label')").text?.hasSuffix("15m")
                        == true)
            }
        }
    }
}

extension Stage {
    /// Chooses from a select, as a person's choice reaches the page.
    fileprivate func choose(_ value: String, in selector: String) async throws {
        let script = """
            const select = document.querySelector(arguments[0]);
            Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(select, arguments[1]);
            select.dispatchEvent(new Event("change", { bubbles: true }));
            """
        try await browser.run(script, .string(selector), .string(value))
    }

    /// How many pixels of the chart have this colour of the theme, or nearly.
    fileprivate func pixels(of colour: String) async throws -> Int {
        try await browser.run("return \(Self.pixelCount(colour))").number.map { Int($0) } ?? -1
    }
    /// Waits until the chart shows this colour.
    fileprivate func chartShows(_ colour: String) async throws { try await browser.waitForDrawing("\(Self.pixelCount(colour)) > 60") }

    /// An expression: the library draws on canvases, so what it drew can only be counted.
    private static func pixelCount(_ colour: String) -> String {
        """
        (() => {
          const probe = document.body.appendChild(document.createElement("i"));
          probe.style.color = "var(\(colour))";
          const wanted = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
          probe.remove();
          let count = 0;
          for (const canvas of document.querySelectorAll(".chart-canvas canvas")) {
            if (canvas.width === 0 || canvas.height === 0) continue;
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            for (let i = 0; i < data.length; i += 4)
              if (data[i + 3] > 200 && wanted.every((part, index) => Math.abs(data[i + index] - part) < 12)) count += 1;
          }
          return count;
        })()
        """
    }
}
