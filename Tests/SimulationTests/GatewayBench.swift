// A gateway on pipes with scripted clients: what a test sends, and what comes back as fields.
import Simulation
import Testing
import Values
import Venues

/// 2026-11-20 15:00 UTC, a Friday.
let friday = Instant(seconds: 1_795_186_800)

/// A gateway, its clock, and all that its clients heard.
struct GatewayBench {
    var gateway: IBKRGateway
    var now: Instant
    /// Frames each client has heard and the test has not yet looked at.
    private(set) var heard: [UInt64: [[String]]] = [:]
    private var streams: [UInt64: [UInt8]] = [:]
    private(set) var closed: Set<UInt64> = []
    /// Every record the gateway asked to keep, turn by turn.
    private(set) var journal: [[GatewayRecord]] = []

    static func exchange(seed: UInt64 = 1, cash: Int64 = 1_000_000, realHours: Bool = false, at start: Instant = friday) throws -> PaperExchange {
        let date = try #require(CivilDate(year: 2026, month: 11, day: 20))
        let listings = PaperCatalogue.everything(asOf: date, realHours: realHours)
        return PaperExchange(
            rules: PaperRules(seed: seed, step: .milliseconds(500), startingCash: Money(whole: cash)), listings: listings, start: start)
    }

    init(_ settings: GatewaySettings = GatewaySettings(), cash: Int64 = 1_000_000, realHours: Bool = false, at start: Instant = friday) throws {
        now = start
        gateway = IBKRGateway(settings: settings, exchange: try Self.exchange(cash: cash, realHours: realHours, at: start), at: start)
    }

    /// As after a kill of the gateway: only the journal is left.
    mutating func restart(_ settings: GatewaySettings = GatewaySettings(), after span: Span = .seconds(5)) throws {
        now = now + span
        let records = try journal.flatMap { turn in try #require(GatewayRecord.records(line: try GatewayRecord.line(turn))) }
        gateway = try IBKRGateway(settings: settings, exchange: try Self.exchange(at: now), records: records, at: now)
        (heard, streams, closed) = ([:], [:], [])
    }

    /// Connects, greets and starts the API.
    mutating func start(_ client: UInt64, id: Int? = nil, range: String = "v157..178") {
        take(gateway.connect(GatewayConnection(client), at: now))
        send(client, bytes: Array("API\0".utf8) + Self.prefixed(Array(range.utf8)))
        send(client, ["71", "2", String(id ?? Int(client)), ""])
    }
    mutating func send(_ client: UInt64, _ fields: [String]) { send(client, bytes: Self.prefixed(fields.flatMap { Array($0.utf8) + [0] })) }
    mutating func send(_ client: UInt64, bytes: [UInt8]) { take(gateway.receive(GatewayConnection(client), bytes, at: now)) }
    mutating func hangUp(_ client: UInt64) { take(gateway.disconnect(GatewayConnection(client), at: now)) }
    mutating func pass(_ span: Span) { now = now + span; take(gateway.advance(to: now)) }
    mutating func suffer(_ incident: GatewayIncident) { take(gateway.suffer(incident, at: now)) }

    /// The frames a client has heard since the last look, of one message id when given.
    mutating func hear(_ client: UInt64, _ message: String? = nil) -> [[String]] {
        let all = heard[client] ?? []
        heard[client] = message.map { wanted in all.filter { $0.first != wanted } } ?? []
        return message.map { wanted in all.filter { $0.first == wanted } } ?? all
    }
    /// Codes of the errors heard, but for the notices of a start.
    mutating func errors(_ client: UInt64) -> [String] { hear(client, "4").map { $0[3] }.filter { !$0.hasPrefix("21") } }

    static func prefixed(_ payload: [UInt8]) -> [UInt8] { [24, 16, 8, 0].map { UInt8(payload.count >> $0 & 0xFF) } + payload }

    private mutating func take(_ outputs: [GatewayOutput]) {
        let records = gateway.takeRecords()
        if !records.isEmpty { journal.append(records) }
        for output in outputs {
            switch output {
            case .close(let connection): closed.insert(connection.raw)
            case .send(let connection, let bytes):
                var stream = (streams[connection.raw] ?? []) + bytes
                while stream.count >= 4 {
                    let length = stream[0..<4].reduce(0) { $0 << 8 | Int($1) }
                    guard stream.count >= 4 + length else { break }
                    heard[connection.raw, default: []].append(GatewayFrames.fields(Array(stream[4..<4 + length])))
                    stream.removeFirst(4 + length)
                }
                streams[connection.raw] = stream
            }
        }
    }
}

/// The fields of an order, as a client at 178 writes them.
func order(_ id: Int, _ action: String, _ quantity: String, _ type: String = "MKT", _ set: [String: String] = [:], symbol: String = "MBTZ6")
    -> [String]
{
    let isFuture = symbol.hasPrefix("MBT")
    var fields = Array(repeating: "", count: 114)
    let base: [Int: String] = [
        0: "3", 1: String(id), 2: "0", 3: isFuture ? "MBT" : symbol, 4: isFuture ? "FUT" : "STK", 9: isFuture ? "CME" : "SMART", 11: "USD",
        12: isFuture ? symbol : "", 16: action, 17: quantity, 18: type, 21: "DAY", 25: "0", 27: "1", 28: "0", 45: "-1", 46: "0", 84: "0", 89: "0",
    ]
    for (index, value) in base { fields[index] = value }
    let places = [
        "lmtPrice": 19, "auxPrice": 20, "tif": 21, "ocaGroup": 22, "account": 23, "orderRef": 26, "transmit": 27, "parentId": 28, "outsideRth": 33,
        "goodAfterTime": 37, "goodTillDate": 38, "ocaType": 46, "trailStopPrice": 68, "trailingPercent": 69, "whatIf": 84,
    ]
    for (name, value) in set { if let place = places[name] { fields[place] = value } }
    return fields
}

/// A market order with more fields set.
func order(_ id: Int, _ action: String, _ quantity: String, _ set: [String: String]) -> [String] { order(id, action, quantity, "MKT", set) }

/// Contract fields of a request: MBTZ6 or a stock.
func contract(_ symbol: String) -> [String] {
    symbol.hasPrefix("MBT")
        ? ["0", "MBT", "FUT", "", "", "", "", "CME", "", "USD", symbol, ""] : ["0", symbol, "STK", "", "", "", "", "SMART", "", "USD", "", ""]
}
