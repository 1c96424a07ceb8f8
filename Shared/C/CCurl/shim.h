// The system header of curl, and its variadic calls with one plain function for each type, which Swift can call.
#include <curl/curl.h>
#include <stddef.h>

typedef size_t (*tidewire_curl_writer)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode tidewire_curl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode tidewire_curl_set_text(CURL *handle, CURLoption option, const char *value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode tidewire_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
  return curl_easy_setopt(handle, option, value);
}
// Where the answer's body (`CURLOPT_WRITEFUNCTION`) goes, with the pointer that the writer gets.
static inline CURLcode tidewire_curl_set_writer(CURL *handle, tidewire_curl_writer writer, void *context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, writer);
  return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_WRITEDATA, context) : code;
}
// The HTTP status of the last answer, or 0.
static inline long tidewire_curl_status(CURL *handle) {
  long status = 0;
  return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}
