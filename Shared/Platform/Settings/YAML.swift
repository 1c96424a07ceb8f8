// YAML files as trees with line numbers, read by libyaml's event parser.
internal import CYAML

/// One node of a YAML document, with the line it starts on (from 1).
package indirect enum YAMLNode: Hashable, Sendable {
    case scalar(String, line: Int)
    case list([YAMLNode], line: Int)
    case map([YAMLMember], line: Int)
    package var line: Int {
        switch self {
        case .scalar(_, let line), .list(_, let line), .map(_, let line): line
        }
    }
}

/// One key and its node.
package struct YAMLMember: Hashable, Sendable {
    package let key: String
    package let line: Int
    package let value: YAMLNode
}

/// Why a YAML text was refused.
package struct YAMLError: Error, Equatable, Sendable, CustomStringConvertible {
    package let line: Int
    package let text: String
    package var description: String { "line \(line): \(text)" }
}

/// Reads one document. Anchors, aliases and several documents are refused: a settings file needs none.
package enum YAML {
    /// Nesting of a settings file.
    private static let depthMax = 16

    package static func read(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else { throw YAMLError(line: 0, text: "the parser could not start") }
        defer { yaml_parser_delete(&parser) }
        // The input must stay where it is while the parser reads it: a copy with a fixed address.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        defer { input.deallocate() }
        _ = input.update(fromContentsOf: bytes)
        yaml_parser_set_input_string(&parser, input.baseAddress, bytes.count)
        _ = try next(&parser)  // stream start
        var event = try next(&parser)
        if case .streamEnd = event.kind { return nil }
        event = try next(&parser)  // after document start
        let node = try node(event, &parser, depth: 1)
        _ = try next(&parser)  // document end
        event = try next(&parser)
        guard case .streamEnd = event.kind else { throw YAMLError(line: event.line, text: "a second document") }
        return node
    }

    private enum Kind { case streamStart, streamEnd, documentStart, documentEnd, scalar(String), listStart, listEnd, mapStart, mapEnd, alias }

    private static func next(_ parser: inout yaml_parser_t) throws(YAMLError) -> (kind: Kind, line: Int) {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
            let text = parser.problem.map { String(cString: $0) } ?? "not YAML"
            throw YAMLError(line: Int(parser.problem_mark.line) + 1, text: text)
        }
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_STREAM_START_EVENT: return (.streamStart, line)
        case YAML_STREAM_END_EVENT: return (.streamEnd, line)
        case YAML_DOCUMENT_START_EVENT: return (.documentStart, line)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, line)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return (.scalar(String(decoding: bytes, as: UTF8.self)), line)
        case YAML_SEQUENCE_START_EVENT: return (.listStart, line)
        case YAML_SEQUENCE_END_EVENT: return (.listEnd, line)
        case YAML_MAPPING_START_EVENT: return (.mapStart, line)
        case YAML_MAPPING_END_EVENT: return (.mapEnd, line)
        default: return (.alias, line)
        }
    }

    private static func node(_ event: (kind: Kind, line: Int), _ parser: inout yaml_parser_t, depth: Int) throws(YAMLError) -> YAMLNode {
        guard depth <= depthMax else { throw YAMLError(line: event.line, text: "nested deeper than \(depthMax)") }
        switch event.kind {
        case .scalar(let text): return .scalar(text, line: event.line)
        case .listStart:
            var items: [YAMLNode] = []
            while true {
                let item = try next(&parser)
                if case .listEnd = item.kind { return .list(items, line: event.line) }
                items.append(try node(item, &parser, depth: depth + 1))
            }
        case .mapStart:
            var members: [YAMLMember] = []
            while true {
                let key = try next(&parser)
                if case .mapEnd = key.kind { return .map(members, line: event.line) }
                guard case .scalar(let name) = key.kind else { throw YAMLError(line: key.line, text: "a key must be a plain word") }
                guard !members.contains(where: { $0.key == name }) else { throw YAMLError(line: key.line, text: "the key '\(name)' stands twice") }
                members.append(YAMLMember(key: name, line: key.line, value: try node(next(&parser), &parser, depth: depth + 1)))
            }
        default: throw YAMLError(line: event.line, text: "aliases and tags are not used here")
        }
    }
}
