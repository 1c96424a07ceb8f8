// The system header of websockets, imported as one Clang module, and two of its macros that Swift cannot import.
#include <libwebsockets.h>

// Bytes the library writes in front of a payload.
static inline int tidewire_lws_room(void) { return LWS_PRE; }
// The OpenSSL options that leave TLS 1.2 and 1.3.
static inline unsigned long long tidewire_tls_minimum_1_2(void) { return SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1; }
