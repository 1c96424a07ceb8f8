// The product's version, the one constant that every `--version` prints.

/// SemVer of the product; wire, kind and schema versions are counted apart.
package enum Version { package static let product = "0.1.0" }
