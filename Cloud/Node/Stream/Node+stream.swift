// Bringing the screens up to date at the end of a turn, and opening and closing streams.
internal import Control
internal import Ledger
internal import Values
internal import Views
internal import Wire

extension Node {
    /// A WebSocket is open; without a session (or from a foreign page) it is closed with the reason a script can read.
    func openStream(_ number: UInt64, _ request: Request) {
        let kind: OpenStream.Kind
        switch request.path {
        case "/api/v1/stream": kind = .full
        case "/api/ws/candles": kind = .candles
        default: return effect(.closeStream(number, code: 4404, reason: "no such stream"))
        }
        let caller: Caller
        do throws(Problem) {
            guard let found = try identify(request, isWrite: true) else { throw .notSignedIn }
            caller = found
        } catch { return effect(.closeStream(number, code: error.status == 403 ? 4403 : 4401, reason: error.title)) }
        guard !isStopping else { return effect(.closeStream(number, code: 1001, reason: "stopping")) }
        if streams.isCold { streams.warm(wholeScreen()) } else { flushStreams() }
        streams.add(OpenStream(number: number, kind: kind, session: caller.session))
        guard kind == .full else { return }
        for text in streams.greeting(from: request.parameter("from").flatMap { Int64($0) }, at: now) { effect(.push(text, to: [number])) }
    }

    /// Beats, and the end of streams whose session is over.
    func tickStreams() {
        for stream in streams.sorted where !access.isInForce(stream.session, at: now) {
            streams.close(stream.number, at: now)
            effect(.closeStream(stream.number, code: 4401, reason: "the session is over"))
        }
        // Ages make gates close and notices end without any news.
        for edge in control.sortedEdges { streams.note(.edge(edge.id)) }
        guard now - streams.beatAt >= StreamDesk.beatEvery else { return }
        streams.beatAt = now
        let listeners = streams.numbers(.full)
        if !listeners.isEmpty { effect(.push(streams.beat(at: now), to: listeners)) }
    }

    /// Sends what changed to whoever listens.
    func flushStreams() {
        let hadListeners = !streams.open.isEmpty
        guard let news = streams.takeNews(at: now) else {
            if streams.isCold, hadListeners { greetAgain() }
            return
        }
        var change = ScreenChange()
        for (id, edge) in news.edges {
            guard let picture = picture(id) else { continue }
            show(picture, edge, into: &change)
        }
        show(commands: news.commands, into: &change)
        if news.refusals { streams.screen.replace(.refusals, with: refusalRows, into: &change) }
        guard !change.isEmpty else { return }
        pushCandles(change)
        let text = streams.delta(change, at: now)
        let listeners = streams.numbers(.full)
        if !listeners.isEmpty { effect(.push(text, to: listeners)) }
    }

    /// Something was taken away that deltas cannot say: everybody gets everything again.
    private func greetAgain() {
        streams.warm(wholeScreen())
        let listeners = streams.numbers(.full)
        for text in streams.greeting(from: nil, at: now) where !listeners.isEmpty { effect(.push(text, to: listeners)) }
    }

    private func show(_ picture: EdgePicture, _ news: EdgeNews, into change: inout ScreenChange) {
        let id = picture.id.description
        let hasEntries = !news.entries.isEmpty
        let isLive = !news.live.isEmpty
        func owned(_ row: JSONValue) -> Bool { row["edge"]?.text == id || row["edge"] == nil }
        if hasEntries || isLive {
            // An instrument's row names no edge: with several edges it stays until the next whole screen.
            let isOnly = control.edges.count == 1
            streams.screen.replace(
                .instruments, with: instrumentRows(picture), owned: { _ in isOnly }, into: &change)
            showLive(picture, news.live.values.sorted { $0.key < $1.key }, into: &change)
            streams.screen.put(.accounts, picture.accountRows, into: &change)
            let account = picture.account + ":"
            streams.screen.replace(
                .positions, with: picture.positionRows, owned: { $0["id"]?.text?.hasPrefix(account) ?? true }, into: &change)
            streams.screen.replace(.bots, with: picture.botRows, owned: owned, into: &change)
        }
        for (instrument, bar) in news.closedBars.sorted(by: { $0.key < $1.key }) {
            // A forming bar of the next minute is newer than the closed one.
            if let forming = picture.live.formingBar(instrument), forming.bar.start > bar.start { continue }
            streams.screen.put(.bars, [picture.barRow(instrument, bar, closed: true, asOf: now)], into: &change)
        }
        if hasEntries {
            streams.screen.put(.orders, picture.orderRows(limit: StreamDesk.entriesMax), into: &change)
            streams.screen.put(.fills, picture.fillRows(limit: StreamDesk.entriesMax), into: &change)
            streams.screen.put(.entries, news.entries.map { picture.entryRow($0) }, into: &change)
            show(commands: control.outbox.open(of: picture.id).map(\.id), into: &change)
        }
        streams.screen.put(.gates, picture.watched.map { picture.gateRow($0, at: now) }, into: &change)
        streams.screen.replace(.notices, with: picture.noticeRows(at: now), owned: owned, into: &change)
        streams.screen.put(.edges, [picture.edgeRow], into: &change)
    }

    /// What an edge watches. An instrument is one row however many edges watch it, so it is told by one of them, whoever has news: the first for
    /// which it is the front, else the first that knows it.
    private func instrumentRows(_ picture: EdgePicture) -> [JSONValue] {
        guard control.edges.count > 1 else { return picture.watched.compactMap { picture.instrumentRow($0) } }
        let all = control.sortedEdges.map { self.picture($0) }
        return picture.watched.compactMap { id in
            let knowing = all.filter { $0.book.instruments[id] != nil }
            return (knowing.first { $0.front == id } ?? knowing.first ?? picture).instrumentRow(id)
        }
    }

    private func showLive(_ picture: EdgePicture, _ items: [LiveItem], into change: inout ScreenChange) {
        for item in items {
            switch item {
            case .quote(let instrument, let quote): streams.screen.put(.quotes, [picture.quoteRow(instrument, quote)], into: &change)
            case .formingBar(let instrument, let bar, let asOf):
                streams.screen.put(.bars, [picture.barRow(instrument, bar, closed: false, asOf: asOf)], into: &change)
            case .account, .margin, .gateway, .bot, .notice, .front: break
            }
        }
    }

    private func show(commands: [CommandID], into change: inout ScreenChange) {
        streams.screen.put(.commands, commands.compactMap { commandRow($0) }, into: &change)
    }

    /// Everything there is to show, as one screen.
    private func wholeScreen() -> Screen {
        var change = ScreenChange()
        let kept = streams.screen
        defer { streams.screen = kept }
        streams.screen = Screen()
        for edge in control.sortedEdges {
            var news = EdgeNews()
            news.link = true
            news.entries = Array(edge.recent.suffix(Topic.entries.rowsMax))
            for item in edge.live.sorted { news.live[item.key] = item }
            show(picture(edge), news, into: &change)
            streams.screen.put(.orders, picture(edge).orderRows(workingOnly: true), into: &change)
        }
        show(commands: Array(control.outbox.order.suffix(Topic.commands.rowsMax)), into: &change)
        streams.screen.replace(.refusals, with: refusalRows, into: &change)
        return streams.screen
    }

    /// S0's stream: the bars of the front contract, as they form.
    private func pushCandles(_ change: ScreenChange) {
        let listeners = streams.numbers(.candles)
        guard !listeners.isEmpty, let edge = control.edge(named: nil), let front = picture(edge).front?.text else { return }
        let id = edge.id.description
        for row in change.put.first(where: { $0.topic == .bars })?.rows ?? [] where row["instrument"]?.text == front && row["edge"]?.text == id {
            effect(.push(JSONWriter.plain(row), to: listeners))
        }
    }

    /// One command as the API shows it; nil for one that is forgotten or whose edge is gone.
    func commandRow(_ id: CommandID) -> JSONValue? {
        guard let record = control.outbox.records[id] else { return nil }
        // Of an edge that was revoked its commands still have an end to be told.
        return (picture(record.command.edge) ?? blank(record.command.edge)).commandRow(CommandPicture(record))
    }

    /// An edge of which nothing is shown.
    func blank(_ edge: EdgeID) -> EdgePicture {
        let none = LinkPicture(state: .never, lastHeard: nil, announced: Seq(0), acked: Seq(0))
        return EdgePicture(id: edge, name: name(edge), book: Book(edge: edge), live: LiveState(), link: none, milestones: Milestones())
    }

    /// Links that were turned away.
    var refusalRows: [JSONValue] {
        control.refusals.map {
            RefusalPicture(
                id: $0.id, edge: $0.edge, key: $0.key, verdict: $0.verdict, words: $0.words, cure: $0.cure, times: $0.times, first: $0.first,
                last: $0.last, decision: choices(of: $0)
            ).row
        }
    }
}

extension CommandPicture {
    /// The record in the words of the API.
    init(_ record: CommandRecord) {
        self.init(
            command: record.command, user: record.user, title: record.title,
            walk: record.walk.map { (stage: $0.stage.rawValue, at: $0.at) },
            isFinal: record.isFinal, reason: record.reason, cure: record.cure)
    }
}
