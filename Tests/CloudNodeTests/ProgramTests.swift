// The command line: settings with their sources, exit codes, and commands without a running cloud.
import CloudNode
import Control
import Foundation
import Platform
import Testing
import Values
import Wire

@Suite struct ProgramTests {
    private func folder() -> String { NSTemporaryDirectory() + "tidewire-program-" + UUID().uuidString }

    @Test func flagBeatsEnvironmentBeatsFileBeatsDefault() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder)
        try PrivateFiles.write(
            folder + "/cloud.yaml", Array("port: 8001\nlink:\n  port: 5601\n  host: 127.0.0.1\ntrusted_proxies: [10.0.0.1, 10.0.0.2]\n".utf8))
        let environment = ["TIDEWIRE_LINK_PORT": "5602", "PORT": "8002", "TIDEWIRE_PORT": "8003"]
        let set = try CloudConfiguration(options: ["data": folder, "link-port": "5603"], environment: environment)
        #expect(set.linkPort == 5_603 && set.port == 8_003 && set.linkHost == "127.0.0.1" && set.enrolmentPort == 5_571)
        #expect(set.trustedProxies == ["10.0.0.1", "10.0.0.2"] && set.givenUser == nil)
        let seed = try CloudConfiguration(options: ["data": folder], environment: ["PORT": "8002", "USERNAME": "ann", "PASSWORD": "a long password"])
        #expect(seed.port == 8_002 && seed.givenUser?.name == "ann")
        let desktop = try CloudConfiguration(options: ["data": folder], environment: ["USERNAME": "ann", "TIDEWIRE_PASSWORD": "a long password"])
        #expect(desktop.givenUser?.name == "admin", "the desktop's USERNAME alone says nothing")
    }

    @Test(arguments: [
        ["PORT": "99999"], ["TIDEWIRE_LINK_PORT": "x"], ["JWT_SECRET": "short"], ["TIDEWIRE_LINK_ADDRESS": "host:0"],
        ["TIDEWIRE_LINK_ADDRESS": "host:5570/x"], ["TIDEWIRE_LOG": "loud"], ["TIDEWIRE_CERTIFICATE": "/c.pem"],
    ]) func wrongSettingsAreNamed(_ environment: [String: String]) {
        #expect(throws: SettingsError.self) { try CloudConfiguration(options: ["data": "/nowhere"], environment: environment) }
        #expect(CloudProgram.run(["run", "--data", "/nowhere"], environment: environment) == ExitCode.configuration)
    }

    @Test func anUnknownKeyIsAnErrorWithItsLine() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder)
        try PrivateFiles.write(folder + "/cloud.yaml", Array("port: 8001\nprot: 8002\n".utf8))
        #expect(throws: SettingsError.unknownKey("prot", file: folder + "/cloud.yaml", line: 2)) {
            try CloudConfiguration(options: ["data": folder], environment: [:])
        }
    }

    @Test(
        arguments: [
            ([], ExitCode.usage), (["fly"], ExitCode.usage), (["run", "--fast"], ExitCode.usage), (["edge", "confirm", "a"], ExitCode.usage),
            (["--help"], ExitCode.ok), (["--version"], ExitCode.ok), (["run", "--help"], ExitCode.ok),
            (["edge", "list", "--data", "/nowhere"], ExitCode.unreachable), (["edge", "invite", "a", "--data", "/nowhere"], ExitCode.unreachable),
            (["user", "add", "a", "--data", "/nowhere"], ExitCode.unreachable), (["ledger", "verify", "--data", "/nowhere"], ExitCode.failed),
        ] as [([String], Int32)]) func exitCodesSayOfWhatKind(_ words: [String], _ code: Int32)
    {
        #expect(CloudProgram.run(words, environment: [:]) == code)
    }

    /// What cannot be taken back is not done where nobody can answer, unless it was said beforehand; nothing is asked of the cloud before.
    @Test(arguments: [
        ["edge", "revoke", "home-1"], ["edge", "settle", "home-1", "--keep", "cloud"], ["keys", "rotate"], ["keys", "rotate", "--link"],
        ["keys", "adopt"], ["store", "renew-incarnation"],
    ]) func whatCannotBeTakenBackIsAskedOnceMore(_ words: [String]) {
        #expect(CloudProgram.run(words + ["--data", "/nowhere"], environment: [:]) == ExitCode.refused)
        guard words[0] == "edge" else { return }
        #expect(CloudProgram.run(words + ["--yes", "--data", "/nowhere"], environment: [:]) == ExitCode.unreachable)
    }

    /// A store that fails at the start answers as one that fails later does, and as the edge's does.
    @Test func aStoreThatFailsAtTheStartIsAStoreThatFailed() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder)
        try PrivateFiles.write(folder + "/control.db", Array("not a database at all, but of some length".utf8))
        let words = ["run", "--data", folder, "--port", "0", "--link-port", "0"]
        #expect(CloudProgram.run(words, environment: [:]) == ExitCode.storeFailed)
        #expect(ExitCode.of(DatabaseError.busy("held")) == 70 && ExitCode.of(StoreError.failed(.corrupt("bad"))) == 70)
        #expect(ExitCode.of(DatabaseError.cannotOpen("nowhere")) == 1 && ExitCode.of(CloudRefusal("no", exitCode: 3)) == 1)
        #expect(ExitCode.of(StoreError.missing(from: 1, to: 2, "gone")) == 70)
        #expect(Set(ExitCode.table.map(\.code)) == [0, 1, 2, 3, 4, 5, 6, 70, 78])
    }

    @Test func theListOfEdgesSaysWhenEachWasHeard() throws {
        let answer = """
            {"edges":[{"name":"home","status":"confirmed","link":"live","lastHeard":"2026-11-22T09:59:58.250Z","storedSeq":12},
            {"name":"away","status":"confirmed","link":"silent","storedSeq":3},{"name":"new","status":"pending","code":"123456"}]}
            """
        let now = Instant(seconds: 1_795_341_600)
        #expect(now.description == "2026-11-22T10:00:00.000Z")
        #expect(
            EdgeListing.text(try JSONReader.read(Array(answer.utf8)), at: now) == """
                home  confirmed, link live, last heard 1 s ago, 12 entries
                away  confirmed, link silent, not heard since this cloud started, 3 entries
                new  pending, six digits 123456

                """)
    }

    @Test func aUserIsAddedWithoutARunningCloud() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder)
        do { _ = try ControlStore(path: folder + "/control.db") }
        #expect(CloudProgram.run(["user", "add", "Ann", "--role", "trader", "--data", folder], environment: [:]) == ExitCode.ok)
        #expect(CloudProgram.run(["user", "add", "ann", "--data", folder], environment: [:]) == ExitCode.refused)
        #expect(CloudProgram.run(["user", "add", "bob", "--role", "king", "--data", folder], environment: [:]) == ExitCode.usage)
        #expect(CloudProgram.run(["user", "password", "ann", "--data", folder], environment: [:]) == ExitCode.ok)
        #expect(CloudProgram.run(["user", "password", "bob", "--data", folder], environment: [:]) == ExitCode.refused)
        let users = try ControlStore(path: folder + "/control.db").load().users
        #expect(users.map(\.name) == ["ann"] && users.first?.role == .trader && users.first?.generation == 2)
        #expect(users.first?.passwordHash.hasPrefix("$argon2id$v=19$m=65536,t=3,p=1$") == true)
    }

    /// One start of a cloud on the folder, as far as its users.
    private func start(_ folder: String, given password: String? = nil) throws -> [User] {
        let place = try CloudFolder(folder), store = try ControlStore(path: folder + "/control.db")
        let given = password.map { GivenUser(name: "admin", password: $0) }
        try FirstUser.prepare(store, place, given: given, cost: .least, at: Instant(seconds: 1_795_000_000))
        return try store.load().users
    }

    /// The first user's password lies in a file that its owner alone may read, as long as it opens anything.
    @Test func theFirstPasswordLiesInAFileUntilItIsChanged() throws {
        let folder = folder(), file = folder + "/first-password"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try start(folder)
        let password = try #require(String(decoding: PrivateFiles.read(file), as: UTF8.self).split(separator: "\n").first.map(String.init))
        #expect(first.map(\.name) == ["admin"] && Passwords.verify(password, hash: first[0].passwordHash))
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        #expect(try start(folder) == first && PrivateFiles.exists(file), "nothing happens to either at the next start")
        #expect(CloudProgram.run(["user", "add", "ann", "--data", folder], environment: [:]) == ExitCode.ok && PrivateFiles.exists(file))
        let kept = try PrivateFiles.read(file)
        #expect(CloudProgram.run(["user", "password", "admin", "--data", folder], environment: [:]) == ExitCode.ok && !PrivateFiles.exists(file))
        // A process that died before the file was gone left a password that opens nothing.
        try PrivateFiles.write(file, kept)
        #expect(try start(folder).count == 2 && !PrivateFiles.exists(file))
    }

    /// The environment's password is set once, and again when it is another; what the user set meanwhile is not put back.
    @Test func theEnvironmentsPasswordIsSetOnce() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func fits(_ password: String, _ users: [User]) -> Bool { Passwords.verify(password, hash: users[0].passwordHash) }
        #expect(try fits("a long password", start(folder, given: "a long password")))
        #expect(!PrivateFiles.exists(folder + "/first-password"))
        #expect(CloudProgram.run(["user", "password", "admin", "--data", folder], environment: [:]) == ExitCode.ok)
        #expect(try fits("a long password", start(folder, given: "a long password")) == false)
        #expect(try fits("another long one", start(folder, given: "another long one")))
        #expect(try fits("another long one", start(folder)))
        // A store of an older release knows no given password: the user has it, or gets it.
        do {
            let control = try Database(path: folder + "/control.db", .init(.readWrite))
            try control.run("DELETE FROM meta WHERE key LIKE 'given-password:%'")
        }
        let before = try start(folder, given: "another long one")
        #expect(fits("another long one", before))
        #expect(try start(folder, given: "another long one") == before)
    }

    @Test func aDamagedLedgerIsADifference() throws {
        let folder = folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try PrivateFiles.makeFolder(folder + "/edges")
        try PrivateFiles.write(folder + "/edges/\(TestEdge.id).db", Array("not a database at all, but of some length".utf8))
        #expect(CloudProgram.run(["ledger", "verify", "--data", folder], environment: [:]) == ExitCode.difference)
    }
}
