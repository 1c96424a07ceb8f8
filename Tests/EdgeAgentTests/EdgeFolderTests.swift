// The edge's data folder: what cannot be looked at is not taken for absent.
import Dispatch
import EdgeAgent
import Foundation
import Platform
import Synchronization
import Testing
import Values
import Wire

@Suite struct EdgeFolderTests {
    /// A key that the disk does not show would otherwise be drawn anew and renamed over the true one.
    @Test func aKeyThatCannotBeLookedAtIsNotDrawnAnew() throws {
        let temporary = try TemporaryFolder(), folder = try EdgeFolder(temporary.file("data"))
        let names = ["edge.id", "link.key", "ledger.key", "cloud.json"].map { temporary.file("data/keys/\($0)") }
        // A link that leads to itself: the system answers ELOOP, and root is asked no less than anybody.
        for name in names { try FileManager.default.createSymbolicLink(atPath: name, withDestinationPath: name) }
        #expect(throws: EdgeFolderError.self) { try folder.identity() }
        #expect(throws: EdgeFolderError.self) { try folder.linkKeys() }
        #expect(throws: EdgeFolderError.self) { try folder.ledgerKeys() }
        #expect(throws: EdgeFolderError.self) { try folder.cloud() }
        for name in names {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: name) == name)
            try FileManager.default.removeItem(atPath: name)
        }
        let edge = try folder.identity()
        #expect(try folder.identity() == edge && folder.cloud() == nil)
    }

    /// `enrol` and a first `run` at the same time: both go on as one edge, with one key of each kind.
    @Test func twoAtOnceDrawOnce() throws {
        struct Drawn: Hashable { let identity: String, link: [UInt8], ledger: [UInt8] }
        for _ in 0..<60 {
            let temporary = try TemporaryFolder(), path = temporary.file("data")
            _ = try EdgeFolder(path)
            let drawn = Mutex<[Drawn?]>([]), arrived = Atomic<Int>(0)
            let one: @Sendable () -> Drawn? = {
                guard let folder = try? EdgeFolder(path) else { return nil }
                // Both have come as far as this before either goes on.
                arrived.add(1, ordering: .sequentiallyConsistent)
                while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
                guard let edge = try? folder.identity(), let link = try? folder.linkKeys(), let ledger = try? folder.ledgerKeys() else { return nil }
                return Drawn(identity: edge.description, link: link.publicKey, ledger: ledger.publicKey)
            }
            let done = DispatchSemaphore(value: 0)
            for _ in 0..<2 {
                Thread.detachNewThread {
                    let mine = one()
                    drawn.withLock { $0.append(mine) }
                    done.signal()
                }
            }
            for _ in 0..<2 { done.wait() }
            let all = drawn.withLock { $0 }
            #expect(all.count == 2 && Set(all).count == 1 && all[0] != nil, "\(all)")
        }
    }
}
