// `tidewire-edge run`: recovery from the ledger, then the loop.
internal import Ledger
package import Platform
internal import Sync
internal import Synchronization
internal import Trading
internal import Values
internal import Venues
internal import Views
internal import Wire

/// Starts an edge: recovery is the only start.
package enum EdgeRun {
    /// - Parameter makeSession: the broker's session, from the settings and what the ledger holds.
    static func run(
        folder: EdgeFolder, settings: Settings, makeSession: (EdgeConfiguration, Book, Boot) throws -> any VenueSession = gatewaySession
    ) throws -> Int32 {
        let configuration = try EdgeConfiguration(settings)
        guard let level = LogLevel(name: try settings.text("log.level")) else {
            throw SettingsError.badValue(
                key: "log.level", value: try settings.text("log.level"), source: settings.value("log.level")?.source ?? "",
                wanted: "debug, info, warning or error")
        }
        Log.setThreshold(level)
        // A ledger whose branch was given up is recovered as at any start: the same process, a new run.
        while let settlement = try life(folder, settings, configuration, makeSession) { try giveUp(settlement, folder) }
        return ExitCode.ok
    }

    /// One run, from recovery to its end.
    /// - Returns: the decision by which the ledger's branch has to be given up before the next; nil when the edge was asked to stop.
    private static func life(
        _ folder: EdgeFolder, _ settings: Settings, _ configuration: EdgeConfiguration,
        _ makeSession: (EdgeConfiguration, Book, Boot) throws -> any VenueSession
    ) throws -> Settlement? {
        let started = SystemClock.monotonic()
        let edge = try folder.identity()
        let reserve = BallastFile(path: folder.ballast)
        // Before the ledger is opened: from here on a write that fails is an error and never a signal.
        let inbox = EdgeInbox()
        let recovered = try open(folder, edge, reserve)
        let journal = recovered.journal
        var (book, milestones) = (recovered.book, recovered.milestones)
        let boot = Boot(raw: UInt64.random(in: .min ... .max))
        Log.write(
            .info, "ledger verified",
            [
                "entries": "\(journal.head.seq)", "from": recovered.snapshot.map { "the snapshot at entry \($0.head.seq)" } ?? "the first entry",
                "millis": "\((SystemClock.monotonic() - started).nanoseconds / 1_000_000)", "data": folder.path,
            ])
        var isShort = false
        if case .rolledBack = try self.witness(folder, journal).1 { isShort = true }
        let greeting = try Greeting.greet(inbox, journal, boot, folder, isShort: isShort, reserve: reserve) { entry in
            book.apply(entry)
            milestones.note(entry)
        }
        if inbox.stopReason != nil { return nil }
        if let settlement = greeting.findings.givingUp {
            greeting.uplink?.stop(
                reason: "the ledger goes on with the cloud's history", at: .present())
            return settlement
        }
        // After what was lost came back: only what is still missing is missing.
        let (witness, finding) = try self.witness(folder, journal)
        let agent = Agent(
            journal: journal, book: book, boot: boot, settings: configuration.desk, session: try makeSession(configuration, book, boot),
            witness: witness, finding: finding, reserve: reserve, milestones: milestones,
            snapshots: SnapshotSettings(files: FolderFiles(folder.path), recovered),
            compaction: configuration.compactDays > 0
                ? CompactionSettings(files: FolderFiles(folder.path), days: configuration.compactDays) : nil,
            trouble: recovered.trouble)
        for trouble in agent.ledgerTroubles { Log.write(.error, trouble.text, ["cure": trouble.cure]) }
        let loop = EdgeLoop(
            agent: agent, folder: folder,
            settings: EdgeLoopSettings(name: configuration.name, gatewayHost: configuration.gatewayHost, gatewayPort: configuration.gatewayPort),
            inbox: inbox, greeting: greeting)
        let fact = BootFact(
            version: Version.product, mode: configuration.mode, machine: fingerprint("/etc/machine-id"),
            kernelBoot: fingerprint("/proc/sys/kernel/random/boot_id"), configuration: fingerprint(of: settings))
        tellLastFailure(folder)
        return try loop.run(fact)
    }

    /// Seals this ledger's branch in a file of its own and cuts it off.
    private static func giveUp(_ settlement: Settlement, _ folder: EdgeFolder) throws {
        let journal = try Journal(path: folder.ledger, edge: try folder.identity())
        var path = ""
        let isSealed = try StartTalk.giveUp(settlement, journal, mark: FileMark(path: folder.mark), at: SystemClock.now()) {
            (epoch, base) throws(JournalError) in
            path = folder.sealedBranch(epoch: epoch)
            do throws(StoreError) { return try EntryStore(path: path, .init(.create), base: base) } catch { throw .store(error) }
        }
        guard isSealed else { return }
        let (common, end) = (settlement.dispute.common, settlement.dispute.edgeHead)
        Log.write(.warning, "branch sealed", ["file": path, "from": "\(common.seq.next)", "to": "\(end.seq)"])
    }

    /// Reads and checks the ledger. On a disk too full even for that the reserve is given up first.
    private static func open(_ folder: EdgeFolder, _ edge: EdgeID, _ reserve: BallastFile) throws(JournalError) -> Recovered {
        func read() throws(JournalError) -> Recovered {
            let store: EntryStore
            do throws(StoreError) { store = try EntryStore(path: folder.ledger, .init(.create, copiesBehind: true)) } catch { throw .store(error) }
            let recovered = try FastStart.open(store, edge: edge, files: FolderFiles(folder.path))
            for words in recovered.remarks { Log.write(.warning, words) }
            return recovered
        }
        do throws(JournalError) { return try read() } catch {
            guard givesUp(reserve, for: error) else { throw error }
            Log.write(.error, "the disk is full: the reserve is given up to open the ledger", ["error": "\(error)"])
            reserve.release()
            return try read()
        }
    }

    /// Whether the reserve goes so that the ledger can be opened. That of a folder whose ledger another process has is that one's.
    package static func givesUp(_ reserve: some DiskReserve, for error: JournalError) -> Bool {
        guard !error.isBusy, reserve.isHeld else { return false }
        // SQLite calls a disk that is too full for its shared memory an I/O error.
        return error.isDiskFull || reserve.room.map { $0.free < BallastFile.standardBytes } ?? false
    }

    /// A run that ended by a failure of its store left its reason.
    private static func tellLastFailure(_ folder: EdgeFolder) {
        guard let words = try? PrivateFiles.read(folder.lastFailure) else { return }
        Log.write(
            .warning, "the run before ended by a failure of its store; the ledger was read again and is whole",
            [
                "reason": String(decoding: words.prefix { $0 != 0x0A }, as: UTF8.self)
            ])
        try? PrivateFiles.remove(folder.lastFailure)
    }

    /// The ledger's key and mark, and what the mark says of this ledger.
    private static func witness(_ folder: EdgeFolder, _ journal: Journal) throws -> (Witness, MarkFinding) {
        let keys = try folder.ledgerKeys(after: journal.signer)
        if let signer = journal.signer, signer != keys.publicKey {
            throw JournalError.damaged(
                "its checkpoints were signed by another key than \(folder.path)/keys/ledger.key holds; put back the copy of that file")
        }
        let mark = FileMark(path: folder.mark)
        let bytes: [UInt8]?
        do throws(MarkError) { bytes = try mark.read() } catch { throw AgentFailure.mark(error) }
        return (Witness(keys: keys, mark: mark), try MarkFinding.compare(bytes, with: journal))
    }

    /// The session with IB Gateway that the settings ask for.
    static func gatewaySession(_ configuration: EdgeConfiguration, _ book: Book, _ boot: Boot) throws(SettingsError) -> any VenueSession {
        guard let zone = ZoneFiles.zone(configuration.gatewayZone) else {
            throw .badValue(
                key: "gateway.zone", value: configuration.gatewayZone, source: "settings",
                wanted: "a zone of /usr/share/zoneinfo, like America/New_York")
        }
        let known = OnceRead()
        let zones = ZoneResolver(standard: zone) { name in known.zone(name) }
        let wishes =
            configuration.futures.map { InstrumentWish.future(symbol: $0.symbol, exchange: $0.exchange, currency: "USD") }
            + configuration.stocks.map { InstrumentWish.stock(symbol: $0.symbol, primaryExchange: $0.exchange, currency: "USD") }
        var broker = IBKRSettings(
            clientID: Int64(configuration.clientID), mode: configuration.mode, account: configuration.account,
            maximumVersion: configuration.gatewayVersionMax, marketData: configuration.gatewayMarketData, zones: zones)
        broker.marketDataLines = configuration.gatewayDataLines
        broker.spareClientIDs = configuration.spareClientIDs
        return IBKRSession(
            settings: broker,
            instruments: wishes, nextOrderID: book.highestBrokerOrderID + 1, random: SeededRandom(seed: boot.raw),
            known: book.instruments.values.sorted { $0.id < $1.id })
    }

    /// Zones are read from their files once.
    private final class OnceRead: Sendable {
        private let zones = Mutex<[String: Zone?]>([:])
        func zone(_ name: String) -> Zone? {
            zones.withLock { zones in
                if let known = zones[name] { return known }
                let zone = ZoneFiles.zone(name)
                zones[name] = zone
                return zone
            }
        }
    }

    /// The first 16 hex digits of a file's hash: enough to tell two apart, too little to give anything away.
    private static func fingerprint(_ path: String) -> String {
        guard let bytes = try? PrivateFiles.read(path) else { return "" }
        return Hex.text(Hashing.blake2b(bytes).prefix(8))
    }

    private static func fingerprint(of settings: Settings) -> String {
        let text = settings.listing(secret: []).map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
        return Hex.text(Hashing.blake2b(Array(text.utf8)).prefix(8))
    }
}
