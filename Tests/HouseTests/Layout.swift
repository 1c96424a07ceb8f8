// The law of layout: the top level, a first line that says what a file is, a README in every wing, builds that check imports.

enum Layout {
    private static let required: Set<String> = ["Package.swift", "Shared", "Tests", "deploy", "README.md"]
    private static let wings = ["Edge", "Cloud", "Shared", "Tests", "deploy"]

    /// The top level holds the five wings, the manifest, the README and dot-files.
    static func topLevel(_ paths: [String]) -> [Violation] {
        let top = Set(paths.map { String($0.prefix { $0 != "/" }) })
        let allowed = required.union(["Edge", "Cloud"])
        let strangers = top.filter { !allowed.contains($0) && !$0.hasPrefix(".") }.sorted()
        return strangers.map { Violation(path: $0, line: 1, message: "does not belong on the top level; put it into a wing") }
            + required.subtracting(top).sorted().map { Violation(path: $0, line: 1, message: "is missing on the top level") }
    }

    /// Every wing that exists says what it is.
    static func wingReadmes(_ paths: [String]) -> [Violation] {
        wings.filter { wing in paths.contains { $0.hasPrefix(wing + "/") } && !paths.contains("\(wing)/README.md") }
            .map { Violation(path: "\($0)/README.md", line: 1, message: "every wing has a README") }
    }

    /// A source starts with one comment line; a script has it after its `#!` line.
    static func firstLines(_ sources: [Source]) -> [Violation] {
        sources.compactMap { source in
            let isScript = source.text.hasPrefix("#!")
            let openings: [String]
            switch source.ending {
            case "swift", "ts", "tsx", "js", "mjs", "c", "h": openings = ["// "]
            case "css": openings = ["/* "]
            case "py": openings = ["# ", "\"\"\""]
            case "sh": openings = ["# "]
            case _ where isScript: openings = ["# "]
            default: return nil
            }
            let first = source.lines.dropFirst(isScript ? 1 : 0).first ?? ""
            if openings.contains(where: { first.hasPrefix($0) }), first.count >= 15 { return nil }
            return Violation(path: source.path, line: isScript ? 2 : 1, message: "start with one comment line that says what the file is")
        }
    }

    private static let flag = "--explicit-target-dependency-import-check error"

    /// SwiftPM builds undeclared imports silently: the gate, and every script that builds, passes the flag that refuses them.
    static func importChecks(_ sources: [Source]) -> [Violation] {
        guard let gate = sources.first(where: { $0.path == "deploy/test" }) else {
            return [Violation(path: "deploy/test", line: 1, message: "the gate is missing")]
        }
        var violations: [Violation] = []
        if !code(gate).contains(where: { $0.text.contains(flag) }) {
            violations.append(Violation(path: gate.path, line: 1, message: "does not pass \(flag)"))
        }
        for source in sources where source.path.hasPrefix("deploy/") && source.ending != "md" {
            for line in code(source) where ["build", "test", "run"].contains(where: { line.text.contains("swift \($0) ") }) {
                if line.text.contains(flag) || line.text.contains("\"${laws[@]}\"") { continue }
                violations.append(Violation(path: source.path, line: line.number, message: "builds without \(flag)"))
            }
        }
        return violations
    }

    private static func code(_ source: Source) -> [(number: Int, text: Substring)] {
        source.lines.enumerated().filter { !$0.element.drop { $0 == " " }.hasPrefix("#") }.map { ($0.offset + 1, $0.element) }
    }
}
