// The edge's data folder: what lies where, who the edge is, and to which cloud it belongs.
internal import Ledger
package import Platform
internal import Sync
package import Values
package import Wire

/// Why the data folder cannot be used, as a sentence with its cure.
package enum EdgeFolderError: Error, Sendable, CustomStringConvertible {
    case file(FileError)
    /// A file has not the form it was written in.
    case damaged(path: String)
    package var description: String {
        switch self {
        case .file(let error): error.description
        case .damaged(let path): "\(path) is damaged; put back the copy you made of it, or move it away and enrol the edge again"
        }
    }
}

/// The cloud an edge was enrolled with.
package struct EnrolledCloud: Hashable, Sendable {
    package var host: String
    package var port: Int
    /// CURVE public key, 32 bytes.
    package var serverKey: [UInt8]
    /// What the cloud calls this edge.
    package var name: String
    /// The key that it showed as the one it countersigns by, 32 bytes; nil when it showed none.
    package var signer: [UInt8]?
    /// Names the enrolment, 8 bytes; nil for one by an older release.
    package var enrolment: [UInt8]?
    /// The key of its link that it announced, 32 bytes; nil when it keeps the present one.
    package var nextServerKey: [UInt8]?

    /// What this enrolment says of the cloud's key; nil when it says nothing.
    var word: CloudKeyFact? {
        guard let signer, let enrolment else { return nil }
        return CloudKeyFact(key: signer, ground: .enrolled, enrolment: enrolment)
    }
}

/// Paths and identity. The folder is created with mode 0700 when it is not there.
package struct EdgeFolder: Sendable {
    package let path: String

    package init(_ path: String) throws(EdgeFolderError) {
        self.path = path
        do throws(FileError) { try PrivateFiles.makeFolder(path + "/keys") } catch { throw .file(error) }
        do throws(FileError) { try PrivateFiles.makeFolder(path) } catch { throw .file(error) }
    }

    package var ledger: String { path + "/ledger.db" }
    /// Room that is given up when the disk is full.
    package var ballast: String { path + "/ballast" }
    /// Why the last run ended, when its store failed.
    package var lastFailure: String { path + "/last-failure" }
    /// How far the ledger came, outside it.
    package var mark: String { path + "/head.mark" }
    /// Where a branch that was given up is sealed: the first name that is free.
    func sealedBranch(epoch: UInt32) -> String {
        var number = 1
        while number < 10_000, PrivateFiles.exists(path + "/ledger.fork-\(epoch)-\(number).db") { number += 1 }
        return path + "/ledger.fork-\(epoch)-\(number).db"
    }
    package var socket: String { path + "/edge.sock" }
    /// Its presence halts trading.
    package var killFile: String { path + "/KILL" }
    private var identityFile: String { path + "/keys/edge.id" }
    private var linkKeyFile: String { path + "/keys/link.key" }
    private var ledgerKeyFile: String { path + "/keys/ledger.key" }
    private var nextLedgerKeyFile: String { path + "/keys/ledger.key.next" }
    private var formerLedgerKeysFile: String { path + "/keys/ledger.keys.former" }
    /// Keys that are kept after others have followed them.
    private static let formerLedgerKeysMax = 16
    private var cloudFile: String { path + "/keys/cloud.json" }

    /// Who this edge is: drawn once, then for ever.
    package func identity() throws(EdgeFolderError) -> EdgeID {
        guard let edge = EdgeID(hex: try drawn(identityFile, { Hex.text(EdgeFolder.random(16)) })) else { throw .damaged(path: identityFile) }
        return edge
    }

    /// The key of the link, made at the first call; it never leaves the folder.
    package func linkKeys() throws(EdgeFolderError) -> CurveKeys {
        guard let secret = Hex.bytes(try drawn(linkKeyFile, { Hex.text(CurveKeys.generate().secretKey) })), let keys = CurveKeys(secretKey: secret)
        else { throw .damaged(path: linkKeyFile) }
        return keys
    }

    /// What the file says; one that is not there is drawn. Two commands on a new folder, `enrol` and a first `run`, may come to that at the same time,
    /// and one of them would go on under an id or a key that the other one has replaced: each looks again when it is alone.
    private func drawn(_ path: String, _ draw: () -> String) throws(EdgeFolderError) -> String {
        if let text = try line(path) { return text }
        let lock = try alone()
        defer { lock.release() }
        if let text = try line(path) { return text }
        let text = draw()
        try write(path, Array((text + "\n").utf8))
        return text
    }

    private func alone() throws(EdgeFolderError) -> FolderLock {
        do throws(FileError) { return try FolderLock(path + "/keys") } catch { throw .file(error) }
    }

    /// What a fresh key of the link waits for beside the present one; the raw value ends its file's name.
    package enum LinkChange: String, Sendable {
        /// For the cloud to have the entry that announces it.
        case announced = "next"
        /// For the cloud to enrol the edge by it.
        case enrolled = "new"
    }

    /// A fresh key that is to follow the present one, durable beside it.
    package func freshLinkKeys(_ change: LinkChange) throws(EdgeFolderError) -> CurveKeys {
        let keys = CurveKeys.generate()
        try write("\(linkKeyFile).\(change.rawValue)", Array((Hex.text(keys.secretKey) + "\n").utf8))
        return keys
    }

    /// The public half of a key that waits; nil when none does.
    package func waitingLinkKey(_ change: LinkChange) throws(EdgeFolderError) -> [UInt8]? {
        guard let text = try line("\(linkKeyFile).\(change.rawValue)") else { return nil }
        guard let secret = Hex.bytes(text), let keys = CurveKeys(secretKey: secret) else {
            throw .damaged(path: "\(linkKeyFile).\(change.rawValue)")
        }
        return keys.publicKey
    }

    /// Puts that key in the place of the present one.
    package func promoteLinkKey(_ change: LinkChange) throws(EdgeFolderError) {
        guard let text = try line("\(linkKeyFile).\(change.rawValue)") else { return }
        try write(linkKeyFile, Array((text + "\n").utf8))
        do throws(FileError) {
            try PrivateFiles.remove("\(linkKeyFile).\(change.rawValue)")
        } catch { throw .file(error) }
    }

    /// Throws a key away that was announced and not taken up.
    package func forgetAnnouncedLinkKey() throws(EdgeFolderError) {
        let path = "\(linkKeyFile).\(LinkChange.announced.rawValue)"
        guard PrivateFiles.exists(path) else { return }
        do throws(FileError) { try PrivateFiles.remove(path) } catch { throw .file(error) }
    }

    /// The key that signs the ledger's checkpoints, made at the first call; it never leaves the folder.
    package func ledgerKeys() throws(EdgeFolderError) -> SigningKeys {
        guard let seed = Hex.bytes(try drawn(ledgerKeyFile, { Hex.text(EdgeFolder.random(Signing.keyBytes)) })), let keys = SigningKeys(seed: seed)
        else { throw .damaged(path: ledgerKeyFile) }
        return keys
    }

    /// A fresh key that is to follow the present one, durable beside it.
    package func nextLedgerKeys() throws(EdgeFolderError) -> SigningKeys {
        guard let keys = SigningKeys(seed: EdgeFolder.random(Signing.keyBytes)) else {
            throw .damaged(path: nextLedgerKeyFile)
        }
        try write(nextLedgerKeyFile, Array((Hex.text(keys.seed) + "\n").utf8))
        return keys
    }

    /// Puts the announced key in the place of the one before it.
    package func promoteLedgerKey() throws(EdgeFolderError) {
        guard let text = try line(nextLedgerKeyFile) else { return }
        try keepFormer(ledgerKeys())
        try write(ledgerKeyFile, Array((text + "\n").utf8))
        do throws(FileError) { try PrivateFiles.remove(nextLedgerKeyFile) } catch { throw .file(error) }
    }

    /// The key that waits, announced or not.
    package func waitingLedgerKeys() throws(EdgeFolderError) -> SigningKeys? {
        try line(nextLedgerKeyFile).flatMap { Hex.bytes($0) }.flatMap { SigningKeys(seed: $0) }
    }

    /// One seed a line, the newest first.
    package func formerLedgerKeys() throws(EdgeFolderError) -> [SigningKeys] {
        guard PrivateFiles.exists(formerLedgerKeysFile) else { return [] }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try PrivateFiles.read(formerLedgerKeysFile) } catch { throw .file(error) }
        return bytes.split(separator: 0x0A).compactMap { Hex.bytes(String(decoding: $0, as: UTF8.self)) }.compactMap { SigningKeys(seed: $0) }
    }

    /// Puts a key back in its place; the one that was there is kept.
    package func reinstate(_ keys: SigningKeys) throws(EdgeFolderError) {
        try keepFormer(ledgerKeys())
        try write(ledgerKeyFile, Array((Hex.text(keys.seed) + "\n").utf8))
    }

    /// The end of the ledger may be sealed by a decision, and what goes on is signed by an older key.
    private func keepFormer(_ keys: SigningKeys) throws(EdgeFolderError) {
        let others = try formerLedgerKeys().filter { $0.publicKey != keys.publicKey }
        let all = ([keys] + others).prefix(EdgeFolder.formerLedgerKeysMax)
        try write(formerLedgerKeysFile, Array(all.map { Hex.text($0.seed) + "\n" }.joined().utf8))
    }

    /// Nil until the edge is enrolled.
    package func cloud() throws(EdgeFolderError) -> EnrolledCloud? {
        guard PrivateFiles.exists(cloudFile) else { return nil }
        let bytes: [UInt8]
        do throws(FileError) { bytes = try PrivateFiles.read(cloudFile) } catch { throw .file(error) }
        guard let value = try? JSONReader.read(bytes), let host = value["host"]?.text, let port = value["port"]?.integerValue,
            let key = value["serverKey"]?.text.flatMap({ Hex.bytes($0) }), key.count == 32, let name = value["name"]?.text
        else { throw .damaged(path: cloudFile) }
        var cloud = EnrolledCloud(host: host, port: Int(clamping: port), serverKey: key, name: name)
        // None of them has to be there.
        for (name, count, place) in [
            ("signer", Signing.keyBytes, \EnrolledCloud.signer), ("enrolment", CloudKeyFact.enrolmentBytes, \EnrolledCloud.enrolment),
            ("nextServerKey", 32, \EnrolledCloud.nextServerKey),
        ] {
            guard let text = value[name]?.text else { continue }
            guard let bytes = Hex.bytes(text), bytes.count == count else { throw .damaged(path: cloudFile) }
            cloud[keyPath: place] = bytes
        }
        return cloud
    }

    package func setCloud(_ cloud: EnrolledCloud) throws(EdgeFolderError) {
        var members = [
            JSONMember("host", .string(cloud.host)), JSONMember("port", .integer(Int64(cloud.port))),
            JSONMember("serverKey", .string(Hex.text(cloud.serverKey))), JSONMember("name", .string(cloud.name)),
        ]
        if let signer = cloud.signer { members.append(JSONMember("signer", .string(Hex.text(signer)))) }
        if let enrolment = cloud.enrolment { members.append(JSONMember("enrolment", .string(Hex.text(enrolment)))) }
        if let next = cloud.nextServerKey { members.append(JSONMember("nextServerKey", .string(Hex.text(next)))) }
        try write(cloudFile, JSONWriter.plain(.object(members)))
    }

    /// Changes whenever the edge is enrolled anew.
    package var enrolmentStamps: [FileStamp?] { [PrivateFiles.stamp(cloudFile), PrivateFiles.stamp(linkKeyFile)] }

    /// The link's settings when the edge is enrolled.
    package func uplink() throws(EdgeFolderError) -> UplinkSettings? {
        guard let cloud = try cloud() else { return nil }
        return UplinkSettings(
            host: cloud.host, port: cloud.port, serverKey: cloud.serverKey, keys: try linkKeys(), nextServerKey: cloud.nextServerKey)
    }

    private static func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: .min ... .max) } }

    private func line(_ path: String) throws(EdgeFolderError) -> String? {
        guard PrivateFiles.exists(path) else { return nil }
        do throws(FileError) { return String(decoding: try PrivateFiles.read(path).prefix { $0 != 0x0A }, as: UTF8.self) } catch {
            throw .file(error)
        }
    }

    private func write(_ path: String, _ bytes: [UInt8]) throws(EdgeFolderError) {
        do throws(FileError) { try PrivateFiles.write(path, bytes) } catch { throw .file(error) }
    }
}

extension EdgeFolder: LinkKeyPlaces, LedgerKeyPlaces, ServerKeyPlaces {
    package func serverKey() throws -> [UInt8]? { try cloud()?.serverKey }
    package func nextServerKey() throws -> [UInt8]? { try cloud()?.nextServerKey }
    package func keepServerKey(_ key: [UInt8]) throws {
        guard var cloud = try cloud() else { return }
        cloud.nextServerKey = key
        try setCloud(cloud)
    }
    package func promoteServerKey(_ key: [UInt8]) throws {
        // An enrolment that came in between is newer than what the link had proved.
        guard var cloud = try cloud(), cloud.nextServerKey == key else { return }
        cloud.serverKey = key
        cloud.nextServerKey = nil
        try setCloud(cloud)
    }
    package func linkKey() throws -> [UInt8] { try linkKeys().publicKey }
    package func waitingLinkKey() throws -> [UInt8]? { try waitingLinkKey(.announced) }
    package func freshLinkKey() throws -> [UInt8] { try freshLinkKeys(.announced).publicKey }
    package func promoteLinkKey() throws { try promoteLinkKey(.announced) }
}
