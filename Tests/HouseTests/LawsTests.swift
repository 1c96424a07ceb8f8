// The laws of the house, held against its own sources.
import Testing

/// One read of the tree; each test holds one law.
struct LawsTests {
    private static let tree = Result { try Tree.sources() }
    private let sources: [Source]
    private let paths: [String]

    init() throws {
        sources = try LawsTests.tree.get()
        paths = sources.map(\.path)
    }

    private func hold(_ violations: [Violation], location: SourceLocation = #_sourceLocation) {
        #expect(violations.isEmpty, "\(violations.map(\.description).joined(separator: "\n"))", sourceLocation: location)
    }

    private var manifest: Source { get throws { try #require(sources.first { $0.path == "Package.swift" }) } }

    @Test func theTreeWasRead() throws {
        #expect(sources.filter { $0.isSwift && $0.isShipped }.count > 5)
        #expect(sources.contains { $0.path == "Tests/HouseTests/LawsTests.swift" })
        #expect(try Arrows.targets(of: manifest).count > 5)
    }

    @Test func roomsImportWhatTheTableAllows() { hold(Arrows.importViolations(sources)) }
    @Test func targetsDeclareWhatTheTableAllows() throws { hold(try Arrows.targetViolations(manifest)) }
    @Test func allTargetsShareOneSettingsList() throws { hold(try Arrows.settingsViolations(manifest)) }
    @Test func pureRoomsArePure() { hold(Purity.violations(sources)) }
    @Test func ordersAndLedgerAreExact() { hold(Purity.exactness(sources)) }
    @Test func noBannedWordsInSwift() { hold(Words.swiftViolations(sources)) }
    @Test func noBannedWordsInTheDashboard() { hold(Words.scriptViolations(sources)) }
    @Test func nothingUnfinishedAndNoMachine() { hold(Words.textViolations(sources)) }
    @Test func namesSayWhatIsInside() { hold(Words.nameViolations(paths)) }
    @Test func onlyTheJournalMakesDurableIntents() { hold(Words.durableIntentViolations(sources)) }
    @Test func onlyTestsSwitchRulesOff() { hold(Words.ruleViolations(sources)) }
    @Test func filesAreShort() { hold(Sizes.files(sources)) }
    @Test func functionsAreShort() { hold(Sizes.functions(sources)) }
    @Test func topLevelIsThePlan() { hold(Layout.topLevel(paths)) }
    @Test func wingsHaveReadmes() { hold(Layout.wingReadmes(paths)) }
    @Test func sourcesSayWhatTheyAre() { hold(Layout.firstLines(sources)) }
    @Test func buildsCheckImports() { hold(Layout.importChecks(sources)) }
}
