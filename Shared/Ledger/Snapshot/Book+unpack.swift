// A book as parts of a snapshot, and a book made of such parts: no entry is read for it.
internal import Values
internal import Wire

/// The parts of one book, in the order they stand in a snapshot. The small part says how many of the others there are.
package struct BookParts: Sendable {
    /// The book as it was when this was made; the original goes on meanwhile.
    private var book: Book
    private let small: [UInt8]
    /// The small part is larger than a start would read: nothing is to be made of this book.
    let isTooLarge: Bool

    /// - Parameter smallBytesMax: production's, but for tests.
    package init(_ book: Book, smallBytesMax: Int = Book.smallBytesMax) {
        self.book = book
        small = book.small
        isTooLarge = small.count > smallBytesMax
        self.book.orderPlaces.seal(); self.book.brokerPlaces.seal(); self.book.fillPlaces.seal()
    }

    /// Number of parts: the small one, three indices, the pieces of orders and of fills.
    package var count: Int { 4 + book.orders.pieceCount + book.fills.pieceCount }

    /// One part. Those of full pieces are at hand when the pieces were packed before; the others are packed by the call, and the
    /// small one, in which all commands stand, takes the longer the more of them there are. Nil for one that would not come back.
    package func part(_ number: Int) -> PackedPiece? {
        switch number {
        case 0: PackedPiece(Compression.compress(small))
        case 1: PackedPiece(book.orderPlaces.bytes)
        case 2: PackedPiece(book.brokerPlaces.bytes)
        case 3: PackedPiece(book.fillPlaces.bytes)
        case 4..<4 + book.orders.pieceCount: book.orders.packed(number - 4)
        default: book.fills.packed(number - 4 - book.orders.pieceCount)
        }
    }
}

extension PackedPiece {
    /// Bytes with their hash.
    package init(_ bytes: [UInt8]) { self.init(in: bytes, bytes.indices, hash: Hashing.blake2b(bytes)) }
}

extension Book {
    /// What a book needs to be packed is prepared a piece at a time, each below a few milliseconds, so that a snapshot finds it ready.
    /// - Returns: false when nothing was left to prepare.
    package mutating func prepareParts() -> Bool {
        if orders.packNext() || fills.packNext() { return true }
        if orderPlaces.freshCount >= Book.freshMax { orderPlaces.seal(); return true }
        if brokerPlaces.freshCount >= Book.freshMax { brokerPlaces.seal(); return true }
        if fillPlaces.freshCount >= Book.freshMax { fillPlaces.seal(); return true }
        return false
    }
    private static var freshMax: Int { 4_096 }

    /// Opens a piece of what came packed out of a snapshot; false when nothing is left.
    package mutating func openNext() -> Bool { orders.openNext() || fills.openNext() }

    /// Everything but the long lists and their indices.
    fileprivate var small: [UInt8] {
        var out = ByteWriter(reserving: 8_192)
        out.text("tidewire.snapshot.book1")
        out.optional(edge) { $1.append($0.bytes) }
        out.little(head.seq.raw); out.append(head.hash); out.little(unreadable)
        out.little(UInt64(orders.count)); out.little(UInt64(fills.count))
        out.list(workingPlaces) { $1.little(UInt64($0)) }
        out.list(commands.keys.sorted()) { id, out in if let outcome = commands[id] { out.append(outcome.canonical) } }
        out.list(commandOrders.keys.sorted()) { id, out in
            out.append(id.bytes)
            out.list(commandOrders[id] ?? []) { $1.text($0.text) }
        }
        // The very bytes under the digest: what is in the one is in the other.
        out.append(canonical(settled))
        return out.bytes
    }

    /// A book made of its parts.
    /// - Parameter parts: whose hashes were checked.
    package init(parts: [PackedPiece]) throws(PackError) {
        guard parts.count >= 4 else { throw PackError(at: 0) }
        let bytes: [UInt8]
        do throws(CompressionError) { bytes = try Compression.decompress(parts[0].bytes, limit: Book.smallBytesMax) } catch { throw PackError(at: 0) }
        var reader = Unpacker(bytes)
        guard try reader.text() == "tidewire.snapshot.book1" else { throw PackError(at: 0) }
        let owner = try reader.optional { reader throws(PackError) in try reader.known(EdgeID(bytes: try reader.take(16))) }
        self.init(edge: owner)
        head = Head(seq: Seq(try reader.little(UInt64.self)), hash: try reader.take(32))
        unreadable = try reader.little(UInt64.self)
        let orderCount = Int(clamping: try reader.little(UInt64.self)), fillCount = Int(clamping: try reader.little(UInt64.self))
        workingPlaces = try reader.list { reader throws(PackError) in try reader.known(Int(exactly: try reader.little(UInt64.self))) }
        for outcome in try reader.list({ reader throws(PackError) in try CommandOutcome(&reader) }) { commands[outcome.command] = outcome }
        for _ in 0..<(try reader.count(unit: 24)) {
            let id = try reader.command()
            commandOrders[id] = try reader.list { reader throws(PackError) in ClOrdID(try reader.text()) }
        }
        try takeCanonical(&reader)
        try reader.finish()
        let pieces = (orderCount + Records<OrderRecord>.pieceSize - 1) / Records<OrderRecord>.pieceSize
        guard parts.count >= 4 + pieces else { throw PackError(at: 0) }
        orderPlaces = try KeyIndex(parts[1], places: orderCount)
        brokerPlaces = try KeyIndex(parts[2], places: orderCount)
        fillPlaces = try KeyIndex(parts[3], places: fillCount)
        orders = try Records(packed: Array(parts[4..<4 + pieces]), count: orderCount)
        fills = try Records(packed: Array(parts[(4 + pieces)...]), count: fillCount)
        guard workingPlaces.allSatisfy({ $0 < orderCount }), zip(workingPlaces, workingPlaces.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw PackError(at: 0)
        }
    }
    /// Of the small part, unpacked. What became of commands is never pruned and stands there whole, about 200 bytes each: some 300,000 commands. No
    /// snapshot is made of a book that needs more, and the start reads every entry.
    package static var smallBytesMax: Int { 64 << 20 }

    /// Reads what `canonical` wrote, member by member.
    private mutating func takeCanonical(_ reader: inout Unpacker) throws(PackError) {
        guard try reader.text() == "tidewire.book1" else { throw PackError(at: reader.at) }
        settled = try Settled(&reader)
        // They lie among the orders; here they were read for the digest.
        let working = try reader.list { reader throws(PackError) in try OrderRecord(&reader) }
        guard working.count == workingPlaces.count else { throw PackError(at: reader.at) }
        unknownPlaces = zip(workingPlaces, working).filter { $0.1.status == .unknown }.map { $0.0 }
        for position in try reader.list({ reader throws(PackError) in try Position(&reader) }) { positions[position.instrument] = position }
        for instrument in try reader.list({ reader throws(PackError) in try Instrument(&reader) }) { instruments[instrument.id] = instrument }
        for _ in 0..<(try reader.count()) {
            let execID = try reader.text()
            earlyCommissions[execID] = Commission(execID: execID, amount: try reader.money(), currency: try reader.text())
        }
        haltLevel = try reader.known(HaltLevel(rawValue: try reader.little(Int64.self)))
        haltFact = try reader.optional { reader throws(PackError) in try HaltFact(&reader) }
        for _ in 0..<(try reader.count()) { haltedInstruments[try reader.instrument()] = try reader.text() }
        boot = try reader.optional { reader throws(PackError) in try BootFact(&reader) }
        bootID = try reader.optional { reader throws(PackError) in Boot(raw: try reader.little(UInt64.self)) }
        session = try reader.optional { reader throws(PackError) in
            BrokerSessionFact(
                connected: try reader.flag(), generation: try reader.little(Int64.self), account: try reader.text(), text: try reader.text())
        }
        reconciled = try reader.optional { reader throws(PackError) in
            ReconciledFact(generation: try reader.little(Int64.self), evidence: try reader.text(), differences: try reader.little(Int64.self))
        }
        differences = try reader.list { reader throws(PackError) in
            let rule = try reader.text(), instrument = try reader.optional { reader throws(PackError) in try reader.instrument() }
            return Difference(rule: rule, instrument: instrument, text: try reader.text())
        }
        for bot in try reader.list({ reader throws(PackError) in try BotRecord(&reader) }) { bots["\(bot.fact.bot)/\(bot.fact.instrument)"] = bot }
        denials = try reader.list { reader throws(PackError) in try Denial(&reader) }
        for _ in 0..<(try reader.count()) {
            let account = try reader.known(PostingAccount(try reader.text()))
            balances.set(account, try reader.text(), try reader.little(Int128.self))
        }
        for _ in 0..<(try reader.count()) { suspended[try reader.instrument()] = try reader.text() }
        unbalanced = try reader.optional { reader throws(PackError) in Seq(try reader.little(UInt64.self)) }
        highestBrokerOrderID = try reader.little(Int64.self)
    }
}

extension Settled {
    fileprivate init(_ reader: inout Unpacker) throws(PackError) {
        self.init()
        orders = try RecordSum(&reader); fills = try RecordSum(&reader); commands = try RecordSum(&reader); links = try RecordSum(&reader)
    }
}
