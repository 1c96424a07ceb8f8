// The comparison of stored bytes with each edge's copy: every night, when a person asks, and what is shown and kept of it.
internal import Control
internal import Ledger
internal import Platform
internal import Sync
internal import Values
internal import Views
internal import Wire

/// The newest comparison of each edge, and when the next is due.
struct AuditDesk {
    /// From this hour of the day (UTC) on, when the trading day in Chicago has long ended and before Europe's begins.
    static let nightlyHour: Int64 = 3
    /// As the API shows it; the last finished one of a former process comes from the store.
    var rows: [EdgeID: JSONValue] = [:]
    /// The newest signed digest of each edge's book that was compared with the book here.
    var books: [EdgeID: BookMatch] = [:]
    /// The day on which the last one that came to its end began.
    var days: [EdgeID: Int64] = [:]
    /// Edges of which an entry stays damaged here: a person was told, and the next try is the night's. What is wrong at an edge alone is not among
    /// them: its copy may still put right what rots here.
    var unhealed: Set<EdgeID> = []
    /// Damaged entries found while no comparison could begin: it begins as soon as one can.
    var wanted: [EdgeID: LedgerDamage] = [:]
    /// After one that was broken off, by the boot clock: not before this again, unless a person asks; and how long the pause was.
    var pauses: [EdgeID: (until: Span, length: Span)] = [:]
    /// What somebody waits for and its link ended: who asked, and how often it was begun again. A person who asks anew begins to count anew.
    var cutOff: [EdgeID: (by: String, times: Int)] = [:]
    /// So often, and then only the night's or a person's: a link that breaks each time may break because of it.
    static let againMax = 8
    static let nightly = "nightly"
    /// The last word of a damaged entry that went to the log.
    var said: [EdgeID: String] = [:]
    /// The first pause between two tries of the same night, or for a damaged entry whose edge does not answer; each further one is twice as long.
    static let pauseMin = Span.minutes(10)
    static let pauseMax = Span.hours(6)

    static func key(_ edge: EdgeID) -> String { "audit:\(edge)" }
    static func day(_ instant: Instant) -> Int64 { instant.seconds / 86_400 }

    /// Takes up what the store has of an edge.
    mutating func load(_ edge: EdgeID, _ text: String) {
        guard !text.isEmpty, let row = try? JSONReader.read(Array(text.utf8), limits: .frame) else { return }
        rows[edge] = .object((row.members ?? []).filter { $0.key != AuditDesk.wholeKey })
        if row["state"]?.text == AuditReport.State.differs.rawValue, row[AuditDesk.wholeKey] == nil { unhealed.insert(edge) }
        // One that was broken off is tried again, in this process or the next.
        guard row["state"]?.text != AuditReport.State.interrupted.rawValue else { return }
        days[edge] = (row["startedAt"]?.text).flatMap { Instant(rfc3339: $0) }.map(AuditDesk.day)
    }

    /// As it is stored: the row, and whether every entry here was found whole.
    static func text(_ row: JSONValue, _ report: AuditReport) -> String {
        let mark = report.isThrough ? [JSONMember(wholeKey, .bool(true))] : []
        return String(decoding: JSONWriter.plain(.object((row.members ?? []) + mark)), as: UTF8.self)
    }
    private static let wholeKey = "cloudIsWhole"

    func isDue(_ edge: EdgeID, at now: ClockReading) -> Bool {
        now.wall.seconds % 86_400 / 3_600 >= AuditDesk.nightlyHour && days[edge] != AuditDesk.day(now.wall) && mayTry(edge, at: now)
    }

    func mayTry(_ edge: EdgeID, at now: ClockReading) -> Bool { pauses[edge].map { now.monotonic >= $0.until } ?? true }

    /// One has ended.
    mutating func note(_ report: AuditReport, at now: ClockReading) {
        let edge = report.edge
        guard report.state != .interrupted else {
            let times = cutOff.removeValue(forKey: edge)?.times ?? 0
            if report.isCutOff, report.askedBy != AuditDesk.nightly, times < AuditDesk.againMax { cutOff[edge] = (report.askedBy, times) }
            let length = pauses[edge].map { min($0.length + $0.length, AuditDesk.pauseMax) } ?? AuditDesk.pauseMin
            pauses[edge] = (now.monotonic + length, length)
            return
        }
        pauses[edge] = nil
        cutOff[edge] = nil
        days[edge] = AuditDesk.day(report.startedAt)
        if report.state == .differs, !report.isThrough { unhealed.insert(edge) } else { unhealed.remove(edge); said[edge] = nil }
    }
}

/// The two books at one entry: what the edge signed that it adds up to, and what the same entries add up to here.
struct BookMatch {
    let seq: Seq
    let edge: [UInt8]
    let cloud: [UInt8]
    var agrees: Bool { edge == cloud }
    var line: String {
        agrees
            ? "the books agree at entry \(seq): digest \(Hex.text(cloud))"
            : "THE BOOKS DIFFER at entry \(seq): the edge signed \(Hex.text(edge)), the same entries add up to \(Hex.text(cloud)) here"
    }
}

extension Node {
    /// The edge signed what its book adds up to before this entry: here the same entries must add up to the same. Another release may add up otherwise.
    func compareBooks(_ edge: EdgeID, _ entry: Entry) {
        guard stores.ledgers.holes(edge).isEmpty, case .checkpoint(let fact)? = try? entry.decoded(), let book = control.edges[edge]?.book,
            book.head == fact.head,
            book.boot?.version == settings.release
        else { return }
        let match = BookMatch(seq: fact.head.seq, edge: fact.digest, cloud: book.digest())
        audits.books[edge] = match
        guard !match.agrees else { return }
        log(.error, "books differ", "\(name(edge)): \(match.line)")
        show(
            "books-\(edge.description.prefix(8))", of: edge, "BOOKS_DIFFER", "\(match.line).",
            cure:
                "Compare positions and money with the broker's own screen. Keep what `ledger rebuild` and `ledger export` print on both sides, and "
                + "report this: the program added up wrongly on one of them.")
    }

    // MARK: - For the receiver

    /// Entries for an edge that lost them. A damaged one is not sent: the edge asks again later.
    func read(_ edge: EdgeID, after: Head, upTo: Seq) throws {
        var piece: [Entry] = []
        do { piece = try stores.ledgers.piece(edge, after: after, upTo: upTo) } catch let damage as LedgerDamage {
            log(.error, "entry damaged", "\(name(edge)): \(damage.words)")
        }
        try link(.read(edge, after: after, piece))
    }

    func readStored(_ edge: EdgeID, from: Seq, through: Seq) throws {
        do { try link(.stored(edge, from: from, stores.ledgers.stored(edge, from: from, through: through))) } catch StoreError.failed(let cause) {
            if let known = enrolled[edge] { try setAside(known, SetAside(words: cause.description)) }
        } catch let error as StoreError {
            log(.error, "entries not read", "\(name(edge)): \(error)")
            try link(.stored(edge, from: from, nil))
        }
    }

    /// Puts the edge's bytes in the place of damaged ones here, with a note in the file itself.
    func mend(_ edge: EdgeID, _ entry: Entry) throws {
        var isDone = false
        do { isDone = try stores.ledgers.mend(edge, entry, note: "bytes from the edge, \(now)") } catch let error where Node.isFull(error) {
            log(.error, "entry not healed", "\(name(edge)): \(error)")
        } catch StoreError.failed(let cause) {
            if let known = enrolled[edge] { try setAside(known, SetAside(words: cause.description)) }
            return
        }
        if isDone { leaveBehind(edge); keeping.waits[edge] = nil; tell(.refusalOver(id: Node.rottenID(edge))) }
        if isDone { log(.warning, "entry healed", "\(name(edge)): entry \(entry.seq) was damaged here and is put right from the edge's copy") }
        try link(.mended(edge, entry.seq, isDone: isDone))
    }

    /// A comparison goes on, or has ended.
    func audited(_ edge: EdgeID, _ report: AuditReport) {
        var report = report
        if report.state != .running, report.endedAt == nil { report.end(at: now) }
        audits.rows[edge] = report.row(edge: name(edge), books: audits.books[edge], holes: stores.ledgers.holes(edge))
        guard report.state != .running, let row = audits.rows[edge] else { return }
        audits.note(report, at: clock)
        streams.note(.edge(edge))
        store(.meta(key: AuditDesk.key(edge), value: AuditDesk.text(row, report)))
        let words = row["words"]?.text ?? ""
        log(report.state == .agrees ? .info : report.state == .healed ? .warning : .error, "ledgers compared", "\(name(edge)): \(words)")
        if report.isThrough { tell(.refusalOver(id: Node.rottenID(edge))) }
        guard report.state == .differs || report.state == .healed else { return }
        show(
            "compared-\(edge.description.prefix(8))", of: edge, report.state == .healed ? "HEALED" : "LEDGERS_DIFFER", words, cure: report.cure)
    }

    /// Begins what is due: what a broken link ended and somebody waits for, and one night's comparison for each linked edge.
    func tickAudits() throws {
        for (edge, wish) in audits.cutOff.sorted(by: { $0.key < $1.key })
        where receiver.mayAudit(edge) && !receiver.isAuditing(edge) && !settings.linkRules.leavesCutOffAudits {
            audits.cutOff[edge] = (wish.by, wish.times + 1)
            try link(.audit(edge, by: wish.by, isHurried: true))
        }
        for edge in audits.wanted.keys.sorted() where mayHeal(edge) {
            if let damage = audits.wanted.removeValue(forKey: edge) { try found(damage) }
        }
        guard settings.comparesNightly else { return }
        for edge in receiver.enrolled where audits.isDue(edge, at: clock) && receiver.mayAudit(edge) && !receiver.isAuditing(edge) {
            try link(.audit(edge, by: AuditDesk.nightly, isHurried: false))
        }
    }

    /// Somebody read a stored entry that is not what was written: it is put right at once, if the edge is there. What could not be put right is
    /// tried again at night and when a person asks, not at each further reading.
    func found(_ damage: LedgerDamage) throws {
        if audits.said.updateValue(damage.words, forKey: damage.edge) != damage.words {
            log(.error, "entry damaged", "\(name(damage.edge)): \(damage.words)")
        }
        guard !audits.unhealed.contains(damage.edge) else { return }
        guard mayHeal(damage.edge) else { audits.wanted[damage.edge] = damage; return }
        try link(.audit(damage.edge, by: "damage", isHurried: true))
    }

    private func mayHeal(_ edge: EdgeID) -> Bool { audits.mayTry(edge, at: clock) && receiver.mayAudit(edge) && !receiver.isAuditing(edge) }

    // MARK: - For a person

    /// Begins a comparison, in the place of one that runs.
    func compare(_ edge: EdgeID, by user: String) throws {
        guard damaged[edge] == nil else { throw Problem.cannotCompare(name(edge), "Its stored ledger is damaged in its structure.") }
        guard receiver.link(edge)?.boot != nil else { throw Problem.cannotCompare(name(edge), "It is not linked: its copy cannot be read.") }
        guard receiver.mayAudit(edge) else { throw Problem.cannotCompare(name(edge), "Its release does not know how.") }
        audits.cutOff[edge] = nil
        try link(.audit(edge, by: user, isHurried: true))
    }

    /// POST /api/v1/edges/{edge}/reconcile
    func reconcileEdge(_ call: Call) throws -> Reply {
        guard let text = call.places["edge"], let edge = control.edge(named: text) else { throw Problem.noEdge }
        guard let caller = call.caller else { throw Problem.notSignedIn }
        try compare(edge.id, by: "cloud:\(caller.user)")
        return .answer(Answer(202, ["edge": .string(edge.name), "comparison": audits.rows[edge.id] ?? .null]))
    }

    /// POST /console/edges/reconcile begins, GET looks.
    func consoleReconcile(_ call: Call) throws -> Reply {
        let begins = call.request.method == "POST"
        let name = begins ? try Body(call.request, allowed: ["name"]).required("name") : call.request.parameter("name") ?? ""
        guard let edge = control.edge(named: name) else { throw Problem.noEdge }
        if begins { try compare(edge.id, by: "cloud-console") }
        return .answer(Answer(200, ["name": .string(edge.name), "comparison": audits.rows[edge.id] ?? .null]))
    }
}

extension AuditReport {
    /// What is to be done about it.
    var cure: String {
        switch state {
        case .running, .agrees: ""
        case .healed: "Nothing is lost. Look at the disk that held the damaged bytes: its copy was put right from the other side."
        case .differs where isThrough:
            "Every entry is whole here. At the edge, put back the file that holds the damaged one, or let it take its whole ledger back from here "
                + "(deploy/guide/ledger.md)."
        case .differs: "Nothing was changed. Put back the newest backup of edges/\(edge).db, or the edge's ledger.db, in which the entry is sound."
        case .interrupted where isCutOff: "It begins again when the edge is linked. If its link breaks each time, compare when it holds."
        case .interrupted: "Compare again when the edge is linked."
        }
    }

    private var sentence: String {
        let range = "entries \(from) to \(head.seq)"
        switch state {
        case .running: return "\(entries) of \(head.seq) entries are compared."
        case .agrees where head.seq == Seq(0): return "There is nothing to compare yet."
        case .agrees: return "The stored bytes of \(range) are the same at both ends and hash into the chain."
        case .healed:
            let sides = Set(findings.map(\.wrong.rawValue)).sorted().joined(separator: " and the ")
            return "\(healed) damaged \(healed == 1 ? "entry" : "entries") of the \(sides) put right; now \(range) are the same at both ends."
        case .differs where isThrough: return "\(words). Every entry up to \(head.seq) is whole here; but for those the edge has the same."
        case .differs where entries == 0: return "\(words). No entry is known to be the same at both ends."
        case .differs: return "\(words). \(range.prefix(1).uppercased())\(range.dropFirst()) are the same at both ends."
        case .interrupted: return "Not finished: \(words)."
        }
    }

    /// One line for each thing that a stranger can check again, and how.
    private func proof(_ name: String, _ books: BookMatch?, _ holes: [LedgerHole]) -> [String] {
        guard head.seq > Seq(0) else { return [] }
        var lines = ["head \(head.seq) \(Hex.text(head.hash))"]
        lines += holes.map {
            "\($0.words) are missing for good and not compared; entry \($0.last.seq.next) follows the hash \(Hex.text($0.last.hash))"
        }
        // Of ranges in which the edge's bytes stay wrong no digest is the same at both ends.
        if ranges > 0, staysAtEdge == 0 {
            lines.append("\(ranges) ranges of up to \(RangeQuestion.entriesMax) entries, from \(from) to \(head.seq), digest \(Hex.text(digest))")
        }
        for finding in findings {
            let found = finding.found.map { ", its damaged bytes gave \(Hex.text($0))" } ?? ""
            let end = finding.isHealed ? "put right from the other side" : finding.words
            lines.append(
                "entry \(finding.entry.seq): the chain says \(Hex.text(finding.entry.hash)), wrong at \(finding.wrong.words)\(found); \(end)")
            lines.append("check: tidewire-cloud ledger export \(name) --raw \(finding.entry.seq) | b2sum -l 256")
        }
        if let books { lines.append(books.line) }
        lines.append("check: tidewire-cloud ledger verify --edge \(edge)")
        lines.append("check at the edge: tidewire-edge ledger verify --witness \(head.seq):\(Hex.text(head.hash))")
        return lines
    }

    /// As the API shows it and the store keeps it.
    func row(edge name: String, books: BookMatch?, holes: [LedgerHole]) -> JSONValue {
        var row = Views.Row()
        row.put("state", state.rawValue); row.put("askedBy", askedBy); row.put("startedAt", startedAt); row.put("endedAt", endedAt)
        row.count("through", head.seq.raw); row.count("compared", entries); row.count("ranges", UInt64(ranges)); row.count("healed", UInt64(healed))
        row.put("words", sentence); row.put("cure", cure.isEmpty ? nil : cure)
        row.put("proof", proof(name, books, holes))
        return row.value
    }
}

extension AuditFinding.Side {
    fileprivate var words: String { self == .both ? "both ends" : "the \(rawValue)" }
}

extension Problem {
    static func ledgerDamaged(_ words: String) -> Problem {
        Problem(
            "ledger-damaged", 503, "A stored entry is damaged", detail: words,
            cure: "It is put right from the edge's copy: on the Edges page, or with tidewire-cloud reconcile EDGE. Ask again then.")
    }
    static let ledgerSetAside = Problem(
        "ledger-damaged", 503, "The stored ledger is damaged", detail: "Its file cannot be read any further.",
        cure: "Look at the page Edges: it says what is wrong, and what to do.")
    static func cannotCompare(_ name: String, _ why: String) -> Problem {
        Problem(
            "cannot-compare", 409, "The ledgers cannot be compared now", detail: "\(name): \(why)", cure: "Compare again when the edge is linked.")
    }
}
