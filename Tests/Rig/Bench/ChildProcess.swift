// A helper process of one bench: started, heard line by line, ended with its starter.
import Glibc

/// Ended by `stop`, at the latest when nobody holds it any more.
final class ChildProcess {
    let pid: Int32
    private let output: Int32
    private var heard: [UInt8] = []
    private var isGone = false

    /// - Parameter program: a path; nil starts this program again.
    init(_ program: String? = nil, _ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw UsageError(text: "cannot make a pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        let path = program ?? "/proc/self/exe"
        var words = ([program ?? "rig"] + arguments).map { strdup($0) } + [nil]
        var environment = ChildProcess.environment.map { strdup($0) } + [nil]
        defer { for word in words + environment { free(word) } }
        var started: pid_t = 0
        let status = posix_spawn(&started, path, &actions, nil, &words, &environment)
        close(ends[1])
        output = ends[0]
        guard status == 0 else {
            close(ends[0])
            throw UsageError(text: "cannot start \(path): \(String(cString: strerror(status)))")
        }
        pid = started
    }

    deinit {
        stop()
        close(output)
    }

    /// The next line it says; nil when it has ended or says nothing for so long.
    func line(withinMillis limit: Int32 = 20_000) -> String? {
        while true {
            if let end = heard.firstIndex(of: 10) {
                defer { heard.removeFirst(end + 1) }
                return String(decoding: heard[..<end], as: UTF8.self)
            }
            var wish = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&wish, 1, limit) > 0 else { return nil }
            var chunk = [UInt8](repeating: 0, count: 4_096)
            let count = read(output, &chunk, chunk.count)
            guard count > 0 else { return nil }
            heard += chunk[..<count]
        }
    }

    /// Asks it to stop in order, and waits until it has.
    func stop() {
        guard !isGone else { return }
        isGone = true
        Glibc.kill(pid, SIGTERM)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    /// Ends it as a power cut does, and waits until it is gone.
    func kill() {
        guard !isGone else { return }
        isGone = true
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private static var environment: [String] {
        guard let file = fopen("/proc/self/environ", "re") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        let count = fread(&bytes, 1, bytes.count, file)
        return bytes[..<count].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
