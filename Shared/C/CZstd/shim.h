// The system header of zstd, imported as one Clang module.
#include <zstd.h>
