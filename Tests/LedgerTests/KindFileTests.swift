// The table of kinds against its golden files: each kind and version has one for ever, and this release reads them all.
import Foundation
import Ledger
import Testing
import Values
import Wire

struct KindFileTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/ledger/kinds").standardized
    /// The ids that the tags in golden intents were made from.
    private static let boot = Boot(raw: 77), seq = Seq(4)

    private static func bytes(_ name: String) -> [UInt8]? { (try? Data(contentsOf: folder.appending(path: name))).map { [UInt8]($0) } }
    private static func file(_ kind: Kind, _ version: UInt16) -> String { "\(kind.rawValue)-\(kind).v\(version).json" }
    private static func step(_ kind: Kind, _ version: UInt16) -> String { "\(kind.rawValue)-\(kind).v\(version)-to-v\(version + 1).json" }

    /// What a golden file holds: the canonical body and a line's end.
    private static func text(_ body: JSONValue) throws -> [UInt8] { try JSONWriter.canonical(body) + [0x0A] }

    private static func entry(_ kind: UInt16, _ version: UInt16, _ file: [UInt8]) -> Entry {
        Entry(
            seq: seq, epoch: 1, boot: boot, wall: Instant(seconds: 1), mono: .zero, hlc: 1, kind: kind, kindVersion: version, flags: [], ref: [],
            body: Array(file.dropLast()), previous: Head.start.hash, hash: Head.start.hash)
    }

    private static func rewritten(_ reading: Reading) -> JSONValue {
        var draft = Draft(reading.fact)
        draft.postings = reading.postings
        return draft.body(edge: TestLedger.edge, boot: boot, seq: seq)
    }

    @Test(arguments: Kind.allCases) func everyVersionOfAKindIsReadAndWrittenAsNow(_ kind: Kind) throws {
        for version in 1...kind.version {
            guard let file = Self.bytes(Self.file(kind, version)) else {
                let fact = try #require(BookTests.everyFact.first { $0.kind == kind })
                let today = try Self.text(Draft(fact).body(edge: TestLedger.edge, boot: Self.boot, seq: Self.seq))
                Issue.record("no golden file \(Self.file(kind, version)); of today: \(String(decoding: today, as: UTF8.self))")
                continue
            }
            var body = try JSONReader.read(Array(file.dropLast()))
            #expect(try Self.text(body) == file, "\(Self.file(kind, version)) is not canonical")
            for step in version..<kind.version {
                body = try Upcasters.next(body, kind, step)
                let lifted = try Self.text(body)
                #expect(Self.bytes(Self.step(kind, step)) == lifted, "\(Self.step(kind, step)) of today: \(String(decoding: lifted, as: UTF8.self))")
            }
            let reading = try Self.entry(kind.rawValue, version, file).reading()
            #expect(reading.fact.kind == kind)
            #expect(try Self.text(Self.rewritten(reading)) == Self.text(body), "\(Self.file(kind, version)) comes back otherwise")
        }
    }

    /// `b2sum -l 256 -c SUMS` says the same. A file that is listed never changes; a new one gets a line.
    @Test func noGoldenFileHasChanged() throws {
        let sums = String(decoding: try #require(Self.bytes("SUMS")), as: UTF8.self).split(separator: "\n")
        var listed: Set<String> = []
        for line in sums {
            let parts = line.split(separator: " ").map(String.init)
            try #require(parts.count == 2, "\(line)")
            listed.insert(parts[1])
            #expect(Self.bytes(parts[1]).map { Hex.text(Hashing.blake2b($0)) } == parts[0], "\(parts[1]) was changed or removed")
        }
        let present = Set(try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)).subtracting(["SUMS"])
        #expect(listed == present, "list new files by b2sum -l 256 *.json > SUMS")
    }

    /// The files remember each number and its name: neither is given away.
    @Test func aNumberMeansOneThingForEver() throws {
        var names: [UInt16: String] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path) where file != "SUMS" {
            let parts = file.split(separator: ".")[0].split(separator: "-")
            let number = try #require(UInt16(parts[0]), "\(file)"), name = String(parts[1])
            #expect(names.updateValue(name, forKey: number) ?? name == name, "number \(number) has two names")
        }
        for kind in Kind.allCases { #expect(names[kind.rawValue] == "\(kind)") }
        #expect(Set(names.keys) == Set(Kind.allCases.map(\.rawValue)).union(Kind.retired), "a number with files is neither in use nor retired")
        #expect(Kind.retired.isDisjoint(with: Kind.allCases.map(\.rawValue)), "a retired number is in use again")
        #expect(Set(Kind.allCases.map(\.rawValue)).count == Kind.allCases.count)
    }

    /// What there are entries of, and every member that one may have. Prices as they come, lines of a log and measurements of the program are none of
    /// it: those lie in files that may go. Who adds a word here answers that it is none of these.
    private static let subjects = """
        boot shutdown checkpoint snapshot healed lineage gap countersigned keyRotated cloudKey linkKey serverKey intent sent cancelIntent modifyIntent \
        orderReport fill commission orderDead stopMoved cancelRefused commandAccepted commandRefused denied halt resume instrumentHalt brokerSession \
        reconciled difference instrument bot transfer dividend interest accountFee borrowFee exchange correction suspense
        """
    private static let members = """
        account amount asset at book bot bought boughtCurrency brokerContractID brokerOrderID by bytes code command configuration connected cumQty \
        currency decidedBy differences digest digests evidence exchange execID file from generation ground halted hash id instrument issuer \
        kernelBoot key kind lastPx lastQty legs level limitPrice localSymbol lotStep machine maturityDate milestones minPriceIncrement mode \
        multiplier note old oldEpoch ordType origin ours parent permID postings proof quantity reason role rule sealed securityType seq side \
        signature signer sold soldCurrency source state status stopPrice symbol tag tags text timeInForce to tradingClass trailPercent \
        transactTime until version
        """
    /// Members at any depth that no entry has.
    private static func strays(in body: JSONValue) -> Set<String> {
        let known = Set(members.split(separator: " ").map(String.init))
        let own = Set((body.members ?? []).map(\.key)).subtracting(known)
        return ((body.members ?? []).map(\.value) + (body.elements ?? [])).reduce(own) { $0.union(strays(in: $1)) }
    }

    @Test func noEntryCarriesMarketDataLogsOrMetrics() throws {
        #expect(Set(Self.subjects.split(separator: " ").map(String.init)) == Set(Kind.allCases.map { "\($0)" }))
        for fact in BookTests.everyFact {
            let body = Draft(fact).body(edge: TestLedger.edge, boot: Self.boot, seq: Self.seq)
            #expect(Self.strays(in: body) == [], "\(fact.kind)")
        }
        for file in try FileManager.default.contentsOfDirectory(atPath: Self.folder.path) where file != "SUMS" {
            let body = try JSONReader.read(Array(try #require(Self.bytes(file)).dropLast()))
            #expect(Self.strays(in: body) == [], "\(file)")
        }
        // Planted: a quote, a bar in a list, a line of a log, a measurement.
        #expect(Self.strays(in: ["instrument": "MBT", "bid": 1, "ask": 2]) == ["bid", "ask"])
        #expect(Self.strays(in: ["legs": [["open": 1, "high": 2, "quantity": 3]]]) == ["open", "high"])
        #expect(Self.strays(in: ["level": "info", "line": "x"]) == ["line"] && Self.strays(in: ["millis": 4]) == ["millis"])
    }

    @Test func theChainWritesThePresentVersion() throws {
        var ledger = try TestLedger()
        for fact in BookTests.everyFact { #expect(try ledger.add(fact).kindVersion == fact.kind.version) }
    }

    /// A version of tomorrow, version 0 and a kind of tomorrow: kept, counted, not guessed at.
    @Test func whatIsNotKnownIsNotGuessed() throws {
        for kind in Kind.allCases {
            let file = try #require(Self.bytes(Self.file(kind, kind.version)))
            for version in [0, kind.version + 1] {
                let error = CodecError.unknownVersion(kind: kind.rawValue, version: version)
                #expect(throws: error) { try Self.entry(kind.rawValue, version, file).decoded() }
            }
        }
        #expect(throws: CodecError.unknownKind(60_000)) { try Self.entry(60_000, 1, Array("{}\n".utf8)).decoded() }
        var book = Book(), first = Self.entry(60_000, 1, Array("{}\n".utf8))
        first.seq = Seq(1)
        let before = book.digest()
        book.apply(first)
        #expect(book.unreadable == 1 && book.head.seq == Seq(1) && book.digest() == before)
    }

    /// A member that this release does not know is passed over by the reader; the stored bytes keep it.
    @Test(arguments: Kind.allCases) func membersOfTomorrowArePassedOver(_ kind: Kind) throws {
        let file = try #require(Self.bytes(Self.file(kind, kind.version)))
        let known = Self.entry(kind.rawValue, kind.version, file)
        var more = known
        more.body = Array("{\"aNewMember\":{\"x\":[1]},".utf8) + more.body.dropFirst()
        if known.body.count == 2 { return }
        let (a, b) = (try known.reading(), try more.reading())
        #expect(a.fact == b.fact && a.tags == b.tags && a.postings == b.postings)
        #expect(try Entry(more.row).body == more.body)
    }
}
