// The system header of sqlite3, imported as one Clang module.
#include <sqlite3.h>
