/* SPDX-License-Identifier: Apache-2.0 */
/* gold_reader.c - queries: each takes a place (a connection of the current instance), runs in a
 * read-only transaction, and gives the place back.
 *
 * One watchdog ends overdue queries. It interrupts only under the mutex while the place is marked
 * busy, so never the next query; and again and again, because the engine forgets an interrupt that
 * comes before the query has started. */
#include "gold/gold_private.h"

#include "base/counter.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
	INTERRUPT_AGAIN_MS = 20,
	REOPEN_WAIT_MS = 5000,
	REOPEN_COUNT_MAX = 3,
	READER_SQL_BYTES_MAX = 2 * 1024 * 1024,
	DESCRIBE_WAIT_MS = 10000,
};

static const char TIMEOUT_TEXT[] = "over its time limit";

bool gold_err_is_timeout(const struct err *err)
{
	return err->kind == ERR_RETRY && strstr(err->text, TIMEOUT_TEXT) != NULL;
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(clock_system());
}

/* False when `deadline_ms` passed. */
static bool wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline_ms)
{
	if (deadline_ms == INT64_MAX)
		return pthread_cond_wait(condition, mutex) == 0;
	const struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ms / 1000),
		.tv_nsec = (long)(deadline_ms % 1000) * 1000000,
	};
	return pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT;
}

/* ---- the watchdog ---- */

/* Ends what is overdue in one instance; returns when to look again. */
static int64_t watch_instance(struct gold_instance *instance, int64_t at_ms)
{
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < instance->reader_count; i++) {
		struct gold_reader *reader = &instance->readers[i];
		if (!reader->busy)
			continue;
		if (at_ms >= reader->deadline_ms)
			reader->timed_out = true;
		if (reader->timed_out || reader->stopped)
			duck_interrupt(reader->connection);
		int64_t look_ms = reader->timed_out || reader->stopped ? at_ms + INTERRUPT_AGAIN_MS
								       : reader->deadline_ms;
		if (look_ms < next_ms)
			next_ms = look_ms;
	}
	return next_ms;
}

static void *watch(void *context)
{
	struct gold *gold = context;
	(void)pthread_mutex_lock(&gold->mutex);
	while (gold->watchdog_runs) {
		int64_t at_ms = now_ms();
		int64_t next_ms = gold->current ? watch_instance(gold->current, at_ms) : INT64_MAX;
		for (struct gold_instance *instance = gold->retired; instance; instance = instance->next) {
			int64_t look_ms = watch_instance(instance, at_ms);
			if (look_ms < next_ms)
				next_ms = look_ms;
		}
		(void)wait_until(&gold->watch, &gold->mutex, next_ms);
	}
	(void)pthread_mutex_unlock(&gold->mutex);
	return NULL;
}

bool gold_reader_start(struct gold *gold, struct err *err)
{
	gold->watchdog_runs = true;
	int error_number = pthread_create(&gold->watchdog, NULL, watch, gold);
	if (error_number == 0)
		return true;
	gold->watchdog_runs = false;
	return err_set_errno(err, ERR_LOCAL, error_number, "starting a thread");
}

void gold_reader_drain(struct gold *gold, struct gold_instance *instance)
{
	while (instance->busy_count > 0) {
		for (size_t i = 0; i < instance->reader_count; i++) {
			instance->readers[i].stopped = true;
			if (instance->readers[i].busy)
				duck_interrupt(instance->readers[i].connection);
		}
		(void)wait_until(&gold->changed, &gold->mutex, now_ms() + INTERRUPT_AGAIN_MS);
	}
}

void gold_reader_stop(struct gold *gold)
{
	(void)pthread_mutex_lock(&gold->mutex);
	gold->closing = true;
	(void)pthread_cond_broadcast(&gold->changed);
	if (gold->current)
		gold_reader_drain(gold, gold->current);
	for (struct gold_instance *instance = gold->retired; instance; instance = instance->next)
		gold_reader_drain(gold, instance);
	while (gold->waiting_count > 0)
		(void)wait_until(&gold->changed, &gold->mutex, INT64_MAX);
	bool runs = gold->watchdog_runs;
	gold->watchdog_runs = false;
	(void)pthread_cond_broadcast(&gold->watch);
	(void)pthread_mutex_unlock(&gold->mutex);
	if (runs)
		(void)pthread_join(gold->watchdog, NULL);
}

void gold_interrupt(struct gold *gold)
{
	(void)pthread_mutex_lock(&gold->mutex);
	for (struct gold_instance *instance = gold->current ? gold->current : gold->retired; instance;
		instance = instance == gold->current ? gold->retired : instance->next)
		for (size_t i = 0; i < instance->reader_count; i++)
			instance->readers[i].stopped = instance->readers[i].busy;
	(void)pthread_cond_broadcast(&gold->watch);
	(void)pthread_mutex_unlock(&gold->mutex);
}

/* ---- places ---- */

struct place {
	struct gold_instance *instance;
	struct gold_reader *reader;
	bool heavy;
	int64_t deadline_ms;
	int64_t adoption;
	struct gold_stamp stamp;
};

static struct gold_reader *find_idle(struct gold_instance *instance)
{
	for (size_t i = 0; i < instance->reader_count; i++)
		if (!instance->readers[i].busy)
			return &instance->readers[i];
	return NULL;
}

/* The mutex is held. False with err when there will be no place; *reader_out NULL: not yet. */
static bool try_place(struct gold *gold, bool heavy, struct gold_reader **reader_out, struct err *err)
{
	*reader_out = NULL;
	if (gold->closing)
		return err_set(err, ERR_RETRY, "gold is closing");
	if (!gold->current && !gold->reopening)
		return err_set(err, ERR_RETRY, "gold is being rebuilt");
	if (gold->current && (!heavy || gold->heavy_count < gold->options.heavy_readers))
		*reader_out = find_idle(gold->current);
	return true;
}

static bool wait_place(struct gold *gold, struct place *place, struct err *err)
{
	struct gold_reader *reader;
	for (;;) {
		if (!try_place(gold, place->heavy, &reader, err))
			return false;
		if (reader)
			break;
		gold->waiting_count++;
		bool in_time = wait_until(&gold->changed, &gold->mutex, place->deadline_ms);
		gold->waiting_count--;
		if (gold->closing)
			(void)pthread_cond_broadcast(&gold->changed);
		if (!in_time)
			return err_set(err, ERR_RETRY, "no place for the query became free in time");
	}
	reader->busy = true;
	reader->timed_out = false;
	reader->stopped = false;
	reader->deadline_ms = place->deadline_ms;
	gold->current->busy_count++;
	gold->heavy_count += place->heavy;
	place->instance = gold->current;
	place->reader = reader;
	place->adoption = gold->adoptions;
	place->stamp = gold->stamp;
	return true;
}

static bool take_place(struct gold *gold, struct place *place, struct err *err)
{
	(void)pthread_mutex_lock(&gold->mutex);
	bool taken = wait_place(gold, place, err);
	if (taken)
		(void)pthread_cond_signal(&gold->watch);
	(void)pthread_mutex_unlock(&gold->mutex);
	return taken;
}

/* Gives the place back, and says what an error of the query means for its caller. True when it failed
 * only because the instance is broken. */
static bool give_place(struct gold *gold, struct place *place, int64_t wait_ms_max, bool ok, struct err *err)
{
	bool broken = duck_database_is_broken(place->instance->database);
	if (!ok)
		gold_note_damage(gold, place->instance, err);
	(void)pthread_mutex_lock(&gold->mutex);
	bool timed_out = place->reader->timed_out;
	bool stopped = place->reader->stopped;
	place->reader->busy = false;
	place->instance->busy_count--;
	gold->heavy_count -= place->heavy;
	(void)pthread_cond_broadcast(&gold->changed);
	(void)pthread_mutex_unlock(&gold->mutex);
	if (ok)
		return false;
	if (timed_out) {
		counter_add(COUNTER_QUERY_TIMEOUTS, 1);
		err_set(err, ERR_RETRY, "the query was %s of %" PRId64 " ms", TIMEOUT_TEXT, wait_ms_max);
	} else if (stopped) {
		err_set(err, ERR_RETRY, "interrupted");
	} else if (broken) {
		/* The loading thread opens it again in a moment. */
		err->kind = ERR_RETRY;
	}
	return broken && !timed_out;
}

/* ---- queries ---- */

/* As a subquery the text can be nothing but one SELECT, and no more rows are made than asked for. */
static void append_query(struct buf *sql, const char *text)
{
	buf_append_text(sql, "SELECT * FROM (\n");
	buf_append_text(sql, text);
	buf_append_text(sql, "\n)");
}

static bool run(const struct gold_query *query, struct duck_connection *connection, struct arena *arena,
		struct table *table_out, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = READER_SQL_BYTES_MAX};
	struct duck_result *result = NULL;
	append_query(&sql, query->sql);
	if (query->row_count_max < (size_t)INT64_MAX)
		buf_printf(&sql, " LIMIT %zu", query->row_count_max + 1);
	if (sql.failed)
		return err_set(err, ERR_INPUT, "SQL of more than %d bytes", READER_SQL_BYTES_MAX);
	if (!duck_begin_read_only(connection, err))
		return false;
	bool ok = duck_query(connection, sql.data, query->values, query->value_count, &result, err)
		  && duck_result_read(result, arena, query->row_count_max, table_out, err);
	duck_result_free(&result);
	duck_rollback(connection);
	return ok;
}

static int64_t deadline_after(int64_t wait_ms_max)
{
	return wait_ms_max > 0 ? now_ms() + wait_ms_max : INT64_MAX;
}

/* True once another instance than that of `place`, which broke, answers. */
static bool wait_reopened(struct gold *gold, const struct place *place)
{
	int64_t deadline_ms = now_ms() + REOPEN_WAIT_MS;
	if (place->deadline_ms < deadline_ms)
		deadline_ms = place->deadline_ms;
	(void)pthread_mutex_lock(&gold->mutex);
	bool in_time = true;
	gold->waiting_count++;
	while (in_time && !gold->closing && gold->adoptions == place->adoption)
		in_time = wait_until(&gold->changed, &gold->mutex, deadline_ms);
	gold->waiting_count--;
	bool reopened = gold->adoptions != place->adoption;
	if (gold->closing)
		(void)pthread_cond_broadcast(&gold->changed);
	(void)pthread_mutex_unlock(&gold->mutex);
	return reopened;
}

bool gold_run_query(struct gold *gold, const struct gold_query *query, struct arena *arena,
		    struct table *table_out, struct gold_stamp *stamp_out, struct err *err)
{
	struct place place = {.heavy = query->heavy, .deadline_ms = deadline_after(query->wait_ms_max)};
	for (int count = 1;; count++) {
		if (!take_place(gold, &place, err))
			return false;
		bool ok = run(query, place.reader->connection, arena, table_out, err);
		bool broken = give_place(gold, &place, query->wait_ms_max, ok, err);
		if (ok && stamp_out)
			*stamp_out = place.stamp;
		/* A full disk broke the instance under the query: the loading thread opens it again at once. */
		if (ok || !broken || count == REOPEN_COUNT_MAX || !wait_reopened(gold, &place))
			return ok;
	}
}

bool gold_describe(struct gold *gold, const char *sql, struct arena *arena, struct table *columns_out,
		   size_t *parameter_count_out, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = READER_SQL_BYTES_MAX};
	struct place place = {.deadline_ms = deadline_after(DESCRIBE_WAIT_MS)};
	append_query(&text, sql);
	if (text.failed)
		return err_set(err, ERR_INPUT, "SQL of more than %d bytes", READER_SQL_BYTES_MAX);
	if (!take_place(gold, &place, err))
		return false;
	bool ok = duck_describe(place.reader->connection, text.data, NULL, 0, arena, columns_out,
		parameter_count_out, err);
	(void)give_place(gold, &place, DESCRIBE_WAIT_MS, ok, err);
	return ok;
}
