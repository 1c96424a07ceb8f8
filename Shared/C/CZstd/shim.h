// The system header of libzstd, imported as one Clang module, and the two calls that keep their workspace.
#include <pthread.h>
#include <zstd.h>

// A workspace belongs to its thread and goes with it: making one for each block, its tables cleared, costs more than most blocks do. What comes
// out does not depend on what went through it before. (Variables outside a function would not be there for Swift.)
static inline void tidewire_zstd_drop_in(void *context) { ZSTD_freeCCtx((ZSTD_CCtx *)context); }
static inline void tidewire_zstd_drop_out(void *context) { ZSTD_freeDCtx((ZSTD_DCtx *)context); }

static inline ZSTD_CCtx *tidewire_zstd_in(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_key_t key;
    static int is_made = 0;
    pthread_mutex_lock(&lock);
    if (!is_made) is_made = pthread_key_create(&key, tidewire_zstd_drop_in) == 0;
    pthread_mutex_unlock(&lock);
    if (!is_made) return 0;
    ZSTD_CCtx *context = (ZSTD_CCtx *)pthread_getspecific(key);
    if (context) return context;
    context = ZSTD_createCCtx();
    if (pthread_setspecific(key, context) == 0) return context;
    ZSTD_freeCCtx(context);
    return 0;
}

static inline ZSTD_DCtx *tidewire_zstd_out(void) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_key_t key;
    static int is_made = 0;
    pthread_mutex_lock(&lock);
    if (!is_made) is_made = pthread_key_create(&key, tidewire_zstd_drop_out) == 0;
    pthread_mutex_unlock(&lock);
    if (!is_made) return 0;
    ZSTD_DCtx *context = (ZSTD_DCtx *)pthread_getspecific(key);
    if (context) return context;
    context = ZSTD_createDCtx();
    if (pthread_setspecific(key, context) == 0) return context;
    ZSTD_freeDCtx(context);
    return 0;
}

// Without a kept workspace they make one, as the library's own calls do.
static inline size_t tidewire_zstd_compress(void *to, size_t room, const void *from, size_t count, int level) {
    ZSTD_CCtx *context = tidewire_zstd_in();
    return context ? ZSTD_compressCCtx(context, to, room, from, count, level) : ZSTD_compress(to, room, from, count, level);
}
static inline size_t tidewire_zstd_decompress(void *to, size_t room, const void *from, size_t count) {
    ZSTD_DCtx *context = tidewire_zstd_out();
    return context ? ZSTD_decompressDCtx(context, to, room, from, count) : ZSTD_decompress(to, room, from, count);
}
