// The system header of websockets, imported as one Clang module.
#include <libwebsockets.h>
