// epoll, eventfd and signalfd behind plain integers.
#define _GNU_SOURCE
#include "CShim.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { READY_MAX = 64, SIGNAL_TRIES = 4 };

int tidewire_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int descriptor, unsigned interest, unsigned long long token) {
    struct epoll_event event = { 0, { 0 } };
    event.events = (interest & TIDEWIRE_READABLE ? EPOLLIN : 0u) | (interest & TIDEWIRE_WRITABLE ? EPOLLOUT : 0u);
    event.data.u64 = token;
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int tidewire_epoll_add(int epoll, int descriptor, unsigned interest, unsigned long long token) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, interest, token);
}
int tidewire_epoll_change(int epoll, int descriptor, unsigned interest, unsigned long long token) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, interest, token);
}
int tidewire_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int tidewire_epoll_wait(int epoll, tidewire_ready *ready, int capacity, int milliseconds) {
    struct epoll_event events[READY_MAX];
    int count = epoll_wait(epoll, events, capacity < READY_MAX ? capacity : READY_MAX, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int i = 0; i < count; i++) {
        ready[i].token = events[i].data.u64;
        ready[i].flags = (events[i].events & EPOLLIN ? TIDEWIRE_READABLE : 0u) | (events[i].events & EPOLLOUT ? TIDEWIRE_WRITABLE : 0u)
            | (events[i].events & EPOLLHUP ? TIDEWIRE_HUNG_UP : 0u) | (events[i].events & EPOLLERR ? TIDEWIRE_FAILED : 0u);
    }
    return count;
}

int tidewire_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }
void tidewire_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    // A full counter already means "awake". Whatever else it says, it is tried again a few times; who waits looks up now and then all the same.
    for (int tries = 0; tries < SIGNAL_TRIES; tries++)
        if (write(descriptor, &one, sizeof one) == (ssize_t)sizeof one || errno == EAGAIN) return;
}
void tidewire_eventfd_drain(int descriptor) {
    uint64_t count;
    ssize_t ignored = read(descriptor, &count, sizeof count);
    (void)ignored;
}

int tidewire_signalfd(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}
int tidewire_signalfd_read(int descriptor) {
    struct signalfd_siginfo info;
    return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
void tidewire_ignore_write_signals(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}
