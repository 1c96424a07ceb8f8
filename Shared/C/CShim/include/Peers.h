// Who is at the other end of a socket; sockaddr casts are C's business.
#ifndef TIDEWIRE_PEERS_H
#define TIDEWIRE_PEERS_H
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

// The user id behind a connected unix socket, or -1.
static inline long long tidewire_peer_uid(int descriptor) {
    struct { int pid; unsigned uid; unsigned gid; } peer = { 0, 0, 0 };
    socklen_t length = sizeof(peer);
    // SO_PEERCRED is 17 on Linux; struct ucred itself needs _GNU_SOURCE.
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? (long long)peer.uid : -1;
}

// Writes the peer's IP address without its port (IPv4 in IPv6 as IPv4) and returns the text's length, or -1.
static inline int tidewire_peer_address(int descriptor, void *text, int capacity) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    if (getpeername(descriptor, (struct sockaddr *)&peer, &length) != 0) return -1;
    const char *written = 0;
    if (peer.ss_family == AF_INET) {
        written = inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, (char *)text, (socklen_t)capacity);
    } else if (peer.ss_family == AF_INET6) {
        const struct in6_addr *address = &((struct sockaddr_in6 *)&peer)->sin6_addr;
        written = IN6_IS_ADDR_V4MAPPED(address)
            ? inet_ntop(AF_INET, address->s6_addr + 12, (char *)text, (socklen_t)capacity)
            : inet_ntop(AF_INET6, address, (char *)text, (socklen_t)capacity);
    }
    return written ? (int)strlen(written) : -1;
}
#endif
