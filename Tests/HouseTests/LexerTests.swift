// The lexer under the laws: what is code, what is not, and on which line.
import Testing

struct LexerTests {
    private func words(_ text: String, _ language: Lexer.Language = .swift) -> [String] {
        Lexer.tokens(of: text, language).filter { $0.kind == .word }.map(\.text)
    }

    @Test func commentsAndStringsAreNoCode() {
        #expect(words("a // b\nc /* d /* e */ f */ g") == ["a", "c", "g"])
        #expect(words("a /* b /* c */ d", .script) == ["a", "d"])
        #expect(words("a = \"b \\\" c\" + d") == ["a", "d"])
        #expect(words("a = \"\"\"\nb \"c\" d\n\"\"\" + e") == ["a", "e"])
        #expect(words("a = ##\"b \"# c\"## + d") == ["a", "d"])
    }

    @Test func interpolationIsCode() {
        #expect(words("\"a \\(b(\"c \\(d)\") + e) f\" + g") == ["b", "d", "e", "g"])
        #expect(words("#\"a \\(b) \\#(c)\"# + d") == ["c", "d"])
        #expect(words("`a ${b({ c: `${d}` })} e` + f", .script) == ["b", "c", "d", "f"])
    }

    @Test func strayApostrophesHarmOneLine() { #expect(words("<p>don't</p>\nconst b = 1", .script).suffix(3) == ["const", "b", "1"]) }

    @Test func regularExpressionsAreNoStrings() {
        #expect(words("a.split(/\"[/]?'/); b", .script) == ["a", "split", "b"])
        #expect(words("let x = a / b / c") == ["let", "x", "a", "b", "c"])
    }

    @Test func linesAreCounted() {
        let tokens = Lexer.tokens(of: "a\n\"\"\"\nx\n\"\"\"\n/*\n*/ b", .swift)
        #expect(tokens.map(\.line) == [1, 2, 6])
    }

    @Test func damagedTextEnds() {
        for text in ["\"", "\"\"\"", "/*", "\"\\(", "`${", "#\"", "#", "\"\\", "'", "/"] {
            _ = words(text)
            _ = words(text, .script)
        }
    }
}
