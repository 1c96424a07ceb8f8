// All routes in one list: method, path, who may, and what answers.
internal import Control

/// One route. A path's part in braces stands for one part of any text.
struct Route: Sendable {
    let method: String
    let pattern: [Substring]
    /// Nil for the public ones.
    let permission: Permission?
    /// Only through the unix socket.
    let isLocal: Bool
    let handle: @Sendable (Node, Call) throws -> Reply

    init(
        _ method: String, _ path: String, _ permission: Permission?, isLocal: Bool = false, _ handle: @escaping @Sendable (Node, Call) throws -> Reply
    ) {
        self.method = method; self.permission = permission; self.isLocal = isLocal; self.handle = handle
        pattern = path.split(separator: "/", omittingEmptySubsequences: false)
    }

    /// What stands in the places of the pattern; nil when the path is another.
    func match(_ path: String) -> [String: String]? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == pattern.count else { return nil }
        var places: [String: String] = [:]
        for (part, wanted) in zip(parts, pattern) {
            if wanted.hasPrefix("{") {
                guard !part.isEmpty else { return nil }
                places[String(wanted.dropFirst().dropLast())] = String(part)
            } else if part != wanted {
                return nil
            }
        }
        return places
    }
}

/// The table. A new route is a line here and its handler in the file of its noun.
enum Routes {
    static let all: [Route] = reads + writes + session + status + seed + console

    private static let session = [
        Route("GET", "/api/v1/session", nil) { $0.session($1) },
        Route("POST", "/api/v1/auth/login", nil) { try $0.beginSignIn($1, $1.number, isSeed: false) },
        Route("POST", "/api/v1/auth/logout", .read) { $0.signOut($1) },
    ]
    private static let reads = [
        Route("GET", "/api/v1/accounts", .read) { try $0.accounts($1) },
        Route("GET", "/api/v1/positions", .read) { try $0.positions($1) },
        Route("GET", "/api/v1/orders", .read) { try $0.orders($1) },
        Route("GET", "/api/v1/fills", .read) { try $0.fills($1) },
        Route("GET", "/api/v1/bots", .read) { try $0.bots($1) },
        Route("GET", "/api/v1/edges", .read) { $0.edges($1) },
        Route("GET", "/api/v1/commands/{id}", .read) { try $0.command($1) },
        Route("GET", "/api/v1/ledger", .read) { try $0.ledger($1) },
        Route("GET", "/api/v1/market/instruments", .read) { try $0.instruments($1) },
        Route("GET", "/api/v1/market/quotes/{instrument}", .read) { try $0.quote($1) },
        Route("GET", "/api/v1/market/candles", .read) { try $0.candles($1) },
    ]
    private static let writes = [
        Route("POST", "/api/v1/orders:preview", .read) { try $0.preview($1) },
        Route("POST", "/api/v1/orders", .enter) { try $0.placeOrder($1) },
        Route("POST", "/api/v1/positions/{instrument}/close", .reduce) { try $0.closePosition($1) },
        Route("POST", "/api/v1/orders/{id}/cancel", .reduce) { try $0.cancelOrder($1) },
        Route("POST", "/api/v1/commands/{id}/withdraw", .reduce) { try $0.withdrawCommand($1) },
        Route("POST", "/api/v1/edges/{edge}/settle", .administer) { try $0.settleEdge($1) },
        Route("POST", "/api/v1/edges/{edge}/reconcile", .administer) { try $0.reconcileEdge($1) },
        Route("POST", "/api/v1/kill", .halt) { try $0.kill($1) },
    ]
    private static let status = [
        Route("GET", "/health", nil) { $0.health($1) },
        Route("GET", "/ready", nil) { $0.ready($1) },
        Route("GET", "/metrics", nil) { try $0.metrics($1) },
    ]
    /// The paths of the first web panel, kept for its scripts.
    private static let seed = [
        Route("POST", "/api/auth/login", nil) { try $0.beginSignIn($1, $1.number, isSeed: true) },
        Route("GET", "/api/positions", .read) { try $0.positions($1) },
        Route("GET", "/api/account", .read) { try $0.seedAccount($1) },
        Route("GET", "/api/candles/history", .read) { try $0.candles($1) },
        Route("POST", "/api/order", .enter) { try $0.seedOrder($1) },
        Route("POST", "/api/close-position", .reduce) { try $0.seedClose($1) },
    ]
    private static let console = [
        Route("GET", "/console/edges", nil, isLocal: true) { $0.consoleEdges($1) },
        Route("POST", "/console/edges/invite", nil, isLocal: true) { try $0.consoleInvite($1) },
        Route("POST", "/console/edges/confirm", nil, isLocal: true) { try $0.consoleConfirm($1) },
        Route("POST", "/console/edges/revoke", nil, isLocal: true) { try $0.consoleRevoke($1) },
        Route("POST", "/console/edges/settle", nil, isLocal: true) { try $0.consoleSettle($1) },
        Route("POST", "/console/edges/reconcile", nil, isLocal: true) { try $0.consoleReconcile($1) },
        Route("GET", "/console/edges/reconcile", nil, isLocal: true) { try $0.consoleReconcile($1) },
        Route("POST", "/console/store/backed-up", nil, isLocal: true) { try $0.consoleBackedUp($1) },
        Route("POST", "/console/users/add", nil, isLocal: true) { try $0.consoleUser($1, mustBeNew: true) },
        Route("POST", "/console/users/password", nil, isLocal: true) { try $0.consoleUser($1, mustBeNew: false) },
    ]
}
