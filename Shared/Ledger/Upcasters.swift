// Bodies of earlier versions read as the present one: one pure step from each version to the next, kept for ever.
package import Wire

/// The steps. A step only adds members or gives them another form; it invents no fact.
package enum Upcasters {
    /// The body of `kind`, written at `version`, in the form of the version that this release writes.
    /// - Throws: `.unknownVersion` for a version of the future or one that never was: the entry is kept and shown raw.
    package static func lifted(_ body: JSONValue, _ kind: Kind, from version: UInt16) throws(CodecError) -> JSONValue {
        guard (1...kind.version).contains(version) else { throw .unknownVersion(kind: kind.rawValue, version: version) }
        var body = body
        for step in version..<kind.version { body = try next(body, kind, step) }
        return body
    }

    /// From `version` to the one after it.
    package static func next(_ body: JSONValue, _ kind: Kind, _ version: UInt16) throws(CodecError) -> JSONValue {
        switch (kind, version) {
        // What was written before there were postings posted nothing.
        case (.fill, 1), (.commission, 1): return body.adding("postings", [])
        default: throw .unknownVersion(kind: kind.rawValue, version: version)
        }
    }
}

extension JSONValue {
    /// The object with one more member, unless it has it.
    fileprivate func adding(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self, self[key] == nil else { return self }
        return .object(members + [JSONMember(key, value)])
    }
}
