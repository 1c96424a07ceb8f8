// Each bench in small: it runs as a program, tells its named figures, and loses nothing. How fast it was is not judged here.
import Foundation
import Testing
import Wire

/// The program `rig` of this same build.
private enum RigProgram {
    /// Its report as JSON; the exit code must be 0.
    static func report(_ arguments: [String]) throws -> JSONValue {
        let folder = try #require(try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) as NSString
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: folder.deletingLastPathComponent + "/rig")
        process.arguments = arguments + ["--json"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let text = String(decoding: said, as: UTF8.self)
        #expect(process.terminationStatus == 0, "\(arguments): \(text)")
        return try JSONReader.read(Array(text.utf8.prefix { $0 != 10 }))
    }

    static func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .integer(let number): Double(number)
        case .number(let text): Double(text)
        default: nil
        }
    }
}

@Suite(.serialized) struct BenchTests {
    @Test func catchUpLosesAndDoublesNothing() throws {
        let report = try RigProgram.report(["bench", "catch-up", "--entries", "700"])
        for name in ["entries_per_second", "wire_bytes_per_entry", "rss_edge_mb", "rss_cloud_mb"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect(report["entries"] == 700 && report["lost"] == 0 && report["doubled"] == 0)
    }

    @Test func whatNothingCanShortenIsCountedOnTheWire() throws {
        let report = try RigProgram.report(["bench", "catch-up", "--entries", "700", "--noise", "200"])
        #expect((RigProgram.number(report["wire_bytes_per_entry"]) ?? 0) > 200, "\(report)")
        #expect(report["lost"] == 0 && report["doubled"] == 0)
    }

    @Test func anEntryIsFollowedToTheFarDisk() throws {
        let report = try RigProgram.report(["bench", "durable", "--entries", "30", "--rate", "100"])
        for name in ["p50_ms", "p99_ms", "max_ms", "near_p50_ms"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect(report["entries"] == 30)
    }

    @Test func everyHaltReachesTheEdge() throws {
        let report = try RigProgram.report(["bench", "kill", "--entries", "700", "--every-ms", "5"])
        for name in ["halts", "p50_ms", "max_ms", "alone_p50_ms"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect(report["undelivered"] == 0)
    }

    @Test func everyTriggerBecomesOneOrder() throws {
        let report = try RigProgram.report(["bench", "t2o", "--seconds", "1"])
        for name in ["p50_us", "p99_us", "p999_us", "max_us", "triggers", "rss_mb"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect(report["lost"] == 0 && report["doubled"] == 0 && report["orders"] == report["triggers"])
    }

    @Test func aFloodOfTicksIsReadToItsEnd() throws {
        let report = try RigProgram.report(["bench", "ticks", "--rate", "2000", "--seconds", "1", "--burst", "3000"])
        for name in ["frames", "frames_per_second", "us_per_frame"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect((RigProgram.number(report["cpu_percent"]) ?? -1) >= 0, "so small a run may take less than is told")
        #expect(report["unanswered"] == 0 && report["burst_ms"]?.elements?.count == 3)
    }

    @Test func theGatewayTellsEveryClientTheSame() throws {
        let report = try RigProgram.report(["bench", "gateway", "--clients", "3", "--instruments", "4", "--ticks", "10", "--seconds", "3"])
        for name in ["frames", "frames_per_second", "rss_mb_after"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect((RigProgram.number(report["cpu_percent"]) ?? -1) >= 0, "so small a run may take less than a tick of the kernel's count")
        #expect(report["lost"] == 0 && report["silent"] == 0)
    }

    @Test func theEdgeBecomesReadyOnItsLedger() throws {
        let report = try RigProgram.report(["bench", "footprint", "--entries", "300", "--runs", "1"])
        for name in ["ready_ms", "rss_mb"] { #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)") }
        #expect(report["entries"] == 300)
    }

    @Test func theEdgeStartsOnALongLedgerAndOnAShortOne() throws {
        let report = try RigProgram.report(["bench", "start", "--entries", "3000", "--runs", "1"])
        for name in ["ready_ms_1000", "ready_ms", "ratio", "ready_ms_after_crash", "ratio_after_crash", "ready_ms_every_entry"] {
            #expect((RigProgram.number(report[name]) ?? 0) > 0, "\(name) in \(report)")
        }
        #expect(report["entries"] == 3_000)
    }

    @Test func everyStepBesideTradingIsMeasured() throws {
        let report = try RigProgram.report(["bench", "steps", "--entries", "5000", "--segments", "1", "--appends", "3"])
        for name in [
            "append_alone", "append_beside_snapshot", "append_beside_compaction", "prepare_step", "snapshot_step", "check_step", "compaction_step",
        ] {
            for part in ["p50", "p99", "max", "cpu_max"] {
                #expect((RigProgram.number(report["\(name)_\(part)_ms"]) ?? 0) > 0, "\(name) in \(report)")
            }
        }
        #expect((RigProgram.number(report["snapshot_bytes"]) ?? 0) > 0)
    }

    @Test func everyMessageOfTheDecodersMixIsRead() throws {
        for server in ["157", "163", "178"] {
            let report = try RigProgram.report(["bench", "decode", "--messages", "1000", "--rounds", "1", "--server", server])
            #expect((RigProgram.number(report["per_second"]) ?? 0) > 0, "\(report)")
            #expect(report["messages"] == 1_000 && report["unreadable"] == 0 && report["unknown"] == 0, "\(report)")
        }
    }
}
