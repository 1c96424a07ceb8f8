// The settings of `tidewire-cloud`, where they come from, and the data folder they name.
internal import Control
package import Platform
internal import Values
internal import Wire

/// Why the process does not start: a sentence, and the exit code that says of what kind it is.
package struct CloudRefusal: Error, Sendable, CustomStringConvertible {
    package let description: String
    package let exitCode: Int32
    package init(_ description: String, exitCode: Int32) { self.description = description; self.exitCode = exitCode }
}

/// A password from the environment: set when its user is new, and when it is another than the one that was given before. What the user sets
/// meanwhile stays.
package struct GivenUser: Sendable {
    package var name: String
    package var password: String
    package init(name: String, password: String) { self.name = name; self.password = password }
}

/// Everything that `run` needs.
package struct CloudConfiguration: Sendable {
    package var folder: String
    package var host = "127.0.0.1"
    package var port = 8_000
    package var certificate: WebCertificate?
    /// The folder that the dashboard's build wrote.
    package var dashboard = "deploy/web/dist"
    /// Addresses whose `X-Forwarded-*` headers are believed.
    package var trustedProxies: Set<String> = []
    package var linkHost = "0.0.0.0"
    package var linkPort = 5_570
    package var enrolmentPort = 5_571
    /// What edges dial: `host`, `host:port` or `host:port/enrolment port`; empty for our own address and ports.
    package var linkAddress = ""
    package var givenUser: GivenUser?
    /// Signs bearer tokens instead of a generated key.
    package var tokenSecret: String?
    package var passwordCost = PasswordCost.standard
    /// False where the process has other masters than signals.
    package var watchesSignals = true
    package init(folder: String) { self.folder = folder }
}

extension CloudConfiguration {
    package static let keys: [SettingKey] = [
        SettingKey("host", default: "127.0.0.1", "address that the web server listens on"),
        SettingKey("port", variables: ["PORT"], default: "8000", "port of the web server; 0 lets the system choose"),
        SettingKey("certificate", "PEM file with the certificate chain, for https"),
        SettingKey("key", "PEM file with the certificate's key"),
        SettingKey("dashboard", default: "deploy/web/dist", "folder of the built dashboard"),
        SettingKey("trusted_proxies", default: "", "addresses whose X-Forwarded headers are believed, with commas"),
        SettingKey("link.host", default: "0.0.0.0", "address that edges' links are taken on"),
        SettingKey("link.port", default: "5570", "port of the link; 0 lets the system choose"),
        SettingKey("enrolment.port", default: "5571", "port of the enrolment socket, open only while an invitation lives"),
        SettingKey("link_address", default: "", "what edges dial: HOST, HOST:PORT or HOST:PORT/ENROLMENT-PORT"),
        SettingKey("log", default: "info", "debug, info, warning or error"),
    ]
    /// The environment variables that are read; the main hands in their values.
    package static let variables =
        keys.flatMap { [$0.variable] + $0.variables } + [
            "TIDEWIRE_PASSWORD", "TIDEWIRE_USERNAME", "USERNAME", "PASSWORD", "TIDEWIRE_JWT_SECRET", "JWT_SECRET",
        ] + DataFolder.variables

    /// The data folder that flags and environment name.
    package static func folder(_ option: String?, _ environment: [String: String]) -> String {
        DataFolder.path(option, wing: "cloud") { environment[$0] }
    }

    /// Resolves flag, environment, file and default.
    package init(options: [String: String], environment: [String: String]) throws {
        self.init(folder: CloudConfiguration.folder(options["data"], environment))
        let path = options["config"] ?? folder + "/cloud.yaml"
        var file: (name: String, bytes: [UInt8])?
        if options["config"] != nil || PrivateFiles.exists(path) { file = (path, try PrivateFiles.read(path)) }
        let settings = try Settings(keys: CloudConfiguration.keys, flags: options, environment: environment, file: file)
        host = try settings.text("host"); port = try settings.integer("port", in: 0...65_535)
        dashboard = try settings.text("dashboard")
        trustedProxies = Set(try settings.text("trusted_proxies").split { $0 == "," || $0 == " " }.map(String.init))
        linkHost = try settings.text("link.host"); linkPort = try settings.integer("link.port", in: 0...65_535)
        enrolmentPort = try settings.integer("enrolment.port", in: 0...65_535)
        linkAddress = try settings.text("link_address")
        _ = try LinkAddress(linkAddress)
        switch (settings.value("certificate")?.text, settings.value("key")?.text) {
        case (let chain?, let key?): certificate = WebCertificate(certificatePath: chain, keyPath: key)
        case (nil, nil): break
        default: throw SettingsError.missing(settings.value("key") == nil ? "key" : "certificate")
        }
        guard let level = LogLevel(name: try settings.text("log")) else {
            throw SettingsError.badValue(
                key: "log", value: try settings.text("log"), source: settings.value("log")?.source ?? "", wanted: "debug, info, warning or error")
        }
        Log.setThreshold(level)
        givenUser = CloudConfiguration.user(environment)
        tokenSecret = environment["TIDEWIRE_JWT_SECRET"] ?? environment["JWT_SECRET"]
        if let tokenSecret, tokenSecret.utf8.count < 32 {
            throw SettingsError.badValue(key: "JWT_SECRET", value: "(set)", source: "environment", wanted: "at least 32 characters")
        }
    }

    /// The desktop sets `USERNAME` on many machines, so it counts only together with `PASSWORD`.
    private static func user(_ environment: [String: String]) -> GivenUser? {
        if let password = environment["TIDEWIRE_PASSWORD"], !password.isEmpty {
            return GivenUser(name: environment["TIDEWIRE_USERNAME"] ?? "admin", password: password)
        }
        guard let password = environment["PASSWORD"], !password.isEmpty else { return nil }
        return GivenUser(name: environment["USERNAME"] ?? "admin", password: password)
    }
}

/// What edges dial, as the setting gives it.
struct LinkAddress {
    var host: String?
    var linkPort: Int?
    var enrolmentPort: Int?

    init(_ text: String) throws(SettingsError) {
        guard !text.isEmpty else { return }
        func wrong() -> SettingsError {
            .badValue(key: "link_address", value: text, source: "settings", wanted: "HOST, HOST:PORT or HOST:PORT/ENROLMENT-PORT")
        }
        var rest = text[...]
        if let slash = rest.firstIndex(of: "/") {
            guard let port = Int(rest[rest.index(after: slash)...]), (1...65_535).contains(port) else { throw wrong() }
            enrolmentPort = port
            rest = rest[..<slash]
        }
        // The last colon of `[::1]:5570` or `name:5570`; a bare IPv6 address has no port.
        let isBareSix = !rest.hasPrefix("[") && rest.filter { $0 == ":" }.count > 1
        if !isBareSix, let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
            guard let port = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(port) else { throw wrong() }
            linkPort = port
            rest = rest[..<colon]
        }
        if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
        guard !rest.isEmpty else { throw wrong() }
        host = String(rest)
    }
}
