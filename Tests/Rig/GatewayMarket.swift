// What `rig gateway` lists and how fast it moves.
import Platform
import Values
import Venues

enum GatewayMarket {
    /// The time between two moves of the market.
    static func step(_ options: RigOptions) throws -> Span { .milliseconds(1_000 / (try options.number("ticks", in: 1...100, default: 4))) }

    static func listings(_ options: RigOptions, _ date: CivilDate, _ realHours: Bool, _ tape: PriceTape?) throws -> [PaperInstrument] {
        PaperCatalogue.everything(asOf: date, realHours: realHours, tape: tape)
            + PaperCatalogue.many(try options.number("instruments", in: 0...5_000, default: 0))
    }
}
