// The Linux calls and macros that Swift's Glibc module does not carry; nothing here has logic of its own.
#ifndef TIDEWIRE_CSHIM_H
#define TIDEWIRE_CSHIM_H
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include "Peers.h"

// Names the calling thread in `ps -L` (15 bytes are kept); prctl is variadic.
static inline void tidewire_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
#endif
