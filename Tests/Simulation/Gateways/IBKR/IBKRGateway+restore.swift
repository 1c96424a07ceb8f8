// A gateway that starts again from its journal: same orders, same account, no number used twice.
package import Values
package import Venues

/// Why a journal cannot be taken up again.
package enum GatewayRestoreError: Error, Equatable, Sendable {
    /// The first record is not a birth.
    case noBirth
    /// Kept for another account.
    case otherAccount(String)
    /// A fill of something that is not listed any more.
    case unlisted(InstrumentID)
}

extension IBKRGateway {
    /// Takes up where the records end. Live orders work on, with all that happened to the market in between; untransmitted ones died with the gateway.
    /// - Parameter exchange: a fresh one, at the same seed, with every instrument the records name.
    package init(settings: GatewaySettings, exchange: PaperExchange, records: [GatewayRecord], at now: Instant) throws(GatewayRestoreError) {
        guard case .born(let birth, let account)? = records.first else { throw .noBirth }
        guard account == settings.account else { throw .otherAccount(account) }
        self.init(settings: settings, exchange: exchange, at: now)
        self.records = []
        orders = GatewayOrders(finishedMax: settings.finishedOrdersMax)
        orders.begin(at: birth)
        for record in records.dropFirst() {
            switch record {
            case .born: break
            case .order(let order):
                var order = order
                order.paper = orders[order.permId]?.paper
                orders.store(order)
            case .state(let paper):
                // What waited in the gateway had not been to the exchange and has no place in its queue.
                if paper.state != .held || paper.priority > 0 { self.exchange.restore(paper) }
                orders.update(paper)
            case .fill(let fill):
                do throws(PaperRefusal) { try self.exchange.restore(fill) } catch { throw .unlisted(fill.instrument) }
                orders.append(fill)
            case .corrected(let serial): orders.correct(serial)
            case .misprinted(let serial): orders.misprint(serial)
            }
        }
        // A correction that was still to come when the gateway died comes now.
        for serial in orders.misprinted.sorted() { troubles.add(.correct(serial: serial), at: now + .seconds(1)) }
        conditioned = orders.live.filter { isWaiting($0) || $0.isCancelledByConditions }.map(\.permId)
        dayStart.net = self.exchange.balance().netLiquidation
    }
}
