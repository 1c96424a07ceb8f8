// A folder of its own for a test that needs the real disk; removed with the value.
import Foundation

final class TemporaryFolder {
    let path: String
    init() throws {
        path = NSTemporaryDirectory() + "tidewire-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
    func file(_ name: String) -> String { path + "/" + name }
}
