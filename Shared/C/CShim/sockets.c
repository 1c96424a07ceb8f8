// TCP sockets and peers behind plain integers; sockaddr casts are C's business.
#define _GNU_SOURCE
#include "CShim.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct addrinfo *resolve(const char *host, int port, int flags) {
    struct addrinfo wanted = { 0 }, *found = NULL;
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = flags | AI_NUMERICSERV;
    return getaddrinfo(host, service, &wanted, &found) == 0 ? found : NULL;
}

static int opened(const struct addrinfo *address) {
    int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (descriptor >= 0) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

static int closed(int descriptor) {
    int failure = errno;
    close(descriptor);
    errno = failure;
    return -1;
}

int tidewire_tcp_connect(const char *address, int port) {
    struct addrinfo *found = resolve(address, port, AI_NUMERICHOST);
    if (!found) { errno = EINVAL; return -1; }
    int descriptor = opened(found);
    if (descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) descriptor = closed(descriptor);
    int failure = errno;
    freeaddrinfo(found);
    errno = failure;
    return descriptor;
}

int tidewire_is_address(const char *host) {
    struct addrinfo *found = resolve(host, 0, AI_NUMERICHOST);
    if (found) freeaddrinfo(found);
    return found != NULL;
}

int tidewire_resolve(const char *host, char *text, int size) {
    struct addrinfo wanted = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    int failure = getaddrinfo(host, NULL, &wanted, &found);
    if (failure) {
        snprintf(text, (size_t)size, "%s", failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
        return -1;
    }
    int used = 0;
    text[0] = 0;
    for (struct addrinfo *address = found; address; address = address->ai_next) {
        char one[128];
        if (getnameinfo(address->ai_addr, address->ai_addrlen, one, sizeof one, NULL, 0, NI_NUMERICHOST) != 0) continue;
        int length = (int)strlen(one);
        // What does not fit is left out: a name with so many addresses is tried at the first of them.
        if (used + length + 2 > size) break;
        used += snprintf(text + used, (size_t)(size - used), "%s\n", one);
    }
    freeaddrinfo(found);
    return used;
}

int tidewire_tcp_listen(const char *host, int port) {
    struct addrinfo *found = resolve(host, port, AI_NUMERICHOST | AI_PASSIVE);
    int on = 1;
    if (!found) { errno = EINVAL; return -1; }
    int descriptor = opened(found);
    if (descriptor >= 0
        && (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(descriptor, found->ai_addr, found->ai_addrlen) != 0
            || listen(descriptor, 64) != 0)) descriptor = closed(descriptor);
    int failure = errno;
    freeaddrinfo(found);
    errno = failure;
    return descriptor;
}

int tidewire_tcp_port(int descriptor) {
    struct sockaddr_storage own;
    socklen_t length = sizeof own;
    if (getsockname(descriptor, (struct sockaddr *)&own, &length) != 0) return -1;
    if (own.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&own)->sin_port);
    return own.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&own)->sin6_port) : -1;
}

int tidewire_tcp_accept(int descriptor) {
    int accepted = accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (accepted >= 0) setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return accepted;
}

int tidewire_socket_error(int descriptor) {
    int failure = 0;
    socklen_t length = sizeof failure;
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) == 0 ? failure : errno;
}

long long tidewire_peer_uid(int descriptor) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? (long long)peer.uid : -1;
}

int tidewire_peer_address(int descriptor, void *text, int capacity) {
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, (struct sockaddr *)&peer, &length) != 0) return -1;
    const char *written = NULL;
    if (peer.ss_family == AF_INET) {
        written = inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, text, (socklen_t)capacity);
    } else if (peer.ss_family == AF_INET6) {
        const struct in6_addr *address = &((struct sockaddr_in6 *)&peer)->sin6_addr;
        int mapped = IN6_IS_ADDR_V4MAPPED(address);
        written = inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? (const void *)(address->s6_addr + 12) : address, text, (socklen_t)capacity);
    }
    return written ? (int)strlen(written) : -1;
}
