// What tests and campaigns ask of a stage again and again.
package import Wire

extension Stage {
    /// The id of the future that is traded, once the confirm step would let an order through: quotes, margin and funds are known.
    package func frontMonth(within seconds: Int = 30) throws -> String {
        let front = try instrument()
        var last: JSONValue?
        try patience.until("an order would be allowed", within: seconds, excuse: { "The confirm step says \(String(describing: last))" }) {
            last = try post("orders:preview", long(front), key: nil).value
            return last?["allowed"]?.boolValue == true
        }
        return front
    }

    /// Long 1 with a trailing stop.
    package func long(_ instrument: String, percent: String = "1.5") -> JSONValue {
        ["instrument": .string(instrument), "side": "BUY", "quantity": "1", "trailingStop": ["percent": .string(percent)]]
    }

    /// The future's id as soon as it is known.
    package func instrument() throws -> String {
        try patience.first("the cloud knows the front month", within: 30) {
            try get("market/instruments").value["instruments"]?.elements?.first { $0["front"]?.boolValue == true }?["id"]?.text
        }
    }

    /// How many orders the gateway has ever taken, by its own journal.
    package func brokerOrders() throws -> Int { try Comparison.brokerOrders(gatewayFolder: gatewayFolder) }

    package func workingOrders() throws -> [JSONValue] { try get("orders?working=true").value["orders"]?.elements ?? [] }
}
