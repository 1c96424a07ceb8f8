// The rooms and their arrows: the table that the code is compared with. A new room is a line here, with its reason in the plan.

/// What a room is allowed to be.
struct Room {
    enum Nature { case pure, shell, main }
    let name: String
    let folder: String
    let nature: Nature
    let imports: Set<String>

    func holds(_ path: String) -> Bool { path.hasPrefix(folder + "/") }
}

/// The shipped rooms. Tests may import any of them, nobody imports Tests.
enum Rooms {
    private static let shared: Set<String> = ["Values", "Wire", "Ledger", "Sync", "Views", "Platform"]
    private static let words: Set<String> = ["Values", "Wire", "Ledger"]
    /// What the shells take from the system: threads' locks, never Foundation (its time zones and locales cost 44 MB).
    private static let shell: Set<String> = ["Synchronization"]

    static let cModules: Set<String> = [
        "CSQLite", "CZMQ", "CSodium", "CZstd", "CWebSockets", "CCurl", "CYAML", "CPq", "CShim", "CHash", "CAllocations",
    ]

    static let all: [Room] = [
        Room(name: "Values", folder: "Shared/Values", nature: .pure, imports: []),
        Room(name: "Wire", folder: "Shared/Wire", nature: .pure, imports: ["Values", "CHash", "CSodium", "CZstd"]),
        Room(name: "Ledger", folder: "Shared/Ledger", nature: .pure, imports: ["Values", "Wire"]),
        Room(name: "Sync", folder: "Shared/Sync", nature: .pure, imports: words),
        Room(name: "Views", folder: "Shared/Views", nature: .pure, imports: words),
        Room(
            name: "Platform", folder: "Shared/Platform", nature: .shell,
            imports: cModules.subtracting(["CPq", "CAllocations"]).union(["Values", "Wire", "Glibc", "Synchronization", "FoundationEssentials"])),
        Room(name: "Trading", folder: "Edge/Trading", nature: .pure, imports: words),
        Room(name: "Venues", folder: "Edge/Venues", nature: .pure, imports: words.union(["FoundationEssentials"])),
        Room(name: "Feeds", folder: "Edge/Feeds", nature: .pure, imports: words.union(["FoundationEssentials"])),
        Room(name: "EdgeAgent", folder: "Edge/Agent", nature: .shell, imports: shared.union(["Trading", "Venues", "Feeds"]).union(shell)),
        Room(name: "EdgeMain", folder: "Edge/Main", nature: .main, imports: ["EdgeAgent", "Platform", "Glibc"]),
        Room(name: "Control", folder: "Cloud/Control", nature: .pure, imports: words),
        Room(name: "CloudNode", folder: "Cloud/Node", nature: .shell, imports: shared.union(["Control"]).union(shell)),
        Room(name: "Postgres", folder: "Cloud/Postgres", nature: .shell, imports: shared.union(["Control", "CloudNode", "CPq"]).union(shell)),
        Room(name: "CloudMain", folder: "Cloud/Main", nature: .main, imports: ["CloudNode", "Postgres", "Platform", "Glibc"]),
    ]

    /// Single files that may import more than their room, each with its reason.
    static let fileLeave: [String: Set<String>] = [
        // log, exp, pow and tanh; scores are rounded before they become a fact.
        "Shared/Values/Maths.swift": ["Glibc"]
    ]

    /// C modules in Tests: the fault disk is an in-memory SQLite VFS; allocations are counted, wake-ups lost and a file's calls noted at the C library's
    /// door.
    static let testLeave: [String: Set<String>] = [
        "Tests/Simulation": ["CSQLite"], "Tests/VenuesTests": ["CAllocations"], "Tests/PlatformTests": ["CAllocations"],
        "Tests/EdgeAgentTests": ["CAllocations"],
    ]

    static func room(of path: String) -> Room? { all.first { $0.holds(path) } }
}
