// The reserve on the simulated disk: bytes that take room from the ledger until they are given up.
package import Platform

/// A ballast file of any size; the room that is left is what the test says.
package final class SimulatedReserve: DiskReserve {
    private let disk: FaultyDisk
    private let bytes: Int
    /// What the file system claims.
    package var room: DiskRoom? = DiskRoom(free: 100 << 30, total: 200 << 30)
    package init(_ disk: FaultyDisk, bytes: Int) { self.disk = disk; self.bytes = bytes }

    package var isHeld: Bool { disk.bytes(of: "ballast")?.count == bytes }
    package func release() { try? disk.remove("ballast") }
    package func take() -> Bool { isHeld || disk.replace("ballast", [UInt8](repeating: 0, count: bytes)) == nil }
}
