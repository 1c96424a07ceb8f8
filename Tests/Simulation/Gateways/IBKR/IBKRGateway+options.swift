// Options: the chains of an underlying.
internal import Values
internal import Venues

extension IBKRGateway {
    mutating func tellChains(_ connection: GatewayConnection, _ id: Int, _ request: OptionParametersRequest) {
        guard request.conId > 0 else { return error(connection, Int64(id), 321, "Error validating request.-'bO' : cause - Invalid contract id") }
        send(connection, GatewayMessages.optionChainEnd(id: id))
    }
}
