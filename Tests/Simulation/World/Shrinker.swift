// Makes a failing world small: the fewest adversities with which the same promise is still broken.

/// What was left of a failing seed.
package struct ShrunkWorld: Sendable {
    /// What it takes, in order.
    package let needed: [Adversity]
    /// Of the world with nothing else in it.
    package let report: WorldReport
    /// Worlds that were run to find it.
    package let runs: Int
}

/// Leaves out halves, then quarters, and so on, as long as the promise stays broken.
package enum Shrinker {
    /// - Parameters:
    ///   - report: of the failing world.
    ///   - runsMax: how many worlds may be tried.
    ///   - run: the world of the same seed with these adversities only.
    /// - Returns: nil when the violation does not come again even with everything left in.
    package static func shrink(_ report: WorldReport, runsMax: Int = 400, run: (Set<Adversity>) -> WorldReport) -> ShrunkWorld? {
        let broken = Set(report.violations.map(\.checker))
        var runs = 0
        func fails(_ wanted: [Adversity]) -> WorldReport? {
            runs += 1
            let tried = run(Set(wanted))
            return tried.violations.contains { broken.contains($0.checker) } ? tried : nil
        }
        var kept = report.happened
        guard var best = fails(kept) else { return nil }
        var parts = 2
        while !kept.isEmpty, runs < runsMax {
            let size = max(1, (kept.count + parts - 1) / parts)
            var isSmaller = false
            for start in stride(from: 0, to: kept.count, by: size) where runs < runsMax {
                let rest = Array(kept[..<start] + kept[min(start + size, kept.count)...])
                guard let tried = fails(rest) else { continue }
                best = tried
                // What the smaller world did not even meet is not needed.
                kept = rest.filter(Set(tried.happened).contains)
                isSmaller = true
                break
            }
            if isSmaller { parts = max(2, parts - 1) } else if size == 1 { break } else { parts = min(kept.count, parts * 2) }
        }
        return ShrunkWorld(needed: kept, report: best, runs: runs)
    }
}
