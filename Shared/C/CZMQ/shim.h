// The system header of zmq, imported as one Clang module.
#include <zmq.h>
