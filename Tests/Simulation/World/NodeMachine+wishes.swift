// What a person may ask of the page beside orders: to take a command back, to cancel an order, to replace a command, on a picture that may be old.
internal import CloudNode
internal import Ledger
internal import Values
internal import Wire

extension NodeMachine {
    private func wish(_ path: String, _ body: JSONValue, lifetime: Span?, at clock: ClockReading) throws {
        disk.now = clock.wall
        try guarded {
            if bearer == nil { try signIn(at: clock) }
            let id = drawCommand()
            let answer = try post(path, body, key: id.description, at: clock)
            if answer?.status == 401 { bearer = nil }
            guard answer?.status == 202 else { return }
            seen.append(.asked(command: id.description, lifetime: lifetime))
            asked.append(id.description)
        }
    }

    func takeBackLast(at clock: ClockReading) throws {
        guard let last = asked.last else { return }
        try wish("/api/v1/commands/\(last)/withdraw", [:], lifetime: .seconds(60), at: clock)
    }

    func cancel(_ tag: String, at clock: ClockReading) throws { try wish("/api/v1/orders/\(tag)/cancel", [:], lifetime: .seconds(60), at: clock) }

    func replaceLast(_ instrument: InstrumentID, _ side: String, at clock: ClockReading) throws {
        guard let last = asked.last else { return }
        let order: JSONValue = [
            "instrument": .string(instrument.text), "side": .string(side), "quantity": "2", "reverse": .bool(true), "supersedes": .string(last),
        ]
        try wish("/api/v1/orders", order, lifetime: .seconds(10), at: clock)
    }

    func orderOnFalsePicture(_ instrument: InstrumentID, _ side: String, at clock: ClockReading) throws {
        let order: JSONValue = [
            "instrument": .string(instrument.text), "side": .string(side), "quantity": "3", "expected": ["position": "1000000"],
        ]
        try wish("/api/v1/orders", order, lifetime: .seconds(10), at: clock)
    }
}
