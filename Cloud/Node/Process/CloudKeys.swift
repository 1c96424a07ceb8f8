// `tidewire-cloud keys`: the public halves of the cloud's keys, for who compares them.
internal import Platform
internal import Values
internal import Wire

/// The keys of a cloud's folder, whether or not it runs.
enum CloudKeys {
    static func show(folder path: String, isJSON: Bool) throws -> Int32 {
        guard PrivateFiles.exists(path + "/keys/link.key") else {
            throw CloudRefusal("there is no cloud in \(path); start one with tidewire-cloud run", exitCode: ExitCode.unreachable)
        }
        let folder = try CloudFolder(path)
        let link = Hex.text(try folder.linkKeys().publicKey), signer = Hex.text(try folder.signingKeys().publicKey)
        Console.write(
            isJSON
                ? JSONWriter.plain(["link": .string(link), "signing": .string(signer)]) + [0x0A]
                : Array("link     \(link)\nsigning  \(signer)\n".utf8))
        return ExitCode.ok
    }
}
