// Signatures: the published vectors of RFC 8032, and that nothing but the signed bytes by the right key verifies.
import Testing
import Values
import Wire

@Suite struct SigningTests {
    /// Seed, public key, message, signature of RFC 8032, section 7.1, tests 1 to 3.
    static let published: [[String]] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ],
    ]

    @Test(arguments: published) func thePublishedVectorsHold(vector: [String]) throws {
        let bytes = try vector.map { try #require(Hex.bytes($0)) }
        let keys = try #require(SigningKeys(seed: bytes[0]))
        #expect(keys.publicKey == bytes[1])
        #expect(keys.sign(bytes[2]) == bytes[3])
        #expect(Signing.verifies(bytes[3], over: bytes[2], by: bytes[1]))
    }

    @Test func oneChangedBitOfAnythingIsRefused() throws {
        let keys = try #require(SigningKeys(seed: [UInt8](0..<32)))
        let said = Array("checkpoint".utf8)
        let signature = keys.sign(said)
        #expect(Signing.verifies(signature, over: said, by: keys.publicKey))
        for bit in 0..<signature.count * 8 {
            var changed = signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Signing.verifies(changed, over: said, by: keys.publicKey), "bit \(bit) of the signature")
        }
        for bit in 0..<said.count * 8 {
            var changed = said
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Signing.verifies(signature, over: changed, by: keys.publicKey), "bit \(bit) of the bytes")
        }
        let other = try #require(SigningKeys(seed: [UInt8](1..<33)))
        #expect(!Signing.verifies(signature, over: said, by: other.publicKey))
    }

    @Test func wrongLengthsAreRefusedNotRead() throws {
        #expect(SigningKeys(seed: []) == nil)
        #expect(SigningKeys(seed: [UInt8](0..<31)) == nil)
        #expect(SigningKeys(seed: [UInt8](0..<33)) == nil)
        let keys = try #require(SigningKeys(seed: [UInt8](0..<32)))
        let signature = keys.sign([1, 2, 3])
        #expect(!Signing.verifies(signature.dropLast(), over: [1, 2, 3], by: keys.publicKey))
        #expect(!Signing.verifies(signature, over: [1, 2, 3], by: keys.publicKey.dropLast()))
        #expect(!Signing.verifies([], over: [1, 2, 3], by: []))
        #expect(!Signing.verifies(signature, over: [1, 2, 3], by: [UInt8](repeating: 0, count: 32)))
    }
}

extension [UInt8] {
    fileprivate func dropLast() -> [UInt8] { Array(self[..<(count - 1)]) }
}
