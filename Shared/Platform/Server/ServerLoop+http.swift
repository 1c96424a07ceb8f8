// One request and its response on the server's thread.
internal import CWebSockets

extension ServerLoop {
    /// A body up to this many times the limit is read to its end before the 413, so that no reset overtakes the answer.
    private var discardBytesMax: Int { configuration.bodyBytesMax * 16 }

    /// The head is complete: refuse, wait for the body, or ask the handler.
    func requestHead(_ connection: ServerConnection) -> Int32 {
        guard case .idle = connection.phase else { return -1 }
        connection.serial += 1
        connection.closeAfterAnswer = false
        connection.headOnly = false
        lws_set_timer_usecs(connection.wsi, Int64(configuration.requestSecondsMax) * 1_000_000)
        guard let request = readHead(connection) else { return refuse(connection, 400, "malformed request") }
        connection.headOnly = request.method == .head
        if request.header("transfer-encoding") != nil { return refuse(connection, 411, "send content-length") }
        guard let announced = request.header("content-length") else {
            // Without a length the library would take what follows for a body; so nothing may follow.
            connection.closeAfterAnswer = [.post, .put, .patch].contains(request.method)
            return deliver(connection, request)
        }
        guard let length = contentLength(announced) else { return refuse(connection, 400, "content-length is not a number") }
        if length > configuration.bodyBytesMax {
            guard length <= discardBytesMax else { return refuse(connection, 413, "body over \(configuration.bodyBytesMax) bytes") }
            connection.phase = .discarding
            return 0
        }
        guard length > 0 else { return deliver(connection, request) }
        connection.phase = .receiving(request, expected: length)
        return 0
    }

    func requestBody(_ connection: ServerConnection, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        switch connection.phase {
        case .receiving(var request, let expected):
            // The copy in the phase is dropped first, so that the body grows in place.
            connection.phase = .idle
            request.body.append(contentsOf: bytes)
            guard request.body.count <= expected else { return -1 }
            connection.phase = .receiving(request, expected: expected)
            return 0
        case .discarding: return 0
        // After a request without a length whatever comes is thrown away until the connection ends.
        default: return connection.closeAfterAnswer || bytes.isEmpty ? 0 : -1
        }
    }

    func requestBodyEnd(_ connection: ServerConnection) -> Int32 {
        switch connection.phase {
        case .receiving(let request, _):
            connection.phase = .complete(request)
            lws_callback_on_writable(connection.wsi)
            return 0
        case .discarding: return refuse(connection, 413, "body over \(configuration.bodyBytesMax) bytes", keep: true)
        default: return bodyEndAgain(connection)
        }
    }

    /// Bytes behind a body make the library report its end again: once or twice a turn, which is harmless; but when the body itself
    /// came out of the library's buffer, in a loop without end (lws_http_action of 4.1.6 never looks whether anything was consumed).
    /// Only closing breaks that loop, and it closes before the handler has heard of the request.
    private func bodyEndAgain(_ connection: ServerConnection) -> Int32 {
        connection.repeats = connection.repeatsTurn == turn ? connection.repeats + 1 : 0
        connection.repeatsTurn = turn
        return connection.repeats < 8 ? 0 : -1
    }

    /// Sends what is left of the response; at its end the connection is ready for the next request, or closed.
    func writeResponse(_ connection: ServerConnection) -> Int32 {
        if case .complete(let request) = connection.phase { return deliver(connection, request) }
        guard case .sending = connection.phase else { return 0 }
        let count = min(connection.output.count - connection.sent, ServerLoop.writeBytesMax)
        if count > 0 {
            connection.output.withUnsafeBufferPointer { output in
                (scratch + WebFrame.room).update(from: output.baseAddress! + connection.sent, count: count)
            }
            let kind = connection.sent == 0 ? LWS_WRITE_HTTP_HEADERS : LWS_WRITE_HTTP
            guard lws_write(connection.wsi, scratch + WebFrame.room, count, kind) >= 0 else { return -1 }
            connection.sent += count
        }
        if connection.sent < connection.output.count || lws_partial_buffered(connection.wsi) != 0 {
            lws_callback_on_writable(connection.wsi)
            return 0
        }
        return finish(connection)
    }

    private func finish(_ connection: ServerConnection) -> Int32 {
        connection.phase = .idle
        connection.output = []
        lws_set_timer_usecs(connection.wsi, -1)
        return connection.closeAfterAnswer || lws_http_transaction_completed(connection.wsi) != 0 ? -1 : 0
    }

    /// The deadline of the present phase has passed.
    func timedOut(_ connection: ServerConnection) -> Int32 {
        switch connection.phase {
        case .waiting:
            mailbox.count { $0.requestsTimedOut += 1 }
            respond(connection, HTTPResponse.problem(503, "no answer in time"))
            return 0
        case .receiving, .complete, .discarding, .sending:
            mailbox.count { $0.requestsTimedOut += 1 }
            return -1
        case .webSocket, .closing: return silent(connection)
        case .idle, .upgrading: return 0
        }
    }

    /// Asks the handler. While it thinks, nothing is read: the next request's bytes stay in the socket.
    private func deliver(_ connection: ServerConnection, _ request: HTTPRequest) -> Int32 {
        lws_set_timeout(connection.wsi, NO_PENDING_TIMEOUT, 0)
        connection.phase = .waiting
        mailbox.count { $0.requests += 1 }
        switch handler.request(request) {
        case .answer(let response): respond(connection, response)
        case .later: lws_rx_flow_control(connection.wsi, 0)
        }
        return 0
    }

    /// Puts a response on its way; it is written when the socket says so.
    func respond(_ connection: ServerConnection, _ response: HTTPResponse) {
        if response.status >= 400 && response.headers.contains(WebField("connection", "close")) { connection.closeAfterAnswer = true }
        connection.output = ResponseText.bytes(response, headOnly: connection.headOnly, close: connection.closeAfterAnswer)
        connection.sent = 0
        connection.phase = .sending
        // The library reports a socket whose reading is stopped as writable to nobody.
        lws_rx_flow_control(connection.wsi, 1)
        lws_set_timer_usecs(connection.wsi, Int64(configuration.sendSecondsMax) * 1_000_000)
        lws_callback_on_writable(connection.wsi)
    }

    private func refuse(_ connection: ServerConnection, _ status: Int, _ reason: String, keep: Bool = false) -> Int32 {
        mailbox.count { $0.requestsRefused += 1 }
        lws_set_timeout(connection.wsi, NO_PENDING_TIMEOUT, 0)
        connection.closeAfterAnswer = !keep
        respond(connection, HTTPResponse.problem(status, reason))
        return 0
    }

    /// Digits only: a sign, a list or spaces are how two parsers come to disagree about where a request ends.
    private func contentLength(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 12, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
