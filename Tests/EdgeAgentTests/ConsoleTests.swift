// The console's commands against a scripted edge, and a second run beside one that lives: what they say by their exit codes, what they leave behind.
import EdgeAgent
import Foundation
import Ledger
import Platform
import Synchronization
import Testing
import Wire

@Suite struct ConsoleTests {
    /// An edge that takes what it is asked and answers each look by the next of its words; when they run out, by the last.
    private final class Script: WebHandler {
        private let words: Mutex<[String]>
        init(_ words: [String]) { self.words = Mutex(words) }
        func request(_ request: HTTPRequest) -> RequestVerdict {
            let text = words.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? "" }
            return .answer(HTTPResponse(status: 200, type: "application/json", text: text))
        }
    }
    private static func state(_ word: String) -> String { #"{"id":"\#(String(repeating: "0", count: 32))","state":"\#(word)","text":"Words."}"# }

    private func code(_ command: String, _ operands: [String] = [], answers words: [String], in folder: TemporaryFolder) throws -> Int32 {
        let server = try WebServer(WebServerConfiguration(listeners: [.unix(path: folder.file("edge.sock"))]), handler: Script(words))
        defer { server.stop() }
        return try ConsoleCommands(folder: folder.path, isJSON: false, looks: (3, 1)).run(command, operands, ["yes": ""])
    }

    /// A script decides by the code: what is under way, or taken and not heard of again, is not done and not untaken.
    @Test func theCodeTellsDoneFromUnderWay() throws {
        let folder = try TemporaryFolder()
        let close = ["MBTZ6.CME"], working = Self.state("working")
        #expect(try code("close", close, answers: [working, working, Self.state("done")], in: folder) == ExitCode.ok)
        #expect(try code("close", close, answers: [working, Self.state("refused")], in: folder) == ExitCode.refused)
        #expect(try code("close", close, answers: [working], in: folder) == ExitCode.underWay, "still working after every look")
        #expect(try code("close", close, answers: [working, "nothing that is JSON"], in: folder) == ExitCode.underWay, "it was taken")
        #expect(try code("close", close, answers: ["nothing that is JSON"], in: folder) == ExitCode.unreachable, "whether it was taken nobody knows")
    }

    /// The file halts the next start and each resume: it is for an edge that does not run.
    @Test func theFileIsLeftOnlyWhereNoEdgeRuns() throws {
        let folder = try TemporaryFolder()
        #expect(try code("kill", answers: ["nothing that is JSON"], in: folder) == ExitCode.unreachable)
        #expect(try code("kill", answers: [Self.state("working"), "nothing that is JSON"], in: folder) == ExitCode.underWay)
        #expect(!FileManager.default.fileExists(atPath: folder.file("KILL")))
        #expect(try ConsoleCommands(folder: folder.path, isJSON: false).run("kill", [], ["yes": ""]) == ExitCode.ok)
        #expect(FileManager.default.fileExists(atPath: folder.file("KILL")))
    }

    /// Whatever is on the screen says how old it is, by the clock of the edge that told it.
    @Test func everyStateHasItsAge() throws {
        let console = ConsoleCommands(folder: "/nowhere", isJSON: false)
        let status = """
            {"serverTime":"2026-11-22T10:00:00.000Z","link":"none","edge":{"name":"home","mode":"paper","announcedSeq":7,"ackedSeq":7,
            "gateway":{"state":"connected","since":"2026-11-22T09:57:46.000Z","words":"Connected."},
            "reconciliation":{"state":"clean","since":"2026-11-22T09:59:15.500Z","words":"Agrees."},
            "halt":{"level":"HALT","since":"2026-11-22T06:55:00.000Z","by":"console","reason":"r"}}}
            """
        let lines = console.status(try JSONReader.read(Array(status.utf8))).split(separator: "\n")
        #expect(lines.contains("gateway     connected · Connected. · for 2 min 14 s"), "\(lines)")
        #expect(lines.contains("broker      clean · Agrees. · for 44 s") && lines.contains("halt        HALT · console · r · for 3 h 5 min"))
        let orders = #"{"serverTime":"2026-11-22T10:00:00.000Z","orders":[{"id":"1","updatedAt":"2026-11-22T09:59:30.000Z"},{"id":"2"}]}"#
        let rows = console.orders(try JSONReader.read(Array(orders.utf8))).split(separator: "\n")
        #expect(rows[0].hasSuffix("age") && rows[1].hasSuffix("  30 s") && rows[2].hasSuffix("  -"))
    }

    private final class Reserve: DiskReserve {
        var room: DiskRoom? { DiskRoom(free: 1 << 20, total: 1 << 40) }
        let isHeld = true
        func release() {}
        func take() -> Bool { true }
    }

    /// The reserve of the run that lives is its own, however little room is left; and no word of a failure that was none stays behind.
    @Test func aSecondRunTouchesNothing() throws {
        let reserve = Reserve()
        #expect(!EdgeRun.givesUp(reserve, for: .store(.database(.busy("held")))))
        #expect(EdgeRun.givesUp(reserve, for: .store(.database(.corrupt("an I/O error of a disk that is full")))))
        let folder = try TemporaryFolder()
        let path = folder.file("ledger.db")
        let journal = try Journal(path: path, edge: LedgerWriter.edge)
        try Data(repeating: 0, count: 10).write(to: URL(filePath: folder.file("ballast")))
        #expect(EdgeProgram.run(["run", "--data", folder.path]) { _ in nil } == ExitCode.storeFailed)
        #expect(!FileManager.default.fileExists(atPath: folder.file("last-failure")))
        #expect(FileManager.default.fileExists(atPath: folder.file("ballast")) && journal.head == .start)
    }
}
