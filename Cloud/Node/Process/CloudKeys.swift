// `tidewire-cloud keys`: the public halves of the cloud's keys, for who compares them.
internal import Platform
internal import Values
internal import Wire

/// The keys of a cloud's folder, whether or not it runs.
enum CloudKeys {
    /// - Parameter rotates: the signing key is changed first.
    static func show(folder path: String, rotates: Bool = false, isJSON: Bool) throws -> Int32 {
        guard PrivateFiles.exists(path + "/keys/link.key") else {
            throw CloudRefusal("there is no cloud in \(path); start one with tidewire-cloud run", exitCode: ExitCode.unreachable)
        }
        let folder = try CloudFolder(path)
        if rotates { _ = try folder.rotateSigningKey() }
        let link = Hex.text(try folder.linkKeys().publicKey), signer = Hex.text(try folder.signingKeys().publicKey)
        Console.write(
            isJSON
                ? JSONWriter.plain(["link": .string(link), "signing": .string(signer)]) + [0x0A]
                : Array(
                    "link     \(link)\nsigning  \(signer)\n\(rotates ? "Start the cloud again: it signs by the new key then, and its edges follow.\n" : "")"
                        .utf8))
        return ExitCode.ok
    }
}
