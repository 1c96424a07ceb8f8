// One sentence for each kind of fact, for the person who reads the ledger.
package import Ledger
internal import Values
internal import Wire

extension EdgePicture {
    /// What happened, in words.
    package func sentence(_ fact: Fact) -> String {
        switch fact {
        case .boot(let boot): return "The edge started: release \(boot.version), \(boot.mode.rawValue.lowercased()) trading"
        case .shutdown(let reason): return "The edge stopped: \(reason)"
        case .checkpoint(let checkpoint): return "Signed: the ledger up to entry \(checkpoint.head.seq)"
        case .snapshot(let fact): return "Kept in a file: what the ledger adds up to at entry \(fact.seq)"
        case .healed(let fact): return "Entries \(fact.from) to \(fact.to) had been lost or damaged here and came back from the \(fact.source)"
        case .lineage(let fact): return lineageSentence(fact)
        case .keyRotated(let fact): return "The ledger is signed by another key from here on: \(Hex.text(fact.key.prefix(8)))…"
        case .cloudKey(let fact): return cloudKeySentence(fact)
        case .serverKey(let fact): return "The cloud is going to answer by another key of its link: \(Hex.text(fact.key.prefix(8)))…"
        case .linkKey(let fact): return "The edge links by another key from here on: \(Hex.text(fact.key.prefix(8)))…"
        case .countersigned(let fact): return "The cloud signed that it has everything up to entry \(fact.head.seq)"
        case .gap(let fact): return "Entries \(fact.from) to \(fact.to) are missing for good"
        case .intent(let ticket): return intentSentence(ticket)
        case .sent(let tags): return tags.count == 1 ? "The order was handed to the gateway" : "\(tags.count) orders were handed to the gateway"
        case .cancelIntent(let cancel): return "Cancel \(orderWords(cancel.tag)): \(cancel.reason)"
        case .modifyIntent(let modify): return modifySentence(modify)
        case .orderReport(let report): return reportSentence(report)
        case .fill(let fill):
            let verb = fill.side == .buy ? "Bought" : "Sold"
            return "\(verb) \(fill.lastQty) \(shortName(fill.instrument)) at \(priceWords(fill.lastPx, fill.instrument))"
        case .commission(let commission): return "Commission of \(Plain.money(commission.amount, commission.currency))"
        case .orderDead(let tag, _): return "Proved absent at the broker: \(orderWords(tag))"
        case .stopMoved(let tag, let level):
            let instrument = book.order(tag)?.leg.instrument ?? InstrumentID("")
            return "The stop of \(shortName(instrument)) moved to \(priceWords(level, instrument))"
        case .cancelRefused(let refusal): return "Not cancelled, and working on: \(orderWords(refusal.tag)): \(refusal.text)"
        case .commandAccepted(let outcome): return outcome.text.isEmpty ? "Accepted: \(outcome.kind)" : "Accepted: \(outcome.text)"
        case .commandRefused(let outcome): return "Refused: \(outcome.text)"
        case .denied(let denial):
            let verb = denial.side == .buy ? "buy" : "sell"
            return "Denied to \(verb) \(denial.quantity) \(shortName(denial.instrument)): \(denial.text)"
        case .halt(let halt): return "Trading is \(halt.level.word) by \(halt.source): \(halt.reason)"
        case .resume(let halt): return "Trading is \(halt.level.word) again, by \(halt.source): \(halt.reason)"
        case .instrumentHalt(let instrument, let halted, let reason):
            return "\(shortName(instrument)) is \(halted ? "halted" : "no longer halted"): \(reason)"
        case .brokerSession(let session): return sessionSentence(session)
        case .reconciled(let fact):
            return fact.differences == 0
                ? "Orders, fills and positions agree with the broker" : "Compared with the broker: \(fact.differences) differences"
        case .difference(let difference): return "Difference \(difference.rule): \(difference.text)"
        case .instrument(let instrument):
            return "Learned \(instrument.localSymbol): multiplier \(instrument.multiplier), price step \(instrument.minPriceIncrement)"
        case .transfer(let move):
            return "\(move.amount.raw > 0 ? "Deposited" : "Withdrawn"): \(amountWords(move))"
        case .dividend(let move): return "Dividend\(move.instrument.map { " of \(shortName($0))" } ?? ""): \(amountWords(move))"
        case .interest(let move): return "Interest \(move.amount.raw > 0 ? "earned" : "paid"): \(amountWords(move))"
        case .accountFee(let move): return "Fee of the account: \(amountWords(move))"
        case .borrowFee(let move): return "Borrow fee\(move.instrument.map { " of \(shortName($0))" } ?? ""): \(amountWords(move))"
        case .exchange(let fact):
            return "Exchanged \(Plain.money(fact.sold, fact.soldCurrency)) for \(Plain.money(fact.bought, fact.boughtCurrency))"
        case .correction(let fact): return "Execution \(fact.execID) no longer counts: \(fact.reason)"
        case .suspense(let fact): return "Suspense \(fact.rule): \(fact.text)"
        case .bot(let bot): return "\(bot.bot) on \(shortName(bot.instrument)) is \(bot.state): \(bot.reason)"
        }
    }

    private func amountWords(_ move: CashMove) -> String {
        Plain.money(move.amount.raw < 0 ? move.amount.negated : move.amount, move.currency) + (move.note.isEmpty ? "" : ", \(move.note)")
    }

    private func cloudKeySentence(_ fact: CloudKeyFact) -> String {
        let ground =
            switch fact.ground {
            case .enrolled: "it came with the enrolment"
            case .firstUse: "it was the first that the cloud signed with"
            case .announced: "the key before it announced it"
            case .person: "a person said so at the edge"
            }
        return "The cloud's signatures are believed by the key \(Hex.text(fact.key.prefix(8)))… from here on: \(ground)"
    }

    private func lineageSentence(_ fact: LineageFact) -> String {
        let other =
            switch fact.other {
            case .lost(let from, let to): "entries \(from) to \(to) are lost"
            case .sealed(let head): "the branch that ended at entry \(head.seq) is sealed"
            }
        return "Lineage \(fact.oldEpoch) of this ledger was ended by \(fact.decidedBy): it goes on after entry \(fact.ours.seq), \(other)"
    }

    private func intentSentence(_ ticket: Ticket) -> String {
        let who =
            ticket.bot.map { ", by \($0)" } ?? (ticket.origin == .manual ? ", \(ticket.reason)" : ", by the \(ticket.origin.rawValue.lowercased())")
        let legs = ticket.legs.map { leg in
            "\(leg.side == .buy ? "Buy" : "Sell") \(leg.quantity) \(shortName(leg.instrument)) \(typeWords(leg))\(leg.parent == nil ? "" : ", after the entry")"
        }
        return legs.joined(separator: "; ") + who
    }

    private func typeWords(_ leg: Leg) -> String {
        switch leg.ordType {
        case .market: return "at market"
        case .limit: return "at \(leg.limitPrice.map { priceWords($0, leg.instrument) } ?? "a limit")"
        case .stop: return "at a stop of \(leg.stopPrice.map { priceWords($0, leg.instrument) } ?? "?")"
        case .stopLimit: return "at a stop limit of \(leg.stopPrice.map { priceWords($0, leg.instrument) } ?? "?")"
        case .trailingStop:
            switch leg.trailing {
            case .percent(let percent): return "by a trailing stop of \(Plain.percent(percent)) %"
            case .amount(let amount): return "by a trailing stop of \(priceWords(amount, leg.instrument))"
            case nil: return "by a trailing stop"
            }
        }
    }

    private func modifySentence(_ modify: ModifyIntent) -> String {
        let instrument = book.order(modify.tag)?.leg.instrument ?? InstrumentID("")
        var changes: [String] = []
        if let quantity = modify.quantity { changes.append("quantity \(quantity)") }
        if let price = modify.limitPrice { changes.append("limit \(priceWords(price, instrument))") }
        if let price = modify.stopPrice { changes.append("stop \(priceWords(price, instrument))") }
        return "Change \(orderWords(modify.tag)) to \(changes.joined(separator: ", ")): \(modify.reason)"
    }

    private func reportSentence(_ report: OrderReport) -> String {
        let words =
            switch report.status {
            case .pendingNew: "The order waits at the gateway"
            case .new: "The broker took the order"
            case .partiallyFilled: "The order is filled in part"
            case .pendingCancel: "The cancel is on its way"
            case .pendingReplace: "The change is on its way"
            case .filled: "The broker says that the order is filled"
            case .canceled: "The order is cancelled"
            case .rejected: "The broker refused the order"
            case .expired: "The order expired"
            case .unknown: "The fate of the order is unknown"
            case .dead: "The order is proved absent"
            case .zombie: "The order was proved absent and is there again"
            }
        guard !report.text.isEmpty else { return words }
        return "\(words): \(report.code.map { "(\($0)) " } ?? "")\(report.text)"
    }

    private func sessionSentence(_ session: BrokerSessionFact) -> String {
        let words = session.connected ? "Connected to the gateway, account \(session.account)" : "The gateway is gone"
        return session.text.isEmpty ? words : "\(words): \(session.text)"
    }

    private func orderWords(_ tag: ClOrdID) -> String {
        guard let order = book.order(tag) else { return "an order that is not in this ledger" }
        return "\(order.leg.side == .buy ? "buy" : "sell") \(order.quantity) \(shortName(order.leg.instrument)) \(typeWords(order.leg))"
    }

    private func priceWords(_ price: Price, _ instrument: InstrumentID) -> String {
        Plain.grouped(price.raw, decimals: book.instruments[instrument]?.priceDecimals ?? 2)
    }
}
