// Views on a list of session events.
import Ledger

extension [VenueEvent] {
    var conditions: [GatewayState] { compactMap { if case .condition(let state, _) = $0 { state } else { nil } } }
    var readies: [Int64] { compactMap { if case .ready(_, _, let next) = $0 { next } else { nil } } }
    var notices: [Notice] { compactMap { if case .notice(let notice) = $0 { notice } else { nil } } }
    var floors: [Int64] { compactMap { if case .orderIDFloor(let id) = $0 { id } else { nil } } }
}
