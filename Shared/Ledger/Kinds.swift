// The one table of entry kind numbers and of the version of each that this release writes; a number is never used again for something else.

/// What an entry is about. The raw value is stored in the header and hashed.
package enum Kind: UInt16, CaseIterable, Sendable {
    case boot = 1, shutdown = 2, checkpoint = 3, snapshot = 4
    case healed = 5, lineage = 6, gap = 7, countersigned = 8, keyRotated = 9
    case intent = 10, sent = 11, cancelIntent = 12, modifyIntent = 13
    case orderReport = 20, fill = 21, commission = 22, orderDead = 23, stopMoved = 24, cancelRefused = 25
    case commandAccepted = 30, commandRefused = 31
    case denied = 35
    case halt = 40, resume = 41, instrumentHalt = 42
    case brokerSession = 50, reconciled = 51, difference = 52
    case instrument = 60
    case bot = 70
    case cloudKey = 90, linkKey = 91, serverKey = 92
    case transfer = 80, dividend = 81, interest = 82, accountFee = 83, exchange = 84, correction = 85, suspense = 86, borrowFee = 87
}

extension Kind {
    /// The version of the body that `Chain` writes. Raising it needs a step in `Upcasters` and a golden file for the new version.
    package var version: UInt16 {
        switch self {
        case .fill, .commission: 2
        default: 1
        }
    }

    /// True for kinds whose body lists postings, possibly none.
    package var hasPostings: Bool {
        switch self {
        case .fill, .commission, .transfer, .dividend, .interest, .accountFee, .borrowFee, .exchange, .correction, .suspense: true
        default: false
        }
    }

    /// Numbers that once meant something and mean nothing now. No new kind takes one.
    package static let retired: Set<UInt16> = []
}
