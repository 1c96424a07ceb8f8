// The one form of errors: what a person reads, and the headers that a status asks for.
import Testing
import Values
import Views
import Wire

struct ProblemTests {
    private func header(_ name: String, _ problem: Problem) -> String? { problem.headers.first { $0.name == name }?.value }

    @Test func saysWhatIsWrongAndWhatToDo() {
        let problem = Problem("edge-silent", 503, "The edge is silent", detail: "d", cure: "c")
        let wanted: JSONValue = [
            "type": "/problems/edge-silent", "title": "The edge is silent", "status": 503, "detail": "d", "cure": "c",
        ]
        #expect(problem.value == wanted && problem.headers.isEmpty)
        #expect(Problem("x", 400, "t").value == ["type": "/problems/x", "title": "t", "status": 400], "what is unknown is left out")
    }

    @Test(arguments: [(["POST"], "POST"), (["GET", "POST"], "GET, HEAD, POST"), (["GET"], "GET, HEAD")])
    func aWrongMethodIsToldTheRightOnes(_ methods: [String], _ allow: String) {
        let problem = Problem.methodNotAllowed("DELETE", allowed: methods)
        #expect(problem.status == 405 && header("allow", problem) == allow)
        #expect(problem.detail == "It takes \(allow).")
    }

    @Test(arguments: [(0, "1", 0), (1, "1", 1), (1_000, "1", 1_000), (1_001, "2", 1_001), (90_000, "90", 90_000)])
    func theWaitIsToldInWholeSecondsNeverTooShort(_ millis: Int64, _ seconds: String, _ told: Int64) {
        let problem = Problem("busy", 503, "t", retryAfter: .milliseconds(millis))
        #expect(header("retry-after", problem) == seconds && problem.value["retryAfterMs"]?.integerValue == told)
    }

    @Test func whoIsNotSignedInIsToldHow() {
        #expect(header("www-authenticate", Problem("not-signed-in", 401, "t")) == "Bearer")
        #expect(header("www-authenticate", Problem("not-allowed", 403, "t")) == nil)
    }
}
