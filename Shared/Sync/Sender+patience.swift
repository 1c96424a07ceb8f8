// How long the edge waits for the cloud's words: a line that takes longer than usual shows it, and is given the time.
internal import Values

extension Sender {
    /// Of a line whose round trip is longer than all that the edge says in so many HELLOs nothing can be learned.
    static let greetingsMax = 8

    /// A word before a session names the HELLO that it answers. One that answers an earlier HELLO was overtaken by the next: the edge waits twice as
    /// long from now on, or the answers would come too late for ever.
    mutating func learn(from message: Message, _ frame: Frame, at now: Span) {
        let answered: Int64? =
            switch message {
            case .welcome(let welcome): welcome.attempt
            case .fetch(let attempt, _, _), .settle(let attempt, _), .behind(let attempt, _), .prove(let attempt, _): attempt
            case .beat, .error: Int64(exactly: frame.number)
            default: nil
            }
        guard let answered, frame.session == 0 || message.type == .welcome, let greeting = greetings.last(where: { $0.attempt == answered }) else {
            return
        }
        isAnswered = true
        if answered != attempt { patience = max(patience, patience(for: now - greeting.at)) }
    }

    /// Nothing at all was heard: perhaps nobody is there, perhaps the answers take longer than the edge waits.
    mutating func waitLonger() {
        if !isAnswered { patience = max(patience, patience(for: patience)) }
    }

    /// The session begins, so that the line is known.
    mutating func settle(on roundTrip: Span?) {
        if let roundTrip { patience = patience(for: roundTrip) }
    }

    /// Twice the round trip, because a line that is filled gets slower still; never less than usual, never without bound.
    private func patience(for roundTrip: Span) -> Span {
        guard !rules.neverWaitsLonger else { return rules.helloEvery }
        return min(rules.helloEveryMax, max(rules.helloEvery, roundTrip + roundTrip))
    }

    /// What a slow line adds to each wait for an answer inside a session.
    var lag: Span { patience > rules.helloEvery ? patience : .zero }

    /// For how long a session may be silent. What is said in it comes every few seconds however slow the line is; only the first word has its whole way
    /// before it.
    var silenceMax: Span { isUnheard ? rules.deadAfter + lag : rules.deadAfter }
}
