// Counts the heap allocations of one thread while it asks for it. Linked into tests only.
#ifndef TIDEWIRE_ALLOCATIONS_H
#define TIDEWIRE_ALLOCATIONS_H

#include "wakeups.h"

/// Starts counting on this thread, from nought.
void allocations_begin(void);
/// Ends counting on this thread.
/// - Returns: how many blocks were asked for since `allocations_begin`; -1 when this build cannot count (sanitizers bring their own allocator).
long allocations_end(void);

#endif
