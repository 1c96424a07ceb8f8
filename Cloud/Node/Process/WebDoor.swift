// What the web server's thread does by itself: files and headers; everything else goes to the node's turn.
internal import Control
internal import Platform
internal import Values
internal import Views

/// How requests came in, as far as proxies and certificates decide it.
struct WebFront: Sendable {
    var hasCertificate: Bool
    var trustedProxies: Set<String>
    /// Index of the unix socket among the listeners.
    static let consoleListener = 1

    /// The request as the node sees it.
    func request(_ request: HTTPRequest) -> Request {
        let isLocal = request.listener == WebFront.consoleListener
        let isProxied = trustedProxies.contains(request.peerAddress)
        let forwarded = isProxied ? request.header("x-forwarded-for")?.split(separator: ",").last.map { String($0.filter { $0 != " " }) } : nil
        let isSecure = hasCertificate || (isProxied && request.header("x-forwarded-proto") == "https")
        let host = (isProxied ? request.header("x-forwarded-host") : nil) ?? request.header("host") ?? ""
        return Request(
            method: request.method.rawValue, path: request.path, query: request.query.map { ($0.name, $0.value) },
            headers: request.headers.map { ($0.name, $0.value) }, body: request.body, address: forwarded ?? request.peerAddress,
            origin: OriginRule(host: host, isSecure: isSecure), isLocal: isLocal)
    }

    /// The headers that every answer to a browser carries.
    func headers(isSecure: Bool, isAPI: Bool) -> [WebField] {
        var fields = [
            WebField(
                "content-security-policy",
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
                    + "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"),
            WebField("x-content-type-options", "nosniff"), WebField("referrer-policy", "no-referrer"), WebField("x-frame-options", "DENY"),
            WebField("cross-origin-opener-policy", "same-origin"), WebField("cross-origin-resource-policy", "same-origin"),
            WebField("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ]
        if isAPI { fields.append(WebField("cache-control", "no-store")) }
        if isSecure { fields.append(WebField("strict-transport-security", "max-age=31536000")) }
        return fields
    }

    func response(_ answer: Answer, isSecure: Bool) -> HTTPResponse {
        var response = HTTPResponse(status: answer.status, headers: headers(isSecure: isSecure, isAPI: true), body: answer.body)
        if !answer.type.isEmpty { response.headers.append(WebField("content-type", answer.type)) }
        response.headers += answer.headers.map { WebField($0.name, $0.value) }
        return response
    }
}

/// The handler on the server's thread.
final class WebDoor: WebHandler {
    /// Requests that may wait for the node's turn; beyond them strangers are asked to come back.
    private static let waitingMax = 2_000
    private let front: WebFront
    private let files: StaticFiles
    private let inbox: LoopInbox<ShellMessage>

    init(front: WebFront, dashboard: String, inbox: LoopInbox<ShellMessage>) {
        self.front = front; self.inbox = inbox
        files = StaticFiles(root: dashboard)
    }

    func request(_ request: HTTPRequest) -> RequestVerdict {
        let isAPI = request.listener == WebFront.consoleListener || WebDoor.isNodePath(request.path)
        guard isAPI else { return .answer(file(request)) }
        guard inbox.count < WebDoor.waitingMax else { return .answer(front.response(Problem.busyNode.answer, isSecure: false)) }
        inbox.post(.request(request))
        return .later
    }

    /// Sessions are looked at in the node's turn, which closes with a code that a script can read.
    func upgrade(_ request: HTTPRequest) -> UpgradeVerdict {
        guard request.path == "/api/v1/stream" || request.path == "/api/ws/candles" else { return .refuse(code: 4404, reason: "no such stream") }
        return inbox.count < WebDoor.waitingMax ? .accept : .refuse(code: 4408, reason: "busy")
    }
    func opened(_ client: WebClientID, _ request: HTTPRequest) { inbox.post(.streamOpened(client, request)) }
    /// Browsers send nothing; what comes is dropped.
    func received(_ text: [UInt8], from client: WebClientID) {}
    func closed(_ client: WebClientID) { inbox.post(.streamClosed(client)) }

    private static func isNodePath(_ path: String) -> Bool {
        path == "/api" || path.hasPrefix("/api/") || ["/health", "/ready", "/metrics"].contains(path)
    }

    /// A file of the dashboard; a page's path gives the one page.
    private func file(_ request: HTTPRequest) -> HTTPResponse {
        let seen = front.request(request)
        guard request.method == .get || request.method == .head else {
            return front.response(Problem.methodNotAllowed(request.method.rawValue, allowed: ["GET"]).answer, isSecure: seen.origin.isSecure)
        }
        let isPage = !(request.path.split(separator: "/").last ?? "").contains(".")
        guard var response = files.response(path: isPage ? "/index.html" : request.path, for: request) else {
            let problem = isPage ? Problem.noDashboard : Problem.noFile(request.path)
            return front.response(problem.answer, isSecure: seen.origin.isSecure)
        }
        response.headers += front.headers(isSecure: seen.origin.isSecure, isAPI: false)
        return response
    }
}
