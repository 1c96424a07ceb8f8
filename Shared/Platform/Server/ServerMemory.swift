// What libwebsockets keeps pointers to: allocated once, at fixed addresses, freed only after the context is gone.
internal import CWebSockets
internal import Glibc

/// The strings and tables behind one context. The owner frees it after `lws_context_destroy`.
final class ServerMemory {
    let protocols: UnsafeMutablePointer<lws_protocols>
    let policy: UnsafeMutablePointer<lws_retry_bo_t>
    private var strings: [UnsafeMutablePointer<CChar>] = []

    init(configuration: WebServerConfiguration) {
        protocols = .allocate(capacity: 2)
        protocols.initialize(repeating: lws_protocols(), count: 2)
        policy = .allocate(capacity: 1)
        policy.initialize(to: lws_retry_bo_t())
        protocols[0].callback = serverCallback
        protocols[0].rx_buffer_size = 4_096
        // 0 would mean rx_buffer_size: no send larger than this is cut into pieces by the library.
        protocols[0].tx_packet_size = 64 * 1_024
        // The library hangs up without a word: our own pings and the close frame come long before it.
        policy.pointee.secs_since_valid_ping = UInt16(clamping: 2 * configuration.idleSecondsMax)
        policy.pointee.secs_since_valid_hangup = UInt16(clamping: 2 * configuration.idleSecondsMax + configuration.closeSecondsMax)
        protocols[0].name = UnsafePointer(text("tidewire"))
    }

    /// A C string that lives as long as this object.
    func text(_ string: String) -> UnsafeMutablePointer<CChar>? {
        guard let copy = strdup(string) else { return nil }
        strings.append(copy)
        return copy
    }

    deinit {
        for string in strings { free(string) }
        protocols.deallocate()
        policy.deallocate()
    }
}
