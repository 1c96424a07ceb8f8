// The broker's data farms: which are broken, and which instruments' data comes through them.
package import Values

/// The farms that were told to be broken. A farm serves live prices, history or definitions, of one part of the world.
package struct FarmTable: Hashable, Sendable {
    /// What a farm serves.
    package enum Service: String, Hashable, Sendable { case prices, history, definitions }
    private struct Farm: Hashable, Sendable {
        var service: Service
        var name: String
        init(_ code: Int64, _ text: String) { service = FarmTable.service(code); name = FarmTable.name(text) }
    }
    /// In the order they broke.
    private var broken: [Farm] = []
    /// Those of which a person was told beside no instrument.
    private var general: [Farm] = []

    package init() {}

    /// Takes a notice of the codes 2103 to 2108, 2157 and 2158. True when it is news.
    package mutating func take(_ code: Int64, _ text: String, isUp: Bool) -> Bool {
        let farm = Farm(code, text)
        let isKnown = broken.contains(farm)
        if isUp { broken.removeAll { $0 == farm } } else if !isKnown { broken.append(farm) }
        return isKnown == isUp
    }

    /// The farm of this notice was told to a person beside no instrument.
    package mutating func tellInGeneral(_ code: Int64, _ text: String) { general.append(Farm(code, text)) }
    /// True when it was, and from now on is not.
    package mutating func takeBack(_ code: Int64, _ text: String) -> Bool {
        let count = general.count
        general.removeAll { $0 == Farm(code, text) }
        return general.count < count
    }

    /// The code that says of a farm's service that it is broken.
    package static func broken(_ code: Int64) -> Int64 {
        switch service(code) {
        case .prices: 2_103
        case .history: 2_105
        case .definitions: 2_157
        }
    }
    private static func service(_ code: Int64) -> Service {
        switch code {
        case 2_105, 2_106, 2_107: .history
        case 2_157, 2_158: .definitions
        default: .prices
        }
    }
    /// What stands behind the last colon, or behind the words of an inactive one: `Market data farm connection is broken:usfarm.nj`,
    /// `HMDS data farm connection is inactive but should be available upon demand.ushmds`.
    private static func name(_ text: String) -> String {
        let name = text.split(separator: ":").last.map { $0.filter { !$0.isWhitespace }.lowercased() } ?? ""
        return name.contains("upondemand.") ? name.split(separator: "demand.").last.map { String($0) } ?? "" : name
    }

    /// What is broken of an instrument's sources, for a person; empty when nothing is.
    package func words(_ instrument: Instrument) -> String {
        let names = broken.filter { FarmTable.serves($0.name, instrument) }.map { farm in
            switch farm.service {
            case .prices: "live prices (\(farm.name))"
            case .history: "history (\(farm.name))"
            case .definitions: "contract definitions (\(farm.name))"
            }
        }
        return names.isEmpty ? "" : "The broker's source of \(names.joined(separator: " and of ")) is broken."
    }

    /// True unless the farm is known to serve others. The names are those that gateways have been seen to say.
    static func serves(_ farm: String, _ instrument: Instrument) -> Bool {
        let type = instrument.securityType
        let isDollar = instrument.currency == "USD"
        if farm.hasPrefix("usfuture") { return type == .future || type == .continuousFuture || type == .futureOption || type == .index }
        if farm.hasPrefix("usopt") { return type == .option }
        if farm.hasPrefix("usfarm") { return isDollar && type != .currency && type != .future && type != .futureOption }
        if farm.hasPrefix("usbond") { return type == .bond }
        if farm.hasPrefix("cashfarm") || farm.hasPrefix("fxhmds") || farm.hasPrefix("cashhmds") { return type == .currency }
        if farm.hasPrefix("ushmds") { return isDollar }
        if farm.hasPrefix("eu") { return ["EUR", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "HUF", "CZK"].contains(instrument.currency) }
        if farm.hasPrefix("hfarm") || farm.hasPrefix("hkhmds") || farm.hasPrefix("apachmds") {
            return ["HKD", "CNH", "SGD", "AUD", "INR", "KRW", "TWD", "JPY"].contains(instrument.currency)
        }
        if farm.hasPrefix("jfarm") { return instrument.currency == "JPY" }
        return true
    }
}
