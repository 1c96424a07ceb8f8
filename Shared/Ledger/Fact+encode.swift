// Facts to bodies: the member names of every kind at its present version. Postings are put in by the draft.
package import Values
package import Wire

extension Fact {
    /// The kind number of this fact.
    package var kind: Kind {
        switch self {
        case .boot: .boot
        case .shutdown: .shutdown
        case .checkpoint: .checkpoint
        case .snapshot: .snapshot
        case .healed: .healed
        case .lineage: .lineage
        case .gap: .gap
        case .countersigned: .countersigned
        case .keyRotated: .keyRotated
        case .cloudKey: .cloudKey
        case .linkKey: .linkKey
        case .serverKey: .serverKey
        case .intent: .intent
        case .sent: .sent
        case .cancelIntent: .cancelIntent
        case .modifyIntent: .modifyIntent
        case .orderReport: .orderReport
        case .fill: .fill
        case .commission: .commission
        case .orderDead: .orderDead
        case .stopMoved: .stopMoved
        case .cancelRefused: .cancelRefused
        case .commandAccepted: .commandAccepted
        case .commandRefused: .commandRefused
        case .denied: .denied
        case .halt: .halt
        case .resume: .resume
        case .instrumentHalt: .instrumentHalt
        case .brokerSession: .brokerSession
        case .reconciled: .reconciled
        case .difference: .difference
        case .instrument: .instrument
        case .bot: .bot
        case .transfer: .transfer
        case .dividend: .dividend
        case .interest: .interest
        case .accountFee: .accountFee
        case .borrowFee: .borrowFee
        case .exchange: .exchange
        case .correction: .correction
        case .suspense: .suspense
        }
    }

    /// The subject of the entry: the intent's own id, a command's id, an order's tag, or nothing.
    package func ref(boot: Boot, seq: Seq) -> [UInt8] {
        switch self {
        case .intent: IntentID(boot: boot, seq: seq).bytes
        case .cancelIntent(let cancel): Array(cancel.tag.text.utf8)
        case .modifyIntent(let modify): Array(modify.tag.text.utf8)
        case .orderReport(let report): Array(report.tag.text.utf8)
        case .fill(let fill): Array((fill.tag?.text ?? fill.execID).utf8.prefix(255))
        case .commission(let commission): Array(commission.execID.utf8.prefix(255))
        case .orderDead(let tag, _), .stopMoved(let tag, _): Array(tag.text.utf8)
        case .cancelRefused(let refusal): Array(refusal.tag.text.utf8)
        case .commandAccepted(let outcome), .commandRefused(let outcome): outcome.command.bytes
        case .correction(let correction): Array(correction.execID.utf8.prefix(255))
        case .transfer, .dividend, .interest, .accountFee, .borrowFee, .exchange, .suspense: []
        case .snapshot, .healed, .lineage, .gap, .countersigned, .keyRotated, .cloudKey, .linkKey, .serverKey: []
        case .boot, .shutdown, .checkpoint, .sent, .denied, .halt, .resume, .instrumentHalt, .brokerSession, .reconciled, .difference, .instrument,
            .bot:
            []
        }
    }

    /// The body. An intent names the tags of its legs, which follow from the number the entry gets.
    package func body(edge: EdgeID, boot: Boot, seq: Seq) -> JSONValue {
        var out = FieldWriter()
        switch self {
        case .boot(let fact):
            out.put("version", fact.version); out.put("mode", fact.mode.rawValue); out.put("machine", fact.machine)
            out.put("kernelBoot", fact.kernelBoot); out.put("configuration", fact.configuration)
        case .shutdown(let reason): out.put("reason", reason)
        case .checkpoint(let checkpoint): checkpoint.write(into: &out)
        case .snapshot(let fact): fact.write(into: &out)
        case .healed(let fact): fact.write(into: &out)
        case .lineage(let fact): fact.write(into: &out)
        case .gap(let fact): fact.write(into: &out)
        case .countersigned(let fact): fact.write(into: &out)
        case .keyRotated(let fact): fact.write(into: &out)
        case .cloudKey(let fact): fact.write(into: &out)
        case .linkKey(let fact): fact.write(into: &out)
        case .serverKey(let fact): fact.write(into: &out)
        case .intent(let ticket): ticket.write(into: &out, edge: edge, intent: IntentID(boot: boot, seq: seq))
        case .sent(let tags): out.put("tags", .array(tags.map { .string($0.text) }))
        case .cancelIntent(let cancel):
            out.put("tag", cancel.tag); out.put("origin", cancel.origin.rawValue); out.put("command", cancel.command)
            out.put("reason", cancel.reason)
        case .modifyIntent(let modify):
            out.put("tag", modify.tag); out.put("quantity", modify.quantity); out.put("limitPrice", modify.limitPrice)
            out.put("stopPrice", modify.stopPrice); out.put("command", modify.command); out.put("reason", modify.reason)
        case .orderReport(let report):
            out.put("tag", report.tag); out.put("status", report.status.rawValue); out.put("permID", report.permID)
            out.put("cumQty", report.cumQty); out.put("code", report.code); out.put("text", report.text)
        case .fill(let fill): fill.write(into: &out)
        case .commission(let commission):
            out.put("execID", commission.execID); out.put("amount", commission.amount); out.put("currency", commission.currency)
        case .orderDead(let tag, let evidence): out.put("tag", tag); out.put("evidence", evidence)
        case .stopMoved(let tag, let level): out.put("tag", tag); out.put("level", level)
        case .cancelRefused(let refusal): out.put("tag", refusal.tag); out.put("code", refusal.code); out.put("text", refusal.text)
        case .commandAccepted(let outcome), .commandRefused(let outcome):
            out.put("command", outcome.command); out.put("kind", outcome.kind); out.put("issuer", outcome.issuer); out.put("code", outcome.code)
            out.put("text", outcome.text)
        case .denied(let denial):
            out.put("rule", denial.rule); out.put("instrument", denial.instrument); out.put("side", denial.side.rawValue)
            out.put("quantity", denial.quantity); out.put("origin", denial.origin.rawValue); out.put("command", denial.command)
            out.put("bot", denial.bot); out.put("text", denial.text)
        case .halt(let halt), .resume(let halt):
            out.put("level", halt.level.rawValue); out.put("source", halt.source); out.put("reason", halt.reason); out.put("command", halt.command)
        case .instrumentHalt(let instrument, let halted, let reason):
            out.put("instrument", instrument); out.put("halted", halted); out.put("reason", reason)
        case .brokerSession(let session):
            out.put("connected", session.connected); out.put("generation", session.generation); out.put("account", session.account)
            out.put("text", session.text)
        case .reconciled(let fact):
            out.put("generation", fact.generation); out.put("evidence", fact.evidence); out.put("differences", fact.differences)
        case .difference(let fact): out.put("rule", fact.rule); out.put("instrument", fact.instrument); out.put("text", fact.text)
        case .instrument(let instrument): instrument.write(into: &out)
        case .bot(let fact):
            out.put("bot", fact.bot); out.put("instrument", fact.instrument); out.put("state", fact.state); out.put("reason", fact.reason)
            out.put("until", fact.until)
        case .transfer(let move), .dividend(let move), .interest(let move), .accountFee(let move), .borrowFee(let move): move.write(into: &out)
        case .exchange(let exchange): exchange.write(into: &out)
        case .correction(let fact): out.put("execID", fact.execID); out.put("by", fact.by); out.put("reason", fact.reason)
        case .suspense(let fact):
            out.put("rule", fact.rule); out.put("account", fact.account); out.put("asset", fact.asset); out.put("amount", fact.amount)
            out.put("instrument", fact.instrument); out.put("text", fact.text)
        }
        return out.value
    }
}

extension Ticket {
    fileprivate func write(into out: inout FieldWriter, edge: EdgeID, intent: IntentID) {
        out.put("account", account); out.put("origin", origin.rawValue); out.put("command", command); out.put("bot", bot); out.put("reason", reason)
        out.put("legs", .array(legs.enumerated().map { index, leg in leg.value(tag: ClOrdID(edge: edge, intent: intent, leg: index)) }))
    }
}

extension CheckpointFact {
    fileprivate func write(into out: inout FieldWriter) {
        out.put("seq", Int64(clamping: head.seq.raw)); out.put("hash", Hex.text(head.hash)); out.put("digest", Hex.text(digest))
        out.put("signature", Hex.text(signature)); out.put("key", Hex.text(key))
    }
}

extension Leg {
    fileprivate func value(tag: ClOrdID) -> JSONValue {
        var out = FieldWriter()
        out.put("tag", tag); out.put("role", role.rawValue); out.put("instrument", instrument); out.put("side", side.rawValue)
        out.put("quantity", quantity); out.put("ordType", ordType.rawValue); out.put("limitPrice", limitPrice); out.put("stopPrice", stopPrice)
        switch trailing {
        case .amount(let amount): out.put("trailAmount", amount)
        case .percent(let percent): out.put("trailPercent", percent.raw)
        case nil: break
        }
        out.put("timeInForce", timeInForce.rawValue); out.put("parent", parent.map(Int64.init)); out.put("brokerOrderID", brokerOrderID)
        return out.value
    }
}

extension Fill {
    fileprivate func write(into out: inout FieldWriter) {
        out.put("execID", execID); out.put("tag", tag); out.put("account", account); out.put("instrument", instrument); out.put("side", side.rawValue)
        out.put("lastQty", lastQty); out.put("lastPx", lastPx); out.put("cumQty", cumQty); out.put("permID", permID)
        out.put("transactTime", transactTime); out.put("corrects", corrects)
    }
}

extension CashMove {
    fileprivate func write(into out: inout FieldWriter) {
        out.put("account", account); out.put("currency", currency); out.put("amount", amount); out.put("at", at); out.put("source", source)
        out.put("note", note); out.put("instrument", instrument)
    }
}

extension CashExchange {
    fileprivate func write(into out: inout FieldWriter) {
        out.put("account", account); out.put("soldCurrency", soldCurrency); out.put("sold", sold); out.put("boughtCurrency", boughtCurrency)
        out.put("bought", bought); out.put("at", at); out.put("source", source); out.put("note", note)
    }
}

extension Instrument {
    package func write(into out: inout FieldWriter) {
        out.put("id", id); out.put("symbol", symbol); out.put("securityType", securityType.rawValue); out.put("exchange", exchange)
        out.put("currency", currency); out.put("localSymbol", localSymbol); out.put("tradingClass", tradingClass); out.put("multiplier", multiplier)
        out.put("minPriceIncrement", minPriceIncrement); out.put("lotStep", lotStep); out.put("maturityDate", maturityDate?.compact)
        out.put("brokerContractID", brokerContractID)
    }
}
