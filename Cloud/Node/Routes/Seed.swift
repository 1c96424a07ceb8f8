// The paths of the first web panel: the same commands, with the verdict awaited for up to five seconds.
internal import Control
internal import Ledger
internal import Values
internal import Views

extension Node {
    /// The balance and margins of the one account.
    func seedAccount(_ call: Call) throws(Problem) -> Reply {
        guard let row = try chosenPicture(call)?.accountRows.first else { throw .unknown("account") }
        return .answer(Answer(200, row))
    }

    /// `{"side": "BUY" | "SELL"}`: as many as the account affords.
    func seedOrder(_ call: Call) throws -> Reply {
        let body = try Body(call.request, allowed: ["side"])
        guard let side = Side(rawValue: try body.required("side")) else { throw Problem.badRequest("'side' must be BUY or SELL.") }
        let picture = try target(call)
        guard let front = picture.front, picture.book.instruments[front] != nil else { throw Problem.notWatched("the front contract") }
        let ask = PreviewAsk(instrument: front, kind: .order(side, reverse: false), size: .max)
        let command = CommandBody.order(instrument: front, side: side, size: .max, trailing: nil, reverse: false)
        let preview = picture.preview(ask, at: now)
        var extras = CommandExtras()
        extras.rest(on: preview)
        return try placeAndWait(command, preview, picture, call, extras)
    }

    func seedClose(_ call: Call) throws -> Reply {
        _ = try Body(call.request, allowed: [], mayBeEmpty: true)
        let picture = try target(call)
        guard let front = picture.front else { throw Problem.notWatched("the front contract") }
        return try placeAndWait(.close(instrument: front), nil, picture, call)
    }

    /// Places the command and answers when its verdict is here. Without a key each request is a wish of its own.
    private func placeAndWait(
        _ body: CommandBody, _ preview: Preview?, _ picture: EdgePicture, _ call: Call, _ extras: CommandExtras = CommandExtras()
    ) throws -> Reply {
        var id = CommandID(bytes: settings.random(16))
        if call.request.header("idempotency-key") != nil { id = try key(call) }
        guard let id else { throw Problem.badKey }
        let record = try record(body, preview, picture, id, call, extras)
        waiting.append(WaitingRequest(number: call.number, command: record.id, until: now + WaitingRequest.patience))
        return .later
    }
}
