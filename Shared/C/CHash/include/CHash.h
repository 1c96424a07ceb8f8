// BLAKE2b-256 of many byte strings at once: the strings of a snapshot's parts are independent, so that a processor with wide registers hashes
// four of them in the time of one and a half.
#ifndef TIDEWIRE_CHASH_H
#define TIDEWIRE_CHASH_H
#include <stddef.h>
#include <stdint.h>

// A byte string: where it begins, counted from a common base, and its length.
typedef struct { size_t start, count; } tidewire_stretch;

// Not 0 when this processor can.
int tidewire_hashes_many(void);
// Writes 32 bytes for each string, in their order. Only where `tidewire_hashes_many` says so.
void tidewire_hash_many(const uint8_t *base, const tidewire_stretch *strings, size_t count, uint8_t *hashes);
#endif
