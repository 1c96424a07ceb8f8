// The gateway's memory on disk: a line a turn, synced before anybody is told; rewritten without its repetitions at every start.
internal import Glibc
internal import Platform
internal import Values
internal import Venues

/// Why the journal cannot be read or written.
package enum GatewayJournalError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried and the system's word for it.
    case io(String)
    /// Another gateway uses the folder.
    case busy(String)
    /// A line that is not torn and not ours.
    case unreadable(path: String, line: Int)
    package var description: String {
        switch self {
        case .io(let text), .busy(let text): text
        case .unreadable(let path, let line): "\(path) line \(line) is no record of this gateway; move the folder away to begin anew"
        }
    }
}

/// One open journal; the folder is its own as long as it lives.
package final class GatewayJournal {
    /// When the file has grown by this much since it was last rewritten, it is rewritten.
    private static let growthBytesMax = 8 << 20

    private let path: String
    private let lock: FileLock
    private var descriptor: Int32 = -1
    private var digest = GatewayDigest()
    private var grownBytes = 0
    /// All that is known, in an order in which it can be restored; empty for a new journal.
    package var records: [GatewayRecord] { digest.records }

    /// Opens or creates the journal in `folder` (mode 0700). A torn last turn, which nobody was told about, is dropped.
    package init(folder: String) throws(GatewayJournalError) {
        path = folder + "/gateway.journal"
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw Self.failed("cannot make the folder \(folder)") }
        do throws(DatabaseError) { lock = try FileLock(path: folder + "/gateway.lock") } catch { throw .busy("\(error)") }
        let lines = try Self.read(path).split(separator: 10, omittingEmptySubsequences: false).dropLast()
        var turn: [GatewayRecord] = []
        for (number, line) in lines.enumerated() {
            let goesOn = line.first == Self.more
            guard let records = GatewayRecord.records(line: Array(goesOn ? line.dropFirst() : line)) else {
                throw .unreadable(path: path, line: number + 1)
            }
            turn += records
            guard !goesOn else { continue }
            for record in turn { digest.add(record) }
            turn = []
        }
        try rewrite()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// On disk when it returns.
    package func append(_ records: [GatewayRecord]) throws(GatewayJournalError) {
        guard !records.isEmpty else { return }
        for record in records { digest.add(record) }
        let bytes = try Self.turn(records)
        try Self.write(bytes, to: descriptor, path)
        grownBytes += bytes.count
        if grownBytes > Self.growthBytesMax { try rewrite() }
    }

    /// Replaces the file by a shorter one that says the same.
    private func rewrite() throws(GatewayJournalError) {
        let draft = path + ".new"
        let next = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard next >= 0 else { throw Self.failed("cannot write \(draft)") }
        var bytes: [UInt8] = []
        for record in digest.records { bytes += try Self.line([record]) }
        try Self.write(bytes, to: next, draft)
        guard rename(draft, path) == 0 else { throw Self.failed("cannot replace \(path)") }
        try Self.syncFolder(of: path)
        if descriptor >= 0 { close(descriptor) }
        // The same file under its new name: what is appended goes behind what was written.
        descriptor = next
        grownBytes = 0
    }

    // MARK: The file

    /// Begins a line whose turn goes on with the next one.
    private static let more = UInt8(ascii: "+")
    /// Half of the longest line that is read: room for the spelling of one record more.
    private static let lineBytesWanted = GatewayRecord.lineBytesMax / 2

    /// One turn: one line, or as many as its length takes, which only count together.
    private static func turn(_ records: [GatewayRecord]) throws(GatewayJournalError) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = records[...]
        while !rest.isEmpty {
            // Halved until it fits; all turns of an ordinary day fit at once.
            var count = rest.count
            var text = try? line(Array(rest.prefix(count)))
            while count > 1, text.map({ $0.count > lineBytesWanted }) ?? true {
                count = (count + 1) / 2
                text = try? line(Array(rest.prefix(count)))
            }
            guard let text else { throw .io("a record is too long to be written") }
            rest = rest.dropFirst(count)
            bytes += rest.isEmpty ? text : [more] + text
        }
        return bytes
    }

    private static func line(_ records: [GatewayRecord]) throws(GatewayJournalError) -> [UInt8] {
        do { return try GatewayRecord.line(records) + [10] } catch { throw .io("a record cannot be written: \(error)") }
    }

    private static func read(_ path: String) throws(GatewayJournalError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0, errno == ENOENT { return [] }
        guard descriptor >= 0 else { throw failed("cannot open \(path)") }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            guard count >= 0 else { throw failed("cannot read \(path)") }
            if count == 0 { return all }
            all += block[..<count]
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(GatewayJournalError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed("cannot write \(path)") }
            done += count
        }
        guard fdatasync(descriptor) == 0 else { throw failed("cannot sync \(path)") }
    }

    private static func syncFolder(of path: String) throws(GatewayJournalError) {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failed("cannot open \(folder)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failed("cannot sync \(folder)") }
    }

    private static func failed(_ what: String) -> GatewayJournalError { .io("\(what): \(String(cString: strerror(errno)))") }
}

/// What is left of records when each order is told once, as it stands.
private struct GatewayDigest {
    private var birth: GatewayRecord?
    private var orders: [Int64: GatewayRecord] = [:]
    private var states: [Int64: GatewayRecord] = [:]
    private var fills: [GatewayRecord] = []

    mutating func add(_ record: GatewayRecord) {
        switch record {
        case .born: birth = birth ?? record
        case .order(let order): orders[order.permId] = record
        case .state(let paper): states[paper.ticket.id.raw] = record
        case .fill, .corrected, .misprinted: fills.append(record)
        }
    }

    /// Orders before their states, all of them before the fills, which need them.
    var records: [GatewayRecord] {
        let both = orders.keys.sorted().flatMap { [orders[$0], states[$0]].compactMap { $0 } }
        return (birth.map { [$0] } ?? []) + both + fills
    }
}
