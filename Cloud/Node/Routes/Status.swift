// Health, readiness and metrics.
internal import Control
internal import Ledger
internal import Platform
internal import Values
internal import Views
internal import Wire

extension Node {
    /// The process turns: nothing more is said.
    func health(_ call: Call) -> Reply { .answer(Answer(200, ["status": "ok", "version": .string(settings.release)])) }

    /// Ready when the link of an edge is live; otherwise what is missing, by name.
    func ready(_ call: Call) -> Reply {
        var missing: [String] = []
        if isStopping { missing.append("the cloud is stopping") }
        if desk.fullSince != nil { missing.append("the disk is full: nothing new is taken") }
        for id in damaged.keys.sorted() {
            switch damaged[id]?.offered {
            case .signature: missing.append("edge \(name(id)) sends what is not signed")
            case .clocks: missing.append("edge \(name(id)) sends what no start would take")
            case nil: missing.append("the stored ledger of edge \(name(id)) is damaged")
            }
        }
        if control.edges.isEmpty, damaged.isEmpty { missing.append("no edge is enrolled: tidewire-cloud edge invite NAME") }
        for edge in control.sortedEdges where edge.presence != .live { missing.append("edge \(edge.name) is not linked") }
        return .answer(
            Answer(missing.isEmpty ? 200 : 503, ["ready": .bool(missing.isEmpty), "missing": .array(missing.map { .string($0) })]))
    }

    /// Prometheus text; for this machine and for those who are signed in.
    func metrics(_ call: Call) throws(Problem) -> Reply {
        let isHere = Loopback.isAddress(call.request.address) && call.request.header("x-forwarded-for") == nil
        guard isHere || call.caller != nil else { throw .notSignedIn }
        var text = ""
        for gauge in ownGauges + gauges {
            text += "# HELP tidewire_\(gauge.name) \(gauge.help)\n# TYPE tidewire_\(gauge.name) \(gauge.isCounter ? "counter" : "gauge")\n"
            text += "tidewire_\(gauge.name) \(gauge.value)\n"
        }
        text += edgeMetrics
        return .answer(Answer(status: 200, type: "text/plain; version=0.0.4; charset=utf-8", body: Array(text.utf8)))
    }

    private var ownGauges: [Gauge] {
        [
            Gauge("requests_total", "Requests taken.", counters.requests, isCounter: true),
            Gauge("problems_total", "Requests answered by a problem.", counters.problems, isCounter: true),
            Gauge("sign_ins_total", "Sign-ins.", counters.signIns, isCounter: true),
            Gauge("sign_ins_refused_total", "Sign-ins refused.", counters.signInsRefused, isCounter: true),
            Gauge("enrolments_refused_total", "Enrolment requests refused.", counters.enrolmentsRefused, isCounter: true),
            Gauge("entries_stored_total", "Ledger entries stored since the start.", counters.entries, isCounter: true),
            Gauge("malformed_frames_total", "Frames that could not be read.", counters.malformed, isCounter: true),
            Gauge("streams", "Open streams.", streams.open.count),
            Gauge("sessions", "Sessions in force.", access.sessions.count),
            Gauge("commands_open", "Commands without an end.", control.outbox.open.count),
            Gauge("disk_full", "1 while there is no room to store what is asked for.", desk.fullSince == nil ? 0 : 1),
            Gauge("refused_links", "Links turned away in the last day.", control.refusals.count),
        ]
    }

    private var edgeMetrics: String {
        let families: [(String, String, (EdgeRoom) -> UInt64)] = [
            ("edge_live", "1 while the edge is heard.", { $0.presence == .live ? 1 : 0 }),
            ("edge_stored_seq", "The last entry stored here.", { self.stores.ledgers.head($0.id).seq.raw }),
            ("edge_book_seq", "The last entry in the book that screens show.", { $0.book.head.seq.raw }),
            ("edge_tables_seq", "The last entry in the index and the posting table.", { self.stores.ledgers.tablesThrough($0.id).raw }),
            ("edge_backlog_entries", "Entries that the edge has and the cloud has not.", { self.backlog(of: $0) }),
            ("edge_halted", "1 while trading is halted.", { $0.book.haltLevel > .normal ? 1 : 0 }),
        ]
        var text = ""
        for (name, help, value) in families {
            text += "# HELP tidewire_\(name) \(help)\n# TYPE tidewire_\(name) gauge\n"
            for edge in control.sortedEdges { text += "tidewire_\(name){edge=\"\(Node.label(edge.name))\"} \(value(edge))\n" }
        }
        return text
    }

    /// Counted against what is on the disk: a book that follows later is none of the link's.
    func backlog(of edge: EdgeRoom) -> UInt64 { edge.announced.raw - min(edge.announced.raw, stores.ledgers.head(edge.id).seq.raw) }

    private static func label(_ text: String) -> String {
        String(text.flatMap { $0 == "\\" || $0 == "\"" ? "\\\($0)" : $0 == "\n" ? "\\n" : "\($0)" })
    }
}
