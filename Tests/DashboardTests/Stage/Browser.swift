// A WebDriver client of the few commands that the tests need; what a person does goes through real key and mouse events.
import Foundation
import Wire

struct Browser: Sendable {
    struct Failure: Error, CustomStringConvertible { let description: String }
    enum Size: Sendable { case desktop, phone }
    enum Scheme: String, Sendable { case dark, light }

    /// Keys that have no letter, as WebDriver writes them.
    enum Key { static let tab = "\u{E004}", enter = "\u{E007}", escape = "\u{E00C}", right = "\u{E014}" }

    private let driver: HTTPExchange
    private let session: String
    /// No single wait is longer than this, in ms.
    private static let patienceMillis = 12_000

    /// A fresh browser with an empty profile. It speaks to its driver through a pipe, so that it ends when the driver does.
    init(driver port: UInt16, size: Size, scheme: Scheme) async throws {
        driver = HTTPExchange(port: port)
        let (width, height) = size == .desktop ? (1440, 900) : (390, 844)
        // No sandbox, because the tests may run as root in a container; they open nothing but their own fake cloud.
        let options: JSONValue = [
            "args": .array(
                [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
                    "--lang=en-US",
                ]
                    + [.string("--window-size=\(width),\(height)")])
        ]
        let wish: JSONValue = [
            "capabilities": ["alwaysMatch": ["browserName": "chrome", "goog:loggingPrefs": ["browser": "ALL"], "goog:chromeOptions": options]]
        ]
        let answer = try await Self.value(driver.send("POST", "/session", wish))
        guard let id = answer["sessionId"]?.text else { throw Failure(description: "no session: \(answer.json)") }
        session = id
        _ = try await post("/timeouts", ["script": .integer(Int64(Self.patienceMillis + 5_000))])
        _ = try await devtools(
            "Emulation.setDeviceMetricsOverride",
            ["width": .integer(Int64(width)), "height": .integer(Int64(height)), "deviceScaleFactor": 1, "mobile": .bool(size == .phone)])
        _ = try await devtools("Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": .string(scheme.rawValue)]]])
    }

    private static func value(_ answer: HTTPExchange.Answer) throws -> JSONValue {
        let value = try JSONValue(answer: answer.body)["value"] ?? .null
        if let trouble = value["error"]?.text { throw Failure(description: "\(trouble): \(value["message"]?.text ?? "")") }
        return value
    }

    private func post(_ path: String, _ body: JSONValue = [:]) async throws -> JSONValue {
        try await Self.value(driver.send("POST", "/session/\(session)\(path)", body))
    }
    private func devtools(_ command: String, _ parameters: JSONValue) async throws -> JSONValue {
        try await post("/goog/cdp/execute", ["cmd": .string(command), "params": parameters])
    }

    /// Changes the system's wish for motion: `reduce` or `no-preference`.
    func prefer(motion: String) async throws {
        _ = try await devtools("Emulation.setEmulatedMedia", ["features": [["name": "prefers-reduced-motion", "value": .string(motion)]]])
    }
    func quit() async { _ = try? await driver.send("DELETE", "/session/\(session)") }
    func open(_ address: String) async throws { _ = try await post("/url", ["url": .string(address)]) }
    func reload() async throws { _ = try await post("/refresh") }

    /// Runs JavaScript (a function body) and gives what it returns.
    @discardableResult func run(_ script: String, _ arguments: JSONValue...) async throws -> JSONValue {
        try await post("/execute/sync", ["script": .string(script), "args": .array(arguments)])
    }
    /// The same for a body that awaits.
    func runAsync(_ script: String) async throws -> JSONValue {
        try await post(
            "/execute/async",
            ["script": .string("const done = arguments[0]; (async () => { \(script) })().then(done, (e) => done('failed: ' + e));"), "args": []])
    }

    /// Waits in the page until the expression, about its elements, is true; the failure names it and shows what the page says.
    func wait(_ expression: String) async throws {
        let news =
            "const watch = new MutationObserver(look); over = () => watch.disconnect();"
            + " watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });"
        try await wait(expression, news)
    }

    /// The same for what is drawn on a canvas, which changes no element: looks at every frame.
    func waitForDrawing(_ expression: String) async throws {
        let news =
            "let next = 0; const frame = () => { next = requestAnimationFrame(frame); look(); }; over = () => cancelAnimationFrame(next); frame();"
        try await wait(expression, news)
    }

    /// - Parameter news: calls `look` whenever the answer may have changed, until `over` is called.
    private func wait(_ expression: String, _ news: String) async throws {
        let script = """
            const done = arguments[0], holds = () => { try { return Boolean(\(expression)); } catch { return false; } };
            if (holds()) { done(true); return; }
            let over = () => {};
            const end = (ok) => { over(); clearTimeout(limit); done(ok); };
            const limit = setTimeout(() => end(holds()), \(Self.patienceMillis));
            const look = () => { if (holds()) end(true); };
            \(news)
            """
        guard try await post("/execute/async", ["script": .string(script), "args": []]).isTrue else {
            let page = try await run("return document.body.innerText.slice(0, 1500)")
            throw Failure(description: "never came true: \(expression)\nthe page says: \(page.text ?? "")")
        }
    }
    /// Waits until the server answers this path again.
    func answers(_ path: String) async throws {
        let ask = "for (;;) { try { await fetch(\(quoted(path))); return true; } catch { await new Promise((go) => setTimeout(go, 50)); } }"
        guard try await runAsync(ask).isTrue else { throw Failure(description: "\(path) never answered") }
    }
    func appears(_ selector: String) async throws { try await wait("document.querySelector(\(quoted(selector))) !== null") }
    func vanishes(_ selector: String) async throws { try await wait("document.querySelector(\(quoted(selector))) === null") }
    func says(_ selector: String, _ words: String) async throws {
        try await wait("[...document.querySelectorAll(\(quoted(selector)))].some((e) => e.textContent.includes(\(quoted(words))))")
    }

    /// The text of the first match, empty when there is none.
    func text(_ selector: String) async throws -> String {
        try await run("return document.querySelector(arguments[0])?.textContent ?? ''", .string(selector)).text ?? ""
    }
    func count(_ selector: String) async throws -> Int {
        try await run("return document.querySelectorAll(arguments[0]).length", .string(selector)).number.map { Int($0) } ?? -1
    }
    func isEnabled(_ selector: String) async throws -> Bool {
        try await run("return document.querySelector(arguments[0])?.disabled === false", .string(selector)).isTrue
    }

    /// A real click in the middle of the element, which must be there and uncovered.
    func click(_ selector: String) async throws {
        try await appears(selector)
        _ = try await post("/element/\(try await element(selector))/click")
    }
    /// Types into the element as a person would, after what stands there.
    func type(_ words: String, into selector: String) async throws {
        try await appears(selector)
        _ = try await post("/element/\(try await element(selector))/value", ["text": .string(words)])
    }
    /// Presses keys one after the other, wherever the focus is.
    func press(_ keys: String...) async throws {
        let strokes = keys.flatMap { [["type": "keyDown", "value": .string($0)], ["type": "keyUp", "value": .string($0)]] as [JSONValue] }
        _ = try await post("/actions", ["actions": [["type": "key", "id": "keys", "actions": .array(strokes)]]])
    }

    private func element(_ selector: String) async throws -> String {
        let found = try await post("/element", ["using": "css selector", "value": .string(selector)])
        guard let id = found.members?.first?.value.text else { throw Failure(description: "no element \(selector)") }
        return id
    }
    private func quoted(_ text: String) -> String { JSONValue.string(text).json }

    /// What the console said since the last call: errors, warnings, and breaches of the content policy.
    func console() async throws -> [String] {
        try await post("/se/log", ["type": "browser"]).list.filter { $0["level"] != "INFO" && $0["level"] != "DEBUG" }.map {
            $0["message"]?.text ?? $0.json
        }
    }
    func screenshot() async throws -> Data {
        let picture = try await Self.value(driver.send("GET", "/session/\(session)/screenshot"))
        return Data(base64Encoded: picture.text ?? "") ?? Data()
    }
}
