// Each law sees the breach it is for: planted sources that must be reported, and innocent ones that must not.
import Testing

struct BrokenLawsTests {
    private func swift(_ path: String, _ code: String) -> [Source] { [Source(path, "// A planted file for the laws to look at.\n" + code)] }

    @Test(arguments: [
        ("Edge/Agent/Spy.swift", "internal import Control"), ("Cloud/Node/Spy.swift", "import Trading"),
        ("Shared/Views/Spy.swift", "package import CloudNode"),
        ("Edge/Trading/Spy.swift", "import Venues"), ("Shared/Ledger/Spy.swift", "import Platform"),
        ("Shared/Values/Spy.swift", "private import Glibc"),
        ("Shared/Sync/Spy.swift", "import struct Foundation.Date"), ("Cloud/Control/Spy.swift", "import Synchronization"),
        ("Edge/Agent/Spy.swift", "import CZMQ"), ("Shared/Ledger/Spy.swift", "import CSodium"), ("Edge/Agent/Spy.swift", "import Simulation"),
        ("Tests/Scenarios/Spy.swift", "import CZMQ"), ("Edge/Attic/Spy.swift", "import Values"), ("Shared/Wire/Spy.swift", "public import Values"),
        ("Tests/WireTests/Spy.swift", "@testable import Wire"), ("Edge/Main/Spy.swift", "import Trading"),
    ])
    func forbiddenImports(path: String, line: String) {
        #expect(Arrows.importViolations(swift(path, line)).count == 1)
    }

    @Test(arguments: [
        ("Shared/Values/Maths.swift", "internal import Glibc"), ("Edge/Agent/Loop.swift", "package import Trading"),
        ("Edge/Feeds/News.swift", "import FoundationEssentials"),
        ("Tests/Simulation/FaultyDisk.swift", "import CSQLite"), ("Tests/Scenarios/Day.swift", "import Trading; import CloudNode"),
        ("Shared/Ledger/Words.swift", "// import Platform\nlet text = \"import Platform\""),
    ])
    func allowedImports(path: String, line: String) {
        #expect(Arrows.importViolations(swift(path, line)).isEmpty)
    }

    @Test(arguments: [
        #"room("Trading", "Edge/Trading", ["Values", "Venues"])"#, #"room("Attic", "Shared/Attic")"#, #"room("Ledger", "Shared/Wire", ["Values"])"#,
        #"main("tidewire-edge", "Edge/Main", ["EdgeAgent", "CloudNode"])"#, #".target(name: "CShim", path: "Shared/CShim")"#,
    ])
    func forbiddenTargets(line: String) {
        #expect(Arrows.targetViolations(Source("Package.swift", line)).count == 1)
    }

    @Test func allowedTargets() {
        let lines = #"""
            func room(_ name: String) -> Target { .target(name: name) }
            library("CZMQ", apt: "libzmq3-dev"), room("Wire", "Shared/Wire", ["Values", "CSodium", "CZstd"]),
            main("tidewire-edge", "Edge/Main", ["EdgeAgent", "Platform"]), tests("WireTests", ["Wire"]), room("Simulation", "Tests/Simulation", ["EdgeAgent", "CloudNode"]),
            """#
        #expect(Arrows.targetViolations(Source("Package.swift", lines)).isEmpty)
        #expect(
            Arrows.targets(of: Source("Package.swift", lines)).filter { $0.call != "target" }.map(\.name) == [
                "CZMQ", "Wire", "tidewire-edge", "WireTests", "Simulation",
            ])
    }

    private static let settings = """
        let settings: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error)]
        func room(_ name: String) -> Target { .target(name: name, swiftSettings: settings) }

        """

    @Test(arguments: [
        #".target(name: "A", path: "Edge/A", swiftSettings: [])"#, #".target(name: "A", swiftSettings: settings + more)"#, #".testTarget(name: "A")"#,
        #"let settings: [SwiftSetting] = []"#, #"room("A"); .unsafeFlags(["-Ounchecked"])"#,
    ])
    func secondSettings(line: String) {
        #expect(Arrows.settingsViolations(Source("Package.swift", Self.settings)).isEmpty)
        #expect(!Arrows.settingsViolations(Source("Package.swift", Self.settings + line)).isEmpty)
    }

    @Test(arguments: ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility", "treatAllWarnings"])
    func lostSetting(feature: String) {
        let lost = Self.settings.replacing(feature, with: "Nothing")
        #expect(Arrows.settingsViolations(Source("Package.swift", lost)).count == 1)
    }

    @Test(arguments: [
        "func f() { Task { } }", "func f() async {}", "func f() { await g() }", "func f() { print(1) }", "nonisolated(unsafe) let x = 1",
        "let now = ContinuousClock().now", "let now = SystemClock.now()", "let now = Date()", "let chance = Int.random(in: 0..<6)",
        "let deck = cards.shuffled()",
        "struct S { static var count = 0 }", "struct S { package static var count: Int = 0 { didSet {} } }", "private var cache: [Int] = []",
        "actor A {}",
        "let id = UUID()", "let h = key.hashValue", "let text = \"now: \\(Date())\"",
    ])
    func impureCode(code: String) {
        #expect(Purity.violations(swift("Edge/Trading/Spy.swift", code)).count == 1, "\(code)")
        #expect(Purity.violations(swift("Edge/Agent/Spy.swift", code)).isEmpty)
    }

    @Test(arguments: [
        "// await the Task, print(it)", "let text = \"print(Task)\"", "let a = Int.random(in: 0..<6, using: &generator)",
        "struct S { static var zero: S { S() } }",
        "func f() { var local = 1 }", "struct S { var field = 1 }", "enum E { case async }\nlet e = E.async", "private var now: Int { 1 }",
        "/* Date() /* nested */ await */",
        "let long = \"\"\"\n  await print(1)\n  \"\"\"", "let raw = #\"\\(await x)\"#", "enum E { static var a: Int { get { 1 } } }",
    ])
    func pureCode(code: String) {
        #expect(Purity.violations(swift("Edge/Trading/Fair.swift", code)).isEmpty, "\(code)")
    }

    @Test(arguments: ["Shared/Ledger/S.swift", "Shared/Sync/S.swift", "Edge/Trading/Orders/S.swift", "Edge/Trading/Risk/S.swift"])
    func inexactMoney(path: String) {
        #expect(Purity.exactness(swift(path, "let price: Double = 1")).count == 1)
        #expect(Purity.exactness(swift("Edge/Trading/Indicators/S.swift", "let score: Double = 1")).isEmpty)
    }

    @Test(arguments: [
        "let x = try! f()", "let x = y as! Int", "public func f() {}", "public struct S {}", "package public(set) var x = 1",
        "struct S: @unchecked Sendable {}",
        "nonisolated(unsafe) let x = 1", "let x = y.first!", "let x = y[0]!.z", "fatalError(\"no\")", "try await Task.sleep(for: .seconds(1))",
        "usleep(5)", "sleep(1)",
        "let x = Glibc.sleep(1)", "let a = CommandLine.arguments", "let e = getenv(\"X\")", "let f = DateFormatter()", "open class C {}",
    ])
    func bannedSwift(code: String) {
        #expect(Words.swiftViolations(swift("Edge/Agent/Spy.swift", code)).count == 1, "\(code)")
    }

    @Test(arguments: [
        "let x = try? f()", "// never try! or as!", "let a = b != c", "let a = !b", "let key = Keys(public: a, secret: b)", "let x = try f()",
        "let a = b.public", "func open() {}",
        "enum E {\n case open\n case closed }", "let text = \"wow!\"", "let a = \"\\(b)!\"", "bot.sleep(until: t)", "if a { return !b }",
        "let a = (b) && !c",
    ])
    func fairSwift(code: String) {
        #expect(Words.swiftViolations(swift("Edge/Agent/Fair.swift", code)).isEmpty, "\(code)")
    }

    @Test func sharingUncheckedNeedsItsProof() {
        let code = "struct Handle: @unchecked Sendable {}"
        let padded = "let a = 1\nlet b = 1\nlet c = 1\nlet d = 1\n"
        #expect(Words.swiftViolations(swift("Shared/Platform/H.swift", padded + code)).count == 1)
        #expect(Words.swiftViolations(swift("Shared/Platform/H.swift", padded + "// One thread owns it.\n" + code)).isEmpty)
        #expect(Words.swiftViolations(swift("Tests/Simulation/World.swift", "// One thread owns it.\n" + code)).count == 1)
    }

    @Test(arguments: ["sleep(1)", "Task.sleep(for: x)", "@Test(.disabled(\"later\")) func f() {}", "import XCTest"])
    func bannedInTests(code: String) {
        #expect(Words.swiftViolations(swift("Tests/WireTests/Spy.swift", code)).count == 1)
    }

    @Test(arguments: [
        "// TO" + "DO: later", "# FIX" + "ME", "let a = 1 // XX" + "X", "throw NotDone(\"not " + "implemented\")", "cd /wo" + "rk/main",
        "ls /ro" + "ot/x", "https://py" + "pi.org/simple",
        "curl https://files.python" + "hosted.org", "registry=https://npm" + "js.org",
    ])
    func unfinishedOrLocal(line: String) {
        #expect(!Words.textViolations([Source("deploy/spy", line)]).isEmpty, "\(line)")
    }

    @Test(arguments: [
        "mktemp /tmp/a.XX" + "XXXX", "let todoList = 1", "path/wo" + "rk/x", "$dir/wo" + "rk/", "TO" + "DOS", "the work, the root, at home",
    ])
    func finishedText(line: String) {
        #expect(Words.textViolations([Source("deploy/fair", line)]).isEmpty, "\(line)")
    }

    @Test(arguments: [
        "const a: any = 1;", "const a = b as any;", "const a = f<any>();", "// @ts-ignore\nconst b = 1;", "eval(\"1\");", "node.innerHTML = x;",
        "const s = `${b as any}`;",
    ])
    func bannedScript(code: String) {
        #expect(Words.scriptViolations([Source("Cloud/Dashboard/src/spy.tsx", code)]).count == 1, "\(code)")
    }

    @Test func fairScript() {
        let code = "// as any\nconst a = 'as any'; const r = /as any'/; const p = <p>don't</p>;\nconst many: string[] = [];"
        #expect(Words.scriptViolations([Source("Cloud/Dashboard/src/fair.tsx", code)]).isEmpty)
    }

    @Test func hollowNames() {
        let paths = [
            "Edge/Agent/Utils.swift", "Shared/Wire/JSONHelpers.swift", "Cloud/Node/SessionManager+more.swift", "Shared/Common/A.swift",
        ]
        #expect(Words.nameViolations(paths).map(\.path) == paths)
        #expect(Words.nameViolations(["Shared/Wire/JSONReader.swift"]).isEmpty)
    }

    @Test func intentsMadeElsewhere() {
        let declaration = Source("Shared/Ledger/DurableIntent.swift", "package struct DurableIntent: ~Copyable { package init(seq: Int) {} }")
        let journal = Source("Edge/Agent/Journal.swift", "let a = DurableIntent(seq: 1)")
        #expect(Words.durableIntentViolations([declaration, journal]).isEmpty)
        #expect(Words.durableIntentViolations([declaration]).isEmpty)
        for spy in ["DurableIntent(seq: 1)", "DurableIntent.init(seq: 1)"] {
            #expect(Words.durableIntentViolations([declaration, journal, Source("Tests/AgentTests/Spy.swift", spy)]).count == 1)
        }
        #expect(Words.durableIntentViolations([declaration, Source("Edge/Agent/Journal.swift", "")]).count == 1)
        #expect(
            Words.durableIntentViolations([declaration, Source("Edge/Agent/Journal.swift", "DurableIntent(seq: 1); DurableIntent(seq: 2)")]).count
                == 1)
    }

    @Test func rulesSwitchedOffInTheProduct() {
        #expect(Words.ruleViolations(swift("Edge/Agent/Spy.swift", "let r = Rules(journalFirst: false)")).count == 1)
        #expect(Words.ruleViolations(swift("Edge/Agent/Fair.swift", "let r = Rules()")).isEmpty)
        #expect(Words.ruleViolations(swift("Tests/Simulation/Mutants.swift", "let r = Rules(journalFirst: false)")).isEmpty)
    }

    @Test func longFiles() {
        let text = String(repeating: "let a = 1\n", count: 601)
        for path in ["Edge/Agent/Long.swift", "Cloud/Dashboard/src/long.tsx", "Cloud/Dashboard/styles/long.css"] {
            #expect(Sizes.files([Source(path, text)]).count == 1)
            #expect(Sizes.files([Source(path, text)], leave: [Leave(whom: path, reason: "a table of codes")]).isEmpty)
            #expect(Sizes.files([Source(path, String(text.dropLast(10)))]).isEmpty)
        }
    }

    @Test(arguments: [
        ("a.swift", "func long(_ a: () -> Void = { }) -> [Int: String] {", "}"), ("a.swift", "init<T>(_ t: T) where T: Equatable {", "}"),
        ("a.swift", "var text: String {", "}"),
        ("a.tsx", "export function Page(props: { a: string }) {", "}"), ("a.ts", "const f = (a: number) => {", "};"),
    ])
    func longFunctions(path: String, opening: String, close: String) {
        func source(_ lines: Int) -> Source {
            Source(path, ([opening] + Array(repeating: "if a { b(\"}\") } // {", count: lines - 2) + [close]).joined(separator: "\n"))
        }
        #expect(Sizes.functions([source(101)]).count == 1)
        #expect(Sizes.functions([source(100)]).isEmpty)
    }

    @Test func protocolRequirementsAreShort() {
        let requirement = Source(
            "a.swift", "protocol P { func f()\n var a: Int { get } }\nstruct Long {\n" + String(repeating: "let a = 1\n", count: 150) + "}")
        #expect(Sizes.functions([requirement]).isEmpty)
    }

    @Test func strangersOnTheTopLevel() {
        let house = ["Package.swift", "Shared/README.md", "Tests/README.md", "deploy/test", "README.md", ".gitignore"]
        #expect(Layout.topLevel(house).isEmpty)
        #expect(Layout.topLevel(house + ["Edge/README.md"]).isEmpty)
        #expect(Layout.topLevel(house + ["scripts/run", "Makefile"]).map(\.path) == ["Makefile", "scripts"])
        #expect(Layout.topLevel(Array(house.dropFirst())).map(\.path) == ["Package.swift"])
    }

    @Test func wingWithoutReadme() {
        #expect(Layout.wingReadmes(["Edge/Agent/A.swift", "deploy/README.md"]).map(\.path) == ["Edge/README.md"])
    }

    @Test func sourceWithoutFirstLine() {
        #expect(
            Layout.firstLines([Source("Edge/A.swift", "import Values\n// Late."), Source("a.css", ".a {}"), Source("deploy/x", "#!/bin/sh\nset -e")])
                .count == 3)
        let fair = [
            Source("Edge/A.swift", "// The loop's turn."), Source("a.css", "/* Colours and sizes. */"),
            Source("deploy/x", "#!/bin/sh\n# Starts the demo."), Source("a.md", ""),
        ]
        #expect(Layout.firstLines(fair).isEmpty)
    }

    @Test func buildWithoutImportCheck() {
        let flag = "--explicit-target-dependency-import-check error"
        let gate = Source("deploy/test", "laws=(\(flag))\nswift build \"${laws[@]}\"")
        #expect(Layout.importChecks([gate]).isEmpty)
        #expect(Layout.importChecks([]).count == 1)
        #expect(Layout.importChecks([Source("deploy/test", "# \(flag)\nswift build -c debug")]).count == 2)
        #expect(Layout.importChecks([gate, Source("deploy/demo", "swift build -c release")]).count == 1)
    }
}
