// WebSockets on the server's thread: upgrade, whole messages in, queued frames out, close.
internal import CWebSockets
internal import Glibc

extension ServerLoop {
    /// Only `websocket`: the library would also upgrade to HTTP/2 in clear text.
    func confirmUpgrade(_ name: UnsafeRawPointer?) -> Int32 {
        guard let name else { return -1 }
        return strcasecmp(name.assumingMemoryBound(to: CChar.self), "websocket") == 0 ? 0 : -1
    }

    func upgradeHead(_ connection: ServerConnection) -> Int32 {
        guard case .idle = connection.phase else { return -1 }
        connection.serial += 1
        guard let request = readHead(connection), request.method == .get else { return -1 }
        connection.phase = .upgrading(request, handler.upgrade(request))
        return 0
    }

    func established(_ connection: ServerConnection) -> Int32 {
        guard case .upgrading(let request, let verdict) = connection.phase else { return -1 }
        switch verdict {
        case .accept:
            connection.phase = .webSocket
            connection.announced = true
            mailbox.count { $0.clientsOpen += 1 }
            heard(connection)
            handler.opened(connection.client, request)
        case .refuse(let code, let reason):
            connection.phase = .closing(code: code, reason: reason)
            lws_callback_on_writable(connection.wsi)
        }
        return 0
    }

    func received(_ connection: ServerConnection, _ bytes: UnsafeRawBufferPointer) -> Int32 {
        guard case .webSocket = connection.phase else { return 0 }
        heard(connection)
        if lws_frame_is_binary(connection.wsi) != 0 { return closeNow(connection, 1_003, "text only") }
        guard connection.message.count + bytes.count <= configuration.messageBytesMax else {
            return closeNow(connection, 1_009, "message over \(configuration.messageBytesMax) bytes")
        }
        connection.message.append(contentsOf: bytes)
        guard lws_is_final_fragment(connection.wsi) != 0, lws_remaining_packet_payload(connection.wsi) == 0 else { return 0 }
        let message = connection.message
        connection.message = []
        handler.received(message, from: connection.client)
        return 0
    }

    /// One frame a call, as the library asks; the close frame comes after the last.
    func writeFrame(_ connection: ServerConnection) -> Int32 {
        switch connection.phase {
        case .webSocket, .closing: break
        default: return 0
        }
        if connection.ping == .wanted { return writePing(connection) }
        if let frame = connection.queue.popFirst() {
            guard lws_write(connection.wsi, frame.storage + WebFrame.room, frame.count, LWS_WRITE_TEXT) >= 0 else { return -1 }
            mailbox.count { $0.framesSent += 1 }
            lws_callback_on_writable(connection.wsi)
            return 0
        }
        guard case .closing(let code, let reason) = connection.phase else { return 0 }
        return closeNow(connection, code, reason)
    }

    /// Adds one frame to a client's queue; a full queue ends the client, because a gap would be silent.
    func enqueue(_ frame: WebFrame, _ connection: ServerConnection) {
        guard case .webSocket = connection.phase else { return }
        guard connection.queue.count < configuration.queuedFramesMax else {
            mailbox.count { $0.slowClientsClosed += 1 }
            return giveUp(connection, "too slow")
        }
        connection.queue.append(frame)
        lws_callback_on_writable(connection.wsi)
    }

    /// The client no longer keeps up, or no longer answers: it gets a close frame as soon as its socket takes one, and the socket ends in any case
    /// after `closeSecondsMax`.
    private func giveUp(_ connection: ServerConnection, _ reason: String) {
        connection.queue.removeAll()
        connection.ping = .none
        connection.phase = .closing(code: ServerLoop.tooSlow, reason: reason)
        lws_set_timer_usecs(connection.wsi, Int64(configuration.closeSecondsMax) * 1_000_000)
        lws_callback_on_writable(connection.wsi)
    }

    /// Nothing was heard for half of `idleSecondsMax`: a ping the first time, the end the second.
    func silent(_ connection: ServerConnection) -> Int32 {
        guard case .webSocket = connection.phase else { return -1 }
        guard connection.ping == .none else { giveUp(connection, "not heard"); return 0 }
        connection.ping = .wanted
        watchSilence(connection)
        lws_callback_on_writable(connection.wsi)
        return 0
    }

    /// A sign of life: the next silence is counted from here.
    func heard(_ connection: ServerConnection) {
        guard case .webSocket = connection.phase else { return }
        connection.ping = .none
        watchSilence(connection)
    }

    private func watchSilence(_ connection: ServerConnection) {
        lws_set_timer_usecs(connection.wsi, Int64(configuration.idleSecondsMax) * 500_000)
    }

    /// With a byte in it: the answer to an empty ping is not told by the library.
    private func writePing(_ connection: ServerConnection) -> Int32 {
        connection.ping = .sent
        scratch[WebFrame.room] = UInt8(ascii: "?")
        guard lws_write(connection.wsi, scratch + WebFrame.room, 1, LWS_WRITE_PING) >= 0 else { return -1 }
        lws_callback_on_writable(connection.wsi)
        return 0
    }

    /// Of our own kind (RFC 6455, 7.4.2): come back and resume.
    private static let tooSlow: UInt16 = 4_408

    private func closeNow(_ connection: ServerConnection, _ code: UInt16, _ reason: String) -> Int32 {
        // A close frame holds 123 bytes of reason.
        var text = Array(reason.utf8.prefix(123))
        let count = text.count
        text.withUnsafeMutableBufferPointer { lws_close_reason(connection.wsi, lws_close_status(UInt32(code)), $0.baseAddress, count) }
        return -1
    }
}
