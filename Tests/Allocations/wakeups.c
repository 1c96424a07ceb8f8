// Stands before the C library's write, fsync and rename: notes those of threads that asked for it, and lets some fail, as a machine in trouble does.
// Everything else is handed on.
#define _GNU_SOURCE
#include "wakeups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local int is_losing __attribute__((tls_model("initial-exec")));

void wakeups_lose(int loses) { is_losing = loses; }

static _Thread_local int is_tracing __attribute__((tls_model("initial-exec")));
static _Thread_local int calls_to_failure __attribute__((tls_model("initial-exec")));
static _Thread_local char notes[2048] __attribute__((tls_model("initial-exec")));

void files_trace(int failing) {
    is_tracing = 1;
    calls_to_failure = failing;
    notes[0] = 0;
}
const char *files_traced(void) {
    is_tracing = 0;
    return notes;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// Nonzero when the call is to fail; errno is set then.
static int note(const char *call, const char *path, const char *second) {
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s %s%s%s\n", call, last_part(path), second ? " " : "", second ? last_part(second) : "");
    if (--calls_to_failure != 0) return 0;
    errno = EIO;
    return 1;
}
static int note_descriptor(const char *call, int descriptor) {
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, sizeof path - 1);
    path[count < 0 ? 0 : count] = 0;
    return note(call, path, NULL);
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    if (is_losing) {
        errno = EIO;
        return -1;
    }
    if (is_tracing && note_descriptor("write", descriptor)) return -1;
    return syscall(SYS_write, descriptor, bytes, count);
}

int fsync(int descriptor) {
    if (is_tracing && note_descriptor("sync", descriptor)) return -1;
    return (int)syscall(SYS_fsync, descriptor);
}

int rename(const char *from, const char *to) {
    if (is_tracing && note("rename", from, to)) return -1;
    return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}
