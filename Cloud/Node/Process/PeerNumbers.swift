// Numbers for connections, so that the node's turns need no library's names.
internal import Platform

/// Connections and their numbers, both ways, bounded: the one longest unused is forgotten.
struct PeerNumbers {
    /// An edge has two connections; strangers at the enrolment socket come and go.
    static let keptMax = 4_096
    private var numbers: [LinkPeer: UInt64] = [:]
    private var peers: [UInt64: (peer: LinkPeer, used: UInt64)] = [:]
    private var last: UInt64 = 0
    private var uses: UInt64 = 0

    /// The number of a connection; a new one for a new (or forgotten) connection.
    mutating func number(of peer: LinkPeer) -> UInt64 {
        uses += 1
        if let number = numbers[peer] {
            peers[number]?.used = uses
            return number
        }
        if peers.count >= PeerNumbers.keptMax { forgetOldest() }
        last += 1
        numbers[peer] = last
        peers[last] = (peer, uses)
        return last
    }

    func peer(_ number: UInt64) -> LinkPeer? { peers[number]?.peer }

    private mutating func forgetOldest() {
        let oldestFirst = peers.sorted { $0.value.used < $1.value.used }
        for (number, entry) in oldestFirst.prefix(PeerNumbers.keptMax / 4) {
            peers[number] = nil
            numbers[entry.peer] = nil
        }
    }
}
