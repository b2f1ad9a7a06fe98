/* SPDX-License-Identifier: Apache-2.0 */
/* inflate_stream.c - slots, and the thread that fills them ahead; what fills one is inflate_member.c. */
#include "wrap/inflate_private.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One that the caller works on, one that is being filled, one between them. */
enum { AHEAD_SLOTS = 3 };

/* Slots go round: `filled` of them from `take_at` on wait for the caller, who may hold the one before
 * (`lent`); the thread fills those behind. It alone touches the inflater and the slots that are free;
 * `mutex` guards the numbers. */
struct inflate_stream {
	struct inflater inflater;
	struct inflate_slot slots[AHEAD_SLOTS];
	size_t slot_count;
	bool ended;             /* the caller has seen the end, or an error */
	bool is_gzip;
	struct inflate_piece last; /* when ended */
	struct err err;         /* as long as the piece is not there: why */
	bool failed;
	/* ---- ahead ---- */
	bool ahead;
	bool lent;
	bool stop;
	size_t take_at;
	size_t filled;
	int wake; /* readable once the thread is to stop, so that it waits for no slow pipe */
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
};

static void lock(struct inflate_stream *stream)
{
	int code = pthread_mutex_lock(&stream->mutex);
	assert(code == 0);
}

static void unlock(struct inflate_stream *stream)
{
	int code = pthread_mutex_unlock(&stream->mutex);
	assert(code == 0);
}

static void wait_for_change(struct inflate_stream *stream)
{
	int code = pthread_cond_wait(&stream->changed, &stream->mutex);
	assert(code == 0);
}

/* A slot that is nobody's, by its index; false when it is time to stop. */
static bool wait_for_slot(struct inflate_stream *stream, size_t *index_out)
{
	lock(stream);
	while (!stream->stop && stream->filled + stream->lent == stream->slot_count)
		wait_for_change(stream);
	bool stop = stream->stop;
	*index_out = (stream->take_at + stream->filled) % stream->slot_count;
	unlock(stream);
	return !stop;
}

static void *fill_ahead(void *context)
{
	struct inflate_stream *stream = context;
	struct err err = {0};
	for (bool more = true; more;) {
		size_t index;
		if (!wait_for_slot(stream, &index))
			return NULL;
		struct inflate_slot *slot = &stream->slots[index];
		bool ok = inflater_fill(&stream->inflater, slot, &err);
		more = ok && slot->piece.kind != INFLATE_END;
		lock(stream);
		if (ok) {
			stream->filled++;
		} else {
			stream->err = err;
			stream->failed = true;
		}
		(void)pthread_cond_broadcast(&stream->changed);
		unlock(stream);
	}
	return NULL;
}

static bool start_thread(struct inflate_stream *stream, struct err *err)
{
	stream->wake = eventfd(0, EFD_CLOEXEC);
	if (stream->wake < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "gzip: no event descriptor");
	stream->inflater.wake = stream->wake;
	int code = pthread_mutex_init(&stream->mutex, NULL);
	assert(code == 0);
	code = pthread_cond_init(&stream->changed, NULL);
	assert(code == 0);
	code = pthread_create(&stream->thread, NULL, fill_ahead, stream);
	if (code == 0) {
		stream->ahead = true;
		return true;
	}
	(void)pthread_cond_destroy(&stream->changed);
	(void)pthread_mutex_destroy(&stream->mutex);
	(void)close(stream->wake);
	return err_set_errno(err, ERR_LOCAL, code, "gzip: no thread");
}

bool inflate_stream_open(
	int descriptor, const struct inflate_options *options, struct inflate_stream **stream_out, struct err *err)
{
	size_t window_bytes = options->window_bytes > 0 ? options->window_bytes : INFLATE_WINDOW_BYTES_MAX;
	assert(window_bytes <= INFLATE_WINDOW_BYTES_MAX);
	struct inflate_stream *stream CLEANUP(inflate_stream_close) = memory_allocate(1, sizeof(*stream));
	stream->slot_count = options->ahead ? AHEAD_SLOTS : 1;
	for (size_t i = 0; i < stream->slot_count; i++)
		stream->slots[i].window = memory_allocate(window_bytes + INFLATER_SLACK_BYTES, 1);
	inflater_init(&stream->inflater, descriptor, window_bytes);
	/* A hint; a pipe has none of it. */
	(void)posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (options->ahead && !start_thread(stream, err))
		return false;
	*stream_out = stream;
	stream = NULL;
	return true;
}

/* The next slot that the thread filled, NULL when it failed instead. */
static const struct inflate_slot *take_slot(struct inflate_stream *stream)
{
	const struct inflate_slot *slot = NULL;
	lock(stream);
	if (stream->lent) {
		stream->lent = false;
		(void)pthread_cond_broadcast(&stream->changed);
	}
	while (stream->filled == 0 && !stream->failed)
		wait_for_change(stream);
	if (stream->filled > 0) {
		slot = &stream->slots[stream->take_at];
		stream->take_at = (stream->take_at + 1) % stream->slot_count;
		stream->filled--;
		stream->lent = true;
	}
	unlock(stream);
	return slot;
}

bool inflate_stream_next(struct inflate_stream *stream, struct inflate_piece *piece_out, struct err *err)
{
	const struct inflate_slot *slot = NULL;
	if (!stream->ended && stream->ahead) {
		slot = take_slot(stream);
	} else if (!stream->ended) {
		stream->failed = !inflater_fill(&stream->inflater, &stream->slots[0], &stream->err);
		slot = stream->failed ? NULL : &stream->slots[0];
	}
	if (slot) {
		stream->last = slot->piece;
		stream->is_gzip = slot->is_gzip;
		stream->ended = slot->piece.kind == INFLATE_END;
	} else if (!stream->ended || stream->last.kind != INFLATE_END) {
		stream->ended = true;
		*err = stream->err;
		return false;
	}
	*piece_out = stream->last;
	return true;
}

void inflate_stream_close(struct inflate_stream **stream)
{
	struct inflate_stream *closing = *stream;
	if (!closing)
		return;
	if (closing->ahead) {
		lock(closing);
		closing->stop = true;
		(void)pthread_cond_broadcast(&closing->changed);
		unlock(closing);
		(void)eventfd_write(closing->wake, 1);
		(void)pthread_join(closing->thread, NULL);
		(void)pthread_cond_destroy(&closing->changed);
		(void)pthread_mutex_destroy(&closing->mutex);
		(void)close(closing->wake);
	}
	for (size_t i = 0; i < closing->slot_count; i++)
		free(closing->slots[i].window);
	inflater_finish(&closing->inflater);
	free(closing);
	*stream = NULL;
}

bool inflate_stream_is_gzip(const struct inflate_stream *stream)
{
	return stream->is_gzip;
}
