/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/archive_mirrors.h"

#include "base/memory.h"
#include "wrap/http_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BASE_BYTES_MAX = 1024, ATTEMPTS = 5, BACKOFF_MS = 1000, RETRY_AFTER_MS = 5 * 60 * 1000, SLOW_MS = 60 * 1000 };

static bool refuse(struct err *err, const char *what)
{
	(void)err_set(err, ERR_INPUT, "%s", what);
	err->exit_code = 2;
	return false;
}

static bool add_mirror(struct archive_mirrors *mirrors, const char *base, struct err *err)
{
	struct err reason;
	if (mirrors->count == ARCHIVE_MIRRORS_MAX)
		return refuse(err, "more than 8 mirrors");
	if (strlen(base) > BASE_BYTES_MAX || strpbrk(base, "?#") || !http_client_check_url(base, &reason))
		return refuse(err, "a mirror is an http or https URL without user, password, ? and #, of at most 1024 "
				   "bytes");
	struct span text = span_of(base);
	while (span_ends_with(text, "/"))
		text.size--;
	mirrors->bases[mirrors->count++] = memory_copy_span(text);
	return true;
}

static void set_defaults(struct archive_fetch_options *options)
{
	options->bytes_max = options->bytes_max ? options->bytes_max : ARCHIVE_BYTES_MAX;
	options->attempts_max = options->attempts_max ? options->attempts_max : ATTEMPTS;
	options->backoff_ms = options->backoff_ms ? options->backoff_ms : BACKOFF_MS;
	options->retry_after_ms_max = options->retry_after_ms_max ? options->retry_after_ms_max : RETRY_AFTER_MS;
	options->slow_wait_ms_max = options->slow_wait_ms_max ? options->slow_wait_ms_max : SLOW_MS;
}

bool archive_mirrors_create(const struct archive_fetch_options *options, struct archive_mirrors **mirrors_out,
			    struct err *err)
{
	static const char *const default_bases[] = {ARCHIVE_MIRROR_DEFAULT};
	assert(options->clock && options->user_agent);
	struct archive_mirrors *mirrors CLEANUP(archive_mirrors_destroy) = memory_allocate(1, sizeof(*mirrors));
	(void)pthread_mutex_init(&mirrors->mutex, NULL);
	mirrors->options = *options;
	mirrors->user_agent = memory_copy_text(options->user_agent);
	set_defaults(&mirrors->options);
	const char *const *bases = options->mirror_count > 0 ? options->mirrors : default_bases;
	size_t count = options->mirror_count > 0 ? options->mirror_count : ARRAY_COUNT(default_bases);
	for (size_t i = 0; i < count; i++)
		if (!add_mirror(mirrors, bases[i], err))
			return false;
	*mirrors_out = mirrors;
	mirrors = NULL;
	return true;
}

void archive_mirrors_destroy(struct archive_mirrors **mirrors)
{
	struct archive_mirrors *old = *mirrors;
	if (!old)
		return;
	assert(old->fetchers == 0);
	for (size_t i = 0; i < old->count; i++)
		free(old->bases[i]);
	free(old->user_agent);
	(void)pthread_mutex_destroy(&old->mutex);
	free(old);
	*mirrors = NULL;
}

size_t archive_mirrors_count(const struct archive_mirrors *mirrors)
{
	return mirrors->count;
}

const char *archive_mirrors_base(const struct archive_mirrors *mirrors, size_t mirror)
{
	assert(mirror < mirrors->count);
	return mirrors->bases[mirror];
}

bool archive_mirrors_enter(struct archive_mirrors *mirrors)
{
	(void)pthread_mutex_lock(&mirrors->mutex);
	bool has_room = mirrors->fetchers < ARCHIVE_FETCHERS_MAX;
	mirrors->fetchers += has_room;
	(void)pthread_mutex_unlock(&mirrors->mutex);
	return has_room;
}

void archive_mirrors_leave(struct archive_mirrors *mirrors)
{
	(void)pthread_mutex_lock(&mirrors->mutex);
	mirrors->fetchers--;
	(void)pthread_mutex_unlock(&mirrors->mutex);
}

void archive_mirrors_block(struct archive_mirrors *mirrors, size_t mirror, int64_t until_ms)
{
	(void)pthread_mutex_lock(&mirrors->mutex);
	if (until_ms > mirrors->blocked_until_ms[mirror])
		mirrors->blocked_until_ms[mirror] = until_ms;
	(void)pthread_mutex_unlock(&mirrors->mutex);
}

int64_t archive_mirrors_blocked_until_ms(struct archive_mirrors *mirrors, size_t mirror)
{
	(void)pthread_mutex_lock(&mirrors->mutex);
	int64_t until_ms = mirrors->blocked_until_ms[mirror];
	(void)pthread_mutex_unlock(&mirrors->mutex);
	return until_ms;
}
