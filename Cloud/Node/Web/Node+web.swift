// One request's way: route, permission, budget, handler; and every refusal as problem+json.
internal import Control
internal import Platform
internal import Values
internal import Views
internal import Wire

/// A request that waits for the verdict on its command.
struct WaitingRequest {
    /// How long S0's paths wait before they answer "on its way".
    static let patience = Span.seconds(5)
    let number: UInt64
    let command: CommandID
    var until: Instant
}

extension Node {
    /// Answers a request, now or by a later turn.
    func take(_ request: Request, _ number: UInt64) throws {
        counters.requests += 1
        do {
            switch try route(request, number) {
            case .answer(let answer): effect(.respond(number, answer))
            case .later: break
            }
        } catch let problem as Problem {
            counters.problems += 1
            effect(.respond(number, problem.answer))
        } catch let damage as LedgerDamage {
            counters.problems += 1
            effect(.respond(number, Problem.ledgerDamaged(damage.words).answer))
            try found(damage)
        } catch StoreError.failed(let cause) {
            try bear(cause)
            counters.problems += 1
            effect(.respond(number, Problem.ledgerSetAside.answer))
        }
    }

    private func route(_ request: Request, _ number: UInt64) throws -> Reply {
        let method = request.method == "HEAD" ? "GET" : request.method
        var allowed: Set<String> = []
        for route in Routes.all where route.isLocal == request.isLocal || !route.isLocal {
            guard let places = route.match(request.path) else { continue }
            guard route.method == method else { allowed.insert(route.method); continue }
            let caller = try permit(route, request)
            return try route.handle(self, Call(request: request, number: number, caller: caller, places: places, now: now))
        }
        guard allowed.isEmpty else { throw Problem.methodNotAllowed(request.method, allowed: allowed.sorted()) }
        throw Problem.notFound(request.path)
    }

    /// Who asks, when the route lets him.
    private func permit(_ route: Route, _ request: Request) throws(Problem) -> Caller? {
        if route.isLocal { return nil }
        let caller: Caller?
        if route.permission == nil {
            // A public path knows its caller when there is one, and does without when not.
            caller = try? identify(request, isWrite: false)
        } else {
            caller = try identify(request, isWrite: route.method != "GET")
        }
        if let wait = budgets.take(caller.map { "u/\($0.user)" } ?? "a/\(request.address)", at: now) { throw .tooManyRequests(wait) }
        guard let permission = route.permission else { return caller }
        guard let caller else { throw .notSignedIn }
        guard caller.role.may(permission) else { throw .notAllowed(caller.role.rawValue) }
        return caller
    }

    // MARK: - Waiting for a verdict

    /// Answers the requests whose command has a verdict, or whose patience is over.
    func finishWaiting() throws {
        guard !waiting.isEmpty else { return }
        var kept: [WaitingRequest] = []
        for request in waiting {
            guard let record = control.outbox.records[request.command] else {
                effect(.respond(request.number, Problem.unknown("command").answer)); continue
            }
            if let answer = verdict(record) {
                effect(.respond(request.number, answer))
            } else if now >= request.until {
                effect(.respond(request.number, Node.accepted(record)))
            } else {
                kept.append(request)
            }
        }
        waiting = kept
    }

    private func verdict(_ record: CommandRecord) -> Answer? {
        switch record.stage {
        case .queued, .dispatched, .delivered: return nil
        case .accepted, .filled: return commandRow(record.id).map { Answer(200, $0) }
        case .refused: return Problem.verdict(refused: record.reason ?? "The edge refused it.", cure: record.cure).answer
        case .expired, .withdrawn, .superseded:
            return Problem.verdict(expired: record.reason ?? "It was not taken in time.", cure: record.cure).answer
        }
    }
}
