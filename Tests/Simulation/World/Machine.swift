// What the world runs: a program on a disk that starts, takes turns, and dies at any moment.
package import Ledger
package import Sync
package import Wire

/// Something that reaches a machine.
package enum MachineEvent: Sendable {
    case linkUp(connection: UInt64)
    case linkDown(connection: UInt64)
    case frame(Lane, [UInt8], connection: UInt64)
    /// Time passed.
    case tick
    /// From the broker's socket.
    case broker([BrokerEvent])
    /// A person at the cloud asks for something.
    case ask(CommandBody)
}

/// What a machine does to the world around it.
package enum MachineEffect: Sendable {
    case frame(Lane, [UInt8], connection: UInt64)
    /// Give the connection up; a new one follows.
    case reopen
    /// To the broker's socket.
    case broker(BrokerWish)
}

/// The machine lost its disk or its process in the middle of a turn; the world restarts it.
package struct MachineDied: Error { package init() {} }

/// One computer with one program. `start` is recovery: it knows only its disk.
package protocol Machine: AnyObject {
    var name: String { get }
    var isRunning: Bool { get }
    /// Boots the program from its disk.
    func start(at clock: ClockReading) throws
    /// One turn. Throws `MachineDied` when the process ended in it.
    func turn(_ event: MachineEvent, at clock: ClockReading) throws
    /// What left the machine since the last call, in order; a machine that died in a turn may have sent something before.
    func takeEffects() -> [MachineEffect]
    /// What checkers are to see, since the last call.
    func takeSeen() -> [Observation]
    /// Ends the process, and the power too unless `mode` is `.everything`.
    func crash(_ mode: CrashMode)
    /// The disk dies at the `mutations`th change from now.
    func freezeDisk(after mutations: Int)
    /// The `count`th write or sync from now answers an error; the process then ends by its own rule.
    func failDisk(_ operation: DiskFault.Operation, after count: Int, _ answer: DiskFault.Answer)
    /// True from `failDisk` until the process has ended.
    var isDiskFailing: Bool { get }
    /// The entries on its disk from number `seq` on, as a new process would read them. Only while it is not running.
    func survivors(from seq: UInt64) throws -> [EntryRow]
    /// Everything that its disk was asked to do so far: each of these could have been its last.
    var diskOperations: Int { get }
}
