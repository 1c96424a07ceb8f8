// The system header of libzstd, imported as one Clang module, and the two calls that keep their workspace.
#include <pthread.h>
#include <zstd.h>

// A workspace belongs to its thread and goes with it: making one for each block, its tables cleared, costs more than most blocks do. What comes
// out does not depend on what went through it before. (Variables outside a function would not be there for Swift.)
static inline void tidewire_zstd_drop_in(void *context) { ZSTD_freeCCtx((ZSTD_CCtx *)context); }
static inline void tidewire_zstd_drop_out(void *context) { ZSTD_freeDCtx((ZSTD_DCtx *)context); }
static inline void *tidewire_zstd_make_in(void) { return ZSTD_createCCtx(); }
static inline void *tidewire_zstd_make_out(void) { return ZSTD_createDCtx(); }

// Where one kind of workspace is kept, one for each thread.
typedef struct {
    pthread_mutex_t lock;
    pthread_key_t key;
    int is_made;
} tidewire_zstd_shelf;

static inline void *tidewire_zstd_kept(tidewire_zstd_shelf *shelf, void *(*make)(void), void (*drop)(void *)) {
    pthread_mutex_lock(&shelf->lock);
    if (!shelf->is_made) shelf->is_made = pthread_key_create(&shelf->key, drop) == 0;
    int is_made = shelf->is_made;
    pthread_mutex_unlock(&shelf->lock);
    if (!is_made) return 0;
    void *context = pthread_getspecific(shelf->key);
    if (context) return context;
    context = make();
    if (pthread_setspecific(shelf->key, context) == 0) return context;
    drop(context);
    return 0;
}

static inline ZSTD_CCtx *tidewire_zstd_in(void) {
    static tidewire_zstd_shelf shelf = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    return (ZSTD_CCtx *)tidewire_zstd_kept(&shelf, tidewire_zstd_make_in, tidewire_zstd_drop_in);
}
static inline ZSTD_DCtx *tidewire_zstd_out(void) {
    static tidewire_zstd_shelf shelf = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    return (ZSTD_DCtx *)tidewire_zstd_kept(&shelf, tidewire_zstd_make_out, tidewire_zstd_drop_out);
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
