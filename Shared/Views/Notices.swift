// What a person should know now: the broker's words and what the ledger cannot explain. A notice that is over is not in the list.
internal import Ledger
package import Values
package import Wire

extension EdgePicture {
    /// A broker's notice that is not repeated is over after this.
    package static let noticeLife = Span.hours(12)

    /// Notices by id.
    package func noticeRows(at now: Instant) -> [JSONValue] {
        var rows: [(id: String, row: JSONValue)] = notices.filter { isInForce($0, at: now) }.map { notice in
            let id = "ib-\(notice.code)" + (notice.instrument.map { "-\($0)" } ?? "")
            var row = Row()
            row.put("id", id); row.put("severity", EdgePicture.severity(notice.code))
            row.put("title", title(notice)); row.put("words", words(notice))
            row.put("cure", notice.cure.isEmpty ? nil : notice.cure); row.put("since", notice.asOf); row.put("edge", self.id.description)
            return (id, row.value)
        }
        if let reconciled = book.reconciled, reconciled.differences > 0,
            let difference = book.differences.last(where: { $0.rule != Difference.unprotected })
        {
            var row = Row()
            row.put("id", "difference-\(name)"); row.put("severity", "error"); row.put("title", "The books differ from the broker's")
            row.put("words", "\(difference.rule): \(difference.text)")
            row.put("cure", "Compare with the broker's own screen; the instruments concerned stay halted until it is explained.")
            row.put("since", milestones.reconciled ?? asOf); row.put("edge", id.description)
            rows.append(("difference-\(name)", row.value))
        }
        return rows.sorted { $0.id < $1.id }.map(\.row)
    }

    private func words(_ notice: Notice) -> String {
        notice.isOwn ? notice.text : "The broker says (\(notice.code)): \(notice.text)"
    }

    /// A lost protection is told until the position is flat or protected. A missing-data notice ends with the first live quote after it; any
    /// other after `noticeLife`.
    private func isInForce(_ notice: Notice, at now: Instant) -> Bool {
        if notice.code == Notice.unprotected, let id = notice.instrument {
            return book.netQuantity(id).raw != 0 && !book.workingOrders.contains { $0.leg.instrument == id && $0.leg.role == .protect }
        }
        if notice.code == Notice.ledger { return !notice.text.isEmpty }
        guard now - notice.asOf < EdgePicture.noticeLife, !notice.isOwn || !notice.text.isEmpty else { return false }
        guard EdgePicture.dataNotices.contains(notice.code), let quote = notice.instrument.flatMap({ live.quote($0) }) else { return true }
        return quote.isDelayed || quote.asOf <= notice.asOf
    }

    private func title(_ notice: Notice) -> String {
        let what = notice.instrument.map { " for \(shortName($0))" } ?? ""
        if EdgePicture.dataNotices.contains(notice.code) { return "No live market data\(what)" }
        switch notice.code {
        case Notice.unprotected: return "A position without protection\(what)"
        case Notice.missingBars: return "Minutes are missing\(what)"
        case Notice.silentStream: return "No prices arrive\(what)"
        case Notice.dataFarm: return "The broker's data is disturbed\(what)"
        case Notice.ledger: return "The ledger needs attention"
        case Notice.gatewayUnreadable: return "The gateway says something new"
        case 203: return "No trading permission\(what)"
        case 201: return "The broker refused an order\(what)"
        case 326: return "The client id is in use at the gateway"
        case 1_100, 2_110: return "The gateway has lost the broker"
        default: return "Word from the broker\(what)"
        }
    }

    private static func severity(_ code: Int64) -> String {
        switch code {
        case Notice.unprotected, Notice.ledger, 201, 203, 326, 502, 504, 1_100: "error"
        case 2_104, 2_106, 2_158, 1_101, 1_102: "info"
        default: "warning"
        }
    }
}
