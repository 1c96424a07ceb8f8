// Recorded frames spoilt by a seed: whatever comes, the decoder answers or throws, and its two readings of a tick agree.
import Testing
import Values
import Venues
import Wire

struct CodecFuzzTests {
    @Test(arguments: [UInt64(1), 2_026, 99_991]) func spoiltFramesAreReadOrRefusedAlike(seed: UInt64) throws {
        var spoiler = FrameSpoiler(seed: seed)
        let corpus = try Fixtures.vectors("vectors/tws/inbound").map { vector in
            (version: vector.serverVersion, payload: Array(try needed(Hex.bytes(needed(vector.value["hex"]?.text))).dropFirst(4)))
        }.filter { IBProtocol.versions.contains($0.version) }
        var (read, refused, ticks) = (0, 0, 0)
        for _ in 0..<4_000 {
            let (version, whole) = corpus[spoiler.number(below: corpus.count)]
            let payload = spoiler.spoil(whole, corpus[spoiler.number(below: corpus.count)].payload)
            let decoder = IBDecoder(version: spoiler.number(below: 4) == 0 ? 157 + spoiler.number(below: 22) : version)
            let message: IBMessage?
            do throws(FieldFault) {
                message = try decoder.decode(payload.span.bytes)
                read += 1
            } catch {
                message = nil
                refused += 1
            }
            ticks += agree(payload, decoder, message) ? 1 : 0
            // The same bytes are the same value, and a field more changes nothing.
            if let message, payload.last == 0 {
                let again = payload + Array("more".utf8) + [0]
                if case .error = message { continue }
                #expect((try? decoder.decode(again.span.bytes)) == message, "\(payload)")
            }
        }
        #expect(read > 300 && refused > 300 && ticks > 20, "\(read) read, \(refused) refused, \(ticks) ticks")
    }

    /// Whether it is a tick; both readings must then say the same, or both refuse.
    private func agree(_ payload: [UInt8], _ decoder: IBDecoder, _ message: IBMessage?) -> Bool {
        let tick: IBTick?
        do throws(FieldFault) { tick = try decoder.tick(payload.span.bytes) } catch {
            #expect(message == nil, "\(payload): \(error)")
            return false
        }
        guard let tick else {
            switch message {
            case .tickPrice?, .tickSize?, .tickGeneric?, .tickString?, .tickByTick?: Issue.record("no tick: \(payload)")
            default: break
            }
            return false
        }
        guard let message else {
            Issue.record("a tick that is no message: \(payload)")
            return false
        }
        // How a text is read beyond its place has tests of its own: half of what is spoilt here is no number any more.
        if case .tickString = message { return true }
        #expect(TickWords.matches(tick, message), "\(payload)")
        return true
    }
}

/// Changes a payload in ways that hurt decoders: fields replaced by awkward ones, dropped, doubled, cut, joined with another message's, bits turned.
struct FrameSpoiler {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func number(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(bound, 1)))
    }

    private static let words = [
        "", "0", "-1", "-2", "2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308", "1.7976931348623157e+308",
        "Infinity", "NaN", "99999999999999999999", "0.000000005", "92233720368.547758079", "-", ".", "1e5", "1E-400", "1e99999999999", "\\u00e9",
        "\\ud83d", "None", "true", "1;2;3;4;5;true", "-0.5", "16777215", "100000", "BAG", "PEG BENCH", "20261224-10:00:00-US/Central",
    ].map { Array($0.utf8) }

    mutating func spoil(_ payload: [UInt8], _ other: [UInt8]) -> [UInt8] {
        var bytes = payload
        for _ in 0...number(below: 3) { change(&bytes, other) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], _ other: [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = other
            return
        }
        switch number(below: 7) {
        case 0: bytes[number(below: bytes.count)] ^= UInt8(1 << number(below: 8))
        case 1: bytes.removeSubrange(number(below: bytes.count)...)
        case 2: bytes = Array(bytes[..<number(below: bytes.count)]) + other[number(below: other.count)...]
        case 3: bytes.insert([0, 0x2D, 0x2E, 0x30, 0x39, 0x45, 0x5C, 0x3B][number(below: 8)], at: number(below: bytes.count))
        default:
            var fields = bytes.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
            let place = number(below: fields.count)
            switch number(below: 4) {
            case 0: fields.remove(at: place)
            case 1: fields.insert(fields[place], at: place)
            default: fields[place] = FrameSpoiler.words[number(below: FrameSpoiler.words.count)]
            }
            bytes = Array(fields.joined(separator: [0]))
        }
    }
}
