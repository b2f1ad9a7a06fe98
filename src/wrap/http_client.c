/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c - one transfer at a time through curl's multi interface, because only there the
 * wait between two looks at stopped() is ours; its easy interface may sleep for a second. Content
 * is decoded here, because curl takes a gzip stream that is cut short for a whole one. */
#include "wrap/http_client.h"

#include "base/clock.h"
#include "base/memory.h"
#include "wrap/gzip.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	HEADER_BYTES_MAX = 64 * 1024,
	STOPPED_POLL_MS = 100,
	INFLATE_RATIO_MAX = 200, /* JSON of events packs at 5 to 20 */
	INFLATE_BYTES_FREE = 64 * 1024,
	/* Slower than this for so long is as good as dead. */
	SLOW_BYTES_PER_S = 100,
	SLOW_SINK_BYTES_PER_S = 1000,
	SLOW_WAIT_MS = 30 * 1000,
	SINK_STEP_BYTES = 128 * 1024,
};

struct http_client {
	CURL *easy;
	CURLM *multi;
};

/* What one request has brought so far. */
struct transfer {
	struct buf headers; /* lines of the last head, without its status line */
	size_t header_bytes; /* of all heads and of trailers */
	bool head_done;
	bool headers_too_large;
	struct buf body; /* as received, not decoded; empty with a sink */
	size_t body_bytes;
	char reason[CURL_ERROR_SIZE];
	/* ---- with a sink ---- */
	const struct http_client_sink *sink;
	size_t sink_bytes_max;
	CURL *easy;
	struct arena *arena;
	bool sink_begun;
	bool sink_full;
	bool sink_failed; /* with why: */
	struct err sink_err;
};

static void transfer_finish(struct transfer *transfer)
{
	buf_finish(&transfer->headers);
	buf_finish(&transfer->body);
}

/* ---- the library, once per process ---- */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static CURLcode library_result;

static void start_library(void)
{
	library_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

bool http_client_create(struct http_client **client_out, struct err *err)
{
	pthread_once(&library_once, start_library);
	if (library_result != CURLE_OK)
		return err_set(err, ERR_LOCAL, "HTTP client library: %s",
			       curl_easy_strerror(library_result));
	CLEANUP(http_client_destroy) struct http_client *client =
		memory_allocate(1, sizeof(*client));
	client->easy = curl_easy_init();
	client->multi = curl_multi_init();
	if (!client->easy || !client->multi)
		return err_set(err, ERR_LOCAL, "HTTP client library: no handle");
	*client_out = client;
	client = NULL;
	return true;
}

void http_client_destroy(struct http_client **client)
{
	if (!*client)
		return;
	curl_easy_cleanup((*client)->easy);
	if ((*client)->multi)
		(void)curl_multi_cleanup((*client)->multi);
	free(*client);
	*client = NULL;
}

/* ---- the response's head ---- */

static size_t count_lines(struct span text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == '\n';
	return count + 1;
}

/* False when the arena is full. Lines that are no header (folded ones, rubbish) are left out. */
static bool read_headers(struct span text, struct arena *arena,
			 struct http_client_response *response)
{
	struct http_client_header *headers =
		arena_allocate(arena, count_lines(text), sizeof(*headers));
	if (!headers)
		return false;
	size_t count = 0;
	struct span line;
	while (span_split(text, '\n', &line, &text)) {
		struct span name;
		struct span value;
		if (line.data[0] == ' ' || line.data[0] == '\t'
		    || !span_split(line, ':', &name, &value))
			continue;
		headers[count++] = (struct http_client_header){
			arena_copy_text(arena, name), arena_copy_text(arena, span_trim(value))};
	}
	response->headers = headers;
	response->header_count = count;
	return !arena->failed;
}

static bool fail_arena(const struct arena *arena, struct err *err)
{
	return err_set(err, ERR_LOCAL, "the answer does not fit into %zu bytes of memory",
		       arena->size_max);
}

static bool read_head(CURL *easy, const struct transfer *transfer, struct arena *arena,
		      struct http_client_response *response, struct err *err)
{
	long status = 0;
	CURLcode failure = curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (failure)
		return err_set(err, ERR_LOCAL, "HTTP client library: %s",
			       curl_easy_strerror(failure));
	response->status = (int)status;
	return read_headers(buf_span(&transfer->headers), arena, response) || fail_arena(arena, err);
}

/* Once for each answer. */
static bool begin_sink(struct transfer *transfer)
{
	const struct http_client_sink *sink = transfer->sink;
	struct http_client_response head = {.body = span_of("")};
	if (transfer->sink_begun)
		return true;
	transfer->sink_begun = true;
	return read_head(transfer->easy, transfer, transfer->arena, &head, &transfer->sink_err)
	       && sink->begin(sink->context, &head, &transfer->sink_err);
}

/* ---- called by the library ---- */

static bool pass_to_sink(struct transfer *transfer, struct span bytes)
{
	if (bytes.size > transfer->sink_bytes_max - transfer->body_bytes) {
		transfer->sink_full = true;
		return false;
	}
	if (!begin_sink(transfer) || !transfer->sink->take(transfer->sink->context, bytes, &transfer->sink_err)) {
		transfer->sink_failed = true;
		return false;
	}
	return true;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct span piece = span_make(bytes, size * count);
	if (!transfer->sink)
		buf_append_span(&transfer->body, piece);
	else if (!pass_to_sink(transfer, piece))
		return 0;
	transfer->body_bytes += piece.size;
	return transfer->body.failed ? 0 : piece.size;
}

/* Lines come one by one, for interim answers (100, a proxy's) and for trailers too. Each status
 * line begins a new head; what follows the last one's empty line is trailers. */
static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct span line = span_make(bytes, size * count);
	transfer->header_bytes += line.size;
	if (transfer->header_bytes > HEADER_BYTES_MAX) {
		transfer->headers_too_large = true;
		return 0;
	}
	if (span_starts_with(line, "HTTP/") && transfer->body_bytes == 0) {
		buf_clear(&transfer->headers);
		transfer->head_done = false;
	} else if (span_trim(line).size == 0) {
		transfer->head_done = true;
	} else if (!transfer->head_done) {
		buf_append_span(&transfer->headers, line);
	}
	return size * count;
}

/* ---- the request ---- */

static void free_list(struct curl_slist **list)
{
	curl_slist_free_all(*list);
	*list = NULL;
}

static void add_line(struct curl_slist **list, const char *name, const char *value)
{
	assert(!strpbrk(name, "\r\n:; ") && !strpbrk(value, "\r\n"));
	struct buf line;
	buf_init(&line, HEADER_BYTES_MAX);
	/* curl's notation: "Name:" alone would remove the header. */
	if (*value == '\0')
		buf_printf(&line, "%s;", name);
	else
		buf_printf(&line, "%s: %s", name, value);
	assert(!line.failed);
	struct curl_slist *longer = curl_slist_append(*list, line.data);
	if (!longer)
		memory_exhausted("curl");
	*list = longer;
	buf_finish(&line);
}

static struct curl_slist *list_headers(const struct http_client_request *request)
{
	struct curl_slist *list = NULL;
	for (size_t i = 0; i < request->header_count; i++)
		add_line(&list, request->headers[i].name, request->headers[i].value);
	/* Else larger bodies would wait a second for servers that do not know "100 Continue". */
	struct curl_slist *longer = curl_slist_append(list, "Expect:");
	if (!longer)
		memory_exhausted("curl");
	return longer;
}

/* Adds up failures, so that the many options can be set without looking at each. */
#define SET(option, value) (failure = failure ? failure : curl_easy_setopt(easy, (option), (value)))

static CURLcode set_method(CURL *easy, const struct http_client_request *request)
{
	CURLcode failure = CURLE_OK;
	const char *method = request->method ? request->method : "GET";
	if (request->body.data || strcmp(method, "POST") == 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDS, request->body.data ? request->body.data : "");
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
	} else if (strcmp(method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
	} else {
		SET(CURLOPT_HTTPGET, 1L);
	}
	SET(CURLOPT_CUSTOMREQUEST, method);
	return failure;
}

static CURLcode set_protocols(CURL *easy)
{
	CURLcode failure = CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	/* A library built without HTTP/2 refuses this and speaks HTTP/1.1, which is as good. */
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	return failure;
}

/* The library counts in whole seconds. */
static long slow_wait_s(const struct http_client_request *request)
{
	int64_t wait_ms = request->slow_wait_ms_max > 0 ? request->slow_wait_ms_max : SLOW_WAIT_MS;
	return (long)((wait_ms + 999) / 1000);
}

static bool set_options(CURL *easy, const struct http_client_request *request,
			struct curl_slist *headers, struct transfer *transfer, struct err *err)
{
	curl_easy_reset(easy); /* connections stay */
	CURLcode failure = set_protocols(easy);
	failure = failure ? failure : set_method(easy, request);
	SET(CURLOPT_URL, request->url);
	if (http_client_is_this_machine(request->url))
		SET(CURLOPT_PROXY, "");
	SET(CURLOPT_HTTPHEADER, headers);
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_ACCEPT_ENCODING, request->sink ? "identity" : "gzip");
	SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A name server that does not answer must not hold up our end. */
	SET(CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_wait_ms_max);
	SET(CURLOPT_TIMEOUT_MS, (long)request->total_wait_ms_max);
	SET(CURLOPT_LOW_SPEED_LIMIT, request->sink ? (long)SLOW_SINK_BYTES_PER_S : (long)SLOW_BYTES_PER_S);
	SET(CURLOPT_LOW_SPEED_TIME, slow_wait_s(request));
	if (request->sink)
		SET(CURLOPT_BUFFERSIZE, (long)SINK_STEP_BYTES);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->reason);
	if (failure)
		return err_set(err, ERR_LOCAL, "HTTP client library: %s",
			       curl_easy_strerror(failure));
	return true;
}

/* ---- the transfer ---- */

static bool fail_multi(CURLMcode code, struct err *err)
{
	return err_set(err, ERR_LOCAL, "HTTP client library: %s", curl_multi_strerror(code));
}

static CURLcode result_of(CURLM *multi)
{
	int left;
	const CURLMsg *message;
	while ((message = curl_multi_info_read(multi, &left)))
		if (message->msg == CURLMSG_DONE)
			return message->data.result;
	return CURLE_GOT_NOTHING;
}

static bool run(const struct http_client *client, const struct http_client_request *request,
		CURLcode *result_out, struct err *err)
{
	for (;;) {
		int running = 0;
		CURLMcode code = curl_multi_perform(client->multi, &running);
		if (code == CURLM_OK && running == 0)
			break;
		if (request->stopped && request->stopped(request->stopped_context))
			return err_set(err, ERR_RETRY, "stopped");
		if (code == CURLM_OK)
			code = curl_multi_poll(client->multi, NULL, 0, STOPPED_POLL_MS, NULL);
		if (code != CURLM_OK)
			return fail_multi(code, err);
	}
	*result_out = result_of(client->multi);
	return true;
}

static enum err_kind kind_of(CURLcode result, const struct transfer *transfer)
{
	switch (result) {
	case CURLE_URL_MALFORMAT:
		return ERR_INPUT;
	case CURLE_OUT_OF_MEMORY:
		/* So older versions call a header line past their own maximum. */
		return transfer->head_done ? ERR_LOCAL : ERR_INPUT;
	case CURLE_FAILED_INIT:
	case CURLE_NOT_BUILT_IN:
	case CURLE_BAD_FUNCTION_ARGUMENT:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_ENGINE_SETFAILED:
	case CURLE_SSL_ENGINE_INITFAILED:
		return ERR_LOCAL;
	default:
		/* CURLE_TOO_LARGE is a newer version's word for such a header line. */
		return (int)result == 100 ? ERR_INPUT : ERR_RETRY;
	}
}

static bool fail_too_large(const struct http_client_request *request, struct err *err)
{
	return err_set(err, ERR_INPUT, "the answer is larger than %zu bytes",
		       request->body_bytes_max);
}

/* The libraries' words for a certificate outside its dates: rarely the server's fault. OpenSSL's, then
 * GnuTLS's. */
static bool is_about_clock(const char *reason)
{
	/* The last is all that libcurl says over GnuTLS, whatever the reason. */
	static const char *const words[] = {"not yet valid", "has expired", "not activated",
					    "expiration date", "is expired",
					    "server certificate verification failed"};
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strstr(reason, words[i]))
			return true;
	}
	return false;
}

static bool judge(CURLcode result, const struct transfer *transfer,
		  const struct http_client_request *request, struct err *err)
{
	if (result == CURLE_OK)
		return true;
	if (transfer->sink_failed) {
		*err = transfer->sink_err;
		return false;
	}
	if (transfer->body.failed || transfer->sink_full)
		return fail_too_large(request, err);
	if (transfer->headers_too_large)
		return err_set(err, ERR_INPUT, "the answer's headers are larger than %d bytes",
			       HEADER_BYTES_MAX);
	/* A clock that is set after the start mends it. */
	if (result == CURLE_PEER_FAILED_VERIFICATION && is_about_clock(transfer->reason))
		return err_set(err, ERR_RETRY, "%s: is this machine's clock right? Compare `date -u`",
			       transfer->reason);
	return err_set(err, kind_of(result, transfer), "%s",
		       transfer->reason[0] ? transfer->reason : curl_easy_strerror(result));
}

/* ---- the response ---- */

/* Leaves the decoded body in `transfer`. HEAD and 304 announce a coding and send nothing. */
static bool decode_body(const struct http_client_response *response,
			const struct http_client_request *request, struct transfer *transfer,
			struct err *err)
{
	const char *coding = http_client_header_get(response, "Content-Encoding");
	if (!coding || transfer->body.size == 0 || strcasecmp(coding, "identity") == 0)
		return transfer->body.size <= request->body_bytes_max
		       || fail_too_large(request, err);
	if (strcasecmp(coding, "gzip") != 0 && strcasecmp(coding, "x-gzip") != 0)
		return err_set(err, ERR_RETRY, "the answer has the unknown coding %.32s", coding);
	CLEANUP(buf_finish) struct buf decoded = {0};
	size_t inflated_max = transfer->body.size * INFLATE_RATIO_MAX + INFLATE_BYTES_FREE;
	bool by_ratio = inflated_max < request->body_bytes_max;
	buf_init(&decoded, by_ratio ? inflated_max : request->body_bytes_max);
	if (!gzip_decompress(buf_span(&transfer->body), &decoded, err)) {
		if (decoded.failed)
			return by_ratio ? err_set(err, ERR_INPUT, "the answer unpacks to more than %d times its size",
						  INFLATE_RATIO_MAX)
					: fail_too_large(request, err);
		if (err->kind == ERR_INPUT)
			err->kind = ERR_RETRY; /* the next transfer may be whole */
		return err_wrap(err, "the answer");
	}
	struct buf encoded = transfer->body;
	transfer->body = decoded;
	decoded = encoded;
	return true;
}

static bool read_response(const struct http_client *client,
			  const struct http_client_request *request, struct transfer *transfer,
			  struct arena *arena, struct http_client_response *response,
			  struct err *err)
{
	if (!read_head(client->easy, transfer, arena, response, err))
		return false;
	if (transfer->sink && !begin_sink(transfer)) {
		*err = transfer->sink_err;
		return false;
	}
	if (!transfer->sink && !decode_body(response, request, transfer, err))
		return false;
	struct span body = span_make(transfer->body.size > 0 ? transfer->body.data : "",
				     transfer->body.size);
	response->body = arena_copy(arena, body);
	return response->body.data || fail_arena(arena, err);
}

/* What cannot be compressed grows a little. */
static size_t encoded_bytes_max(size_t body_bytes_max)
{
	return body_bytes_max + body_bytes_max / 1024 + 1024;
}

bool http_client_send(struct http_client *client, const struct http_client_request *request,
		      struct arena *arena, struct http_client_response *response_out,
		      struct err *err)
{
	assert(request->body_bytes_max > 0);
	assert(request->connect_wait_ms_max > 0 && request->total_wait_ms_max > 0);
	int64_t start_ms = clock_monotonic_ms(clock_system());
	CLEANUP(transfer_finish) struct transfer transfer = {.sink = request->sink,
							     .sink_bytes_max = request->body_bytes_max,
							     .easy = client->easy,
							     .arena = arena};
	buf_init(&transfer.headers, HEADER_BYTES_MAX);
	buf_init(&transfer.body, encoded_bytes_max(request->body_bytes_max));
	if (!http_client_check_url(request->url, err))
		return false;
	CLEANUP(free_list) struct curl_slist *headers = list_headers(request);
	if (!set_options(client->easy, request, headers, &transfer, err))
		return false;
	CURLMcode code = curl_multi_add_handle(client->multi, client->easy);
	if (code != CURLM_OK)
		return fail_multi(code, err);

	CURLcode result = CURLE_OK;
	struct http_client_response response = {0};
	bool done = run(client, request, &result, err) && judge(result, &transfer, request, err)
		    && read_response(client, request, &transfer, arena, &response, err);
	(void)curl_multi_remove_handle(client->multi, client->easy);
	/* Its options point to what ends here. */
	curl_easy_reset(client->easy);
	if (!done)
		return false;
	response.elapsed_ms = clock_monotonic_ms(clock_system()) - start_ms;
	*response_out = response;
	return true;
}

void http_client_library(char *text, size_t size)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	(void)snprintf(text, size, "libcurl/%s %s", info->version,
		   info->ssl_version ? info->ssl_version : "without TLS");
}

const char *http_client_header_get(const struct http_client_response *response, const char *name)
{
	for (size_t i = 0; i < response->header_count; i++)
		if (strcasecmp(response->headers[i].name, name) == 0)
			return response->headers[i].value;
	return NULL;
}
