// One process that a test or campaign started: its output in files, its end by signal, its exit code.
package import Glibc

/// A process could not be started, or something did not happen in time: a sentence.
package struct ProcessTrouble: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// A started process; it is killed when nobody holds it any more.
package final class Child {
    package let name: String
    package let pid: pid_t
    /// Files with what it wrote to standard output and standard error since this start.
    package let outputPath, errorPath: String
    private let warden: Warden
    private var status: Int32?

    /// Starts `path` with exactly this environment and nothing on standard input. `folder` gets `NAME.out` and `NAME.err`.
    package init(name: String, path: String, _ arguments: [String], environment: [String: String], folder: String, warden: Warden) throws {
        self.name = name; self.warden = warden
        outputPath = "\(folder)/\(name).out"; errorPath = "\(folder)/\(name).err"
        for file in [outputPath, errorPath] { unlink(file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Who starts it may have taken signals away from their default; the child begins with none of that.
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let variables = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        var started = pid_t()
        let code = posix_spawn(&started, path, &actions, &attributes, words, variables)
        guard code == 0 else { throw ProcessTrouble("\(path) does not start: \(String(cString: strerror(code)))") }
        pid = started
        warden.watch(pid)
    }

    deinit { kill() }

    /// Nil while it runs; the exit code, or minus the number of the signal that ended it.
    package var exitCode: Int32? {
        if let status { return status }
        var raw: Int32 = 0
        guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
        return ended(raw)
    }
    package var isRunning: Bool { exitCode == nil }

    /// SIGKILL, and the wait for its end. A process that has ended stays ended.
    package func kill() {
        guard status == nil else { return }
        Glibc.kill(pid, SIGKILL)
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
        _ = ended(raw)
    }

    /// Asks it to stop in order; its end is seen by `exitCode`.
    package func terminate() { if isRunning { Glibc.kill(pid, SIGTERM) } }

    /// What it wrote to standard output so far.
    package var output: String { Files.text(outputPath) }
    /// What it wrote to standard error so far.
    package var complaints: String { Files.text(errorPath) }

    private func ended(_ raw: Int32) -> Int32 {
        let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : -(raw & 0x7F)
        status = code
        warden.forget(pid)
        return code
    }
}

/// Kills what is left when its holder dies without a farewell: a shell at the other end of a pipe that only the holder keeps open.
package final class Warden {
    private let pipe: UnsafeMutablePointer<FILE>
    private static let script = """
        trap '' INT TERM; p=' '
        while read -r w n; do
            if [ "$w" = + ]; then p="$p$n "; else q=' '; for x in $p; do [ "$x" = "$n" ] || q="$q$x "; done; p=$q; fi
        done
        [ "$p" = ' ' ] || kill -9 $p
        """

    package init() throws {
        guard let pipe = popen(Warden.script, "we") else { throw ProcessTrouble("/bin/sh does not start: \(String(cString: strerror(errno)))") }
        self.pipe = pipe
    }

    deinit { pclose(pipe) }

    fileprivate func watch(_ pid: pid_t) { tell("+ \(pid)\n") }
    fileprivate func forget(_ pid: pid_t) { tell("- \(pid)\n") }
    private func tell(_ line: String) {
        fputs(line, pipe)
        fflush(pipe)
    }
}
