// `rig bench decode`: how many of the gateway's messages become values in a second, beside the limit of a C program on the same bytes.
import Glibc
import Platform
import Values
import Venues
import Wire

enum DecodeBench {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench decode",
            options: [
                CommandOption("frames", value: "FILE", "a recorded stream of frames (a mix of its own: 90 ticks and 10 order messages of 100)"),
                CommandOption("messages", value: "N", "how many messages the own mix has (100000)"),
                CommandOption("server", value: "N", "the server version of the stream, 157 to 178 (176)"),
                CommandOption(
                    "limit", value: "FILE", "a program that is started with FRAMES and REPEATS and prints `med N`: the peer of the same run"),
                CommandOption("rounds", value: "N", "how often both are measured, in turns; the medians count (9)"),
            ],
            "Decodes a stream of frames over and over; ends with 5 when a frame cannot be read."),
        run: run)

    /// Bytes that one read of a socket hands over.
    private static let chunk = 65_536

    private static func run(_ options: RigOptions) throws -> Int32 {
        let version = try options.number("server", in: 157...178, default: 176)
        let rounds = try options.number("rounds", in: 1...99, default: 9)
        let folder = try BenchFolder()
        let load = Machine.load
        let path: String
        if let given = options.text("frames") {
            path = given
        } else {
            path = folder.path + "/frames.bin"
            try write(
                DecodeStream.bytes(messages: try options.number("messages", in: 100...10_000_000, default: 100_000), version: version), to: path)
        }
        let stream = try read(path)
        var (own, peer): ([Double], [Double]) = ([], [])
        var walk = Walk()
        for _ in 0..<rounds {
            let started = SystemClock.monotonic()
            walk = Walk(stream, IBDecoder(version: version))
            own.append(Double(walk.messages) / max(1e-9, Double((SystemClock.monotonic() - started).nanoseconds) / 1e9))
            if let limit = options.text("limit") { peer.append(try rate(of: limit, path)) }
        }
        own.sort()
        peer.sort()
        var report: [JSONMember] = [
            JSONMember("bench", "decode"), JSONMember("messages", .integer(Int64(walk.messages))), JSONMember("bytes", .integer(Int64(stream.count))),
            JSONMember("per_second", .decimal(own[own.count / 2], 0)), JSONMember("per_second_best", .decimal(own[own.count - 1], 0)),
            JSONMember("unreadable", .integer(Int64(walk.faults))), JSONMember("unknown", .integer(Int64(walk.unknown))),
            JSONMember("checksum", .integer(walk.sum)),
        ]
        if !peer.isEmpty {
            report.append(JSONMember("limit_per_second", .decimal(peer[peer.count / 2], 0)))
            report.append(JSONMember("share_of_limit", .decimal(own[own.count / 2] / peer[peer.count / 2], 2)))
        }
        BenchReport.print(.object(report + [JSONMember("load", .decimal(load, 2))]), isJSON: options.isJSON)
        return walk.faults == 0 && walk.messages > 0 ? 0 : Rig.different
    }

    /// The median that the peer prints.
    private static func rate(of program: String, _ path: String) throws -> Double {
        let child = try ChildProcess(program, [path, "3"])
        defer { child.stop() }
        let words = child.line()?.split(separator: " ") ?? []
        guard let word = words.firstIndex(of: "med"), word + 1 < words.count, let rate = Double(words[word + 1]), rate > 0 else {
            throw UsageError(text: "\(program) told no median of \(path)")
        }
        return rate
    }

    private static func read(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else { throw UsageError(text: "cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while case let count = fread(&part, 1, part.count, file), count > 0 { bytes += part[..<count] }
        return bytes
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "we") else { throw UsageError(text: "cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw UsageError(text: "cannot fill \(path)") }
    }

    /// One reading of the whole stream, in the pieces and by the splitter that a session uses.
    struct Walk {
        var messages = 0
        var faults = 0
        var unknown = 0
        /// Folded out of the values, so that none of them can be left out.
        var sum: Int64 = 0

        init() {}
        init(_ stream: [UInt8], _ decoder: IBDecoder) {
            var splitter = FrameSplitter()
            let bytes = stream.span.bytes
            var at = 0
            while at < bytes.byteCount {
                let piece = bytes.extracting(at..<min(at + DecodeBench.chunk, bytes.byteCount))
                at += piece.byteCount
                if splitter.pendingBytes > 0 {
                    guard let joined = splitter.begin(piece) else { continue }
                    let used = walk(joined.span.bytes, decoder)
                    splitter.end(joined, used: used)
                } else {
                    splitter.keep(piece, from: walk(piece, decoder))
                }
            }
        }

        private mutating func walk(_ bytes: RawSpan, _ decoder: IBDecoder) -> Int {
            var used = 0
            while let payload = try? FrameSplitter.frame(in: bytes, at: used) {
                used = payload.upperBound
                messages += 1
                do throws(FieldFault) { fold(try decoder.decode(bytes.extracting(payload))) } catch { faults += 1 }
            }
            return used
        }

        private mutating func fold(_ message: IBMessage) {
            switch message {
            case .tickPrice(let tick): sum &+= (tick.price?.raw ?? 0) &+ tick.mask
            case .tickSize(_, let type, let size): sum &+= Int64(truncatingIfNeeded: size?.raw ?? 0) &+ type
            case .orderStatus(let status): sum &+= status.permId &+ Int64(status.status.utf8.count)
            case .openOrder(let open): sum &+= open.order.permId &+ Int64(open.state.status.utf8.count)
            case .execution(_, let execution): sum &+= execution.permId &+ Int64(execution.execId.utf8.count)
            case .unknown: unknown += 1
            default: sum &+= 1
            }
        }
    }
}
