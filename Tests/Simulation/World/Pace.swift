// How fast a world's clocks run: the close look at a minute and a half, or a whole session of six and a half hours.
package import Sync
package import Values

/// The distances between what happens by time alone. The code that runs is the same.
package struct Pace: Sendable, Hashable {
    /// Between two ticks of each program, at most; the link's own timers are met on time.
    package var tick: Span
    /// The same while something has just happened.
    package var closeTick: Span
    /// Between two steps of the simulated market.
    package var marketStep: Span
    /// How many times rarer faults, orders and the bot's entries are.
    package var rarity: Int64
    /// The same for people who want more than plain orders: a dozen things at once are many events.
    package var wishRarity: Int64
    /// Between two tries of an edge at a door that does not know its key.
    package var knockEvery: Span
    /// The link's timers.
    package var rules: Rules
    /// How long the two may take to come to rest after the last fault.
    package var rest: Span

    /// Production's timers, faults every few seconds.
    package static let close = Pace(
        tick: .milliseconds(250), closeTick: .milliseconds(250), marketStep: .milliseconds(250), rarity: 1, wishRarity: 1,
        knockEvery: .seconds(2), rules: Rules(), rest: .seconds(120))

    /// A session in at most 20,000 events: the link beats every half minute, the market moves every twenty seconds, faults come some minutes apart.
    package static let session: Pace = {
        var pace = closeSession
        pace.closeTick = .seconds(1)
        pace.rarity = 120
        pace.wishRarity = 300
        pace.knockEvery = .seconds(60)
        return pace
    }()

    /// The same in up to 30,000 events. What the fixtures' seeds of a session showed, they showed at this pace.
    package static let closeSession: Pace = {
        var rules = Rules()
        rules.beatEvery = .seconds(30)
        rules.stateEvery = .seconds(20)
        rules.silentAfter = .seconds(90)
        rules.deadAfter = .seconds(225)
        rules.stallAfter = .seconds(30)
        rules.refusedRetry = .seconds(60)
        rules.countersignEvery = .seconds(900)
        return Pace(
            tick: .seconds(20), closeTick: .milliseconds(500), marketStep: .seconds(20), rarity: 80, wishRarity: 80, knockEvery: .seconds(2),
            rules: rules, rest: .seconds(1_200))
    }()
}
