// The system header of curl, imported as one Clang module.
#include <curl/curl.h>
