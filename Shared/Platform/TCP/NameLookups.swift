// Host names to addresses on threads of their own: DNS may take many seconds, and a loop has none to spare.
internal import CShim

/// What the system says of a host name.
package enum NameAnswer: Hashable, Sendable {
    /// Numeric addresses, the preferred one first.
    case addresses([String])
    /// There are none, in the system's words.
    case unknown(String)
}

/// The lookups of one loop. A name is looked up by one thread at a time, however often it is asked for meanwhile: a resolver that hangs costs one
/// thread a name.
///
/// Nothing of the loop reaches those threads but the inbox, which is made for that and outlives the loop when it must.
final class NameLookups {
    private struct Answer: Sendable {
        let host: String
        let answer: NameAnswer
    }
    private let resolve: @Sendable (String) -> NameAnswer
    private var waiting: [String: [(NameAnswer) -> Void]] = [:]
    private var inbox: LoopInbox<Answer>?

    init(_ loop: EventLoop, resolve: @escaping @Sendable (String) -> NameAnswer) {
        self.resolve = resolve
        inbox = loop.inbox(of: Answer.self) { [weak self] answers in
            for answer in answers { self?.tell(answer) }
        }
    }

    /// Calls `then` within a later turn of the loop.
    func find(_ host: String, then: @escaping (NameAnswer) -> Void) {
        let isAsked = waiting[host] != nil
        waiting[host, default: []].append(then)
        guard !isAsked, let inbox else { return }
        SystemThread.detached(name: "name lookup") { [resolve] in inbox.post(Answer(host: host, answer: resolve(host))) }
    }

    private func tell(_ answer: Answer) { for then in waiting.removeValue(forKey: answer.host) ?? [] { then(answer.answer) } }

    /// True for an address, which needs no lookup.
    static func isAddress(_ host: String) -> Bool { tidewire_is_address(host) != 0 }

    /// The system's own answer: hosts file, DNS, whatever it is set up with. Blocks.
    static func system(_ host: String) -> NameAnswer {
        var text = [CChar](repeating: 0, count: 2_048)
        let length = tidewire_resolve(host, &text, Int32(text.count))
        let words = text.withUnsafeBufferPointer { buffer in
            String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return length < 0 ? .unknown(words) : .addresses(words.split(separator: "\n").map(String.init))
    }
}
