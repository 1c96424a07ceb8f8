// A web handler made of closures, and a place where threads leave values for a test to wait for.
import Dispatch
import Glibc
import Platform
import Synchronization

final class ScriptedHandler: WebHandler {
    let onRequest: @Sendable (HTTPRequest) -> RequestVerdict
    let onUpgrade: @Sendable (HTTPRequest) -> UpgradeVerdict
    let onMessage: @Sendable ([UInt8], WebClientID) -> Void
    let openClients = Letterbox<WebClientID>()
    let closedClients = Letterbox<WebClientID>()

    init(
        request: @escaping @Sendable (HTTPRequest) -> RequestVerdict = { _ in .answer(HTTPResponse(status: 404)) },
        upgrade: @escaping @Sendable (HTTPRequest) -> UpgradeVerdict = { _ in .accept },
        message: @escaping @Sendable ([UInt8], WebClientID) -> Void = { _, _ in }
    ) {
        onRequest = request; onUpgrade = upgrade; onMessage = message
    }
    func request(_ request: HTTPRequest) -> RequestVerdict { onRequest(request) }
    func upgrade(_ request: HTTPRequest) -> UpgradeVerdict { onUpgrade(request) }
    func opened(_ client: WebClientID, _ request: HTTPRequest) { openClients.put(client) }
    func received(_ text: [UInt8], from client: WebClientID) { onMessage(text, client) }
    func closed(_ client: WebClientID) { closedClients.put(client) }
}

/// A queue between threads: `take` waits at most ten seconds, so that a missing value is a failed test and not a hang.
final class Letterbox<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let filled = DispatchSemaphore(value: 0)
    func put(_ value: Value) {
        values.withLock { $0.append(value) }
        filled.signal()
    }
    func take() -> Value? {
        guard filled.wait(timeout: .now() + 10) == .success else { return nil }
        return values.withLock { $0.removeFirst() }
    }
    var count: Int { values.withLock { $0.count } }
}

/// Looks at `condition` every 2 ms for at most ten seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<5_000 {
        if condition() { return true }
        poll(nil, 0, 2)
    }
    return false
}

/// A server on a port of the system's choice.
func startServer(_ handler: ScriptedHandler, _ adjust: (inout WebServerConfiguration) -> Void = { _ in }) throws -> WebServer {
    var configuration = WebServerConfiguration(listeners: [.tcp(host: "127.0.0.1", port: 0)])
    adjust(&configuration)
    return try WebServer(configuration, handler: handler)
}
