// The verdict on a HELLO: a pure table over what both ends have, or the question that has to be asked first.
package import Ledger
package import Values

/// What the cloud durably knows of one edge.
package struct EdgeMemory: Hashable, Sendable {
    /// The last durable entry.
    package var have: Head
    /// The highest head the edge ever announced, whether its entries have come or not.
    package var announced: Head
    package init(have: Head = .start, announced: Head = .start) { self.have = have; self.announced = announced }
}

/// What has been found out about one HELLO so far.
package struct Evidence: Hashable, Sendable {
    /// Heads the edge showed in its PROOF; nil before it answered.
    package var proof: [Head]?
    /// Whether the edge's head is on the cloud's chain; nil before the store answered.
    package var isHeadOurs: Bool?
    package init(proof: [Head]? = nil, isHeadOurs: Bool? = nil) { self.proof = proof; self.isHeadOurs = isHeadOurs }
}

/// What to do with a HELLO.
package enum Verdict: Hashable, Sendable {
    /// CONTINUE: the session may open.
    case goOn
    case refused(Refusal)
    /// The edge has to show these hashes first.
    case prove([Seq])
    /// The cloud's store has to be asked whether it has this entry.
    case compare(Head)

    /// CONTINUE only when everything either side ever held is on one chain that the edge still has.
    package static func judge(_ hello: Hello, _ memory: EdgeMemory, _ evidence: Evidence = Evidence()) -> Verdict {
        func refuse(_ verdict: RefusalCase, _ text: String) -> Verdict { .refused(Refusal(verdict, edge: hello.edge, text: text)) }
        let have = memory.have, head = hello.head
        guard hello.protocolMin <= Int64(Frame.version), hello.protocolMax >= Int64(Frame.version) else {
            return refuse(
                .version, "the edge (release \(hello.release)) speaks \(hello.protocolMin) to \(hello.protocolMax), the cloud speaks \(Frame.version)"
            )
        }
        if head.seq < have.seq {
            guard head.seq > Seq(0) else { return refuse(.edgeBehind, "the edge's ledger is empty, the cloud has \(have.seq) entries") }
            switch evidence.isHeadOurs {
            case nil: return .compare(head)
            case true?: return refuse(.edgeBehind, "the edge's ledger ends at entry \(head.seq), the cloud has up to \(have.seq)")
            case false?: return refuse(.fork, "the edge's entry \(head.seq) is not the one the cloud has")
            }
        }
        if head.seq == have.seq, head.hash != have.hash { return refuse(.fork, "the edge's entry \(head.seq) is not the one the cloud has") }
        guard hello.acked.seq <= have.seq else {
            return refuse(.cloudRestored, "the cloud had acknowledged entry \(hello.acked.seq) and now ends at \(have.seq)")
        }
        guard hello.oldest.raw <= have.seq.raw + 1 else {
            return refuse(.cloudRestored, "the cloud needs entry \(have.seq.next), the edge keeps entries from \(hello.oldest) on")
        }
        guard head.seq >= memory.announced.seq else {
            return refuse(
                .rollbackUnsynced, "the edge had announced entry \(memory.announced.seq) and now ends at \(head.seq); the cloud has \(have.seq)")
        }
        return judgeProofs(hello, memory, evidence)
    }

    /// The cloud's last entry and the highest announced one must be the edge's own.
    private static func judgeProofs(_ hello: Hello, _ memory: EdgeMemory, _ evidence: Evidence) -> Verdict {
        var questions: [Seq] = []
        for ours in [memory.have, memory.announced] where ours.seq > Seq(0) {
            if ours.seq == hello.head.seq {
                guard ours.hash == hello.head.hash else { return fork(ours.seq, hello) }
            } else if ours.seq >= hello.oldest {
                guard let proof = evidence.proof else { questions.append(ours.seq); continue }
                // Asked for and not shown is as good as another hash.
                guard proof.contains(ours) else { return fork(ours.seq, hello) }
            }
        }
        return questions.isEmpty ? .goOn : .prove(questions)
    }

    private static func fork(_ seq: Seq, _ hello: Hello) -> Verdict {
        .refused(Refusal(.fork, edge: hello.edge, text: "the edge's entry \(seq) is not the one the cloud knows"))
    }
}
