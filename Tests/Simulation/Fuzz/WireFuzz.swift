// The run of a fuzz: inputs by seed, each judged by the oracles of a codec; the first fault is told with all that repeats it.
package import Values
internal import Wire

/// What an oracle objects to.
package struct FuzzFault: Error, Hashable, Sendable {
    /// Which oracle, and what it saw.
    package var words: String
    package init(_ words: String) { self.words = words }
}

/// A codec under its oracles.
package protocol FuzzedCodec {
    /// Reads one payload in every way it may be read, and compares.
    /// - Parameter isWhole: the payload is a frame as some program really sent it.
    mutating func judge(_ payload: [UInt8], version: Int, isWhole: Bool, _ chance: inout SeededRandom) throws(FuzzFault)
    /// Inputs that became a value, as opposed to being refused.
    var read: Int { get }
    /// Values that went through the other codec and back.
    var returned: Int { get }
    /// Frames of all inputs together, where an input has more than one.
    var frames: Int? { get }
}

extension FuzzedCodec {
    package var frames: Int? { nil }
}

/// One input that a codec failed at.
package struct FuzzFinding: Hashable, Sendable {
    package var number: Int
    package var version: Int
    package var payload: [UInt8]
    package var fault: FuzzFault
    /// For a person: number, version, words, and the payload with its NULs as bars.
    package var words: String {
        let text = String(decoding: payload.map { $0 == 0 ? UInt8(ascii: "|") : $0 }, as: UTF8.self)
        return "input \(number) at version \(version): \(fault.words)\n  \(text)\n  \(Hex.text(payload))"
    }
}

/// Inputs out of one seed. The same seed gives the same inputs for ever, and any run can be taken up at any number.
package struct WireFuzz<Codec: FuzzedCodec> {
    package private(set) var codec: Codec
    private let mutator: FrameMutator
    private let seed: UInt64
    /// Inputs so far.
    package private(set) var number = 0

    package init(_ codec: Codec, seeds: [FuzzSeed], seed: UInt64) {
        self.codec = codec; mutator = FrameMutator(seeds); self.seed = seed
    }

    /// Judges so many inputs; stops at the first fault.
    package mutating func run(_ count: Int) -> FuzzFinding? {
        for _ in 0..<count {
            number += 1
            // Each input has a generator of its own: a finding repeats without the inputs before it.
            var chance = SeededRandom(seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(number))
            let input = mutator.next(&chance)
            do throws(FuzzFault) {
                try codec.judge(input.payload, version: input.version, isWhole: input.isWhole, &chance)
            } catch {
                return FuzzFinding(number: number, version: input.version, payload: input.payload, fault: error)
            }
        }
        return nil
    }
}

/// Frames to begin with: recorded ones, and a few of our own that are there without any file.
package enum FuzzCorpus {
    /// The frames of one file of recorded vectors; empty when it is of another form. Frames outside of versions 157...178 are left out.
    package static func frames(ofVectors bytes: [UInt8]) -> [FuzzSeed] {
        guard let json = try? JSONReader.read(bytes, limits: JSONLimits(depth: 32, bytes: 64_000_000)) else { return [] }
        return (json["vectors"]?.elements ?? []).flatMap { vector -> [FuzzSeed] in
            let version = Int(vector["serverVersion"]?.integerValue ?? 0)
            guard (157...178).contains(version) else { return [] }
            return (vector["frames"]?.elements ?? [vector]).compactMap { frame in
                let fields = (frame["fields"]?.elements ?? []).map { $0.text ?? "" }
                return fields.isEmpty ? nil : FuzzSeed(version: version, fields: fields)
            }
        }
    }

    /// One frame of every message id, too short for most: what is missing is part of the game.
    package static let bare: [FuzzSeed] = (1...110).map { id in
        FuzzSeed(version: 157 + id % 22, fields: [String(id), "1"] + (1...20).map { String($0) }, isReal: false)
    }

    /// What the gateway says in an ordinary minute.
    package static let told: [FuzzSeed] = {
        let listing = WireListing(
            conId: 712_345_678, symbol: "MBT", secType: "FUT", expiry: "20261224", multiplier: "0.1", exchange: "CME", currency: "USD",
            localSymbol: "MBTZ6", tradingClass: "MBT")
        let bar = GatewayMessages.WireBar(
            date: "1795186800", open: "91000", high: "91050.5", low: "90990", close: "91010", volume: "12", average: "91004.25", count: "9")
        let frames: [[String]] = [
            GatewayMessages.tickPrice(id: 1, type: 1, price: "91000.25", size: "4", mask: 1), GatewayMessages.tickSize(id: 1, type: 8, size: "120"),
            GatewayMessages.tickGeneric(id: 1, type: 49, value: "0"),
            GatewayMessages.tickString(id: 1, type: 48, text: "91000;2;1795186800000;120;91002.5;true"),
            GatewayMessages.tickString(id: 1, type: 45, text: "1795186800"), GatewayMessages.realTimeBar(id: 2, bar),
            GatewayMessages.historicalData(id: 3, start: "", end: "", [bar, bar, bar]), GatewayMessages.historicalDataUpdate(id: 3, bar),
            GatewayMessages.error(id: -1, code: 2_104, "Market data farm connection is OK:usfuture", version: 178),
            GatewayMessages.position(listing, account: "DU1", size: "3", averageCost: "9100.5"),
            GatewayMessages.accountValue("NetLiquidation", "100000.50", "USD", account: "DU1"),
            GatewayMessages.accountSummary(id: 4, account: "DU1", tag: "NetLiquidation", value: "1", currency: "USD"),
            GatewayMessages.commissionReport(execId: "0001.01", commission: "2.27", currency: "USD", realised: Unset.double),
            GatewayMessages.orderStatus(
                GatewayMessages.Status(
                    orderId: 7, status: "Submitted", filled: "1", remaining: "2", averagePrice: "91000.25", permId: 900_000_001, parentId: 0,
                    lastPrice: "91000.25", clientId: 7, whyHeld: "")),
            GatewayMessages.execDetails(
                id: -1,
                GatewayMessages.Execution(
                    listing: listing, orderId: 7, execId: "0001.01", time: "20261120 10:00:01 US/Eastern", account: "DU1", exchange: "CME",
                    side: "BOT", shares: "1", price: "91000.25", permId: 900_000_001, clientId: 7, cumulative: "1", averagePrice: "91000.25",
                    orderRef: "a", lastLiquidity: "2"), version: 178),
            GatewayMessages.tickByTick(
                id: 5, GatewayMessages.WireTouch(seconds: 1_795_186_800, bid: "1", ask: "2", bidSize: "3", askSize: "4", mask: 2)),
            GatewayMessages.historicalTicks(
                id: 5,
                touches: [GatewayMessages.WireTouch(seconds: 1_795_186_800, bid: "1", ask: "2", bidSize: "3", askSize: "4", mask: 1)], isDone: true),
            GatewayMessages.marketRule(id: 26, [("0", "0.01"), ("100", "0.05")]), GatewayMessages.nextValidId(7),
            GatewayMessages.managedAccounts("DU1,DU2"),
        ]
        return frames.map { FuzzSeed(version: 178, fields: $0) }
    }()
}
