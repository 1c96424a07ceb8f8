// Two processes and one ledger: the second is refused, and a dead owner holds nothing.
import EdgeAgent
import Foundation
import Ledger
import Platform
import Testing
import Values

@Suite struct JournalLockTests {
    @Test func aSecondProcessIsRefusedWhileTheFirstLives() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("ledger.db")
        let owner = ProcessInfo.processInfo.processIdentifier
        let journal = try Journal(path: path, edge: LedgerWriter.edge)
        await #expect(processExitsWith: .success) { [path = path as String, owner = owner as Int32] in
            let error = try #require(throws: JournalError.self) { try Journal(path: path, edge: LedgerWriter.edge) }
            guard case .store(.database(let cause)) = error else { preconditionFailure("\(String(describing: error))") }
            #expect(cause.isBusy)
            #expect(cause.message.contains("process \(owner)"))
            // Looking is allowed to anybody.
            #expect(try LedgerAudit.verify(path: path).exitCode == 0)
        }
        #expect(journal.head == .start)
    }

    @Test func aKilledProcessLeavesTheLedgerOpenToTheNext() async throws {
        let folder = try TemporaryFolder()
        let path = folder.file("ledger.db")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let journal = try Journal(path: path, edge: LedgerWriter.edge)
            var writer = LedgerWriter(boot: 1, after: nil)
            _ = try journal.commit([try writer.entry(LedgerWriter.bootFact), try writer.intent(1)])
            kill(getpid(), SIGKILL)
        }
        #expect(try Journal(path: path, edge: LedgerWriter.edge).head.seq.raw == 2)
    }
}
