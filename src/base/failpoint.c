/* SPDX-License-Identifier: Apache-2.0 */
#include "base/failpoint.h"

#ifdef OCTOLAKE_FAILPOINTS

#include "base/clock.h"
#include "base/failpoint_table.h"
#include "base/span.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { POINT_COUNT_MAX = 512, SLEEP_MS_MAX = 600 * 1000 };

static _Thread_local const char *current_scope;

static atomic_int_least64_t hits[POINT_COUNT_MAX];
static struct {
	size_t point;
	int64_t nth; /* 0: not armed */
	int64_t sleep_ms; /* 0: kill */
} armed;
static pthread_mutex_t stray_mutex = PTHREAD_MUTEX_INITIALIZER;
static char stray[96];

const char *failpoint_scope_begin(const char *scope)
{
	const char *outer = current_scope;
	current_scope = scope;
	return outer;
}

void failpoint_scope_end(const char **outer_scope)
{
	current_scope = *outer_scope;
}

static struct failpoint_name render_name(const char *scope, const char *operation, int is_after)
{
	struct failpoint_name name;
	(void)snprintf(name.text, sizeof(name.text), "%s.%s.%s", scope ? scope : "(no scope)", operation,
		is_after ? "after" : "before");
	return name;
}

/* The point's index, or the count of all when there is none. */
static size_t find_point(const char *scope, const char *operation, int is_after)
{
	size_t index = 0;
	for (const struct failpoint_scope *row = failpoint_scopes; row->name; row++) {
		bool here = scope && strcmp(row->name, scope) == 0;
		for (const char *const *own = row->operations; *own; own++, index += 2)
			if (here && strcmp(*own, operation) == 0)
				return index + (size_t)is_after;
	}
	return index;
}

size_t failpoint_count(void)
{
	return find_point(NULL, "", 0);
}

struct failpoint_name failpoint_name(size_t point)
{
	size_t index = 0;
	for (const struct failpoint_scope *row = failpoint_scopes; row->name; row++)
		for (const char *const *own = row->operations; *own; own++, index += 2)
			if (index == point - point % 2)
				return render_name(row->name, *own, (int)(point % 2));
	assert(false && "no such failpoint");
	return render_name(NULL, "", 0);
}

static void note_stray(const char *operation, int is_after)
{
	(void)pthread_mutex_lock(&stray_mutex);
	if (stray[0] == '\0')
		memcpy(stray, render_name(current_scope, operation, is_after).text, sizeof(stray));
	(void)pthread_mutex_unlock(&stray_mutex);
}

static void act(void)
{
	if (armed.sleep_ms > 0) {
		clock_sleep_ms(armed.sleep_ms);
		return;
	}
	(void)kill(getpid(), SIGKILL);
	for (;;)
		(void)pause();
}

int64_t failpoint_hit(const char *operation, int is_after, int64_t value)
{
	int error_number = errno;
	size_t point = find_point(current_scope, operation, is_after);
	if (point == failpoint_count()) {
		note_stray(operation, is_after);
	} else {
		assert(point < POINT_COUNT_MAX);
		int64_t count = atomic_fetch_add(&hits[point], 1) + 1;
		if (armed.nth == count && armed.point == point)
			act();
	}
	errno = error_number;
	return value;
}

void failpoint_arm(size_t point, int64_t nth)
{
	assert(point < failpoint_count());
	for (size_t i = 0; i < POINT_COUNT_MAX; i++)
		atomic_store(&hits[i], 0);
	stray[0] = '\0';
	armed.point = point;
	armed.nth = nth;
	armed.sleep_ms = 0;
}

int64_t failpoint_hits(size_t point)
{
	assert(point < failpoint_count());
	return atomic_load(&hits[point]);
}

const char *failpoint_stray(void)
{
	return stray[0] != '\0' ? stray : NULL;
}

static bool find_by_name(struct span wanted, size_t *point_out)
{
	for (size_t i = 0; i < failpoint_count(); i++)
		if (span_equal_text(wanted, failpoint_name(i).text)) {
			*point_out = i;
			return true;
		}
	return false;
}

bool failpoint_configure(const char *text, struct err *err)
{
	static const struct span sleep_prefix = SPAN_LITERAL("sleep=");
	struct span name;
	struct span rest;
	struct span nth_text;
	struct span action;
	size_t point = 0;
	int64_t nth = 0;
	int64_t sleep_ms = 0;
	bool good = span_split(span_of(text), ':', &name, &rest) && find_by_name(name, &point);
	bool has_action = good && span_split(rest, ':', &nth_text, &action);
	if (has_action) {
		good = span_starts_with(action, "sleep=")
		       && span_parse_int64((struct span){action.data + sleep_prefix.size,
						   action.size - sleep_prefix.size},
			       &sleep_ms)
		       && sleep_ms > 0 && sleep_ms <= SLEEP_MS_MAX;
		rest = nth_text;
	}
	if (!good || !span_parse_int64(rest, &nth) || nth < 1)
		return err_set(err, ERR_INPUT, "not a failpoint like bronze.fsync.after:1 \"%.100s\"", text);
	failpoint_arm(point, nth);
	armed.sleep_ms = sleep_ms;
	return true;
}

#else

/* ISO C wants something in every file. */
typedef int failpoint_nothing;

#endif
