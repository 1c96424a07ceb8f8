// Clocks, thread names and the process's own protection.
#define _GNU_SOURCE
#include "CShim.h"
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timex.h>
#include <time.h>

long long tidewire_clock_nanoseconds(int clock) {
    struct timespec now = { 0, 0 };
    clock_gettime(clock, &now);
    return (long long)now.tv_sec * 1000000000LL + now.tv_nsec;
}

int tidewire_clock_is_synchronised(void) {
    struct timex state = { 0 };
    int answer = adjtimex(&state);
    return answer != -1 && answer != TIME_ERROR && !(state.status & STA_UNSYNC);
}

void tidewire_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

int tidewire_forbid_dumps(void) {
    struct rlimit none = { 0, 0 };
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : -1;
}
