// An edge's row: its link, halt, gateway and reconciliation, each in words with the cure.
internal import Ledger
package import Values
package import Wire

extension EdgePicture {
    /// One row of `/edges`.
    package var edgeRow: JSONValue {
        var row = Row()
        row.put("id", id.description); row.put("name", name); row.put("mode", mode.rawValue); row.put("state", link.state.rawValue)
        row.put("lastHeard", link.lastHeard)
        if link.state == .live {
            row.integer("roundTripMs", link.roundTrip.map { max(0, $0.nanoseconds / 1_000_000) })
        } else if link.state == .silent {
            row.put("silentSince", link.lastHeard)
        }
        row.integer("clockSkewMs", link.clockOffset.map { $0.nanoseconds / 1_000_000 })
        row.count("backlog", link.announced.raw - min(link.announced.raw, link.acked.raw))
        row.put("backlogOldest", link.announced > link.acked ? link.backlogOldest : nil)
        row.count("announcedSeq", link.announced.raw); row.count("storedSeq", link.acked.raw); row.count("ackedSeq", link.acked.raw)
        row.put("bookBehind", bookLag?.row); row.put("tablesBehind", tablesLag?.row)
        row.put("boot", book.bootID?.description); row.put("version", book.boot?.version)
        row.put("halt", haltRow); row.put("gateway", gatewayRow); row.put("reconciliation", reconciliationRow)
        row.put("comparison", comparison); row.put("asOf", asOf)
        return row.value
    }

    private var haltRow: JSONValue {
        var row = Row()
        row.put("level", book.haltLevel.apiWord)
        if book.haltLevel > .normal {
            row.put("since", milestones.halt); row.put("reason", book.haltFact?.reason); row.put("by", book.haltFact?.source)
        }
        row.put("instruments", book.haltedInstruments.keys.sorted().map(\.text))
        return row.value
    }

    private var gatewayRow: JSONValue {
        var row = Row()
        guard let gateway = live.gateway else {
            row.put("state", "connecting"); row.put("since", milestones.session ?? asOf)
            row.put("words", "The edge has not told yet how it stands with its gateway."); row.put("data", DataSource.none.rawValue)
            return row.value
        }
        let state =
            switch gateway.condition {
            case .connected, .reconciling: "connected"
            case .connecting: "connecting"
            case .unreachable: "unreachable"
            case .refusing: "refusing"
            case .wedged: "silent"
            case .brokerLinkDown: "loggedOut"
            case .wrongAccount: "wrongAccount"
            }
        row.put("state", state); row.put("since", gateway.since); row.put("words", gateway.text)
        row.put("cure", gateway.cure.isEmpty ? nil : gateway.cure)
        row.put("data", state == "connected" ? dataSource.rawValue : DataSource.none.rawValue)
        return row.value
    }

    /// The best source among the quotes: one delayed instrument does not make a live feed delayed.
    private var dataSource: DataSource {
        let sources = live.sorted.compactMap { if case .quote(_, let quote) = $0 { DataSource.of(quote) } else { nil } }
        return sources.contains(.live) ? .live : sources.contains(.delayed) ? .delayed : .none
    }

    private var reconciliationRow: JSONValue {
        var row = Row()
        let differences = book.reconciled?.differences ?? 0
        // The edge says connected once the comparison is done; a halt ends trading and not what was compared.
        if let gateway = live.gateway, gateway.condition == .connected {
            row.put("state", differences > 0 ? "difference" : "clean"); row.put("since", milestones.reconciled ?? gateway.since)
            if differences > 0 {
                row.put("words", book.differences.last?.text ?? "\(differences) differences with the broker.")
                row.put("cure", "Compare with the broker's own screen; the instruments concerned stay halted until it is explained.")
            } else {
                row.put("words", "Orders, fills and positions agree with the broker.")
            }
        } else if let gateway = live.gateway, gateway.condition == .reconciling {
            row.put("state", "running"); row.put("since", gateway.since); row.put("words", "Compares orders, fills and positions with the broker.")
        } else {
            row.put("state", "waiting"); row.put("since", live.gateway?.since ?? asOf); row.put("words", "Waits for the gateway.")
        }
        return row.value
    }
}

/// A link that was turned away, as the API shows it.
package struct RefusalPicture: Hashable, Sendable {
    package var id: String
    package var edge: EdgeID?
    package var key: String?
    package var verdict: String
    package var words: String
    package var cure: String
    package var times: Int64
    package var first: Instant
    package var last: Instant
    package var decision: Decision?

    /// What a person has to decide about it.
    package struct Decision: Hashable, Sendable {
        package struct Choice: Hashable, Sendable {
            /// `edge` or `cloud`.
            package var keep: String
            package var words: String
            package init(keep: String, words: String) { self.keep = keep; self.words = words }
        }
        /// The edge's name, which has to be typed to decide.
        package var edge: String
        package var since: Instant
        /// Empty once it is decided.
        package var choices: [Choice]
        package var decided: String?
        package init(edge: String, since: Instant, choices: [Choice], decided: String?) {
            self.edge = edge; self.since = since; self.choices = choices; self.decided = decided
        }
    }

    package init(
        id: String, edge: EdgeID?, key: String?, verdict: String, words: String, cure: String, times: Int64, first: Instant, last: Instant,
        decision: Decision? = nil
    ) {
        self.decision = decision
        self.id = id; self.edge = edge; self.key = key; self.verdict = verdict; self.words = words; self.cure = cure; self.times = times
        self.first = first; self.last = last
    }

    /// One row of `refusals`.
    package var row: JSONValue {
        var row = Row()
        row.put("id", id); row.put("edge", edge?.description); row.put("key", key); row.put("verdict", verdict); row.put("words", words)
        row.put("cure", cure); row.integer("times", times); row.put("first", first); row.put("last", last)
        if let decision {
            var inner = Row()
            inner.put("edge", decision.edge); inner.put("since", decision.since); inner.put("decided", decision.decided)
            inner.put("choices", .array(decision.choices.map { ["keep": .string($0.keep), "words": .string($0.words)] }))
            row.put("decision", inner.value)
        }
        return row.value
    }
}
