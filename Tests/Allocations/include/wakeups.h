// Lets every write of one thread fail while it asks for it, above all the wake-ups of other threads; notes how a file is made. Linked into tests only.
#ifndef TIDEWIRE_WAKEUPS_H
#define TIDEWIRE_WAKEUPS_H

/// From now on each write of this thread fails with EIO (1), or is done (0).
void wakeups_lose(int loses);

/// From now on each write, sync and rename of this thread is noted, and the one of this number fails with EIO (0: none does).
void files_trace(int failing);
/// Ends the noting.
/// - Returns: a line a call, `write NAME`, `sync NAME`, `rename NAME NAME`, without folders; good until the next `files_trace` of this thread.
const char *files_traced(void);

#endif
