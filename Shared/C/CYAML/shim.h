// The system header of yaml, imported as one Clang module.
#include <yaml.h>
