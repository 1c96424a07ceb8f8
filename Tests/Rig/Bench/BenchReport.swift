// How a bench tells its figures: one JSON object, or one figure a line.
import Platform
import Wire

enum BenchReport {
    static func print(_ report: JSONValue, isJSON: Bool) {
        guard !isJSON else { return Console.out(String(decoding: JSONWriter.plain(report), as: UTF8.self)) }
        for member in report.members ?? [] {
            Console.out("\(member.key): " + (member.value.text ?? String(decoding: JSONWriter.plain(member.value), as: UTF8.self)))
        }
    }
}

extension JSONValue {
    /// A measured number, rounded to so many places.
    static func decimal(_ value: Double, _ places: Int) -> JSONValue {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = (value * scale).rounded()
        guard rounded.isFinite, abs(rounded) < 1e15 else { return .null }
        let digits = String(Int64(abs(rounded)))
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        let sign = rounded < 0 ? "-" : ""
        return .number(places == 0 ? sign + digits : sign + padded.dropLast(places) + "." + padded.suffix(places))
    }
}

/// The port at the end of `ADDRESS:PORT`.
enum RelayAddressText {
    static func port(_ text: Substring) -> Int? { text.lastIndex(of: ":").flatMap { Int(text[text.index(after: $0)...]) } }
}
