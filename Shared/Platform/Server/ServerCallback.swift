// The one C callback of libwebsockets, turned into calls of the loop object.
internal import CWebSockets

/// Called by the library on the thread inside `lws_service` (or `lws_create_vhost`, before the server's thread exists).
func serverCallback(
    _ wsi: OpaquePointer?, _ reason: lws_callback_reasons, _ user: UnsafeMutableRawPointer?, _ input: UnsafeMutableRawPointer?, _ length: Int
) -> Int32 {
    guard let wsi, let context = lws_get_context(wsi), let raw = lws_context_user(context) else { return 0 }
    let loop = Unmanaged<ServerLoop>.fromOpaque(raw).takeUnretainedValue()
    switch reason {
    case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return loop.admit(wsi, descriptor: Int32(truncatingIfNeeded: Int(bitPattern: input)))
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: loop.opened(wsi)
    case LWS_CALLBACK_WSI_DESTROY: loop.destroyed(wsi)
    // CONNECT would turn the socket into a raw one.
    case LWS_CALLBACK_RAW_ADOPT, LWS_CALLBACK_RAW_RX: return -1
    default:
        guard let connection = loop.connection(wsi) else { return 0 }
        return loop.handle(connection, reason, UnsafeRawBufferPointer(start: input, count: input == nil ? 0 : length))
    }
    return 0
}

extension ServerLoop {
    /// What happens on one known connection; a negative answer makes the library close it.
    fileprivate func handle(_ connection: ServerConnection, _ reason: lws_callback_reasons, _ input: UnsafeRawBufferPointer) -> Int32 {
        switch reason {
        case LWS_CALLBACK_HTTP: return requestHead(connection)
        case LWS_CALLBACK_HTTP_BODY: return requestBody(connection, input)
        case LWS_CALLBACK_HTTP_BODY_COMPLETION: return requestBodyEnd(connection)
        case LWS_CALLBACK_HTTP_WRITEABLE: return writeResponse(connection)
        case LWS_CALLBACK_TIMER: return timedOut(connection)
        case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirmUpgrade(input.baseAddress)
        case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: return upgradeHead(connection)
        case LWS_CALLBACK_ESTABLISHED: return established(connection)
        case LWS_CALLBACK_RECEIVE: return received(connection, input)
        case LWS_CALLBACK_RECEIVE_PONG: heard(connection)
        case LWS_CALLBACK_SERVER_WRITEABLE: return writeFrame(connection)
        case LWS_CALLBACK_CLOSED: leave(connection)
        default: break
        }
        return 0
    }
}

/// Sends the library's own lines to the house log instead of stderr.
func routeServerLog() {
    lws_set_log_level(LLL_ERR | LLL_WARN, serverLogLine)
}

/// Debug only: most of the library's complaints are about what strangers send, and strangers must not fill the log.
private func serverLogLine(_ level: Int32, _ line: UnsafePointer<CChar>?) {
    guard let line else { return }
    let text = String(cString: line)
    Log.write(.debug, "libwebsockets", ["text": String(text.prefix { !$0.isNewline })])
}
