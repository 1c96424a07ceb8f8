// What all screens show now, row by row, so that only what changed has to be sent.
internal import Values
internal import Views
internal import Wire

/// A list of the stream; the raw value is its name in the messages.
enum Topic: String, CaseIterable {
    case instruments, quotes, bars, gates, accounts, positions, orders, fills, commands, edges, refusals, bots, notices, entries

    /// Topics whose rows can be gone.
    var isDroppable: Bool {
        switch self {
        case .positions, .orders, .notices, .bots, .refusals, .instruments: true
        case .quotes, .bars, .gates, .accounts, .fills, .commands, .edges, .entries: false
        }
    }
    /// Topics whose `asOf` alone is news only every ten seconds: it moves with every word of the edge.
    var ignoresAge: Bool { self == .instruments || self == .gates || self == .bots }
    /// Rows kept for new streams; the oldest by key go first.
    var rowsMax: Int {
        switch self {
        case .entries: 50
        case .commands: 100
        case .fills, .orders: 500
        case .instruments, .quotes, .bars, .gates, .accounts, .positions, .edges, .refusals, .bots, .notices: 1_000
        }
    }

    /// The key by which a row replaces another.
    func key(_ row: JSONValue) -> String {
        switch self {
        // Two edges may watch one instrument, and each has its own word on it: the gate of a paper edge opens nothing at a live one. The closed bars
        // in market.db are one series an instrument: they are the same market's, whoever heard it, and a chart must not end where an edge did.
        case .quotes, .bars, .gates: return (row["edge"]?.text ?? "") + "/" + (row["instrument"]?.text ?? "")
        case .entries:
            let seq = String(row["seq"]?.integerValue ?? 0)
            return (row["edge"]?.text ?? "") + "/" + String(repeating: "0", count: max(0, 19 - seq.utf8.count)) + seq
        default: return row["id"]?.text ?? ""
        }
    }
}

/// Changes of one turn, topic by topic.
struct ScreenChange {
    var put: [(topic: Topic, rows: [JSONValue])] = []
    var drop: [(topic: Topic, keys: [String])] = []
    var isEmpty: Bool { put.isEmpty && drop.isEmpty }

    var putValue: JSONValue? { put.isEmpty ? nil : .object(put.map { JSONMember($0.topic.rawValue, .array($0.rows)) }) }
    var dropValue: JSONValue? {
        drop.isEmpty ? nil : .object(drop.map { JSONMember($0.topic.rawValue, .array($0.keys.map { .string($0) })) })
    }
}

/// The rows as last sent.
struct Screen {
    private var rows: [Topic: [String: JSONValue]] = [:]

    /// Replaces the rows of `topic` that belong to `owner` (nil: all); what is not among `fresh` is gone where the topic allows it.
    mutating func replace(
        _ topic: Topic, with fresh: [JSONValue], owned isOwned: (JSONValue) -> Bool = { _ in true }, into change: inout ScreenChange
    ) {
        var keys: Set<String> = []
        put(topic, fresh, into: &change) { keys.insert($0) }
        guard topic.isDroppable else { return }
        let gone = rows[topic, default: [:]].filter { !keys.contains($0.key) && isOwned($0.value) }.map(\.key).sorted()
        for key in gone { rows[topic]?[key] = nil }
        if !gone.isEmpty { change.drop.append((topic, gone)) }
    }

    /// Puts rows in place; those that say nothing new are left out of the change.
    mutating func put(_ topic: Topic, _ fresh: [JSONValue], into change: inout ScreenChange, each: (String) -> Void = { _ in }) {
        var changed: [JSONValue] = []
        for row in fresh {
            let key = topic.key(row)
            each(key)
            if let known = rows[topic]?[key], Screen.isSame(known, row, topic) { continue }
            rows[topic, default: [:]][key] = row
            changed.append(row)
        }
        guard !changed.isEmpty else { return }
        trim(topic)
        if let index = change.put.firstIndex(where: { $0.topic == topic }) {
            change.put[index].rows += changed
        } else {
            change.put.append((topic, changed))
        }
    }

    /// Everything, for a new stream.
    var snapshot: JSONValue {
        var out = Row()
        for topic in Topic.allCases {
            let sorted = rows[topic, default: [:]].sorted { $0.key < $1.key }.map(\.value)
            if !sorted.isEmpty { out.put(topic.rawValue, sorted) }
        }
        return out.value
    }

    private mutating func trim(_ topic: Topic) {
        guard let held = rows[topic], held.count > topic.rowsMax else { return }
        // Working orders stay whatever their age.
        let old = held.filter { $0.value["working"]?.boolValue != true }.map(\.key).sorted(by: Screen.isOlder(held, topic))
        for key in old.prefix(held.count - topic.rowsMax) { rows[topic]?[key] = nil }
    }

    private static func isOlder(_ held: [String: JSONValue], _ topic: Topic) -> (String, String) -> Bool {
        func age(_ key: String) -> (String, String) {
            let row = held[key]
            return (row?["createdAt"]?.text ?? row?["time"]?.text ?? "", key)
        }
        return { age($0) < age($1) }
    }

    private static func isSame(_ a: JSONValue, _ b: JSONValue, _ topic: Topic) -> Bool {
        guard topic.ignoresAge, let left = a.members, let right = b.members else { return a == b }
        // `2026-12-01T14:30:0` of a time: ten seconds.
        func decade(_ row: JSONValue) -> Substring { (row["asOf"]?.text ?? "").prefix(18) }
        return decade(a) == decade(b) && left.filter { $0.key != "asOf" } == right.filter { $0.key != "asOf" }
    }
}
