// The system header of sodium, imported as one Clang module.
#include <sodium.h>
