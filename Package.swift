// swift-tools-version: 6.2
// The rooms of the house and the arrows between them; one line a room, HouseTests checks the arrows against the plan.
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error),
]

/// A pure or shell room of the product: a library target at `path`.
func room(_ name: String, _ path: String, _ imports: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: imports, path: path, exclude: [], swiftSettings: settings)
}
/// A system library of `Shared/C`, installed by apt.
func library(_ name: String, apt: String) -> Target {
    .systemLibrary(name: name, path: "Shared/C/\(name)", providers: [.apt([apt])])
}
/// An executable room.
func main(_ name: String, _ path: String, _ imports: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: imports, path: path, swiftSettings: settings)
}
/// The tests of one room; `besides` are files of the folder that are not Swift.
func tests(_ name: String, _ imports: [Target.Dependency], besides: [String] = []) -> Target {
    .testTarget(name: name, dependencies: imports, path: "Tests/\(name)", exclude: besides, swiftSettings: settings)
}

let package = Package(
    name: "tidewire",
    products: [],
    targets: [
        // System libraries
        library("CSQLite", apt: "libsqlite3-dev"),
        library("CZMQ", apt: "libzmq3-dev"),
        library("CSodium", apt: "libsodium-dev"),
        library("CZstd", apt: "libzstd-dev"),
        library("CWebSockets", apt: "libwebsockets-dev"),
        library("CYAML", apt: "libyaml-dev"),
        library("CCurl", apt: "libcurl4-openssl-dev"),
        .target(name: "CShim", path: "Shared/C/CShim"),
        .target(name: "CHash", path: "Shared/C/CHash"),
        // Shared
        room("Values", "Shared/Values"),
        room("Wire", "Shared/Wire", ["Values", "CHash", "CSodium", "CZstd"]),
        room("Ledger", "Shared/Ledger", ["Values", "Wire"]),
        room("Sync", "Shared/Sync", ["Values", "Wire", "Ledger"]),
        room("Platform", "Shared/Platform", ["Values", "CShim", "CSQLite", "CWebSockets", "CZMQ", "CCurl", "CSodium", "CYAML", "Wire"]),
        room("Views", "Shared/Views", ["Values", "Wire", "Ledger"]),
        // Edge
        room("Trading", "Edge/Trading", ["Values", "Wire", "Ledger"]),
        room("Venues", "Edge/Venues", ["Values", "Wire", "Ledger"]),
        room("EdgeAgent", "Edge/Agent", ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "Trading", "Venues"]),
        main("tidewire-edge", "Edge/Main", ["EdgeAgent", "Platform"]),
        // Cloud
        room("Control", "Cloud/Control", ["Values", "Wire", "Ledger"]),
        room("CloudNode", "Cloud/Node", ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "Control"]),
        main("tidewire-cloud", "Cloud/Main", ["CloudNode"]),
        // Tests
        tests("HouseTests", []),
        tests("ValuesTests", ["Values"]),
        tests("WireTests", ["Values", "Wire"]),
        tests("LedgerTests", ["Values", "Wire", "Ledger"]),
        tests("SyncTests", ["Values", "Wire", "Ledger", "Sync"]),
        tests("PlatformTests", ["Values", "Platform", "Wire", "CAllocations"]),
        tests("TradingTests", ["Values", "Wire", "Ledger", "Trading"]),
        room("CAllocations", "Tests/Allocations"),
        tests("VenuesTests", ["Venues", "Values", "Wire", "Ledger", "Simulation", "CAllocations"]),
        tests(
            "EdgeAgentTests",
            ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "EdgeAgent", "Trading", "Venues", "Simulation", "CAllocations"]),
        room("Contract", "Tests/Contract", ["Wire"]),
        tests("ViewsTests", ["Values", "Wire", "Ledger", "Views", "Contract"]),
        tests(
            "CloudNodeTests", ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "Control", "CloudNode", "Contract", "Simulation"]),
        tests("ControlTests", ["Values", "Wire", "Ledger", "Control"]),
        tests("DashboardTests", ["Wire", "Contract"], besides: ["fake-cloud.mjs", "fake"]),
        room(
            "Simulation", "Tests/Simulation",
            ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "Trading", "Venues", "EdgeAgent", "Control", "CloudNode", "CSQLite"]),
        tests("Scenarios", ["Values", "Wire", "Ledger", "Sync", "Simulation"]),
        room("Processes", "Tests/Processes", ["Values", "Wire", "Ledger", "Platform", "Venues", "EdgeAgent", "Simulation"]),
        tests("ProcessTests", ["Values", "Wire", "Ledger", "Sync", "Platform", "Processes"]),
        main(
            "rig", "Tests/Rig",
            ["Values", "Wire", "Ledger", "Sync", "Views", "Platform", "Trading", "Venues", "EdgeAgent", "CloudNode", "Simulation", "Processes"]),
        tests("RigTests", ["Wire", "rig", "tidewire-edge"]),
        tests("SimulationTests", ["Values", "Wire", "Ledger", "Platform", "EdgeAgent", "Trading", "Venues", "Simulation"]),
    ]
)
