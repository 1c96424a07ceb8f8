// Which page may write with the cookie, and which cookie may be set: decided from the request's own headers.

/// How a request came in, as far as the browser's rules about origins ask.
package struct OriginRule: Hashable, Sendable {
    /// `Host` (or what a trusted proxy says it was).
    package var host: String
    /// True when the browser spoke https, here or to a trusted proxy.
    package var isSecure: Bool
    package init(host: String, isSecure: Bool) { self.host = host.lowercased(); self.isSecure = isSecure }

    /// The only origin whose pages may use the cookie: the request's own.
    package var ownOrigin: String { (isSecure ? "https://" : "http://") + OriginRule.withoutDefaultPort(host, isSecure: isSecure) }

    /// True for a write or a stream from our own page. A browser always sends `Origin` with these; without it the answer is no.
    package func allows(origin: String?) -> Bool {
        guard let origin else { return false }
        let isSecureOrigin = origin.hasPrefix("https://")
        guard isSecureOrigin || origin.hasPrefix("http://") else { return false }
        let authority = origin.dropFirst(isSecureOrigin ? 8 : 7).lowercased()
        return ownOrigin == (isSecureOrigin ? "https://" : "http://") + OriginRule.withoutDefaultPort(authority, isSecure: isSecureOrigin)
    }

    /// The cookie's name, or nil where no cookie is set: plain http to anything but this machine would send it in the clear.
    package var cookieName: String? {
        if isSecure { return "__Host-tidewire" }
        return isLoopback ? "tidewire" : nil
    }

    /// True when the browser was pointed at this very machine.
    package var isLoopback: Bool {
        let name = OriginRule.hostName(host)
        return name == "localhost" || name.hasSuffix(".localhost") || Loopback.isAddress(name)
    }

    private static func hostName(_ host: String) -> String {
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
        return String(host.prefix { $0 != ":" })
    }

    private static func withoutDefaultPort(_ host: String, isSecure: Bool) -> String {
        let suffix = isSecure ? ":443" : ":80"
        return host.hasSuffix(suffix) ? String(host.dropLast(suffix.utf8.count)) : host
    }
}
