/* SPDX-License-Identifier: Apache-2.0 */
/* power_loss_check - replays a log of the shim into crash states and opens each.
 *
 *   power_loss_check states LOG SERVED FOLDER SEED COUNT   COUNT states, half in either model, built and
 *                                                          opened in FOLDER (best on tmpfs)
 *   power_loss_check states LOG SERVED FOLDER SEED COUNT FILE...
 *                                                          a log of imports: SERVED has the number of the
 *                                                          process that finished an event's file, from 1 on. In
 *                                                          each state OCTOLAKE_BIN imports the files again, in
 *                                                          half of them before anything else; then nothing
 *                                                          is missing
 *   power_loss_check replay LOG FOLDER                     what the program saw in the end, into FOLDER
 *   power_loss_check lake FOLDER SERVED                    one folder, which has to hold all of SERVED
 *
 * SERVED: lake_check.h. Each state is opened in a process of its own, ended after a minute. Prints each
 * violation, and how to see it again, and a last line of JSON. Leaves with 1 when there was any. */
#include "tests/power_loss/crash_state.h"
#include "tests/power_loss/lake_check.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 1 << 30, STATE_SECONDS_MAX = 60, VIOLATION = 1, BROKEN = 2 };

struct entry {
	struct shim_record record;
	const char *payload;
	size_t acknowledged; /* states, before this record */
	size_t processes;    /* that were started, with the one of this record */
};

struct log {
	struct buf text;
	struct entry *entries;
	size_t count;
	size_t processes;
};

static _Noreturn void fail(const struct err *err)
{
	(void)fprintf(stderr, "power_loss_check: %s\n", err->text);
	exit(BROKEN);
}

/* ---- the log ---- */

/* A request for page 1 with a tag that was not shown before acknowledges one more state. */
static void note_request(struct served *served, struct span head)
{
	static const char mark[] = "If-None-Match: ";
	const char *tag = memmem(head.data, head.size, mark, sizeof(mark) - 1);
	const char *line_end = memchr(head.data, '\r', head.size);
	bool later_page = line_end && memmem(head.data, (size_t)(line_end - head.data), "&page=", 6);
	if (!tag || later_page)
		return;
	tag += sizeof(mark) - 1;
	size_t size = strcspn(tag, "\r");
	char text[sizeof(served->tags[0])] = {0};
	memcpy(text, tag, size < sizeof(text) - 1 ? size : sizeof(text) - 1);
	for (size_t i = 0; i < served->tag_count; i++)
		if (strcmp(served->tags[i], text) == 0)
			return;
	served->tags = memory_resize(served->tags, (served->tag_count + 1) * sizeof(text));
	memcpy(served->tags[served->tag_count++], text, sizeof(text));
}

static void read_log(const char *path, struct log *log, struct served *served)
{
	struct err err = {0};
	log->text = (struct buf){.size_max = LOG_BYTES_MAX};
	if (!file_read(path, &log->text, &err))
		fail(&err);
	for (size_t at = 0; at + sizeof(struct shim_record) <= log->text.size;) {
		struct entry entry = {.acknowledged = served->tag_count};
		memcpy(&entry.record, log->text.data + at, sizeof(entry.record));
		entry.payload = log->text.data + at + sizeof(entry.record);
		at += sizeof(entry.record) + entry.record.payload_size;
		log->processes += entry.record.operation == SHIM_START;
		entry.processes = log->processes;
		if (entry.record.operation == SHIM_REQUEST)
			note_request(served, (struct span){entry.payload, entry.record.payload_size});
		if ((log->count & (log->count - 1)) == 0)
			log->entries = memory_resize(
				log->entries, (log->count ? 2 * log->count : 1) * sizeof(entry));
		log->entries[log->count++] = entry;
	}
}

/* ---- states ---- */

struct run {
	const struct log *log;
	const struct served *served;
	const char *folder;
	uint64_t seed;
	char **files; /* of an import, up to NULL; NULL: there was none */
	int64_t opened, violations, distinct;
	uint64_t *hashes;
};

static bool is_turning_point(const struct shim_record *record)
{
	return record->operation == SHIM_SYNC || record->operation == SHIM_RENAME
	       || record->operation == SHIM_UNLINK || record->operation == SHIM_REQUEST
	       || record->operation == SHIM_TRUNCATE;
}

/* Half of the states anywhere, half just before or behind what makes a difference. */
static size_t choose_point(const struct log *log, struct dice *dice)
{
	size_t point = (size_t)dice_roll(dice, log->count + 1);
	if (dice_roll(dice, 2) == 0)
		return point;
	while (point < log->count && !is_turning_point(&log->entries[point].record))
		point++;
	return point < log->count ? point + (size_t)dice_roll(dice, 2) : point;
}

static int compare_points(const void *a, const void *b)
{
	size_t left = *(const size_t *)a;
	size_t right = *(const size_t *)b;
	return (left > right) - (left < right);
}

/* By the program itself: what a person does after the power is back. */
static bool import_again(const struct run *run, struct err *err)
{
	enum { WORDS_MAX = 16 };
	char *words[WORDS_MAX + 1] = {getenv("OCTOLAKE_BIN"), "import", "--data", (char *)(uintptr_t)run->folder,
		"--types", "all", "--quiet", "--threads", "1"};
	size_t count = 9;
	for (char **file = run->files; *file && count < WORDS_MAX; file++)
		words[count++] = *file;
	(void)fflush(stdout);
	pid_t child = words[0] ? fork() : -1;
	if (child == 0) {
		/* Its table of counts would drown what is wrong. */
		if (freopen("/dev/null", "w", stdout))
			(void)execv(words[0], words);
		_exit(127);
	}
	int status = -1;
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return err_set(err, ERR_INPUT, "the import that was begun anew ended with %d", status);
	return true;
}

/* An import that is done again has everything, whether the stages ran before it or not. */
static bool check_import(const struct run *run, size_t acknowledged, bool at_once, struct err *err)
{
	struct served all = *run->served;
	all.complete = true;
	return (at_once || lake_check(run->folder, run->served, acknowledged, err)) && import_again(run, err)
	       && (lake_check(run->folder, &all, acknowledged, err) || err_wrap(err, "after the import"));
}

static _Noreturn void check_in_child(const struct run *run, size_t acknowledged, uint64_t number)
{
	struct err err = {0};
	(void)alarm(STATE_SECONDS_MAX);
	log_configure(LOG_ERROR, LOG_FORMAT_JSON);
	if (run->files ? check_import(run, acknowledged, number % 2 == 0, &err)
		       : lake_check(run->folder, run->served, acknowledged, &err))
		_exit(0);
	(void)printf("%s\n", err.text);
	(void)fflush(stdout);
	_exit(VIOLATION);
}

static void clear_folder(const char *folder)
{
	struct err err = {0};
	if (!file_remove_folder(folder, &err))
		fail(&err);
}

static void note_hash(struct run *run, uint64_t hash)
{
	for (int64_t i = 0; i < run->distinct; i++)
		if (run->hashes[i] == hash)
			return;
	run->hashes[run->distinct++] = hash;
}

/* A process that was followed by another had stored all that it was told to, or was killed: then its number is
 * nowhere in SERVED. */
static size_t acknowledged_at(const struct run *run, size_t point)
{
	const struct log *log = run->log;
	if (run->files)
		return point < log->count ? log->entries[point].processes : log->processes + 1;
	return point < log->count ? log->entries[point].acknowledged : run->served->tag_count;
}

static void check_state(struct run *run, const struct disk *disk, size_t point, uint64_t number)
{
	struct dice dice = {run->seed * UINT64_C(1000003) + number};
	size_t acknowledged = acknowledged_at(run, point);
	clear_folder(run->folder);
	note_hash(run, crash_state_build(disk, CRASH_CHOSEN, &dice, run->folder));
	(void)fflush(stdout);
	(void)fflush(stderr);
	pid_t child = fork();
	if (child == 0)
		check_in_child(run, acknowledged, number);
	int status = -1;
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(BROKEN);
	run->opened++;
	if (status == 0)
		return;
	run->violations++;
	(void)printf("VIOLATION: state %" PRIu64 " of seed %" PRIu64 ", %s model, before record %zu of %zu: %s %d\n",
		number, run->seed, disk->model == DISK_POSIX ? "posix" : "journal", point, run->log->count,
		WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void check_model(struct run *run, enum disk_model model, uint64_t number, size_t count)
{
	struct disk *disk = disk_create(model);
	struct dice dice = {run->seed + (uint64_t)model};
	size_t *points = memory_allocate(count, sizeof(*points));
	for (size_t i = 0; i < count; i++)
		points[i] = choose_point(run->log, &dice);
	qsort(points, count, sizeof(*points), compare_points);
	size_t applied = 0;
	const char *only = getenv("POWER_LOSS_ONLY");
	for (size_t i = 0; i < count; i++) {
		for (; applied < points[i]; applied++)
			disk_apply(disk, &run->log->entries[applied].record, run->log->entries[applied].payload);
		if (!only || strtoull(only, NULL, 10) == number + i)
			check_state(run, disk, points[i], number + i);
	}
	free(points);
}

static int run_states(char **arguments)
{
	struct served served;
	struct log log = {0};
	struct err err = {0};
	if (!served_read(arguments[1], &served, &err))
		fail(&err);
	read_log(arguments[0], &log, &served);
	size_t count = strtoull(arguments[4], NULL, 10);
	struct run run = {.log = &log, .served = &served, .folder = arguments[2],
		.seed = strtoull(arguments[3], NULL, 10),
		.files = arguments[5] ? arguments + 5 : NULL,
		.hashes = memory_allocate(count + 1, sizeof(*run.hashes))};
	int64_t started_ms = clock_monotonic_ms(clock_system());
	check_model(&run, DISK_POSIX, 0, count / 2);
	check_model(&run, DISK_JOURNAL, count / 2, count - count / 2);
	clear_folder(run.folder);
	(void)printf("{\"opened\":%" PRId64 ",\"distinct\":%" PRId64 ",\"violations\":%" PRId64
		     ",\"records\":%zu,\"acknowledged\":%zu,\"ms\":%" PRId64 "}\n",
		run.opened, run.distinct, run.violations, log.count, served.tag_count,
		clock_monotonic_ms(clock_system()) - started_ms);
	return run.violations > 0 ? VIOLATION : 0;
}

static int run_replay(char **arguments)
{
	struct served served = {0};
	struct log log = {0};
	struct dice dice = {0};
	read_log(arguments[0], &log, &served);
	struct disk *disk = disk_create(DISK_POSIX);
	for (size_t i = 0; i < log.count; i++)
		disk_apply(disk, &log.entries[i].record, log.entries[i].payload);
	(void)crash_state_build(disk, CRASH_ALL_KEPT, &dice, arguments[1]);
	return 0;
}

static int run_lake(char **arguments)
{
	struct served served;
	struct err err = {0};
	log_configure(LOG_ERROR, LOG_FORMAT_JSON);
	if (!served_read(arguments[1], &served, &err))
		fail(&err);
	served.complete = true;
	if (lake_check(arguments[0], &served, 0, &err))
		return 0;
	(void)printf("VIOLATION: %s\n", err.text);
	return VIOLATION;
}

int main(int argument_count, char **arguments)
{
	if (argument_count >= 7 && strcmp(arguments[1], "states") == 0)
		return run_states(arguments + 2);
	if (argument_count == 4 && strcmp(arguments[1], "replay") == 0)
		return run_replay(arguments + 2);
	if (argument_count == 4 && strcmp(arguments[1], "lake") == 0)
		return run_lake(arguments + 2);
	(void)fprintf(stderr, "usage: power_loss_check states|replay|lake ...; its first lines say what\n");
	return BROKEN;
}
