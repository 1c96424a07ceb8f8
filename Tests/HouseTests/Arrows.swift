// The law of arrows: what each room imports and declares, against the table in Rooms.

enum Arrows {
    struct Import {
        let module: String
        let line: Int
        let attributes: [String]
    }

    private static let kinds: Set<String> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor"]

    /// The imports of one Swift file, with the words that stand before them on the same line.
    static func imports(of source: Source) -> [Import] {
        var found: [Import] = []
        for index in source.tokens.indices where source.reads(["import"], at: index) {
            let line = source.tokens[index].line
            guard index == 0 || source.tokens[index - 1].text != "." else { continue }
            let before = source.tokens[..<index].reversed().prefix { $0.line == line && $0.text != ";" }
            var next = index + 1
            if next < source.tokens.count, kinds.contains(source.tokens[next].text) { next += 1 }
            guard next < source.tokens.count, source.tokens[next].kind == .word else { continue }
            found.append(Import(module: source.tokens[next].text, line: line, attributes: before.map(\.text)))
        }
        return found
    }

    /// Every import of every file is in the table; imports carry no `public`, `@testable` or `@_exported`.
    static func importViolations(_ sources: [Source]) -> [Violation] {
        sources.filter { $0.isSwift && $0.path != "Package.swift" }.flatMap { source -> [Violation] in
            guard let allowed = allowance(source) else {
                return [
                    Violation(path: source.path, line: 1, message: "belongs to no room of the table; put it into one, or add the room to Rooms.swift")
                ]
            }
            return imports(of: source).flatMap { found -> [Violation] in
                var broken: [Violation] = []
                if !allowed(found.module) {
                    broken.append(
                        Violation(
                            path: source.path, line: found.line, message: "may not import \(found.module); the table of arrows has no such arrow"))
                }
                for word in ["public", "testable", "_exported"] where found.attributes.contains(word) {
                    broken.append(
                        Violation(path: source.path, line: found.line, message: "'\(word) import': cross a room with 'package', else plain 'import'"))
                }
                return broken
            }
        }
    }

    /// What the file may import, or nil when it belongs nowhere.
    private static func allowance(_ source: Source) -> ((String) -> Bool)? {
        if source.path.hasPrefix("Tests/") {
            let leave = Rooms.testLeave.first { source.path.hasPrefix($0.key + "/") }?.value ?? []
            return { !Rooms.cModules.contains($0) || leave.contains($0) }
        }
        guard let room = Rooms.room(of: source.path) else { return nil }
        let leave = Rooms.fileLeave[source.path] ?? []
        return { room.imports.contains($0) || leave.contains($0) }
    }

    /// A target line of the manifest.
    struct Target {
        let name: String
        let folder: String
        let imports: [String]
        let line: Int
        let call: String
    }

    /// The lines `room(…)`, `main(…)`, `tests(…)` and `library(…)` of the manifest's target list.
    static func targets(of manifest: Source) -> [Target] {
        let calls: Set<String> = ["room", "main", "tests", "library", "target", "executableTarget", "testTarget", "systemLibrary"]
        var found: [Target] = []
        for index in manifest.tokens.indices.dropLast(2) where calls.contains(manifest.tokens[index].text) && manifest.reads(["("], at: index + 1) {
            guard index == 0 || manifest.tokens[index - 1].text != "func" else { continue }
            // The helpers' own bodies pass a variable as the name; they are no targets.
            let first = manifest.reads(["name", ":"], at: index + 2) ? index + 4 : index + 2
            guard first < manifest.tokens.count, manifest.tokens[first].kind == .string else { continue }
            let strings = manifest.tokens[index..<min(manifest.closing(of: index + 1), manifest.tokens.count)].filter { $0.kind == .string }.map(
                \.text)
            guard let name = strings.first else { continue }
            let call = manifest.tokens[index].text
            let hasFolder = call != "tests" && call != "library"
            found.append(
                Target(
                    name: name, folder: hasFolder ? (strings.dropFirst().first ?? "") : call == "tests" ? "Tests/\(name)" : "Shared/C/\(name)",
                    imports: call == "library" ? [] : Array(strings.dropFirst(hasFolder ? 2 : 1)), line: manifest.tokens[index].line, call: call))
        }
        return found
    }

    /// Every target is a room of the table, in its folder, and declares only arrows of the table.
    static func targetViolations(_ manifest: Source) -> [Violation] {
        targets(of: manifest).flatMap { target -> [Violation] in
            func broken(_ message: String) -> Violation { Violation(path: manifest.path, line: target.line, message: "\(target.name) \(message)") }
            if target.folder.hasPrefix("Tests/") { return [] }
            if Rooms.cModules.contains(target.name) {
                return target.folder == "Shared/C/\(target.name)" ? [] : [broken("lies in \(target.folder), its place is Shared/C/\(target.name)")]
            }
            guard let room = Rooms.all.first(where: { $0.folder == target.folder }) else {
                return [broken("is no room of the table (\(target.folder)); add it to Rooms.swift with its arrows")]
            }
            var violations: [Violation] = []
            if room.nature != .main, room.name != target.name { violations.append(broken("is called \(room.name) in the table")) }
            for module in target.imports where !room.imports.contains(module) {
                violations.append(broken("declares \(module); the table of arrows has no such arrow"))
            }
            return violations
        }
    }

    /// One settings list for all targets, with the four laws the compiler keeps for us.
    static func settingsViolations(_ manifest: Source) -> [Violation] {
        func broken(_ line: Int, _ message: String) -> Violation { Violation(path: manifest.path, line: line, message: message) }
        var violations: [Violation] = []
        let lists = manifest.tokens.indices.filter { manifest.reads(["let", "settings"], at: $0) }
        if lists.count != 1 { violations.append(broken(1, "there must be exactly one 'let settings'")) }
        for feature in ["ExistentialAny", "InternalImportsByDefault", "MemberImportVisibility"]
        where !manifest.tokens.contains(where: { $0.kind == .string && $0.text == feature }) {
            violations.append(broken(1, "the settings miss \(feature)"))
        }
        let strict = ["treatAllWarnings", "(", "as", ":", ".", "error"]
        if !manifest.tokens.indices.contains(where: { manifest.reads(strict, at: $0) }) {
            violations.append(broken(1, "the settings miss .treatAllWarnings(as: .error)"))
        }
        for index in manifest.tokens.indices {
            let token = manifest.tokens[index]
            if manifest.reads(["swiftSettings", ":"], at: index), !manifest.reads(["settings"], at: index + 2) || manifest.reads(["+"], at: index + 3)
            {
                violations.append(broken(token.line, "swiftSettings is always the one list 'settings'"))
            }
            if ["unsafeFlags", "swiftLanguageModes", "swiftLanguageMode", "defaultIsolation"].contains(token.text), token.kind == .word {
                violations.append(broken(token.line, "'\(token.text)' would make a second set of laws"))
            }
            let isTarget = ["target", "executableTarget", "testTarget"].contains(token.text) && manifest.reads(["("], at: index + 1)
            if isTarget, manifest.tokens[index - 1].text == "." {
                let call = index...min(manifest.closing(of: index + 1), manifest.tokens.count - 1)
                let isC = manifest.tokens[call].contains { $0.kind == .string && $0.text.hasPrefix("Shared/C/") }
                if !isC, !call.contains(where: { manifest.reads(["swiftSettings", ":", "settings"], at: $0) }) {
                    violations.append(broken(token.line, "a target without 'swiftSettings: settings'"))
                }
            }
        }
        return violations
    }
}
