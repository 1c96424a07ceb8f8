// The sender's ledger lane: from the journal, inside the credit, on from the last ack; and the droppable lanes beside it.
package import Ledger
package import Values
internal import Wire

extension Sender {
    /// New durable entries. With nothing waiting before them they pass through at once; otherwise they are read again in their turn.
    mutating func committed(_ entries: [Entry], at now: ClockReading, into out: inout [Action]) {
        guard let first = entries.first, let last = entries.last else { return }
        precondition(first.seq == head.seq.next && first.previous == head.hash, "entry \(first.seq) was committed after \(head.seq)")
        head = last.head
        let isDecided = last.epoch > identity.epoch && !rules.epochNotRaised
        if isDecided { identity.epoch = last.epoch }
        identity.mayHeal = false
        // The cloud waits for the first entry of the new lineage.
        if isDecided, phase == .opening { open(at: now, into: &out) }
        if confess(entries), phase == .open || phase == .opening { return open(at: now, into: &out) }
        if phase == .open, reading == nil, sent.next == first.seq, !isBlocked[Int(Lane.bulk.rawValue)] { ship(entries, at: now, into: &out) }
    }

    /// Entries re-read from the journal. An answer to a question that a rewind has made void is dropped.
    mutating func read(_ from: Seq, _ entries: [Entry], at now: ClockReading, into out: inout [Action]) {
        guard phase == .open, reading == from else { return }
        guard let first = entries.first else { reading = nil; return }
        // Behind what is lost the chain goes on from the hash that this ledger's own word names.
        let isBehindGap =
            first.seq > sent.next
            && LedgerHole(after: Head(seq: sent, hash: []), last: Head(seq: Seq(first.seq.raw - 1), hash: first.previous)).isTold(by: identity.gaps)
        // An entry behind a hole that the word does not fit is not sent: asked for again it would be no other, so that the lane stands still.
        guard isBehindGap || first.seq <= sent.next else { return }
        reading = nil
        if isBehindGap { sent = Seq(first.seq.raw - 1) }
        // Asked for by `askWhereItStands`: it is under way already, and counted.
        if first.seq == sent { send(.batch(Batch.encode([first]).body), into: &out) }
        guard first.seq == sent.next else { return }
        // What the cloud holds must be what this entry follows; the verdict said so, the journal says it again.
        if !isBehindGap, sent == acked.seq, first.previous != acked.hash {
            send(
                .error(
                    Trouble(
                        code: RefusalCase.fork.rawValue, text: "entry \(first.seq) does not follow the cloud's entry \(acked.seq)",
                        cure: RefusalCase.fork.cure, ends: true)),
                into: &out)
            reopen(into: &out)
            return
        }
        // The reader may be ahead of what was told: what it read is durable.
        if let last = entries.last, last.seq > head.seq { head = last.head }
        ship(entries, at: now, into: &out)
    }

    // MARK: - What is lost for good

    /// This ledger's word about an entry that it lost.
    package func gap(over seq: Seq) -> GapFact? { identity.gaps.last { $0.from <= seq && seq <= $0.to } }

    /// True when an entry that cannot be read may be passed over: the ledger says that it is lost, and the cloud takes what comes behind.
    package func mayPassOver(_ seq: Seq) -> Bool { phase == .open && takesGaps && reading == seq && gap(over: seq) != nil }

    /// Reads on behind what is lost.
    mutating func passOver(_ seq: Seq, into out: inout [Action]) {
        guard mayPassOver(seq), let gap = gap(over: seq) else { return }
        reading = gap.to.next
        out.append(.read(from: gap.to.next, entries: rules.batchEntries, bytes: Batch.rawBytesTarget))
    }

    /// Takes up what these entries say of lost ones; true when there is something new to tell the cloud.
    private mutating func confess(_ entries: [Entry]) -> Bool {
        let gaps = entries.compactMap(\.gap).filter { !identity.gaps.contains($0) }
        identity.gaps += gaps
        return !gaps.isEmpty
    }

    /// What may be under way: the cloud's credit, or less on a line that is slower than it.
    private var windowBytes: Int { min(credit.bytes, Sender.batchesMax * batchTarget) }

    /// Sends as many of these as the credit allows, in batches.
    private mutating func ship(_ entries: [Entry], at now: ClockReading, into out: inout [Action]) {
        var start = entries.startIndex
        while start < entries.endIndex {
            let room = rules.ignoreCredit ? Int.max : credit.entries - flying.entries
            var bytes = 0
            var end = start
            while end < entries.endIndex, end - start < min(rules.batchEntries, room) {
                let size = Batch.size(of: entries[end])
                guard end == start || bytes + size <= batchTarget else { break }
                // One batch larger than the whole credit still goes when nothing else is under way, or it would never go.
                guard rules.ignoreCredit || flying.bytes + bytes + size <= windowBytes || (flights.isEmpty && end == start) else { break }
                bytes += size; end += 1
            }
            guard end > start else { isFull = true; return }
            let packed = Batch.encode(entries[start..<end])
            if flights.isEmpty { progressAt = now.monotonic }
            let last = entries[end - 1]
            flights.append(Flight(last: last.seq, hash: last.hash, entries: end - start, bytes: packed.rawBytes, sentAt: now.monotonic))
            flying.entries += end - start; flying.bytes += packed.rawBytes
            sent = entries[end - 1].seq
            send(.batch(packed.body), into: &out)
            start = end
        }
    }

    /// The cloud has committed up to here.
    mutating func acknowledge(_ have: Head, at now: ClockReading, into out: inout [Action]) {
        guard have.seq > acked.seq else { return }
        guard have.seq <= sent else {
            fail("the cloud acknowledged entry \(have.seq), sent is \(sent)", into: &out)
            return
        }
        var isQuick = false
        while let flight = flights.first, flight.last <= have.seq {
            guard flight.last < have.seq || flight.hash.map({ $0 == have.hash }) ?? true else {
                fail("the cloud acknowledged another entry \(have.seq)", into: &out)
                return
            }
            flying.entries -= flight.entries; flying.bytes -= flight.bytes
            isQuick = isQuick || (flight.bytes >= batchTarget / 2 && now.monotonic - flight.sentAt <= Sender.quickAck)
            flights.removeFirst()
        }
        if isQuick { batchTarget = min(Batch.rawBytesTarget, batchTarget * 2) }
        acked = have
        progressAt = now.monotonic; stalls = 0; isFull = false
        out.append(.acked(acked))
    }

    /// Sends on from after `have`; what was under way beyond it no longer counts.
    mutating func rewind(to have: Seq) {
        let place = max(have, acked.seq)
        guard place < sent, !rules.neverRewind else { return }
        while let flight = flights.last, flight.last > place {
            flights.removeLast()
            let dropped = Int(flight.last.raw - place.raw)
            guard dropped < flight.entries else {
                flying.entries -= flight.entries; flying.bytes -= flight.bytes
                continue
            }
            // The batch lies across the place: its first part stays under way, with all its bytes counted.
            flying.entries -= dropped
            flights.append(Flight(last: place, hash: nil, entries: flight.entries - dropped, bytes: flight.bytes, sentAt: flight.sentAt))
        }
        sent = place; reading = nil; isFull = false
    }

    /// Nothing was acknowledged for long. What was sent may be on its way all the same, and is not put on a slow line once more behind itself: the
    /// last entry alone is sent again. The cloud has it and says so, or names what it is missing.
    mutating func askWhereItStands(into out: inout [Action]) {
        guard !isBlocked[Int(Lane.bulk.rawValue)], !rules.neverRewind else { return }
        reading = sent
        out.append(.read(from: sent, entries: 1, bytes: batchTarget))
    }

    /// A session ends and what was under way did not arrive in time: the next one sends smaller pieces, which do.
    mutating func slowDown(at time: Span) {
        guard !flights.isEmpty, stalls > 0 || time - progressAt >= rules.stallAfter + lag, !rules.neverSlowsDown else { return }
        batchTarget = max(Sender.batchTargetMin, batchTarget / 2)
    }

    /// A broken rule of the protocol: the session ends, the next one starts from the verdict.
    mutating func fail(_ text: String, into out: inout [Action]) {
        send(.error(Trouble(code: "PROTOCOL", text: text, cure: "The link is opened again by itself.", ends: true)), into: &out)
        reopen(into: &out)
    }

    /// Sends whatever may be sent now: reads the backlog, then live state, then bars while no entry waits.
    mutating func pump(at now: ClockReading, into out: inout [Action]) {
        guard phase == .open else { return }
        if !isBlocked[Int(Lane.bulk.rawValue)] {
            let hasRoom = rules.ignoreCredit || (flying.entries < credit.entries && flying.bytes < windowBytes)
            if sent < head.seq, reading == nil, hasRoom, !isFull {
                reading = sent.next
                let entries = rules.ignoreCredit ? rules.batchEntries : min(rules.batchEntries, credit.entries - flying.entries)
                out.append(.read(from: sent.next, entries: entries, bytes: batchTarget))
            }
            if sent == head.seq, reading == nil, !market.isEmpty { send(.market(market.removeFirst()), into: &out) }
        }
        if !changed.isEmpty, !isBlocked[Int(Lane.control.rawValue)], now.monotonic - stateAt >= rules.stateEvery { flushState(at: now, into: &out) }
    }

    // MARK: - What may be dropped

    /// Remembers the newest item of a key.
    mutating func note(_ item: LiveItem) {
        let refused = live.refused
        live.apply(item)
        guard live.refused == refused, phase == .open, isChanged.insert(item.key).inserted else { return }
        changed.append(item.key)
    }

    /// Queues bars; with too many waiting the oldest go.
    mutating func queue(_ bars: MarketBars) {
        if market.count >= Sender.marketMax { market.removeFirst(); marketDropped += 1 }
        market.append(bars)
    }

    private mutating func flushState(at now: ClockReading, into out: inout [Action]) {
        var (count, bytes) = (0, 0)
        for key in changed.prefix(Sender.stateItemsMax) {
            bytes += live.items[key].map { JSONWriter.plain($0.value).count + 1 } ?? 0
            guard count == 0 || bytes <= Sender.stateBytesMax else { break }
            count += 1
        }
        let keys = changed.prefix(count)
        send(.state(seq: head.seq, items: keys.compactMap { live.items[$0] }), into: &out)
        isChanged.subtract(keys)
        changed.removeFirst(count)
        stateAt = now.monotonic
    }
}
