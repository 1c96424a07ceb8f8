// What every test of the dashboard stands on: a fake cloud, a browser that is signed in or not, and the strings of the play.
import Foundation
import Testing
import Wire

/// What the tests need of the machine and the build; nil when all is there.
enum Needs {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let axe = root.appending(path: "deploy/web/vendor/axe.min.js")

    static let missing: String? = {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let lacking = ["chromium", "chromedriver", "node"].filter { program in
            !path.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
        }
        if !lacking.isEmpty { return "\(lacking.joined(separator: ", ")) not installed: apt-get install chromium chromium-driver nodejs" }
        let built = ["deploy/web/dist/index.html", "deploy/web/vendor/axe.min.js"].allSatisfy {
            FileManager.default.fileExists(atPath: root.appending(path: $0).path)
        }
        return built ? nil : "the dashboard is not built: deploy/web/build --test"
    }()

    /// Absent tools skip the tests, unless the caller insists: then every test runs, and fails with the reason.
    static var isStageSet: Bool { missing == nil || ProcessInfo.processInfo.environment["REQUIRE_BROWSER"] == "1" }
    static let skipWords: Comment =
        "skipped: needs chromium, chromedriver, node and a built dashboard (deploy/web/build --test); REQUIRE_BROWSER=1 makes this a failure"
}

struct Stage: Sendable {
    let browser: Browser
    let cloud: HTTPExchange
    let address: String

    /// Runs `play` on a fresh fake cloud and a fresh browser, signed in on the trade page unless told otherwise. Everything ends with it.
    /// Whatever the console says is a failure, but for lines that hold one of `console`: the browser itself reports each refused request.
    static func set(
        _ size: Browser.Size = .desktop, _ scheme: Browser.Scheme = .dark, signedIn: Bool = true, console: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation, _ play: (Stage) async throws -> Void
    ) async throws {
        if let missing = Needs.missing { throw Browser.Failure(description: missing) }
        let cloud = try await Self.fakeCloud()
        let driver = try await Child("chromedriver", ["--port=0"], portAfter: "started successfully on port ")
        let browser = try await Browser(driver: driver.port, size: size, scheme: scheme)
        let stage = Stage(browser: browser, cloud: HTTPExchange(port: cloud.port), address: "http://127.0.0.1:\(cloud.port)/")
        do {
            // Notices are tested on their own; elsewhere they would only stand in the way.
            try await stage.turn(["clearNotices": true])
            try await browser.open(stage.address)
            try await browser.appears("input[name=password]")
            if signedIn { try await stage.signIn() }
            try await play(stage)
            let said = try await browser.console().filter { line in !console.contains { line.contains($0) } }
            #expect(said == [], "the console is silent", sourceLocation: sourceLocation)
        } catch {
            await browser.quit()
            throw error
        }
        await browser.quit()
        withExtendedLifetime((cloud, driver)) {}
    }

    /// A fake cloud on a port of its own, which ends with the process that started it.
    static func fakeCloud() async throws -> Child {
        let program = Needs.root.appending(path: "Tests/DashboardTests/fake-cloud.mjs").path
        return try await Child("node", [program, "--while-stdin"], portAfter: "listening on 127.0.0.1:")
    }

    func signIn(password: String = "tidewire-demo") async throws {
        try await browser.type(password + Browser.Key.enter, into: "input[name=password]")
        if password == "tidewire-demo" { try await browser.appears("[data-testid=last-price]") }
    }

    /// Changes the play: an edge that falls silent, an order that is refused, ...
    func turn(_ change: JSONValue) async throws { _ = try await cloud.send("POST", "/fake/turn", change) }
    func pull(_ string: String, _ body: JSONValue = [:]) async throws { _ = try await cloud.send("POST", "/fake/\(string)", body) }

    /// The writes that reached the cloud, each with path, key and body.
    func writes() async throws -> [JSONValue] {
        try JSONValue(answer: await cloud.send("GET", "/fake/log").body).list
    }

    /// Opens the confirm step and waits for its figures.
    func ask(_ button: String) async throws {
        try await browser.click(button)
        try await browser.appears(".dialog .reckoning")
    }

    func go(to page: String) async throws {
        try await browser.click(".nav a[href='#/\(page)']")
        try await browser.appears("main[data-page=\(page)]")
    }

    /// Keeps a picture of the run, for a person to look at.
    func keepPicture(_ name: String) async throws {
        let folder = Needs.root.appending(path: "Tests/artefacts")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try await browser.screenshot().write(to: folder.appending(path: "dashboard-\(name).png"))
    }

    /// Records each barrier that axe-core finds on the page as it stands.
    func expectNoBarriers(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let found = try await barriers()
        #expect(found == [], sourceLocation: sourceLocation)
    }

    private func barriers() async throws -> [String] {
        let axe = try String(contentsOf: Needs.axe, encoding: .utf8)
        try await browser.run("\(axe)\nreturn true")
        let found = try await browser.runAsync(
            """
            const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
            const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
            return violations.map((v) => v.id + ": " + v.nodes.map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join(" | "));
            """)
        guard case .array(let list) = found else { return [found.json] }
        return list.map { $0.text ?? $0.json }
    }
}

/// Every suite of the dashboard hangs under this one: one browser at a time, on a machine of two cores.
@Suite(.serialized, .enabled(if: Needs.isStageSet, Needs.skipWords)) enum Dashboard {}
