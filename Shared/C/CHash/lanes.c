// BLAKE2b (RFC 7693) without key, 32 bytes long, with a string in each lane of a vector: libsodium's words for one string, ours for four.
#include "CHash.h"
#include <string.h>

#if defined(__x86_64__)
enum { LANES = 4, BLOCK = 128, WORDS = 16, HASH_WORDS = 4, ROUNDS = 12 };
#define WIDE __attribute__((target("avx2")))
#define INLINE static inline __attribute__((always_inline))

// A word of each lane.
typedef uint64_t words __attribute__((vector_size(8 * LANES)));

static const uint64_t initial[8] = {
    0x6A09E667F3BCC908, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
    0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
};
// Length of the hash, no key, one leaf: the parameter block's first word.
static const uint64_t parameters = 0x01010000 ^ (8 * HASH_WORDS);

static const uint8_t order[ROUNDS][WORDS] = {
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
    { 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 }, { 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
    { 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 }, { 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
    { 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 }, { 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
    { 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 }, { 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, { 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
};

#define TURN(x, bits) (((x) >> (bits)) | ((x) << (64 - (bits))))
#define MIX(a, b, c, d, x, y)                                                                                                             \
    a = a + b + x, d = TURN(d ^ a, 32), c = c + d, b = TURN(b ^ c, 24), a = a + b + y, d = TURN(d ^ a, 16), c = c + d, b = TURN(b ^ c, 63)

// One block of each lane: `done` counts the bytes with it, `last` is all ones for a string's last.
WIDE INLINE void compress(words state[8], const uint8_t *const blocks[LANES], words done, words last) {
    words m[WORDS], v[WORDS];
    for (int word = 0; word < WORDS; word++)
        for (int lane = 0; lane < LANES; lane++) {
            uint64_t value;
            memcpy(&value, blocks[lane] + 8 * word, 8);
            m[word][lane] = value;
        }
    for (int word = 0; word < 8; word++) { v[word] = state[word]; v[word + 8] = (words){ 0 } + initial[word]; }
    v[12] ^= done;
    v[14] ^= last;
#pragma clang loop unroll(full)
    for (int round = 0; round < ROUNDS; round++) {
        const uint8_t *s = order[round];
        MIX(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
        MIX(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
        MIX(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
        MIX(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
        MIX(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
        MIX(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
        MIX(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
        MIX(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
    }
    for (int word = 0; word < 8; word++) state[word] ^= v[word] ^ v[word + 8];
}

// What a lane is at.
typedef struct {
    const uint8_t *next;
    size_t left, string;
    uint64_t done;
    int isBusy;
    uint8_t tail[BLOCK];
} lane;

WIDE static void hash_all(const uint8_t *base, const tidewire_stretch *strings, size_t count, uint8_t *hashes) {
    words state[8];
    lane lanes[LANES];
    memset(state, 0, sizeof state);
    memset(lanes, 0, sizeof lanes);
    size_t begun = 0;
    for (;;) {
        words done, last;
        const uint8_t *blocks[LANES];
        int busy = 0;
        // Whole blocks that no lane ends in.
        size_t run = SIZE_MAX;
        for (int place = 0; place < LANES; place++) {
            lane *l = &lanes[place];
            if (!l->isBusy && begun < count) {
                for (int word = 0; word < 8; word++) state[word][place] = initial[word];
                state[0][place] ^= parameters;
                l->next = base + strings[begun].start;
                l->left = strings[begun].count;
                l->string = begun++;
                l->done = 0;
                l->isBusy = 1;
            }
            busy += l->isBusy;
            size_t whole = l->isBusy ? (l->left > 0 ? (l->left - 1) / BLOCK : 0) : run;
            if (whole < run) run = whole;
        }
        if (busy == 0) return;
        int isRun = run > 0;
        for (int place = 0; place < LANES; place++) {
            lane *l = &lanes[place];
            int isLast = l->isBusy && l->left <= BLOCK;
            if (!l->isBusy || isLast) {
                memset(l->tail, 0, BLOCK);
                if (isLast && l->left > 0) memcpy(l->tail, l->next, l->left);
                blocks[place] = l->tail;
            } else {
                blocks[place] = l->next;
            }
            done[place] = l->done + (isLast ? l->left : BLOCK);
            last[place] = isLast ? ~(uint64_t)0 : 0;
        }
        if (!isRun) {
            compress(state, blocks, done, last);
            for (int place = 0; place < LANES; place++) {
                lane *l = &lanes[place];
                if (!l->isBusy) continue;
                if (last[place]) {
                    for (int word = 0; word < HASH_WORDS; word++) {
                        uint64_t value = state[word][place];
                        memcpy(hashes + 32 * l->string + 8 * word, &value, 8);
                    }
                    l->isBusy = 0;
                } else {
                    l->next += BLOCK, l->left -= BLOCK, l->done += BLOCK;
                }
            }
            continue;
        }
        // Lanes without a string go round on zeros; nobody reads what they make of it.
        size_t step[LANES];
        for (int place = 0; place < LANES; place++) step[place] = lanes[place].isBusy ? BLOCK : 0;
        for (size_t block = 0; block < run; block++) {
            compress(state, blocks, done, last);
            done += BLOCK;
            for (int place = 0; place < LANES; place++) blocks[place] += step[place];
        }
        for (int place = 0; place < LANES; place++)
            if (lanes[place].isBusy) lanes[place].next += run * BLOCK, lanes[place].left -= run * BLOCK, lanes[place].done += run * BLOCK;
    }
}

int tidewire_hashes_many(void) { return __builtin_cpu_supports("avx2") != 0; }
void tidewire_hash_many(const uint8_t *base, const tidewire_stretch *strings, size_t count, uint8_t *hashes) {
    hash_all(base, strings, count, hashes);
}
#else
int tidewire_hashes_many(void) { return 0; }
void tidewire_hash_many(const uint8_t *base, const tidewire_stretch *strings, size_t count, uint8_t *hashes) {
    (void)base, (void)strings, (void)count, (void)hashes;
}
#endif
