/* SPDX-License-Identifier: Apache-2.0 */
/* archive_fetch_test.c - every outcome of archive_fetch.h, from a server that goes wrong in every way. */
#include "tests/support/check.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "ingest/archive_answer.h"
#include "ingest/archive_fetch.h"
#include "tests/support/archive_server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { FILE_BYTES = 300 * 1000, BIG_BYTES = 40 * 1024 * 1024 };

/* 2026-09-20T07:00:00Z */
static const int64_t HOUR_US = INT64_C(1789887600) * 1000000;

struct fixture {
	struct check_path folder;
	struct check_path path;
	struct check_path part;
	struct check_path note;
	struct buf file;     /* what servers have */
	struct buf other;    /* another edition of it, with a NUL at its end */
	struct buf requests; /* heads */
	struct archive_server *servers[2];
	size_t server_count;
	struct archive_fetch_options options;
	struct archive_mirrors *mirrors;
	struct archive_fetcher *fetcher;
	struct archive_result result;
	struct stop_flag stop;
	int64_t progress;
	int64_t stop_at; /* bytes of progress; 0: never */
	struct err err;
};

/* Begins as gzip does; the rest is no matter here. */
static void fill(struct buf *file, size_t size, unsigned seed)
{
	buf_init(file, BIG_BYTES + 1);
	char *bytes = buf_reserve(file, size);
	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245 + 12345;
		bytes[i] = (char)(1 + (seed >> 16) % 255);
	}
	memcpy(bytes, "\x1f\x8b", 2);
	buf_commit(file, size);
}

static void count_progress(void *context, int64_t bytes)
{
	struct fixture *f = context;
	f->progress += bytes;
	if (f->stop_at > 0 && f->progress >= f->stop_at)
		stop_flag_set(&f->stop);
}

static int set_up(void **state)
{
	struct fixture *f = memory_allocate(1, sizeof(*f));
	f->folder = temporary_folder_create();
	f->path = path_below(&f->folder, "below/2026-09-20-7.json.gz");
	f->part = path_below(&f->folder, "below/2026-09-20-7.json.gz.part");
	f->note = path_below(&f->folder, "below/2026-09-20-7.json.gz.part.from");
	fill(&f->file, FILE_BYTES, 1);
	fill(&f->other, FILE_BYTES - 1000, 2);
	buf_init(&f->requests, 4 * 1024 * 1024);
	stop_flag_init(&f->stop);
	f->options = (struct archive_fetch_options){.user_agent = "octolake/test",
						    .attempts_max = 3,
						    .backoff_ms = 1,
						    .slow_wait_ms_max = 1000,
						    .stop = &f->stop,
						    .clock = clock_system(),
						    .progress = count_progress,
						    .progress_context = f};
	*state = f;
	return 0;
}

static void end_servers(struct fixture *f)
{
	archive_fetcher_destroy(&f->fetcher);
	archive_mirrors_destroy(&f->mirrors);
	buf_clear(&f->requests);
	for (size_t i = 0; i < f->server_count; i++)
		archive_server_stop(&f->servers[i], &f->requests);
	f->server_count = 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	end_servers(f);
	buf_finish(&f->file);
	buf_finish(&f->other);
	buf_finish(&f->requests);
	stop_flag_finish(&f->stop);
	temporary_folder_remove(&f->folder);
	free(f);
	return 0;
}

static void open_fetcher(struct fixture *f)
{
	const char *bases[2];
	for (size_t i = 0; i < f->server_count; i++)
		bases[i] = archive_server_url(f->servers[i]);
	f->options.mirrors = bases;
	f->options.mirror_count = f->server_count;
	if (!archive_mirrors_create(&f->options, &f->mirrors, &f->err)
	    || !archive_fetcher_create(f->mirrors, &f->fetcher, &f->err))
		fail_msg("%s", f->err.text);
	f->result = (struct archive_result){0};
	f->progress = 0;
}

/* One mirror that answers as planned. */
static void start(struct fixture *f, const struct archive_answer_plan *plans, size_t count)
{
	end_servers(f);
	f->servers[f->server_count++] = archive_server_start(buf_span(&f->file), plans, count);
	open_fetcher(f);
}

static void start_two(struct fixture *f, const struct archive_answer_plan *first,
		      const struct archive_answer_plan *second)
{
	end_servers(f);
	f->servers[f->server_count++] = archive_server_start(buf_span(&f->file), first, 1);
	f->servers[f->server_count++] = archive_server_start(buf_span(&f->other), second, 1);
	open_fetcher(f);
}

static void fetch(struct fixture *f)
{
	if (!archive_fetch_hour(f->fetcher, HOUR_US, 0, f->path.text, &f->result, &f->err))
		fail_msg("%s", f->err.text);
}

static void check_outcome(const struct fixture *f, enum archive_outcome wanted, const char *words)
{
	if (f->result.outcome != wanted || !strstr(f->result.reason, words))
		fail_msg("%s: %s", archive_outcome_name(f->result.outcome), f->result.reason);
}

static void check_nothing_left(const struct fixture *f)
{
	assert_false(file_exists(f->part.text));
	assert_false(file_exists(f->note.text));
}

/* The file is there, byte for byte, and nothing else. */
static void check_fetched(struct fixture *f, const struct buf *wanted)
{
	struct buf content = {0};
	struct digest sum = digest_of(buf_span(wanted));
	buf_init(&content, BIG_BYTES);
	check_outcome(f, ARCHIVE_FETCHED, "");
	assert_string_equal(f->result.reason, "");
	assert_true(file_read(f->path.text, &content, &f->err));
	assert_true(span_equal(buf_span(&content), buf_span(wanted)));
	assert_int_equal(f->result.size, wanted->size);
	assert_string_equal(f->result.sha256.hex, sum.hex);
	check_nothing_left(f);
	buf_finish(&content);
}

static void check_not_there(struct fixture *f, enum archive_outcome wanted, const char *words)
{
	check_outcome(f, wanted, words);
	assert_false(file_exists(f->path.text));
	assert_int_equal(f->result.size, -1);
	assert_string_equal(f->result.sha256.hex, "");
}

static void check_requests(struct fixture *f, int wanted)
{
	assert_int_equal(f->result.requests, wanted);
	assert_int_equal(archive_server_requests(f->servers[0]), wanted);
}

static void check_asked(struct fixture *f, const char *words, bool wanted)
{
	end_servers(f);
	buf_append_text(&f->requests, "");
	if ((strstr(f->requests.data, words) != NULL) != wanted)
		fail_msg("%s \"%s\": %s", wanted ? "no" : "there is", words, f->requests.data);
}

#define START(...)                                                                                 \
	static const struct archive_answer_plan plans[] = {__VA_ARGS__};                           \
	start(f, plans, ARRAY_COUNT(plans))

/* ---- it is there ---- */

static void test_fetched(void **state)
{
	struct fixture *f = *state;
	start(f, NULL, 0);
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 1);
	assert_int_equal(f->result.status, 200);
	assert_int_equal(f->progress, FILE_BYTES);
	assert_int_equal(f->result.resumed_bytes, 0);
	assert_true(f->result.length_known);
	assert_string_equal(f->result.etag, "\"v1\"");
	assert_string_equal(f->result.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_non_null(strstr(f->result.url, "/2026-09-20-7.json.gz"));
	check_asked(f, "GET /2026-09-20-7.json.gz HTTP/1.1\r\n", true);
	assert_non_null(strstr(f->requests.data, "\r\nUser-Agent: octolake/test\r\n"));
	assert_non_null(strstr(f->requests.data, "\r\nAccept-Encoding: identity\r\n"));
	assert_null(strstr(f->requests.data, "Range"));
	assert_null(strstr(f->requests.data, "Authorization"));
}

static void test_coding_that_comes_nevertheless_is_kept(void **state)
{
	struct fixture *f = *state;
	START({.headers = "Content-Encoding: x-gzip\r\n"});
	fetch(f);
	check_fetched(f, &f->file);
}

static void test_without_length(void **state)
{
	struct fixture *f = *state;
	START({.without_length = true});
	fetch(f);
	check_fetched(f, &f->file);
	assert_false(f->result.length_known);
}

/* ---- it is not ---- */

static void test_missing(void **state)
{
	struct fixture *f = *state;
	static const char no_such_key[] =
		"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>None</Message></Error>";
	static const struct archive_answer_plan answers[] = {
		{.status = 404}, {.status = 410}, {.status = 404, .body = no_such_key}, {.status = 403, .body = no_such_key}};
	for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
		start(f, &answers[i], 1);
		fetch(f);
		check_not_there(f, ARCHIVE_MISSING, answers[i].status == 403 ? "403 (NoSuchKey)" : "status 4");
		check_requests(f, 1);
		check_nothing_left(f);
	}
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan answers[] = {
		{.status = 403},
		{.status = 403, .body = "<Error><Code>AccessDenied</Code></Error>"},
		{.status = 401},
		{.status = 451},
		{.status = 416},
		{.status = 304}};
	for (size_t i = 0; i < ARRAY_COUNT(answers); i++) {
		start(f, &answers[i], 1);
		fetch(f);
		check_not_there(f, ARCHIVE_UNAVAILABLE, i == 1 ? "403, an XML document (AccessDenied)" : "refused");
		check_requests(f, 1);
	}
}

static void test_a_long_page_of_an_error_is_its_status(void **state)
{
	struct fixture *f = *state;
	struct buf page = {0};
	buf_init(&page, 4 * 1024 * 1024);
	for (int i = 0; i < 200 * 1000; i++)
		buf_append_text(&page, "<p>not found</p>");
	const struct archive_answer_plan plan = {.status = 404, .body = page.data};
	start(f, &plan, 1);
	fetch(f);
	check_not_there(f, ARCHIVE_MISSING, "404");
	end_servers(f);
	buf_finish(&page);
}

/* ---- it is something else ---- */

static void test_damaged(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body;
		const char *words;
	} cases[] = {
		{"", "no archive but nothing, of 0 bytes"},
		{"<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code></Error>", "an XML document (NoSuchKey)"},
		{"<Error><Code>No\tSuch\x1bKey</Code></Error>", "an XML document, of"},
		{"<!doctype html><p>Please log in", "an HTML page"},
		{"{\"id\":\"1\"}\n", "JSON without gzip"},
		{"PK\3\4", "neither gzip nor JSON, of 4 bytes"},
		{"\x1f", "neither gzip nor JSON"}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct archive_answer_plan plan = {.body = cases[i].body};
		start(f, &plan, 1);
		fetch(f);
		check_not_there(f, ARCHIVE_DAMAGED, cases[i].words);
		check_requests(f, 1);
		check_nothing_left(f);
		end_servers(f);
	}
}

static void test_too_large(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan plans[] = {{0}, {.without_length = true}};
	for (size_t i = 0; i < ARRAY_COUNT(plans); i++) {
		f->options.bytes_max = FILE_BYTES - 1;
		start(f, &plans[i], 1);
		fetch(f);
		check_not_there(f, ARCHIVE_DAMAGED, "larger than 299999 bytes");
		check_requests(f, 1);
		check_nothing_left(f);
		f->options.bytes_max = FILE_BYTES;
		start(f, &plans[i], 1);
		fetch(f);
		check_fetched(f, &f->file);
		assert_true(file_remove(f->path.text, &f->err));
	}
}

static void test_what_was_there_stays_until_there_is_better(void **state)
{
	struct fixture *f = *state;
	assert_true(file_write(f->path.text, span_of("old"), &f->err));
	static const struct archive_answer_plan bad[] = {{.status = 404}, {.body = "<p>"}, {.cut_at = 1000}};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		start(f, &bad[i], 1);
		fetch(f);
		assert_int_not_equal(f->result.outcome, ARCHIVE_FETCHED);
		assert_int_equal(file_size(f->path.text), 3);
	}
	start(f, NULL, 0);
	fetch(f);
	check_fetched(f, &f->file);
}

/* ---- tried again ---- */

static void test_errors_of_the_server_pass(void **state)
{
	struct fixture *f = *state;
	START({.status = 500, .body = "<h1>Oops</h1>"}, {.status = 503}, {0});
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 3);
}

static void test_attempts_are_used_up(void **state)
{
	struct fixture *f = *state;
	static const int statuses[] = {500, 502, 503, 408, 425, 429};
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		const struct archive_answer_plan plan = {.status = statuses[i]};
		char words[32];
		(void)snprintf(words, sizeof(words), "status %d (after 3", statuses[i]);
		start(f, &plan, 1);
		fetch(f);
		check_not_there(f, ARCHIVE_UNAVAILABLE, words);
		check_requests(f, 3);
		end_servers(f);
	}
	/* Nobody listens. */
	start(f, NULL, 0);
	archive_server_stop(&f->servers[0], NULL);
	fetch(f);
	check_not_there(f, ARCHIVE_UNAVAILABLE, "onnect");
	assert_int_equal(f->result.requests, 3);
	assert_int_equal(f->result.status, 0);
}

static void test_retry_after_is_obeyed(void **state)
{
	struct fixture *f = *state;
	START({.status = 429, .headers = "Retry-After: 1\r\n"}, {0});
	int64_t start_ms = clock_monotonic_ms(clock_system());
	fetch(f);
	check_fetched(f, &f->file);
	int64_t waited_ms = clock_monotonic_ms(clock_system()) - start_ms;
	assert_true(waited_ms >= 990 && waited_ms < 5000);
	assert_int_equal(f->result.retry_after_ms, 0);
}

static void test_a_long_retry_after_ends_it_for_all(void **state)
{
	struct fixture *f = *state;
	START({.status = 503, .headers = "Retry-After: 3600\r\n"});
	fetch(f);
	check_not_there(f, ARCHIVE_UNAVAILABLE, "left alone for 3600 s");
	check_requests(f, 1);
	assert_true(f->result.retry_after_ms > 3500 * 1000 && f->result.retry_after_ms <= 3600 * 1000);

	/* Another one of the same mirrors does not ask. */
	struct archive_fetcher *other;
	assert_true(archive_fetcher_create(f->mirrors, &other, &f->err));
	assert_true(archive_fetch_hour(other, HOUR_US, 0, f->path.text, &f->result, &f->err));
	check_not_there(f, ARCHIVE_UNAVAILABLE, "left alone");
	assert_int_equal(f->result.requests, 0);
	assert_int_equal(archive_server_requests(f->servers[0]), 1);
	archive_fetcher_destroy(&other);
}

static void test_cut_is_resumed(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan cut[2][2] = {{{.cut_at = 100000}, {0}},
							     {{.cut_at = 100000, .resets = true}, {0}}};
	for (size_t i = 0; i < ARRAY_COUNT(cut); i++) {
		start(f, cut[i], 2);
		fetch(f);
		check_fetched(f, &f->file);
		check_requests(f, 2);
		assert_int_equal(f->progress, FILE_BYTES);
		assert_int_equal(f->result.status, 206);
		assert_int_equal(f->result.resumed_bytes, 0); /* of this call */
		check_asked(f, "\r\nRange: bytes=100000-\r\n", true);
		assert_non_null(strstr(f->requests.data, "\r\nIf-Range: \"v1\"\r\n"));
		assert_true(file_remove(f->path.text, &f->err));
	}
}

static void test_a_stalled_transfer_ends_and_is_resumed(void **state)
{
	struct fixture *f = *state;
	START({.stall_at = 100000}, {0});
	int64_t start_ms = clock_monotonic_ms(clock_system());
	/* The server serves one after the other: the second answer comes when the first connection is gone. */
	fetch(f);
	assert_true(clock_monotonic_ms(clock_system()) - start_ms < 60 * 1000);
	check_fetched(f, &f->file);
	assert_int_equal(f->progress, FILE_BYTES);
}

static void test_progress_is_no_failure(void **state)
{
	struct fixture *f = *state;
	enum { LARGE_BYTES = 10 * 1024 * 1024, CUT_BYTES = 2 * 1024 * 1024 };
	static const struct archive_answer_plan plan = {.cut_at = CUT_BYTES};
	buf_finish(&f->file);
	fill(&f->file, LARGE_BYTES, 3);
	f->options.attempts_max = 2;
	start(f, &plan, 1);
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, LARGE_BYTES / CUT_BYTES);
}

static void test_resumed_after_the_end_of_the_process(void **state)
{
	struct fixture *f = *state;
	START({.cut_at = 100000}, {.cut_at = 1});
	fetch(f);
	check_not_there(f, ARCHIVE_UNAVAILABLE, "after 3 requests");
	assert_true(file_exists(f->part.text) && file_exists(f->note.text));
	assert_int_equal(file_size(f->part.text), 100002);

	/* The next one, at another port: not the same file, as far as anybody knows. */
	start(f, NULL, 0);
	fetch(f);
	check_fetched(f, &f->file);
	assert_int_equal(f->progress, FILE_BYTES);
}

/* Two fetchers in a row at the same server. */
static void fetch_in_two_lives(struct fixture *f, const struct archive_answer_plan *plans, size_t count)
{
	f->options.attempts_max = 1;
	start(f, plans, count);
	fetch(f);
	check_outcome(f, ARCHIVE_UNAVAILABLE, "after 1 requests");
	archive_fetcher_destroy(&f->fetcher);
	assert_true(archive_fetcher_create(f->mirrors, &f->fetcher, &f->err));
	f->progress = 0;
}

static void test_second_life_goes_on(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan plans[] = {{.cut_at = 100000}, {0}};
	fetch_in_two_lives(f, plans, 2);
	fetch(f);
	check_fetched(f, &f->file);
	assert_int_equal(f->progress, FILE_BYTES - 100000);
	assert_int_equal(f->result.resumed_bytes, 100000);
	assert_string_equal(f->result.etag, "\"v1\"");
	check_asked(f, "Range: bytes=100000-", true);
}

static void test_second_life_believes_no_bytes(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan plans[] = {{.cut_at = 100000}, {0}};
	for (int i = 0; i < 4; i++) {
		fetch_in_two_lives(f, plans, 2);
		struct buf part = {0};
		buf_init(&part, FILE_BYTES);
		assert_true(file_read(i < 3 ? f->part.text : f->note.text, &part, &f->err));
		if (i == 0)
			part.data[50000] ^= 1; /* a bad disk */
		else if (i == 1)
			memset(part.data + 90000, 0, 10000); /* a power failure */
		else if (i == 2)
			part.size = 99999; /* shorter than its note says */
		else
			part.data[0] ^= 1; /* in the note */
		assert_true(file_write(i < 3 ? f->part.text : f->note.text, buf_span(&part), &f->err));
		buf_finish(&part);
		fetch(f);
		check_fetched(f, &f->file);
		assert_int_equal(f->progress, FILE_BYTES);
		assert_int_equal(f->result.resumed_bytes, 0);
		assert_true(file_remove(f->path.text, &f->err));
		check_asked(f, "\r\nRange", false);
	}
}

static void test_bytes_behind_the_note_are_cut_off(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan plans[] = {{.cut_at = 100000}, {0}};
	fetch_in_two_lives(f, plans, 2);
	struct buf part = {0};
	buf_init(&part, FILE_BYTES);
	assert_true(file_read(f->part.text, &part, &f->err));
	buf_append_text(&part, "rubbish that a kill left behind the last note");
	assert_true(file_write(f->part.text, buf_span(&part), &f->err));
	buf_finish(&part);
	fetch(f);
	check_fetched(f, &f->file);
	assert_int_equal(f->result.resumed_bytes, 100000);
}

static void test_a_whole_part_needs_no_request(void **state)
{
	struct fixture *f = *state;
	/* As a kill right before the publication leaves it. */
	struct archive_part part = {0};
	struct archive_origin origin = {.etag = "\"v1\"", .length = FILE_BYTES};
	start(f, NULL, 0);
	(void)snprintf(origin.url, sizeof(origin.url), "%s/2026-09-20-7.json.gz", archive_server_url(f->servers[0]));
	assert_true(archive_part_load(&part, f->path.text, origin.url, &f->err));
	assert_true(archive_part_restart(&part, &origin, &f->err));
	assert_true(archive_part_add(&part, buf_span(&f->file), &f->err));
	assert_true(archive_part_pause(&part, &f->err));
	archive_part_finish(&part);
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 0);
	assert_int_equal(f->result.resumed_bytes, FILE_BYTES);
}

/* ---- another file than before ---- */

static void test_file_changes_between(void **state)
{
	struct fixture *f = *state;
	const struct archive_answer_plan plans[] = {{.cut_at = 100000, .changes_file = f->other.data}, {0}};
	start(f, plans, 2);
	fetch(f);
	check_fetched(f, &f->other);
	check_requests(f, 2);
	assert_int_equal(f->result.status, 200);
	assert_string_equal(f->result.etag, "\"v2\"");
	check_asked(f, "If-Range: \"v1\"", true);
}

static void test_file_shrinks_between(void **state)
{
	struct fixture *f = *state;
	/* A server that does not know If-Range says 416. */
	const struct archive_answer_plan plans[] = {{.cut_at = 100000}, {.status = 416, .changes_file = f->other.data}, {0}};
	start(f, plans, 3);
	fetch(f);
	check_fetched(f, &f->other);
	check_requests(f, 3);
}

static void test_range_is_ignored(void **state)
{
	struct fixture *f = *state;
	START({.cut_at = 100000}, {.ignores_range = true});
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 2);
	assert_int_equal(f->progress, 100000 + FILE_BYTES);
}

static void test_wrong_range_is_not_believed(void **state)
{
	struct fixture *f = *state;
	START({.cut_at = 100000}, {.wrong_range = true}, {0});
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 3);
}

static void test_range_of_another_edition_is_not_believed(void **state)
{
	struct fixture *f = *state;
	/* Same length asked for, another ETag, in spite of If-Range. */
	START({.cut_at = 100000}, {.headers = "ETag: \"v9\"\r\n", .without_validators = true}, {0});
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 3);
}

static void test_without_a_strong_validator_all_comes_again(void **state)
{
	struct fixture *f = *state;
	START({.cut_at = 100000, .without_validators = true}, {0});
	fetch(f);
	check_fetched(f, &f->file);
	check_asked(f, "\r\nRange", false);
	assert_true(file_remove(f->path.text, &f->err));

	/* A weak ETag is none, but a date that is old enough does. */
	static const struct archive_answer_plan weak[] = {{.cut_at = 100000, .weak_etag = true}, {.weak_etag = true}};
	start(f, weak, 2);
	fetch(f);
	check_fetched(f, &f->file);
	check_asked(f, "\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n", true);
}

/* ---- redirects ---- */

static void test_redirects(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *location;
		const char *words;
	} refused[] = {{"Location: ftp://127.0.0.1/x\r\n", "neither http nor https"},
		       {"Location: file:///etc/passwd\r\n", "neither http nor https"},
		       {"Location: http://user:secret@127.0.0.1/\r\n", "redirect that is not followed"},
		       {"", "without a usable Location"},
		       {"Location: /again\r\n", "more than 5 redirects"}};
	static const struct archive_answer_plan moved[] = {{.status = 302, .headers = "Location: /other/place?x=1\r\n"},
							   {.status = 301, .headers = "Location: next#part\r\n"},
							   {0}};
	start(f, moved, 3);
	fetch(f);
	check_fetched(f, &f->file);
	check_requests(f, 3);
	check_asked(f, "GET /other/place?x=1 ", true);
	assert_non_null(strstr(f->requests.data, "GET /other/next "));
	assert_true(file_remove(f->path.text, &f->err));
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		const struct archive_answer_plan plan = {.status = 307, .headers = refused[i].location};
		start(f, &plan, 1);
		fetch(f);
		check_not_there(f, ARCHIVE_UNAVAILABLE, refused[i].words);
		assert_null(strstr(f->result.reason, "secret"));
		check_requests(f, i == 4 ? 6 : 1);
		end_servers(f);
	}
}

/* ---- several mirrors ---- */

static void test_first_mirror_that_has_it(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan well = {0};
	static const struct archive_answer_plan missing = {.status = 404};
	static const struct archive_answer_plan broken = {.status = 500};
	static const struct archive_answer_plan page = {.body = "<p>"};
	static const struct {
		const struct archive_answer_plan *first, *second;
		enum archive_outcome outcome;
		size_t mirror;
	} cases[] = {{&well, &well, ARCHIVE_FETCHED, 0},          {&missing, &well, ARCHIVE_FETCHED, 1},
		     {&broken, &well, ARCHIVE_FETCHED, 1},        {&page, &well, ARCHIVE_FETCHED, 1},
		     {&missing, &missing, ARCHIVE_MISSING, 0},    {&missing, &broken, ARCHIVE_UNAVAILABLE, 1},
		     {&broken, &missing, ARCHIVE_UNAVAILABLE, 0}, {&missing, &page, ARCHIVE_DAMAGED, 1},
		     {&page, &broken, ARCHIVE_UNAVAILABLE, 1}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		start_two(f, cases[i].first, cases[i].second);
		assert_true(archive_fetch_any(f->fetcher, HOUR_US, f->path.text, &f->result, &f->err));
		check_outcome(f, cases[i].outcome, "");
		assert_int_equal(f->result.mirror, cases[i].mirror);
		assert_non_null(strstr(f->result.url, archive_server_url(f->servers[cases[i].mirror])));
		if (cases[i].outcome == ARCHIVE_FETCHED) {
			check_fetched(f, cases[i].mirror == 0 ? &f->file : &f->other);
			assert_true(file_remove(f->path.text, &f->err));
			continue;
		}
		assert_non_null(strstr(f->result.reason, archive_server_url(f->servers[0])));
		assert_non_null(strstr(f->result.reason, archive_server_url(f->servers[1])));
	}
	/* One by one, for the union of what they have. */
	start_two(f, &well, &well);
	assert_true(archive_fetch_hour(f->fetcher, HOUR_US, 1, f->path.text, &f->result, &f->err));
	check_fetched(f, &f->other);
	assert_int_equal(f->result.mirror, 1);
}

static void test_mirrors_are_checked(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"", "ftp://h", "https://u:p@h", "https://h/?a", "https://h/#a", "data"};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		f->options.mirrors = &bad[i];
		f->options.mirror_count = 1;
		assert_false(archive_mirrors_create(&f->options, &f->mirrors, &f->err));
		assert_int_equal(f->err.kind, ERR_INPUT);
		assert_int_equal(f->err.exit_code, 2);
		assert_null(f->mirrors);
	}
	static const char *const many[9] = {"https://h//", "https://h/a/", "https://h", "https://h", "https://h",
					    "https://h",   "https://h",    "https://h", "https://h"};
	f->options.mirrors = many;
	f->options.mirror_count = 9;
	assert_false(archive_mirrors_create(&f->options, &f->mirrors, &f->err));
	f->options.mirror_count = 8;
	assert_true(archive_mirrors_create(&f->options, &f->mirrors, &f->err));
	assert_string_equal(archive_mirrors_base(f->mirrors, 0), "https://h");
	assert_string_equal(archive_mirrors_base(f->mirrors, 1), "https://h/a");
	assert_int_equal(archive_mirrors_count(f->mirrors), 8);
	archive_mirrors_destroy(&f->mirrors);
	f->options.mirror_count = 0;
	assert_true(archive_mirrors_create(&f->options, &f->mirrors, &f->err));
	assert_string_equal(archive_mirrors_base(f->mirrors, 0), "https://data.gharchive.org");

	struct archive_fetcher *fetchers[ARCHIVE_FETCHERS_MAX];
	for (size_t i = 0; i < ARCHIVE_FETCHERS_MAX; i++)
		assert_true(archive_fetcher_create(f->mirrors, &fetchers[i], &f->err));
	assert_false(archive_fetcher_create(f->mirrors, &f->fetcher, &f->err));
	assert_int_equal(f->err.kind, ERR_LOCAL);
	archive_fetcher_destroy(&fetchers[0]);
	assert_true(archive_fetcher_create(f->mirrors, &fetchers[0], &f->err));
	for (size_t i = 0; i < ARCHIVE_FETCHERS_MAX; i++)
		archive_fetcher_destroy(&fetchers[i]);
}

/* ---- URLs, probes ---- */

static void test_urls(void **state)
{
	struct fixture *f = *state;
	char url[128];
	static const struct {
		const char *name, *body;
		enum archive_outcome outcome;
	} cases[] = {{"x.json.gz", NULL, ARCHIVE_FETCHED},      {"x.json", NULL, ARCHIVE_FETCHED},
		     {"x.json", "{\"id\":1}\n", ARCHIVE_FETCHED}, {"x.json", "\xef\xbb\xbf\n [1]", ARCHIVE_DAMAGED},
		     {"x.json", "\xef\xbb\xbf{}", ARCHIVE_FETCHED}, {"x.json", "<p>", ARCHIVE_DAMAGED},
		     {"x.json.gz?a=b", "{}", ARCHIVE_DAMAGED},  {"x", "", ARCHIVE_DAMAGED}};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		const struct archive_answer_plan plan = {.body = cases[i].body};
		start(f, &plan, 1);
		(void)snprintf(url, sizeof(url), "%s/%s", archive_server_url(f->servers[0]), cases[i].name);
		assert_true(archive_fetch_url(f->fetcher, url, f->path.text, &f->result, &f->err));
		if (f->result.outcome != cases[i].outcome)
			fail_msg("%s, case %zu: %s", cases[i].name, i, f->result.reason);
		assert_string_equal(f->result.url, url);
		end_servers(f);
	}
	start(f, NULL, 0);
	assert_true(archive_fetch_url(f->fetcher, "ftp://127.0.0.1/x", f->path.text, &f->result, &f->err));
	check_outcome(f, ARCHIVE_UNAVAILABLE, "no URL");
	assert_int_equal(f->result.requests, 0);
}

static void probe(struct fixture *f, const struct archive_answer_plan *plan)
{
	start(f, plan, 1);
	assert_true(archive_probe_hour(f->fetcher, HOUR_US, 0, &f->result, &f->err));
}

static void test_probes(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan well = {0};
	static const struct archive_answer_plan unsaid = {.without_length = true};
	static const struct archive_answer_plan missing = {.status = 404};
	static const struct archive_answer_plan empty = {.body = ""};
	static const struct archive_answer_plan broken = {.status = 500};
	static const struct archive_answer_plan moved[] = {{.status = 302, .headers = "Location: /x\r\n"}, {0}};
	probe(f, &well);
	check_outcome(f, ARCHIVE_FETCHED, "");
	assert_int_equal(f->result.size, FILE_BYTES);
	assert_string_equal(f->result.etag, "\"v1\"");
	assert_false(file_exists(f->path.text));
	check_asked(f, "HEAD /2026-09-20-7.json.gz ", true);
	probe(f, &unsaid);
	check_outcome(f, ARCHIVE_FETCHED, "");
	assert_int_equal(f->result.size, -1);
	probe(f, &missing);
	check_outcome(f, ARCHIVE_MISSING, "404");
	probe(f, &empty);
	check_outcome(f, ARCHIVE_DAMAGED, "nothing");
	probe(f, &broken);
	check_outcome(f, ARCHIVE_UNAVAILABLE, "status 500 (after 3");
	start(f, moved, 2);
	assert_true(archive_probe_hour(f->fetcher, HOUR_US, 0, &f->result, &f->err));
	check_outcome(f, ARCHIVE_FETCHED, "");
	start_two(f, &missing, &well);
	assert_true(archive_probe_any(f->fetcher, HOUR_US, &f->result, &f->err));
	assert_int_equal(f->result.mirror, 1);
	assert_int_equal(f->result.size, f->other.size);
	f->options.bytes_max = 1000;
	probe(f, &well);
	check_outcome(f, ARCHIVE_DAMAGED, "larger than 1000");
	check_nothing_left(f);
}

/* ---- our own end ---- */

static void test_stopped_in_a_transfer(void **state)
{
	struct fixture *f = *state;
	static const struct archive_answer_plan plans[] = {{.stall_at = 200000}, {0}};
	f->options.slow_wait_ms_max = 30 * 1000;
	f->stop_at = 200000;
	start(f, plans, 2);
	int64_t start_ms = clock_monotonic_ms(clock_system());
	fetch(f);
	assert_true(clock_monotonic_ms(clock_system()) - start_ms < 5000);
	check_not_there(f, ARCHIVE_STOPPED, "stopped");
	assert_true(file_exists(f->note.text));
	fetch(f); /* and asks for nothing more */
	check_not_there(f, ARCHIVE_STOPPED, "stopped");
	assert_int_equal(f->result.requests, 0);
}

static void test_stopped_while_waiting(void **state)
{
	struct fixture *f = *state;
	START({.status = 503, .headers = "Retry-After: 100\r\n"});
	stop_flag_set(&f->stop);
	int64_t start_ms = clock_monotonic_ms(clock_system());
	fetch(f);
	check_not_there(f, ARCHIVE_STOPPED, "stopped");
	assert_true(clock_monotonic_ms(clock_system()) - start_ms < 2000);
}

static void test_full_disk_is_an_error(void **state)
{
	struct fixture *f = *state;
	static const struct rlimit small = {100 * 1000, RLIM_INFINITY};
	static const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	start(f, NULL, 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	bool done = archive_fetch_hour(f->fetcher, HOUR_US, 0, f->path.text, &f->result, &f->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_false(done);
	assert_int_equal(f->err.kind, ERR_LOCAL);
	assert_non_null(strstr(f->err.text, "write"));
	assert_false(file_exists(f->path.text));
	fetch(f);
	check_fetched(f, &f->file);
}

static void test_notes_are_renewed(void **state)
{
	struct fixture *f = *state;
	struct archive_part part = {0};
	const struct archive_origin origin = {.url = "https://h/x", .etag = "\"a\"", .length = -1};
	struct span piece = span_make(f->file.data, FILE_BYTES);
	assert_true(archive_part_load(&part, f->path.text, "https://h/x", &f->err));
	assert_int_equal(part.bytes, 0);
	assert_true(archive_part_restart(&part, &origin, &f->err));
	int64_t noted = 0;
	while (part.bytes < BIG_BYTES) {
		assert_true(archive_part_add(&part, piece, &f->err));
		noted = part.noted_bytes;
	}
	archive_part_finish(&part); /* as a kill would */
	assert_true(noted >= 2 * ARCHIVE_NOTE_EVERY_BYTES);
	assert_true(archive_part_load(&part, f->path.text, "https://h/x", &f->err));
	assert_int_equal(part.bytes, noted);
	assert_string_equal(part.origin.etag, "\"a\"");
	archive_part_finish(&part);
	assert_true(archive_part_load(&part, f->path.text, "https://h/y", &f->err));
	assert_int_equal(part.bytes, 0);
	archive_part_finish(&part);
}

static void test_answers_are_read(void **state)
{
	(void)state;
	int64_t first;
	int64_t length;
	struct http_client_header header = {"Content-Range", "bytes 5-9/10"};
	struct http_client_response response = {.headers = &header, .header_count = 1};
	assert_true(archive_answer_range(&response, &first, &length));
	assert_int_equal(first, 5);
	assert_int_equal(length, 10);
	header.value = "bytes 5-9/*";
	assert_true(archive_answer_range(&response, &first, &length));
	assert_int_equal(length, -1);
	static const char *const bad[] = {"", "bytes */10", "bytes 5-4/10", "bytes 5-10/10", "bytes -5-9/10", "bytes 5/10",
					  "items 5-9/10", "bytes 5-9", "bytes 99999999999999999999-1/2"};
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		header.value = bad[i];
		if (archive_answer_range(&response, &first, &length))
			fail_msg("%s", bad[i]);
	}
	struct http_client_header waits[] = {{"Retry-After", "30"}, {"Date", "Sun, 20 Sep 2026 12:00:00 GMT"}};
	response = (struct http_client_response){.headers = waits, .header_count = 2};
	assert_int_equal(archive_answer_retry_after_ms(&response, 0), 30000);
	waits[0].value = "Sun, 20 Sep 2026 12:01:00 GMT";
	assert_int_equal(archive_answer_retry_after_ms(&response, 0), 60000);
	waits[0].value = "99999999999999999";
	assert_int_equal(archive_answer_retry_after_ms(&response, 0), 86400000);
	waits[0].value = "-5";
	assert_int_equal(archive_answer_retry_after_ms(&response, 0), 0);
	waits[0].value = "soon";
	assert_int_equal(archive_answer_retry_after_ms(&response, 0), 0);
}

/* ---- several at once ---- */

struct worker {
	pthread_t thread;
	struct fixture *f;
	struct archive_fetcher *fetcher;
	struct check_path path;
	struct archive_result result;
	bool done;
};

static void *work(void *context)
{
	struct worker *worker = context;
	struct err err;
	worker->done = archive_fetch_hour(worker->fetcher, HOUR_US, 0, worker->path.text, &worker->result, &err);
	return NULL;
}

static void test_several_at_once(void **state)
{
	struct fixture *f = *state;
	struct worker workers[ARCHIVE_FETCHERS_MAX] = {0};
	static const struct archive_answer_plan plans[] = {
		{.status = 500}, {.cut_at = 1000}, {.status = 429, .headers = "Retry-After: 0\r\n"}, {.cut_at = 5000}, {0}};
	f->options.progress = NULL;
	f->options.attempts_max = 5;
	start(f, plans, ARRAY_COUNT(plans));
	archive_fetcher_destroy(&f->fetcher);
	for (size_t i = 0; i < ARRAY_COUNT(workers); i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "%zu.json.gz", i);
		workers[i].path = path_below(&f->folder, name);
		assert_true(archive_fetcher_create(f->mirrors, &workers[i].fetcher, &f->err));
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_COUNT(workers); i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		archive_fetcher_destroy(&workers[i].fetcher);
		assert_true(workers[i].done);
		assert_int_equal(workers[i].result.outcome, ARCHIVE_FETCHED);
		assert_int_equal(file_size(workers[i].path.text), FILE_BYTES);
	}
}

#define FETCH_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	/* Else a machine's proxy would be asked for 127.0.0.1. */
	(void)setenv("no_proxy", "*", 1);
	log_configure(LOG_WARNING, LOG_FORMAT_JSON);
	const struct CMUnitTest tests[] = {
		FETCH_TEST(test_fetched),
		FETCH_TEST(test_coding_that_comes_nevertheless_is_kept),
		FETCH_TEST(test_without_length),
		FETCH_TEST(test_missing),
		FETCH_TEST(test_refused),
		FETCH_TEST(test_a_long_page_of_an_error_is_its_status),
		FETCH_TEST(test_damaged),
		FETCH_TEST(test_too_large),
		FETCH_TEST(test_what_was_there_stays_until_there_is_better),
		FETCH_TEST(test_errors_of_the_server_pass),
		FETCH_TEST(test_attempts_are_used_up),
		FETCH_TEST(test_retry_after_is_obeyed),
		FETCH_TEST(test_a_long_retry_after_ends_it_for_all),
		FETCH_TEST(test_cut_is_resumed),
		FETCH_TEST(test_a_stalled_transfer_ends_and_is_resumed),
		FETCH_TEST(test_progress_is_no_failure),
		FETCH_TEST(test_resumed_after_the_end_of_the_process),
		FETCH_TEST(test_second_life_goes_on),
		FETCH_TEST(test_second_life_believes_no_bytes),
		FETCH_TEST(test_bytes_behind_the_note_are_cut_off),
		FETCH_TEST(test_a_whole_part_needs_no_request),
		FETCH_TEST(test_file_changes_between),
		FETCH_TEST(test_file_shrinks_between),
		FETCH_TEST(test_range_is_ignored),
		FETCH_TEST(test_wrong_range_is_not_believed),
		FETCH_TEST(test_range_of_another_edition_is_not_believed),
		FETCH_TEST(test_without_a_strong_validator_all_comes_again),
		FETCH_TEST(test_redirects),
		FETCH_TEST(test_first_mirror_that_has_it),
		FETCH_TEST(test_mirrors_are_checked),
		FETCH_TEST(test_urls),
		FETCH_TEST(test_probes),
		FETCH_TEST(test_stopped_in_a_transfer),
		FETCH_TEST(test_stopped_while_waiting),
		FETCH_TEST(test_full_disk_is_an_error),
		FETCH_TEST(test_notes_are_renewed),
		cmocka_unit_test(test_answers_are_read),
		FETCH_TEST(test_several_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
