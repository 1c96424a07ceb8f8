// The shim is headers only; SwiftPM wants one C file for a C target.
#include "CShim.h"
