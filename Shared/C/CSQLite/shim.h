// The system header of sqlite3, imported as one Clang module, and the one variadic call Swift cannot make.
#include <sqlite3.h>

// After a failed sync the page cache may hold pages that never reached the disk: closing must not copy them on.
static inline int tidewire_forget_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

static inline int tidewire_close_without_checkpoint(sqlite3 *db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}
