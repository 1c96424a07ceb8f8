// Stands before the C library's write and lets those of threads that asked for it fail, as a machine in trouble does. Everything else is written.
#define _GNU_SOURCE
#include "wakeups.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int is_losing __attribute__((tls_model("initial-exec")));

void wakeups_lose(int loses) { is_losing = loses; }

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (is_losing) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_write, descriptor, bytes, count);
}
