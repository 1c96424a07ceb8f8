// The log's line: one line whatever the values hold.
import Platform
import Testing
import Values

struct LogTests {
    @Test func plainValuesStayBare() {
        let line = Log.line(.warning, "link down", ["edge": "home-1", "after": "6s"], at: Instant(seconds: 0))
        #expect(line == "time=1970-01-01T00:00:00.000Z level=warning event=\"link down\" edge=home-1 after=6s\n")
    }

    @Test func aValueCannotStartALine() {
        let line = Log.line(.error, "refused", ["text": "a\nlevel=error \"b\"\u{1B}[31m \\"], at: Instant(seconds: 0))
        #expect(line.hasSuffix(" text=\"a\\nlevel=error \\\"b\\\"\\x1b[31m \\\\\"\n"))
        #expect(line.filter { $0 == "\n" }.count == 1)
    }

    @Test func levelsAreOrdered() {
        #expect(LogLevel.debug < .info && LogLevel.warning < .error)
        #expect(LogLevel(name: "warning") == .warning && LogLevel(name: "loud") == nil)
    }
}
