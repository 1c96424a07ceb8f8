// The Linux calls that Swift's Glibc module does not carry, as plain functions.
//
// No system header is included here on purpose: a struct that both this module and Glibc bring (timespec, sigset_t) would
// belong to whichever the compiler met first, and every file that names its fields would break by turns.
#ifndef TIDEWIRE_CSHIM_H
#define TIDEWIRE_CSHIM_H

// --- clocks and threads
// Nanoseconds of a clock: 0 CLOCK_REALTIME, 1 CLOCK_MONOTONIC, 7 CLOCK_BOOTTIME.
long long tidewire_clock_nanoseconds(int clock);
// 1 when the kernel was told by a time service that CLOCK_REALTIME is right; 0 when not, or when it does not say.
int tidewire_clock_is_synchronised(void);
// Names the calling thread in `ps -L`; 15 bytes are kept.
void tidewire_name_thread(const char *name);

// --- readiness
// One ready descriptor: what the caller registered and what happened.
typedef struct { unsigned long long token; unsigned flags; } tidewire_ready;
enum { TIDEWIRE_READABLE = 1, TIDEWIRE_WRITABLE = 2, TIDEWIRE_HUNG_UP = 4, TIDEWIRE_FAILED = 8 };
// An epoll descriptor, or -1 with errno.
int tidewire_epoll(void);
// Registers, changes (interest of READABLE and WRITABLE) or removes a descriptor; 0 or -1 with errno.
int tidewire_epoll_add(int epoll, int descriptor, unsigned interest, unsigned long long token);
int tidewire_epoll_change(int epoll, int descriptor, unsigned interest, unsigned long long token);
int tidewire_epoll_remove(int epoll, int descriptor);
// Waits at most `milliseconds` (-1 = for ever); the number of entries written, 0 also when a signal interrupted.
int tidewire_epoll_wait(int epoll, tidewire_ready *ready, int capacity, int milliseconds);
// A non-blocking eventfd; signal and drain never block.
int tidewire_eventfd(void);
void tidewire_eventfd_signal(int descriptor);
void tidewire_eventfd_drain(int descriptor);
// Blocks SIGTERM and SIGINT for the calling thread and the threads it starts from now on; a non-blocking descriptor that reads them.
int tidewire_signalfd(void);
// The next signal number waiting, or 0.
int tidewire_signalfd_read(int descriptor);
// SIGPIPE and SIGXFSZ are ignored from now on: a peer that left, and a file that may grow no further, are an errno.
void tidewire_ignore_write_signals(void);

// --- sockets; all non-blocking and close-on-exec
// Begins a connection to a numeric address; the descriptor, or -1 with errno (EINVAL: no such address). Never waits for DNS.
int tidewire_tcp_connect(const char *address, int port);
// Not 0 when `host` is an address and no name.
int tidewire_is_address(const char *host);
// The addresses of a name as text, a line feed behind each; waits for DNS as long as that takes. Their length, or -1 with `text` saying why not.
int tidewire_resolve(const char *host, char *text, int size);
// A listening socket (SO_REUSEADDR); the descriptor, or -1 with errno. Port 0 = the system gives one.
int tidewire_tcp_listen(const char *host, int port);
// The local port of a socket, or -1.
int tidewire_tcp_port(int descriptor);
// Accepts one connection, or -1 with errno.
int tidewire_tcp_accept(int descriptor);
// The pending error of a socket (0 = connected), cleared by reading.
int tidewire_socket_error(int descriptor);
// The user id behind a connected unix socket, or -1.
long long tidewire_peer_uid(int descriptor);
// Writes the peer's IP address without its port (IPv4 in IPv6 as IPv4) and returns the text's length, or -1.
int tidewire_peer_address(int descriptor, void *text, int capacity);

// --- process hardening
// No core dumps and not debuggable by other processes of this user; 0 or -1.
int tidewire_forbid_dumps(void);
#endif
