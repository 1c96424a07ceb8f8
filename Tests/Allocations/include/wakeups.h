// Lets every write of one thread fail while it asks for it, above all the wake-ups of other threads. Linked into tests only.
#ifndef TIDEWIRE_WAKEUPS_H
#define TIDEWIRE_WAKEUPS_H

/// From now on each write of this thread fails with EIO (1), or is done (0).
void wakeups_lose(int loses);

#endif
