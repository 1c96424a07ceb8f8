// The fuzz over both codecs in small, and the proof that its oracles see a fault: bad readers are planted, and each is found.
import Simulation
import Testing
import Values
import Venues

@Suite struct FuzzTests {
    private static func frames(_ folder: String) throws -> [FuzzSeed] {
        try TWSVectors.all(folder).filter { (157...178).contains($0.version) }.flatMap { vector in
            vector.frames.filter { !$0.fields.isEmpty }.map { FuzzSeed(version: vector.version, fields: $0.fields) }
        }
    }

    @Test(arguments: [1, 2] as [UInt64]) func theClientsCodecStandsSpoiltFrames(seed: UInt64) throws {
        var fuzz = WireFuzz(ClientCodecFuzz(), seeds: FuzzCorpus.bare + FuzzCorpus.told + (try Self.frames("inbound")), seed: seed)
        let finding = fuzz.run(4_000)
        #expect(finding == nil, "\(finding?.words ?? "")")
        #expect(fuzz.codec.read > 1_000 && fuzz.codec.returned > 500, "\(fuzz.codec.read) read, \(fuzz.codec.returned) returned")
    }

    @Test(arguments: [1, 2] as [UInt64]) func theGatewaysCodecStandsSpoiltFrames(seed: UInt64) throws {
        var fuzz = WireFuzz(GatewayCodecFuzz(), seeds: FuzzCorpus.bare + (try Self.frames("outbound")), seed: seed)
        let finding = fuzz.run(4_000)
        #expect(finding == nil, "\(finding?.words ?? "")")
        #expect(fuzz.codec.read > 1_000 && fuzz.codec.returned > 500, "\(fuzz.codec.read) read, \(fuzz.codec.returned) returned")
    }

    @Test(arguments: [1, 2] as [UInt64]) func aWholeGatewayStandsSpoiltConversations(seed: UInt64) throws {
        let seeds = FuzzCorpus.asked + FuzzCorpus.bare + (try Self.frames("outbound"))
        var fuzz = WireFuzz(ConversationFuzz(seeds: seeds), seeds: seeds, seed: seed)
        let finding = fuzz.run(400)
        #expect(finding == nil, "\(finding?.words ?? "")")
        let codec = fuzz.codec
        #expect(
            (codec.frames ?? 0) > 1_000 && codec.read > 600 && codec.returned > 200,
            "\(codec.frames ?? 0) sent, \(codec.read) read, \(codec.returned)")
    }

    /// Ways of answering badly, as a programmer would make them.
    enum BadDoor: String, CaseIterable { case deafAfterATrade, half, afterTheEnd, toSomebodyElse, forgets }

    @Test(arguments: BadDoor.allCases) func theOracleOfConversationsSeesAPlantedFault(plant: BadDoor) throws {
        let door: ConversationFuzz.Door = { gateway, line, bytes, now in
            let traded = gateway.exchange.fillSerial
            let outputs = gateway.receive(line, bytes, at: now)
            switch plant {
            case .deafAfterATrade: return traded > 0 ? [] : outputs
            case .half:
                return outputs.map { if case .send(let line, let bytes) = $0, bytes.count > 400 { .send(line, bytes.dropLast()) } else { $0 } }
            case .afterTheEnd: return traded > 0 ? outputs + [.close(line), .send(line, GatewayFrames.bytes(["9", "1"]))] : outputs
            case .toSomebodyElse: return outputs + (traded > 0 ? [.send(GatewayConnection(9), [])] : [])
            case .forgets:
                return gateway.exchange.fillSerial > traded
                    ? {
                        _ = gateway.takeRecords(); return outputs
                    }() : outputs
            }
        }
        var fuzz = WireFuzz(ConversationFuzz(seeds: FuzzCorpus.asked, door), seeds: FuzzCorpus.asked, seed: 1)
        let finding = fuzz.run(3_000)
        #expect(finding != nil, "\(plant.rawValue) was not seen")
    }

    // MARK: Planted faults

    /// Faults of a reader, as a programmer would make them.
    enum Plant: String, CaseIterable {
        case openForClose, sentinelAsNumber, surplusMatters, tickAlone, maskTurned
    }

    private static func reader(_ plant: Plant) -> ClientCodecFuzz.Reader {
        { payload, version in
            let result = ClientCodecFuzz.decode(payload, version)
            guard case .success(var message) = result else { return result }
            switch (plant, message) {
            case (.openForClose, .historicalUpdate(let id, var bar)):
                swap(&bar.open, &bar.close)
                message = .historicalUpdate(requestId: id, bar)
            case (.sentinelAsNumber, .orderStatus(var status)):
                // One of the five spellings is taken for a number.
                if payload.split(separator: 0, omittingEmptySubsequences: false)[3].elementsEqual("2147483647".utf8) {
                    status.filled = WireSize(whole: 2_147_483_647)
                }
                message = .orderStatus(status)
            case (.surplusMatters, .commission(var report)):
                report.currency = payload.count > 60 ? report.currency + "?" : report.currency
                message = .commission(report)
            case (.tickAlone, .tickSize(let id, let type, _)): message = .tickSize(requestId: id, type: type, size: nil)
            case (.maskTurned, .historicalTicks(var ticks)):
                ticks.ticks = ticks.ticks.map { tick in
                    guard case .quote(var quote) = tick else { return tick }
                    swap(&quote.isBidPastLow, &quote.isAskPastHigh)
                    quote.isBidPastLow = !quote.isBidPastLow
                    return .quote(quote)
                }
                message = .historicalTicks(ticks)
            default: break
            }
            return .success(message)
        }
    }

    @Test(arguments: Plant.allCases) func theOracleSeesAPlantedFault(plant: Plant) throws {
        let seeds = FuzzCorpus.told + (try Self.frames("inbound"))
        var fuzz = WireFuzz(ClientCodecFuzz(Self.reader(plant)), seeds: seeds, seed: 1)
        let found = fuzz.run(60_000)
        let finding = try #require(found, "\(plant.rawValue) was not seen")
        // The finding repeats alone, and the real decoder has no part in it.
        var again = WireFuzz(ClientCodecFuzz(Self.reader(plant)), seeds: seeds, seed: 1)
        let before = again.run(finding.number - 1)
        let same = again.run(1)
        #expect(before == nil && same?.payload == finding.payload && same?.fault == finding.fault)
        var sound = WireFuzz(ClientCodecFuzz(), seeds: seeds, seed: 1)
        let none = sound.run(min(finding.number, 3_000))
        #expect(none == nil)
    }

    @Test func theGatewaysOracleSeesAPlantedFault() throws {
        let swapped: GatewayCodecFuzz.Reader = { fields, version in
            let result = GatewayCodecFuzz.decode(fields, version)
            guard case .success(.history(let id, var request)) = result else { return result }
            swap(&request.barSize, &request.duration)
            return .success(.history(id: id, request))
        }
        var fuzz = WireFuzz(GatewayCodecFuzz(swapped), seeds: try Self.frames("outbound"), seed: 1)
        let finding = fuzz.run(20_000)
        #expect(finding?.fault.words.contains("written by the client") == true)
    }

    /// Found by the fuzz: a count below zero, or one that overflows when it is multiplied, ended the gateway.
    @Test(arguments: ["-1", "9223372036854775807", "4611686018427387904", "100000"]) func aListOfLegsThatCannotBeIsRefused(count: String) {
        let contract = ["0", "SPY", "BAG", "", "0.0", "", "", "SMART", "", "USD", "", ""]
        let quotes = ["1", "11", "7"] + contract + [count, "0", "", "0", "0", ""]
        let history = ["20", "7"] + contract + ["0", "", "1 min", "1 D", "0", "TRADES", "2", count, "0", ""]
        for fields in [quotes, history] {
            guard case .failure = GatewayCodecFuzz.decode(fields, 178) else { Issue.record("\(count) legs were read"); continue }
        }
    }

    @Test func theSameSeedGivesTheSameInputs() {
        let seeds = FuzzCorpus.bare + FuzzCorpus.told
        let mutator = FrameMutator(seeds)
        func inputs(_ seed: UInt64) -> [[UInt8]] {
            var chance = SeededRandom(seed: seed)
            return (0..<200).map { _ in mutator.next(&chance).payload }
        }
        #expect(inputs(5) == inputs(5) && inputs(5) != inputs(6) && Set(inputs(5)).count > 150)
    }
}
