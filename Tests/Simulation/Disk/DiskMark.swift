// The head mark on the simulated disk, beside the database that SQLite keeps there.
package import EdgeAgent
internal import Platform

/// A mark that loses power, fails and fills up with the disk it lies on.
package final class DiskMark: MarkStore {
    private let disk: FaultyDisk
    package init(_ disk: FaultyDisk) { self.disk = disk }

    package func read() -> [UInt8]? { disk.bytes(of: "head.mark") }

    package func write(_ bytes: [UInt8]) throws(MarkError) {
        switch disk.replace("head.mark", bytes) {
        case nil: return
        case .io?: throw .failed("the simulated disk failed under the mark")
        case .full?: throw .full("the simulated disk is full")
        }
    }
}
