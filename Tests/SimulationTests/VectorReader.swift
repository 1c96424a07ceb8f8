// The values of a decoded vector, as the text that a frame's field would hold.
import Simulation
import Wire

/// Values of a decoded call as field text.
struct VectorReader {
    let json: JSONValue
    init(_ json: JSONValue) { self.json = json }
    subscript(key: String) -> String { json[key].flatMap(TWSVectors.text) ?? "" }
    func integer(_ key: String) -> Int64 { Int64(self[key]) ?? 0 }
    func inner(_ key: String) -> VectorReader { VectorReader(json[key] ?? .null) }

    func listing(_ key: String) -> WireListing {
        let c = inner(key)
        return WireListing(
            conId: c.integer("conId"), symbol: c["symbol"], secType: c["secType"], expiry: c["lastTradeDateOrContractMonth"], strike: c["strike"],
            right: c["right"], multiplier: c["multiplier"], exchange: c["exchange"], currency: c["currency"], localSymbol: c["localSymbol"],
            tradingClass: c["tradingClass"])
    }
    func bar(date: String, open: String, volume: String, count: String) -> GatewayMessages.WireBar {
        GatewayMessages.WireBar(
            date: date, open: self[open], high: self["high"], low: self["low"], close: self["close"], volume: self[volume], average: self["wap"],
            count: self[count])
    }
    var plainBar: GatewayMessages.WireBar { bar(date: self["date"], open: "open", volume: "volume", count: "barCount") }
}
