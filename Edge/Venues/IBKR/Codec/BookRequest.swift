// Requests for accounts, models, profit and loss, advisors and the gateway itself.

/// What is asked of the books, beyond the one account of `IBRequest.accountUpdates`.
package enum BookRequest: Hashable, Sendable {
    /// Positions of one account or model; both empty = all.
    case positionsMulti(requestId: Int64, account: String, model: String)
    case cancelPositionsMulti(requestId: Int64)
    /// `ledgerAndNLV`: only the ledger's keys and the net liquidation value.
    case accountUpdatesMulti(requestId: Int64, account: String, model: String, ledgerAndNLV: Bool)
    case cancelAccountUpdatesMulti(requestId: Int64)
    case profit(requestId: Int64, account: String, model: String)
    case cancelProfit(requestId: Int64)
    case positionProfit(requestId: Int64, account: String, model: String, conId: Int64)
    case cancelPositionProfit(requestId: Int64)
    /// From server version 167.
    case userInfo(requestId: Int64)
    case familyCodes
    case softDollarTiers(requestId: Int64)
    /// 1 system, 2 error, 3 warning, 4 information, 5 detail.
    case logLevel(Int64)
    /// 1 groups, 2 profiles (gone from server version 177), 3 aliases.
    case advisorData(type: Int64)
    case replaceAdvisorData(requestId: Int64, type: Int64, xml: String)
}

extension IBEncoder {
    func write(_ request: BookRequest, _ w: inout FrameWriter) {
        switch request {
        case .positionsMulti(let id, let account, let model): head(74, 1, &w); w.integer(id); w.text(account); w.text(model)
        case .cancelPositionsMulti(let id): head(75, 1, &w); w.integer(id)
        case .accountUpdatesMulti(let id, let account, let model, let ledger):
            head(76, 1, &w); w.integer(id); w.text(account); w.text(model); w.flag(ledger)
        case .cancelAccountUpdatesMulti(let id): head(77, 1, &w); w.integer(id)
        case .profit(let id, let account, let model): head(92, &w); w.integer(id); w.text(account); w.text(model)
        case .cancelProfit(let id): head(93, &w); w.integer(id)
        case .positionProfit(let id, let account, let model, let conId):
            head(94, &w); w.integer(id); w.text(account); w.text(model); w.integer(conId)
        case .cancelPositionProfit(let id): head(95, &w); w.integer(id)
        case .userInfo(let id):
            needs(IBProtocol.userInfo, "reqUserInfo", &w)
            head(104, &w); w.integer(id)
        case .familyCodes: head(80, &w)
        case .softDollarTiers(let id): head(79, &w); w.integer(id)
        case .logLevel(let level): head(14, 1, &w); w.integer(level)
        case .advisorData(let type): profiles(type, &w); head(18, 1, &w); w.integer(type)
        case .replaceAdvisorData(let id, let type, let xml): profiles(type, &w); head(19, 1, &w); w.integer(type); w.lines(xml); w.integer(id)
        }
    }

    private func profiles(_ type: Int64, _ w: inout FrameWriter) {
        if type == 2, version >= IBProtocol.noFaProfile { w.refuse(.contradiction("advisors' profiles are gone from server version 177 on")) }
    }
}
