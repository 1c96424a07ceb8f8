// One outbound HTTP request over libcurl, to an address or to a unix socket; blocks its thread.
internal import CCurl
internal import Glibc
internal import Synchronization

/// Why there is no answer.
package enum HTTPClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nobody listens there.
    case unreachable(String)
    case timedOut
    /// Anything else, in curl's words.
    case failed(String)
    /// The answer is longer than was allowed.
    case tooLong

    package var description: String {
        switch self {
        case .unreachable(let text): "nobody answers: \(text)"
        case .timedOut: "no answer in time"
        case .failed(let text): text
        case .tooLong: "the answer is too long"
        }
    }
}

/// A request to be sent.
package struct HTTPCall: Sendable {
    package var method: HTTPMethod
    /// `http://host:port/path?query`; with a unix socket the host is only a name.
    package var url: String
    package var headers: [WebField]
    package var body: [UInt8]
    /// The path of a unix socket to connect to instead of the URL's host.
    package var unixSocket: String?
    package var timeoutMillis = 10_000
    package var answerBytesMax = 16 << 20
    package init(_ method: HTTPMethod, url: String, headers: [WebField] = [], body: [UInt8] = [], unixSocket: String? = nil) {
        self.method = method; self.url = url; self.headers = headers; self.body = body; self.unixSocket = unixSocket
    }
}

/// Sends requests. Redirects are not followed, and only http and https are spoken.
package enum HTTPClient {
    private static let isReady = Mutex(false)

    /// The answer's body as it arrives.
    private final class Sink {
        var bytes: [UInt8] = []
        let limit: Int
        init(limit: Int) { self.limit = limit }
    }

    /// Status and body of the answer; any status is an answer.
    package static func send(_ call: HTTPCall) throws(HTTPClientError) -> (status: Int, body: [UInt8]) {
        isReady.withLock { if !$0 { curl_global_init(Int(CURL_GLOBAL_DEFAULT)); $0 = true } }
        guard let handle = curl_easy_init() else { throw .failed("curl has no handle left") }
        defer { curl_easy_cleanup(handle) }
        var list: UnsafeMutablePointer<curl_slist>?
        for field in call.headers + [WebField("expect", "")] { list = curl_slist_append(list, "\(field.name): \(field.value)") }
        defer { curl_slist_free_all(list) }
        let sink = Sink(limit: call.answerBytesMax)
        let code: CURLcode = withExtendedLifetime(sink) {
            configure(handle, call, list)
            _ = tidewire_curl_set_writer(handle, take, Unmanaged.passUnretained(sink).toOpaque())
            guard !call.body.isEmpty || call.method == .post else { return curl_easy_perform(handle) }
            _ = tidewire_curl_set_number(handle, CURLOPT_POSTFIELDSIZE, call.body.count)
            return (call.body + [0]).withUnsafeBytes { body in
                // Curl reads the body during the call only, and an address it must have even for no bytes.
                _ = tidewire_curl_set_text(handle, CURLOPT_POSTFIELDS, body.baseAddress?.assumingMemoryBound(to: CChar.self))
                return curl_easy_perform(handle)
            }
        }
        switch code {
        case CURLE_OK: return (tidewire_curl_status(handle), sink.bytes)
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST: throw .unreachable(String(cString: curl_easy_strerror(code)))
        case CURLE_OPERATION_TIMEDOUT: throw .timedOut
        case CURLE_WRITE_ERROR: throw .tooLong
        default: throw .failed(String(cString: curl_easy_strerror(code)))
        }
    }

    private static func configure(_ handle: UnsafeMutableRawPointer, _ call: HTTPCall, _ list: UnsafeMutablePointer<curl_slist>?) {
        _ = tidewire_curl_set_text(handle, CURLOPT_URL, call.url)
        _ = tidewire_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = tidewire_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        _ = tidewire_curl_set_number(handle, CURLOPT_TIMEOUT_MS, call.timeoutMillis)
        _ = tidewire_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, call.method.rawValue)
        if let socket = call.unixSocket { _ = tidewire_curl_set_text(handle, CURLOPT_UNIX_SOCKET_PATH, socket) }
        _ = tidewire_curl_set_list(handle, CURLOPT_HTTPHEADER, list)
    }

    private static let take: tidewire_curl_writer = { bytes, size, count, context in
        guard let context, let bytes else { return 0 }
        let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
        let length = size * count
        guard sink.bytes.count + length <= sink.limit else { return 0 }
        sink.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
        return length
    }
}
