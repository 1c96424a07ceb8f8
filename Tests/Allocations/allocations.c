// Stands before the C library's allocator and counts, on threads that asked for it. Everything is handed on to the allocator itself.
#include "allocations.h"

#include <errno.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ALLOCATIONS_CANNOT_COUNT 1
#endif
#endif
#if !defined(__GLIBC__) && !defined(ALLOCATIONS_CANNOT_COUNT)
#define ALLOCATIONS_CANNOT_COUNT 1
#endif

#ifdef ALLOCATIONS_CANNOT_COUNT

void allocations_begin(void) {}
long allocations_end(void) { return -1; }

#else

// Thread-local without an allocation of its own: the count is part of the program's first image.
static _Thread_local long count __attribute__((tls_model("initial-exec")));
static _Thread_local int is_counting __attribute__((tls_model("initial-exec")));

void allocations_begin(void) {
    count = 0;
    is_counting = 1;
}

long allocations_end(void) {
    is_counting = 0;
    return count;
}

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
    if (is_counting) count += 1;
    return __libc_malloc(size);
}

void *calloc(size_t parts, size_t size) {
    if (is_counting) count += 1;
    return __libc_calloc(parts, size);
}

void *realloc(void *block, size_t size) {
    if (is_counting) count += 1;
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size) {
    if (is_counting) count += 1;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *found = memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *block = found;
    return 0;
}

#endif
