// What only root can do to real processes: a small file system of their own that is full, and system calls that fail by chance (libfiu).
internal import Values
internal import Wire

extension Campaign {
    // MARK: System calls that fail

    /// Debian's fiu-utils; it stands between the program, its SQLite and the C library.
    private static let preload = "/usr/lib/fiu/fiu_run_preload.so /usr/lib/fiu/fiu_posix_preload.so"
    /// What SQLite and the small files are written and read by. EIO, and a full disk.
    private static let calls = ["posix/io/rw/pwrite", "posix/io/sync/fdatasync", "posix/io/sync/fsync", "posix/io/rw/pread"]
    private static let inputOutput = 5, noSpace = 28

    /// Starts edge or cloud with a system call that fails at a random place, waits for its end, looks at what is left, starts it soundly.
    func failDisk() throws {
        guard Files.exists("/usr/lib/fiu/fiu_run_preload.so") else { throw ProcessTrouble("there is no libfiu: apt install fiu-utils") }
        let part = chance.chance(2, in: 3) ? Stage.Part.edge : .cloud
        let call = Campaign.calls[chance.int(0...(Campaign.calls.count - 1))]
        let error = chance.chance(1, in: 4) ? Campaign.noSpace : Campaign.inputOutput
        let odds = [20, 60, 200, 600][chance.int(0...3)]
        stage.kill(part)
        let plan = "enable_random name=\(call),probability=\(1.0 / Double(odds)),failinfo=\(error)"
        tell("\(part) with \(call) failing by \(error) once in \(odds)")
        var end = "ran on"
        do {
            try stage.start(part, within: 60, environment: ["LD_PRELOAD": Campaign.preload, "FIU_ENABLE": plan])
            order()
            try? stage.patience.until("the disk ends it", within: 8) { stage.child(part)?.isRunning != true }
            if let code = stage.child(part)?.exitCode { end = "ended with \(code)" }
        } catch let trouble as ProcessTrouble {
            guard let code = stage.child(part)?.exitCode else { throw trouble }
            end = "did not start, \(code)"
        }
        if let code = stage.child(part)?.exitCode, code <= 0 {
            report.violations.append("\(part) ended with \(code) under \(plan): \(stage.child(part)?.complaints.suffix(600) ?? "")")
        }
        report.diskEnds["\(part) \(end)", default: 0] += 1
        tell("\(part) \(end)")
        stage.kill(part)
        try examine(part)
        try stage.start(part, within: 60)
        tell("\(part) runs again")
    }

    // MARK: A full file system

    /// Puts the folders of edge and cloud on file systems of their own, the edge's large enough that the reserve is taken.
    func mountDisks() throws {
        for (folder, megabytes) in [(stage.edgeFolder, 420), (stage.cloudFolder, 120)] {
            let image = folder + ".img", aside = folder + ".aside"
            try stage.shell(
                "truncate -s \(megabytes)M \(image) && mkfs.ext4 -q -m 0 \(image) && cp -a \(folder) \(aside) && mount -o loop \(image) \(folder) "
                    + "&& chmod 700 \(folder) && cp -a \(aside)/. \(folder)/ && rm -r \(aside)")
        }
    }
    func unmountDisks() {
        for part in [Stage.Part.edge, .cloud] { stage.kill(part) }
        for folder in [stage.edgeFolder, stage.cloudFolder] { try? stage.shell("umount -l \(folder)") }
    }

    /// To the last block, in large pieces and then in small ones.
    private func fill(_ folder: String) throws {
        try stage.shell(
            "sync; dd if=/dev/zero of=\(folder)/filler-$$ bs=1M 2>/dev/null; dd if=/dev/zero of=\(folder)/crumb-$$ bs=4k 2>/dev/null; true")
    }

    /// Fills the cloud's file system beside the running cloud, kills it there, lets it start there or refuse, and makes room again: the edge trades
    /// on meanwhile, nothing that it was told to be safe is gone, and all that waited comes.
    func fillCloud() throws {
        let folder = stage.cloudFolder
        trade()
        try fill(folder)
        tell("the cloud's file system is full")
        order()
        stage.patience.pass(milliseconds: chance.int(3_000...9_000))
        var end = "runs on"
        if let code = stage.child(.cloud)?.exitCode {
            end = "ends with \(code)"
            if code <= 0 { report.violations.append("the cloud ended with \(code) beside a full disk") }
        }
        report.diskEnds["cloud \(end) beside a full disk", default: 0] += 1
        stage.kill(.cloud)
        try examine(.cloud)
        end = "starts on the full disk"
        do { try stage.start(.cloud, within: 60) } catch let trouble as ProcessTrouble {
            guard let code = stage.child(.cloud)?.exitCode else { throw trouble }
            end = "refuses the full disk with \(code)"
            if code <= 0 { report.violations.append("the cloud ended with \(code) on a full disk: \(trouble)") }
        }
        report.diskEnds["cloud \(end)", default: 0] += 1
        tell("cloud \(end)")
        stage.patience.pass(milliseconds: chance.int(1_000...3_000))
        try stage.shell("rm -f \(folder)/filler-* \(folder)/crumb-*")
        tell("there is room again")
        if !stage.isRunning(.cloud) { try stage.start(.cloud, within: 60) }
        do { try stage.awaitLink(within: 90) } catch let trouble as ProcessTrouble {
            report.violations.append("with room in the cloud again: \(trouble)")
        }
    }

    /// Fills the edge's file system to the last block beside the running edge, kills it there, fills what it gave up, and makes room again.
    func fillDisk() throws {
        let folder = stage.edgeFolder
        trade()
        guard Files.exists(folder + "/ballast") else { return report.violations.append("there is no reserve on \(folder)") }
        try fill(folder)
        tell("the edge's file system is full")
        order()
        stage.patience.pass(milliseconds: chance.int(1_000...4_000))
        for round in 1...2 {
            // A killed edge leaves its log, which has room of its own; after an orderly end the next needs a new one.
            if round == 1 {
                stage.kill(.edge)
            } else {
                let code = try stage.stop(.edge, within: 60)
                if code < 0 { report.violations.append("stopped on a full disk the edge ended with \(code)") }
                try fill(folder)
            }
            try examine(.edge)
            var end = "starts on the full disk"
            do { try stage.start(.edge, within: 60) } catch let trouble as ProcessTrouble {
                guard let code = stage.child(.edge)?.exitCode else { throw trouble }
                end = "refuses the full disk with \(code)"
                if code <= 0 { report.violations.append("the edge ended with \(code) on a full disk: \(trouble)") }
            }
            let kept = Files.exists(folder + "/ballast") ? "the reserve is kept" : "the reserve is given up"
            report.diskEnds["edge \(end), \(kept)", default: 0] += 1
            tell("edge \(end), \(kept)")
            stage.patience.pass(milliseconds: chance.int(1_000...3_000))
            order()
            guard stage.isRunning(.edge) else { break }
        }
        try stage.shell("rm -f \(folder)/filler-* \(folder)/crumb-*")
        tell("there is room again")
        if !stage.isRunning(.edge) { try stage.start(.edge, within: 60) }
        do {
            try stage.awaitBroker(within: 90)
            try stage.patience.until("the reserve is there again", within: 30) { Files.exists(folder + "/ballast") }
        } catch let trouble as ProcessTrouble { report.violations.append("with room again: \(trouble)") }
    }
}
