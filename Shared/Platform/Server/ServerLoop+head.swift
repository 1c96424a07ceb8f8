// Reads a parsed request head out of the library's tables.
internal import CWebSockets

extension ServerLoop {
    /// The request's head with an empty body; nil when its method or path is not one we serve.
    func readHead(_ connection: ServerConnection) -> HTTPRequest? {
        let wsi = connection.wsi
        var start: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        guard let (method, token) = methodAndToken(lws_http_get_uri_and_method(wsi, &start, &length)) else { return nil }
        guard hasVersion(wsi), let path = path(wsi, token), let query = query(wsi) else { return nil }
        var headers: [WebField] = []
        for (name, token) in wellKnown {
            guard lws_hdr_total_length(wsi, token) > 0 else { continue }
            guard let value = copied(Int(lws_hdr_total_length(wsi, token)), { lws_hdr_copy(wsi, $0, $1, token) }) else { return nil }
            headers.append(WebField(name, value))
        }
        for name in configuration.extraHeaders {
            let key = name + ":"
            let length = lws_hdr_custom_length(wsi, key, Int32(key.utf8.count))
            guard length >= 0 else { continue }
            guard let value = copied(Int(length), { lws_hdr_custom_copy(wsi, $0, $1, key, Int32(key.utf8.count)) }) else { return nil }
            headers.append(WebField(name, value))
        }
        return HTTPRequest(
            id: RequestID(connection: connection.id, serial: connection.serial), method: method, path: path, query: query, headers: headers,
            body: [], peerAddress: connection.peer, listener: connection.listener)
    }

    /// Whether the request line ended as it should. The library (4.1.6) takes an encoded newline in a path for the end of the
    /// line and the rest of the path for a header: seen 2026-11, a way to smuggle `content-length` past a proxy. Then no version follows.
    private func hasVersion(_ wsi: OpaquePointer) -> Bool {
        guard lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP, 1) == 0, lws_hdr_total_length(wsi, WSI_TOKEN_HTTP) == 8 else { return false }
        return ["HTTP/1.1", "HTTP/1.0"].contains(copied(8) { lws_hdr_copy(wsi, $0, $1, WSI_TOKEN_HTTP) } ?? "")
    }

    /// The library has cut the path at `&` and `;` too; it is put together again.
    private func path(_ wsi: OpaquePointer, _ token: lws_token_indexes) -> String? {
        guard let parts = fragments(wsi, token) else { return nil }
        let path = parts.joined(separator: "&")
        return path.utf8.first == UInt8(ascii: "/") ? path : nil
    }

    private func query(_ wsi: OpaquePointer) -> [WebField]? {
        guard lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) > 0 else { return [] }
        return fragments(wsi, WSI_TOKEN_HTTP_URI_ARGS)?.compactMap { text in
            guard !text.isEmpty else { return nil }
            guard let equals = text.firstIndex(of: "=") else { return WebField(text, "") }
            return WebField(String(text[..<equals]), String(text[text.index(after: equals)...]))
        }
    }

    private func fragments(_ wsi: OpaquePointer, _ token: lws_token_indexes) -> [String]? {
        var parts: [String] = []
        // The library's own table has fewer than 128 fragments.
        for index in 0..<Int32(128) {
            let length = lws_hdr_fragment_length(wsi, token, index)
            guard length > 0 || index == 0 else { break }
            guard let part = copied(Int(length), { lws_hdr_copy_fragment(wsi, $0, $1, token, index) }) else { return nil }
            parts.append(part)
        }
        return parts
    }

    /// Valid UTF-8 without control characters, or nil.
    private func copied(_ length: Int, _ copy: (UnsafeMutablePointer<CChar>?, Int32) -> Int32) -> String? {
        guard length > 0 else { return "" }
        var bytes = [CChar](repeating: 0, count: length + 1)
        let count = bytes.withUnsafeMutableBufferPointer { copy($0.baseAddress, Int32($0.count)) }
        guard count >= 0, count <= length else { return nil }
        let text = bytes.prefix(Int(count)).map { UInt8(bitPattern: $0) }
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    private func methodAndToken(_ number: Int32) -> (HTTPMethod, lws_token_indexes)? {
        switch Int(number) {
        case Int(LWSHUMETH_GET): (.get, WSI_TOKEN_GET_URI)
        case Int(LWSHUMETH_HEAD): (.head, WSI_TOKEN_HEAD_URI)
        case Int(LWSHUMETH_POST): (.post, WSI_TOKEN_POST_URI)
        case Int(LWSHUMETH_PUT): (.put, WSI_TOKEN_PUT_URI)
        case Int(LWSHUMETH_PATCH): (.patch, WSI_TOKEN_PATCH_URI)
        case Int(LWSHUMETH_DELETE): (.delete, WSI_TOKEN_DELETE_URI)
        case Int(LWSHUMETH_OPTIONS): (.options, WSI_TOKEN_OPTIONS_URI)
        default: nil
        }
    }

    private var wellKnown: [(String, lws_token_indexes)] {
        [
            ("host", WSI_TOKEN_HOST), ("origin", WSI_TOKEN_ORIGIN), ("cookie", WSI_TOKEN_HTTP_COOKIE),
            ("authorization", WSI_TOKEN_HTTP_AUTHORIZATION), ("content-type", WSI_TOKEN_HTTP_CONTENT_TYPE),
            ("content-length", WSI_TOKEN_HTTP_CONTENT_LENGTH), ("content-encoding", WSI_TOKEN_HTTP_CONTENT_ENCODING),
            ("transfer-encoding", WSI_TOKEN_HTTP_TRANSFER_ENCODING), ("accept", WSI_TOKEN_HTTP_ACCEPT),
            ("accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING), ("accept-language", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE),
            ("if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH), ("if-match", WSI_TOKEN_HTTP_IF_MATCH),
            ("referer", WSI_TOKEN_HTTP_REFERER), ("user-agent", WSI_TOKEN_HTTP_USER_AGENT),
            ("x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR), ("x-real-ip", WSI_TOKEN_HTTP_X_REAL_IP),
            ("upgrade", WSI_TOKEN_UPGRADE), ("sec-websocket-protocol", WSI_TOKEN_PROTOCOL),
        ]
    }
}
