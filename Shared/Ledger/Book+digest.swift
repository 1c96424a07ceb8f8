// The digest of a book: two folds of the same entries give the same 32 bytes, and any difference between two books gives others.
internal import Values
internal import Wire

extension Book {
    /// BLAKE2b-256 over the canonical form of everything the fold holds: every dictionary by its sorted keys, every text with its length, every
    /// absent value as such; of settled orders, fills and commands the sum kept by `apply`. Not in it: the head and the owner, which stand beside
    /// a digest wherever it is kept, and the count of entries that this build could not read, which says nothing of the ledger.
    package func digest() -> [UInt8] { Hashing.blake2b(canonical(settled)) }

    /// The same from the records themselves instead of the kept sums. Slow on a long ledger: it checks that no change went past the sums.
    package func recountedDigest() -> [UInt8] {
        var sums = Settled()
        for order in orders where !order.isWorking { sums.orders.add(order.canonical) }
        for fill in fills { sums.fills.add(fill.digested) }
        for outcome in commands.values { sums.commands.add(outcome.canonical) }
        for (command, tags) in commandOrders { for (index, tag) in tags.enumerated() { sums.links.add(Settled.link(command, tag, index)) } }
        return Hashing.blake2b(canonical(sums))
    }

    /// The bytes under the digest, with these sums of what is settled.
    func canonical(_ sums: Settled) -> [UInt8] {
        var out = ByteWriter(reserving: 2_048)
        out.text("tidewire.book1")
        sums.orders.write(into: &out); sums.fills.write(into: &out); sums.commands.write(into: &out); sums.links.write(into: &out)
        out.list(workingOrders) { $1.append($0.canonical) }
        out.list(positions.keys.sorted()) { id, out in if let position = positions[id] { out.append(position.canonical) } }
        out.list(instruments.keys.sorted()) { id, out in if let instrument = instruments[id] { out.append(instrument.canonical) } }
        out.list(earlyCommissions.keys.sorted()) { key, out in
            out.text(key)
            if let early = earlyCommissions[key] { out.little(early.amount.raw); out.text(early.currency) }
        }
        out.little(haltLevel.rawValue)
        out.optional(haltFact) {
            $1.text($0.source); $1.text($0.reason); $1.little($0.level.rawValue); $1.command($0.command)
        }
        out.list(haltedInstruments.keys.sorted()) { id, out in
            out.text(id.text); out.text(haltedInstruments[id] ?? "")
        }
        out.optional(boot) {
            $1.text($0.version); $1.text($0.mode.rawValue); $1.text($0.machine); $1.text($0.kernelBoot); $1.text($0.configuration)
        }
        out.optional(bootID?.raw) { $1.little($0) }
        out.optional(session) {
            $1.flag($0.connected); $1.little($0.generation); $1.text($0.account); $1.text($0.text)
        }
        out.optional(reconciled) {
            $1.little($0.generation); $1.text($0.evidence); $1.little($0.differences)
        }
        out.list(differences) {
            $1.text($0.rule); $1.optional($0.instrument) { $1.text($0.text) }; $1.text($0.text)
        }
        out.list(bots.keys.sorted()) { key, out in if let bot = bots[key] { out.append(bot.canonical) } }
        out.list(denials) { $1.append($0.canonical) }
        out.list(balances.sorted) {
            $1.text($0.account.description); $1.text($0.asset); $1.little($0.amount)
        }
        out.list(suspended.keys.sorted()) { id, out in
            out.text(id.text); out.text(suspended[id] ?? "")
        }
        out.optional(unbalanced?.raw) { $1.little($0) }
        out.little(highestBrokerOrderID)
        return out.bytes
    }
}

/// Sums over what a long ledger has many of, kept while folding.
struct Settled: Hashable, Sendable {
    var orders = RecordSum()
    var fills = RecordSum()
    var commands = RecordSum()
    var links = RecordSum()

    /// One order of a command, with its place among that command's orders.
    static func link(_ command: CommandID, _ tag: ClOrdID, _ index: Int) -> [UInt8] {
        var out = ByteWriter(reserving: 64)
        out.append(command.bytes); out.text(tag.text); out.little(UInt64(index))
        return out.bytes
    }
}

extension OrderRecord {
    /// Every member, in a fixed order.
    package var canonical: [UInt8] {
        var out = ByteWriter(reserving: 320)
        out.text(tag.text); out.append(intent.bytes); out.little(Int64(legIndex)); out.text(account); out.text(origin.rawValue)
        out.command(command); out.optional(bot) { $1.text($0) }; out.text(reason); out.little(createdAt.nanoseconds); out.text(status.rawValue)
        out.little(permID); out.flag(wasSent); out.little(cumQty.raw); out.little(filledValue); out.little(quantity.raw)
        out.optional(limitPrice?.raw); out.optional(stopPrice?.raw); out.little(updatedAt.nanoseconds); out.optional(cancelRefusedAt?.nanoseconds)
        out.text(text); out.optional(code)
        out.text(leg.role.rawValue); out.text(leg.instrument.text); out.text(leg.side.rawValue); out.little(leg.quantity.raw)
        out.text(leg.ordType.rawValue); out.optional(leg.limitPrice?.raw); out.optional(leg.stopPrice?.raw)
        switch leg.trailing {
        case nil: out.little(UInt8(0))
        case .amount(let amount): out.little(UInt8(1)); out.little(amount.raw)
        case .percent(let part): out.little(UInt8(2)); out.little(part.raw)
        }
        out.text(leg.timeInForce.rawValue); out.optional(leg.parent.map(Int64.init)); out.little(leg.brokerOrderID)
        return out.bytes
    }
}

extension FillRecord {
    /// Every member, in a fixed order.
    package var canonical: [UInt8] { members(marks: (wasReplayed ? 1 : 0) | (wasPosted ? 0 : 2)) }
    /// The same without what the lines of the entries say anyway, which the balances hold: a digest is signed, and stays what it was.
    var digested: [UInt8] { members(marks: wasReplayed ? 1 : 0) }

    private func members(marks: UInt8) -> [UInt8] {
        var out = ByteWriter(reserving: 192)
        out.little(seq.raw); out.little(recordedAt.nanoseconds); out.little(marks); out.optional(commission?.raw)
        out.text(fill.execID); out.optional(fill.tag) { $1.text($0.text) }; out.text(fill.account); out.text(fill.instrument.text)
        out.text(fill.side.rawValue); out.little(fill.lastQty.raw); out.little(fill.lastPx.raw); out.little(fill.cumQty.raw)
        out.little(fill.permID); out.little(fill.transactTime.nanoseconds); out.optional(fill.corrects) { $1.text($0) }
        out.optional(reversedBy) { $1.text($0) }
        return out.bytes
    }
}

extension CommandOutcome {
    /// Every member, in a fixed order.
    var canonical: [UInt8] {
        var out = ByteWriter(reserving: 128)
        out.append(command.bytes); out.text(kind); out.text(issuer); out.text(code); out.text(text)
        return out.bytes
    }
}

extension Position {
    fileprivate var canonical: [UInt8] {
        var out = ByteWriter(reserving: 96)
        out.text(instrument.text); out.little(quantity.raw); out.optional(averagePrice?.raw); out.little(realizedPnL.raw)
        out.little(commissions.raw); out.flag(hasOverflowed); out.little(cost); out.little(rounding); out.flag(isCostKnown)
        return out.bytes
    }
}

extension Instrument {
    fileprivate var canonical: [UInt8] {
        var out = ByteWriter(reserving: 128)
        out.text(id.text); out.text(symbol); out.text(securityType.rawValue); out.text(exchange); out.text(currency); out.text(localSymbol)
        out.text(tradingClass); out.little(multiplier.raw); out.little(minPriceIncrement.raw); out.little(lotStep.raw)
        out.optional(maturityDate) { $1.text($0.compact) }; out.little(brokerContractID)
        return out.bytes
    }
}

extension BotRecord {
    fileprivate var canonical: [UInt8] {
        var out = ByteWriter(reserving: 96)
        out.text(fact.bot); out.text(fact.instrument.text); out.text(fact.state); out.text(fact.reason)
        out.optional(fact.until?.nanoseconds); out.little(seq.raw); out.little(at.nanoseconds)
        return out.bytes
    }
}
