/* SPDX-License-Identifier: Apache-2.0 */
#include "app/hours_work.h"

#include "base/log.h"
#include "base/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_LIST_BYTES_MAX = 256 * 1024 * 1024, LIST_STEP = 1000 };

struct hours_work {
	struct hours_work_options options;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t changed;
	size_t next;  /* source, and which of its mirrors */
	size_t visit;
	struct batch *queue; /* ring */
	size_t queue_first;
	size_t queue_count;
	int unanswered;   /* in a row */
	int64_t to_come;  /* sources that are not looked at yet, and batches that wait */
	int fetchers;     /* still at work */
	int builders;
	bool failed;
	struct err err;
	struct hours_totals totals;
	struct hours_problem *problems;
	size_t problem_count;

	pthread_t threads[HOURS_THREADS_MAX + HOURS_FETCHERS_MAX];
	size_t thread_count;
	int worker_next;
};

static void lock(struct hours_work *work)
{
	pthread_mutex_lock(&work->mutex);
}

static void unlock(struct hours_work *work)
{
	pthread_cond_broadcast(&work->changed);
	pthread_mutex_unlock(&work->mutex);
}

static bool is_ending(struct hours_work *work)
{
	return work->failed || stop_flag_is_set(work->options.stop);
}

/* The first failure counts; the others are told. */
static void fail(struct hours_work *work, const struct err *err)
{
	lock(work);
	if (err->kind == ERR_RETRY && stop_flag_is_set(work->options.stop)) {
		/* not a failure: it was asked for */
	} else if (!work->failed) {
		work->failed = true;
		work->err = *err;
	} else {
		LOG_EVENT(LOG_ERROR, "import failed", log_text("error", err->text));
	}
	unlock(work);
}

/* Locked. */
static void note_problem(struct hours_work *work, const char *name, const char *state, const char *reason)
{
	work->totals.problem_count++;
	if (work->problem_count == HOURS_PROBLEMS_MAX)
		return;
	struct hours_problem *problem = &work->problems[work->problem_count++];
	*problem = (struct hours_problem){.state = state};
	(void)snprintf(problem->name, sizeof(problem->name), "%s", name);
	(void)snprintf(problem->reason, sizeof(problem->reason), "%s", reason);
}

/* ---- fetching ---- */

/* How many times a source is looked at. */
static size_t visits_of(const struct hours_work *work, const struct archive_source *source)
{
	return source->kind == ARCHIVE_HOUR ? archive_mirrors_count(work->options.mirrors) : 1;
}

/* The next source and mirror. Locked; false when there is none. */
static bool claim_source(struct hours_work *work, const struct archive_source **source_out, size_t *mirror_out)
{
	while (work->next < work->options.source_count) {
		const struct archive_source *source = &work->options.sources[work->next];
		if (work->visit < visits_of(work, source)) {
			*source_out = source;
			*mirror_out = work->visit++;
			return true;
		}
		work->visit = 0;
		work->next++;
	}
	return false;
}

/* Locked. */
static void take_result(struct hours_work *work, const struct archive_intake_result *result)
{
	work->totals.looked_at++;
	if (result->is_new) {
		assert(work->queue_count < HOURS_QUEUE_MAX);
		work->queue[(work->queue_first + work->queue_count++) % HOURS_QUEUE_MAX] = result->batch;
		work->totals.fetched++;
		work->totals.fetched_bytes += result->size_bytes;
		work->unanswered = 0;
		return;
	}
	work->to_come--;
	work->unanswered = result->state == ARCHIVE_IS_UNAVAILABLE ? work->unanswered + 1 : 0;
	if (result->state == ARCHIVE_IS_STORED)
		work->totals.known++;
	if (result->state != ARCHIVE_IS_STORED)
		note_problem(work, result->name, archive_state_name(result->state), result->reason);
	else if (result->reason[0] != '\0') /* it is not better than when it came */
		note_problem(work, result->name, "damaged", result->reason);
}

/* Locked. */
static void pass_over(struct hours_work *work, const struct archive_source *source)
{
	work->totals.looked_at++;
	work->to_come--;
	note_problem(work, source->name, archive_state_name(ARCHIVE_IS_UNAVAILABLE),
		     "not asked for: those before it did not answer");
}

static bool has_room(const struct hours_work *work)
{
	size_t room = (size_t)work->options.threads * HOURS_GROUP_MAX * 2;
	return work->queue_count < (room < HOURS_QUEUE_MAX - HOURS_FETCHERS_MAX ? room
									       : HOURS_QUEUE_MAX - HOURS_FETCHERS_MAX);
}

/* Nothing of it was set aside: of what was, the quarantine has the first bytes, and bronze all of them. */
static bool is_sound(const struct archive *archive)
{
	return archive->reason[0] == '\0' && archive->bad_lines == 0;
}

/* An import that was ended between silver and this left bronze that was to go. */
static bool drop_known(const struct hours_work *work, struct catalog *catalog,
		       const struct archive_intake_result *result, struct err *err)
{
	struct archive archive;
	struct batch batch;
	bool found;
	if (!work->options.drop || result->is_new || result->state != ARCHIVE_IS_STORED)
		return true;
	if (!catalog_read_batch(catalog, result->seq, &batch, &found, err))
		return false;
	/* What waits is dropped by its builder. */
	if (!found || batch.state == BATCH_BRONZE)
		return true;
	if (!catalog_find_archive_batch(catalog, result->seq, &archive, &found, err))
		return false;
	return !found || !is_sound(&archive) || catalog_drop_archive(catalog, result->seq, err);
}

static bool fetch_all(struct hours_work *work, struct catalog *catalog, struct archive_intake *intake,
		      struct err *err)
{
	for (;;) {
		const struct archive_source *source;
		size_t mirror;
		struct archive_intake_result result;
		lock(work);
		while (!has_room(work) && !is_ending(work))
			(void)pthread_cond_wait(&work->changed, &work->mutex);
		bool any = !is_ending(work) && claim_source(work, &source, &mirror);
		while (any && work->unanswered >= HOURS_UNANSWERED_MAX
		       && (source->kind == ARCHIVE_HOUR || source->kind == ARCHIVE_URL)) {
			pass_over(work, source);
			any = claim_source(work, &source, &mirror);
		}
		unlock(work);
		if (!any)
			return true;
		if (!archive_intake_take(intake, source, mirror, &result, err)
		    || !drop_known(work, catalog, &result, err))
			return false;
		lock(work);
		take_result(work, &result);
		unlock(work);
	}
}

static void *fetcher(void *context)
{
	struct hours_work *work = context;
	struct catalog *catalog CLEANUP(catalog_close) = NULL;
	struct archive_intake *intake CLEANUP(archive_intake_destroy) = NULL;
	struct err err = {0};
	bool ok = catalog_open(&work->options.session->layout, false, &catalog, &err);
	const struct archive_intake_options options = {
		.layout = &work->options.session->layout,
		.catalog = catalog,
		.stop = work->options.stop,
		.mirrors = work->options.mirrors,
		.link = work->options.link || work->options.drop,
	};
	if (!ok || !archive_intake_create(&options, &intake, &err) || !fetch_all(work, catalog, intake, &err))
		fail(work, &err);
	lock(work);
	work->fetchers--;
	unlock(work);
	stop_flag_nudge(work->options.stop);
	return NULL;
}

/* ---- building ---- */

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Several hours for one statement; towards the end fewer, so that no builder is left without work. Waits for as
 * many as it wants while they are on their way. False at the end. */
static bool claim_group(struct hours_work *work, struct batch *group, size_t *count_out)
{
	lock(work);
	int64_t wanted;
	for (;;) {
		int64_t share = (work->to_come + work->options.threads - 1) / work->options.threads;
		wanted = smaller(share, HOURS_GROUP_MAX);
		if (is_ending(work) || (int64_t)work->queue_count >= wanted || work->fetchers == 0)
			break;
		(void)pthread_cond_wait(&work->changed, &work->mutex);
	}
	size_t count = (size_t)smaller(wanted, (int64_t)work->queue_count);
	if (is_ending(work))
		count = 0;
	for (size_t i = 0; i < count; i++)
		group[i] = work->queue[(work->queue_first + i) % HOURS_QUEUE_MAX];
	work->queue_first = (work->queue_first + count) % HOURS_QUEUE_MAX;
	work->queue_count -= count;
	work->to_come -= (int64_t)count;
	unlock(work);
	*count_out = count;
	return count > 0;
}

static void take_report(struct hours_work *work, const struct silver_report *report)
{
	lock(work);
	work->totals.built += report->batches;
	work->totals.built_bytes += report->bytes;
	work->totals.received += report->received;
	work->totals.filtered += report->filtered;
	work->totals.rows += report->rows;
	work->totals.duplicates += report->duplicates;
	work->totals.quarantined += report->quarantined;
	work->totals.files_written += report->files_written;
	unlock(work);
}

static int compare_seq(const void *left, const void *right)
{
	const struct batch *a = left;
	const struct batch *b = right;
	return (a->seq > b->seq) - (a->seq < b->seq);
}

/* Days on which the archive's own crawler failed have hours of one event (gharchive.org issues 175, 210). */
static bool is_thin(const struct archive *archive)
{
	int64_t hour_us;
	return archive_hour_parse(span_of(archive->name), &hour_us)
	       && span_starts_with(span_of(archive->origin), "http")
	       && archive->lines - archive->bad_lines < HOURS_EVENTS_MIN;
}

static void tell_problem(struct hours_work *work, const char *name, const char *state, const char *reason)
{
	lock(work);
	note_problem(work, name, state, reason);
	unlock(work);
}

/* Archives that were not whole are told by name; with `drop`, bronze of those that were goes. */
static bool settle_group(struct hours_work *work, struct catalog *catalog, const struct batch *group, size_t count,
			 struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct archive archive;
		bool found;
		if (!catalog_find_archive_batch(catalog, group[i].seq, &archive, &found, err))
			return false;
		if (found && archive.reason[0] != '\0') {
			tell_problem(work, archive.name, "damaged", archive.reason);
			continue;
		}
		if (found && is_thin(&archive))
			tell_problem(work, archive.name, "thin", "the archive has hardly any events of that hour");
		if (work->options.drop && (!found || is_sound(&archive))
		    && !catalog_drop_archive(catalog, group[i].seq, err))
			return false;
	}
	return true;
}

static bool build_all(struct hours_work *work, struct silver *silver, struct catalog *catalog, struct err *err)
{
	struct batch group[HOURS_GROUP_MAX];
	size_t count;
	while (claim_group(work, group, &count)) {
		struct silver_report report;
		qsort(group, count, sizeof(group[0]), compare_seq);
		if (!silver_build_archives(silver, group, count, &report, err)
		    || !settle_group(work, catalog, group, count, err))
			return false;
		take_report(work, &report);
	}
	return true;
}

static void *builder(void *context)
{
	struct hours_work *work = context;
	struct catalog *catalog CLEANUP(catalog_close) = NULL;
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct err err = {0};
	lock(work);
	int worker = ++work->worker_next;
	unlock(work);
	bool ok = catalog_open(&work->options.session->layout, false, &catalog, &err);
	const struct silver_options options = {
		.layout = &work->options.session->layout,
		.catalog = catalog,
		.fields = work->options.session->fields,
		.memory_bytes_max = work->options.memory_bytes_max,
		.worker = worker,
		.inflate_ahead = work->options.inflate_ahead,
	};
	if (!ok || !silver_open(&options, &silver, &err) || !build_all(work, silver, catalog, &err))
		fail(work, &err);
	lock(work);
	work->builders--;
	unlock(work);
	stop_flag_nudge(work->options.stop);
	return NULL;
}

/* ---- all of it ---- */

/* What an import before this one left behind. */
static bool queue_waiting(struct hours_work *work, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = WAITING_LIST_BYTES_MAX};
	int64_t after = 0;
	for (;;) {
		const struct batch *batches;
		size_t count;
		if (!catalog_list_batches(work->options.session->catalog, BATCH_BRONZE, after, LIST_STEP, &arena,
			    &batches, &count, err))
			return false;
		for (size_t i = 0; i < count; i++) {
			after = batches[i].seq;
			/* The rest is built one by one when the other stages run. */
			if (!batch_is_archive(&batches[i]) || work->queue_count == HOURS_QUEUE_MAX / 2)
				continue;
			work->queue[work->queue_count++] = batches[i];
			work->to_come++;
		}
		if (count < LIST_STEP)
			return true;
	}
}

static bool start_thread(struct hours_work *work, void *(*run)(void *), int *running, struct err *err)
{
	++*running;
	int failure = pthread_create(&work->threads[work->thread_count], NULL, run, work);
	if (failure != 0) {
		--*running;
		return err_set_errno(err, ERR_LOCAL, failure, "a thread");
	}
	work->thread_count++;
	return true;
}

static bool start_threads(struct hours_work *work, int fetchers, struct err *err)
{
	bool ok = true;
	lock(work);
	for (int i = 0; i < fetchers && ok; i++)
		ok = start_thread(work, fetcher, &work->fetchers, err);
	for (int i = 0; i < work->options.threads && ok; i++)
		ok = start_thread(work, builder, &work->builders, err);
	unlock(work);
	return ok;
}

bool hours_work_start(const struct hours_work_options *options, struct hours_work **work_out, struct err *err)
{
	struct hours_work *work CLEANUP(hours_work_destroy) = memory_allocate(1, sizeof(*work));
	bool is_remote = false;
	assert(options->threads >= 1 && options->threads <= HOURS_THREADS_MAX);
	work->options = *options;
	work->queue = memory_allocate(HOURS_QUEUE_MAX, sizeof(*work->queue));
	work->problems = memory_allocate(HOURS_PROBLEMS_MAX, sizeof(*work->problems));
	pthread_mutex_init(&work->mutex, NULL);
	pthread_cond_init(&work->changed, NULL);
	for (size_t i = 0; i < options->source_count; i++) {
		work->totals.sources += (int64_t)visits_of(work, &options->sources[i]);
		is_remote = is_remote || options->sources[i].kind == ARCHIVE_HOUR
			    || options->sources[i].kind == ARCHIVE_URL;
	}
	work->to_come = work->totals.sources;
	int fetchers = (int)smaller(is_remote ? HOURS_FETCHERS_MAX : 1, work->totals.sources);
	if (!queue_waiting(work, err))
		return false;
	/* One file keeps one builder busy: the other processors may inflate for it. */
	work->options.inflate_ahead = work->to_come == 1 && options->threads > 1;
	work->options.threads = (int)smaller(options->threads, work->to_come > 0 ? work->to_come : 1);
	if (!start_threads(work, fetchers, err))
		return false;
	*work_out = work;
	work = NULL;
	return true;
}

void hours_work_wait(struct hours_work *work, int64_t wait_ms, struct hours_totals *totals_out, bool *done_out)
{
	lock(work);
	bool waits = work->fetchers + work->builders > 0;
	unlock(work);
	if (waits)
		(void)stop_flag_wait(work->options.stop, wait_ms);
	lock(work);
	*done_out = work->fetchers + work->builders == 0;
	*totals_out = work->totals;
	unlock(work); /* wakes the others too, which look at the stop flag */
}

bool hours_work_result(struct hours_work *work, struct err *err)
{
	lock(work);
	bool failed = work->failed;
	if (failed)
		*err = work->err;
	unlock(work);
	return !failed;
}

static int compare_problem(const void *left, const void *right)
{
	const struct hours_problem *a = left;
	const struct hours_problem *b = right;
	return strcmp(a->name, b->name);
}

const struct hours_problem *hours_work_problems(struct hours_work *work, size_t *count_out)
{
	qsort(work->problems, work->problem_count, sizeof(*work->problems), compare_problem);
	*count_out = work->problem_count;
	return work->problems;
}

void hours_work_destroy(struct hours_work **work)
{
	struct hours_work *ended = *work;
	if (!ended)
		return;
	lock(ended);
	if (ended->fetchers + ended->builders > 0 && !ended->failed) {
		ended->failed = true;
		(void)err_set(&ended->err, ERR_RETRY, "stopped");
	}
	unlock(ended);
	for (size_t i = 0; i < ended->thread_count; i++)
		(void)pthread_join(ended->threads[i], NULL);
	pthread_cond_destroy(&ended->changed);
	pthread_mutex_destroy(&ended->mutex);
	free(ended->queue);
	free(ended->problems);
	free(ended);
	*work = NULL;
}
