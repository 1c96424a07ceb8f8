// The far side of the catch-up bench: the real cloud process, with one edge enrolled beforehand.
import CloudNode
import Ledger
import Platform
import Values
import Wire

enum CatchUpCloud {
    static let command = RigCommand(
        spec: CommandSpec(
            "bench cloud",
            options: [
                CommandOption("data", value: "DIR", "the cloud's data folder"), CommandOption("edge", value: "HEX", "the edge's id"),
                CommandOption("key", value: "HEX", "the edge's public link key"),
            ],
            "Runs a cloud that knows one edge; prints its link port and key as JSON. What the bench catch-up starts."),
        run: run)

    private static func run(_ options: RigOptions) throws -> Int32 {
        guard let edge = EdgeID(hex: try options.required("edge")), let key = Hex.bytes(try options.required("key")), key.count == 32 else {
            throw UsageError(text: "--edge wants 32 and --key 64 hexadecimal digits")
        }
        Log.setThreshold(.warning)
        let folder = try CloudFolder(try options.required("data"))
        do {
            let known = EnrolledEdge(
                id: edge, name: "bench", linkKey: key, status: .confirmed, code: "000000", enrolledAt: SystemClock.now())
            try NodeStores(folder: folder.path).control.commit([.edge(known)])
        }
        var configuration = CloudConfiguration(folder: folder.path)
        configuration.port = 0; configuration.linkHost = "127.0.0.1"; configuration.linkPort = 0; configuration.enrolmentPort = 0
        configuration.passwordCost = .least
        configuration.givenUser = GivenUser(name: BenchCloud.user, password: BenchCloud.password)
        try CloudShell(configuration).run { addresses in
            let line: JSONValue = [
                "link": .integer(Int64(addresses.link)), "web": .integer(Int64(addresses.web)), "key": .string(Hex.text(addresses.serverKey)),
            ]
            Console.out(String(decoding: JSONWriter.plain(line), as: UTF8.self))
        }
        return 0
    }
}
