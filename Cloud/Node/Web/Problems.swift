// Every problem that this API can give, in one place.
internal import Values
package import Views
internal import Wire

extension Problem {
    /// The answer with the headers that belong to its status.
    package var answer: Answer {
        var answer = Answer(status: status, type: Problem.type, body: JSONWriter.plain(value))
        for header in headers { answer.add(header.name, header.value) }
        return answer
    }
}

extension Problem {
    static func notFound(_ path: String) -> Problem {
        Problem("not-found", 404, "No such path", detail: "\(path) is not part of this API.", cure: "See API.md for the paths.")
    }
    static let notSignedIn = Problem("not-signed-in", 401, "Not signed in", detail: "The session is missing or over.", cure: "Sign in again.")
    static func notAllowed(_ role: String) -> Problem {
        Problem(
            "not-allowed", 403, "This is not for your role", detail: "The role \(role) may not do this.", cure: "Ask an admin for another role.")
    }
    static func unknownToEdge(_ name: String) -> Problem {
        Problem(
            "unknown-to-edge", 409, "The edge does not know this", detail: "The release of \(name) is too old for this command.",
            cure: "Update the edge, or do it at its own console.")
    }
    static let foreignOrigin = Problem(
        "foreign-origin", 403, "The request comes from another page", detail: "Writes with the cookie are taken from this site's own pages only.",
        cure: "Open the dashboard at its own address, or use a bearer token.")
    static let notPrivate = Problem(
        "not-private", 403, "No sign-in by cookie over plain http", detail: "The cookie would travel in the clear.",
        cure: "Use https, or open the dashboard on the machine itself (127.0.0.1), or ask for a bearer token.")
    static func notJSON(_ detail: String) -> Problem {
        Problem("not-json", 400, "The body is not JSON", detail: detail, cure: "Send a JSON object with Content-Type application/json.")
    }
    static func badRequest(_ detail: String, cure: String = "See API.md for the form of this request.") -> Problem {
        Problem("bad-request", 400, "The request is not in the agreed form", detail: detail, cure: cure)
    }
    static let keyMissing = Problem(
        "key-missing", 400, "The header Idempotency-Key is missing", detail: "Every write carries a UUID that becomes its command's id.",
        cure: "Make a new UUID for each wish and send it again with the same wish.")
    static let badKey = Problem(
        "key-missing", 400, "The header Idempotency-Key is not a UUID", detail: "32 hexadecimal digits, dashes allowed.",
        cure: "Make a new UUID for each wish and send it again with the same wish.")
    static let keyReused = Problem(
        "key-reused", 422, "This Idempotency-Key was used for another request", detail: "The key belongs to another body.",
        cure: "Use a new key for a new request.")
    static let wrongCredentials = Problem(
        "wrong-credentials", 401, "The name or the password is wrong", detail: "This pair was not accepted.",
        cure: "Check both and try again; `tidewire-cloud user password NAME` sets a new password.")
    static func tooManyTries(_ wait: Span) -> Problem {
        Problem(
            "too-many-tries", 429, "Too many sign-in tries", detail: "Try again in \(Plain.age(wait + .milliseconds(999))).",
            cure: "Wait, then try again.",
            retryAfter: wait)
    }
    static func tooManyRequests(_ wait: Span) -> Problem {
        Problem("too-many-requests", 429, "Too many requests", detail: "60 a second is the limit.", cure: "Ask less often.", retryAfter: wait)
    }
    static let busy = Problem(
        "busy", 503, "Too many sign-ins at once", detail: "Other passwords are still being checked.", cure: "Try again in a moment.",
        retryAfter: .seconds(1))
    static let storeFull = Problem(
        "store-full", 507, "The cloud's disk is full", detail: "Nothing of this request was stored, and nothing was done.",
        cure: "Make room on the cloud's disk, then ask again. Close and kill at the edge itself work without the cloud: tidewire-edge close, kill.")
    static let noEdge = Problem(
        "no-edge", 404, "No such edge", detail: "No enrolled edge has this name or id.",
        cure: "See /api/v1/edges; enrol one with tidewire-cloud edge invite NAME.")
    static func edgeSilent(_ name: String, quiet: Span?) -> Problem {
        let heard = quiet.map { "\(name) was last heard \(Plain.age($0)) ago" } ?? "\(name) was never heard"
        return Problem(
            "edge-silent", 503, "The edge is silent", detail: "\(heard); no opening order is taken until it reports.",
            cure: "Look at the edge's machine and its network. Close and Kill are still taken, and expire.")
    }
    /// What is shown is not what is: nothing is opened on it.
    static func bookBehind(_ name: String, _ entries: UInt64) -> Problem {
        let lag = entries == 0 ? "is still being read" : "is \(entries) \(entries == 1 ? "entry" : "entries") behind"
        return Problem(
            "book-behind", 503, "What is shown of \(name) is not its newest", detail: "The book of \(name) \(lag); no opening order is taken on it.",
            cure: "Look again in a moment. Close and Kill are still taken.", retryAfter: .seconds(1))
    }
    /// A halt is queued everywhere, and some edges cannot hear it.
    static func notTold(_ names: [String], of count: Int) -> Problem {
        let list = names.joined(separator: ", "), isOne = names.count == 1
        let others = count > names.count ? "The kill switch is on its way to the other edges. " : ""
        return Problem(
            "not-told", 503, "\(list) cannot be told to stop",
            detail:
                "\(others)\(list) \(isOne ? "is" : "are") set aside here and may trade on: nothing goes there until the page Edges has no more to say "
                + "about \(isOne ? "it" : "them"). The kill switch waits until then.",
            cure: "Give it there: tidewire-edge kill, on the machine of \(list), or the broker's own screen.")
    }
    static func halted(_ detail: String) -> Problem {
        Problem("halted", 409, "Trading is halted", detail: detail, cure: "Lower it at the edge's console: tidewire-edge resume.")
    }
    static func changedSinceConfirmed(_ detail: String) -> Problem {
        Problem(
            "changed-since-confirmed", 409, "The order would be larger than confirmed", detail: detail,
            cure: "Look at the new figures and confirm again.")
    }
    static let tooManyOpen = Problem(
        "too-many-commands", 429, "Too many commands are open", detail: "This edge has not answered the commands it was sent.",
        cure: "Wait until they end, or use the kill switch.", retryAfter: .seconds(10))
    static func notWatched(_ instrument: String) -> Problem {
        Problem(
            "not-watched", 404, "Nobody watches this instrument", detail: "There is no data of \(instrument) yet.",
            cure: "Choose one of /api/v1/market/instruments.")
    }
    static let noCharts = Problem(
        "no-charts", 503, "The bars cannot be read", detail: "The file of the market data, market.db, is damaged or its disk fails. Trading goes on.",
        cure: "Ask again: a damaged file gives way to an empty one, which fills by itself. If it stays so, look at the cloud's disk.",
        retryAfter: .seconds(1))
    static func alreadyDecided(_ title: String, _ stage: String) -> Problem {
        Problem(
            "already-decided", 409, "It is too late for that", detail: "'\(title)' is \(stage) already.",
            cure: "Look at the orders and the position.")
    }
    static let staysAsked = Problem(
        "stays-asked", 409, "This cannot be taken back", detail: "A halt stays asked, and so does taking something back.",
        cure: "Lower a halt at the edge's console: tidewire-edge resume.")
    static func unknown(_ what: String) -> Problem {
        Problem("unknown", 404, "No such \(what)", detail: "Nothing here has this id.", cure: "Look it up in the list.")
    }
    static func verdict(refused detail: String, cure: String?) -> Problem {
        Problem("refused", 409, "The order was refused", detail: detail, cure: cure ?? "Look at the reason, then ask again.")
    }
    static func verdict(expired detail: String, cure: String?) -> Problem {
        Problem("expired", 504, "The command expired", detail: detail, cure: cure ?? "Look at the position, then ask again.")
    }
    static let enrolmentClosed = Problem(
        "enrolment-closed", 503, "The enrolment socket could not be opened", detail: "Its port is taken or not allowed.",
        cure: "Look at the cloud's log and its setting enrolment.port.")
}

extension Problem {
    static let busyNode = Problem(
        "busy", 503, "The cloud is busy", detail: "Too many requests wait.", cure: "Try again in a moment.", retryAfter: .seconds(1))
    static let noDashboard = Problem(
        "no-dashboard", 404, "The dashboard is not built", detail: "The folder of the dashboard has no index.html.",
        cure: "Run deploy/web/build, or name the folder by the setting dashboard.")
    static func noFile(_ path: String) -> Problem {
        Problem("not-found", 404, "No such file", detail: "\(path) is not part of the dashboard.", cure: "Open the dashboard at /.")
    }
}
