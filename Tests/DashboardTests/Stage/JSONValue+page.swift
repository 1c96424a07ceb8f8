// Short words for what pages, chromedriver and the fake cloud answer.
import Foundation
import Wire

extension JSONValue {
    var isTrue: Bool { self == true }
    /// Empty for anything but an array.
    var list: [JSONValue] { elements ?? [] }
    /// A measure of the page: whole or not.
    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let text): Double(text)
        default: nil
        }
    }
    /// Its JSON text; the same value gives the same text, which is what a repeated write is known by.
    var json: String { String(decoding: JSONWriter.plain(self), as: UTF8.self) }

    /// Reads an answer: pictures come as text in one value.
    init(answer: Data) throws { self = try JSONReader.read(Array(answer), limits: JSONLimits(depth: 64, bytes: 64 << 20)) }
}
