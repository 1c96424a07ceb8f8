// Time zones by name, from the system's own files.
package import Values

/// Reads `/usr/share/zoneinfo`; the package tzdata keeps it current.
package enum ZoneFiles {
    private static let folder = "/usr/share/zoneinfo/"

    /// The zone called `name` (`US/Eastern`, `America/New_York`); nil when the system has none of that name.
    package static func zone(_ name: String) -> Zone? {
        let isPlain = name.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || "/_+-".utf8.contains($0)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("/"), let bytes = try? PrivateFiles.read(folder + name) else { return nil }
        return try? Zone(name: name, tzif: bytes)
    }
}
