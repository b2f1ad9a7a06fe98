/* SPDX-License-Identifier: Apache-2.0 */
/* shim_state.c - what the shim was told, what it watches, and the log. */
#include "tests/support/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 65536, LOG_DESCRIPTOR_MIN = 700, CHILD_DESCRIPTORS_FROM = 32768 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static size_t folder_size;
static int log_descriptor = -1;
static bool watched_descriptors[DESCRIPTORS_MAX];
static struct shim_fault fault = {.class = -1};
static uint64_t *counts;
static uint64_t kill_behind;
static uint64_t records;
static bool is_child;

void shim_lock(void)
{
	(void)pthread_mutex_lock(&mutex);
}

void shim_unlock(void)
{
	(void)pthread_mutex_unlock(&mutex);
}

static void open_log(const char *path)
{
	int (*real_open)(const char *, int, ...) = shim_find_real("open");
	int descriptor = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	/* Out of the way of those who reckon with low numbers. */
	log_descriptor = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, LOG_DESCRIPTOR_MIN);
	if (log_descriptor < 0) {
		(void)fprintf(stderr, "shim: %s: %s\n", path, strerror(errno));
		abort();
	}
	(void)close(descriptor);
	if (is_child)
		return;
	const struct shim_record start = {.operation = SHIM_START};
	shim_log(&start, NULL, NULL, 0);
}

/* A program that the watched one starts (gold's trial) writes into the same log, under numbers of its
 * own; the records to die behind are the first one's. */
static void find_owner(void)
{
	is_child = getenv("OCTOLAKE_SHIM_OWNED") != NULL;
	if (is_child)
		kill_behind = 0;
	else
		(void)setenv("OCTOLAKE_SHIM_OWNED", "1", 1);
}

__attribute__((constructor)) static void begin(void)
{
	const char *log = getenv("OCTOLAKE_SHIM_LOG");
	const char *kill_text = getenv("OCTOLAKE_SHIM_KILL");
	folder = getenv("OCTOLAKE_SHIM_FOLDER");
	if (!folder)
		return;
	folder_size = strlen(folder);
	fault = shim_parse_fault();
	counts = shim_map_counts();
	kill_behind = kill_text ? strtoull(kill_text, NULL, 10) : 0;
	find_owner();
	if (log)
		open_log(log);
}

bool shim_is_inside(const char *path, const char **relative_out)
{
	if (!folder || !path || strncmp(path, folder, folder_size) != 0
	    || (path[folder_size] != '/' && path[folder_size] != '\0'))
		return false;
	const char *relative = path + folder_size;
	while (*relative == '/')
		relative++;
	*relative_out = relative;
	return true;
}

bool shim_is_watched(int descriptor)
{
	return descriptor >= 0 && descriptor < DESCRIPTORS_MAX && watched_descriptors[descriptor];
}

void shim_watch(int descriptor, bool watched)
{
	if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX)
		watched_descriptors[descriptor] = watched;
}

int shim_count(enum shim_class class)
{
	uint64_t count = ++counts[class];
	bool due = fault.class == (int)class && (count == fault.nth || (fault.lasting && count > fault.nth));
	return due ? fault.error : 0;
}

bool shim_is_logging(void)
{
	return log_descriptor >= 0;
}

void shim_log(const struct shim_record *record, const void *payload, const void *more, size_t more_size)
{
	if (log_descriptor < 0)
		return;
	ssize_t (*real_writev)(int, const struct iovec *, int) = shim_find_real("writev");
	struct shim_record whole = *record;
	whole.payload_size += (uint32_t)more_size;
	if (is_child && whole.descriptor >= 0)
		whole.descriptor += CHILD_DESCRIPTORS_FROM;
	const struct iovec parts[] = {
		{&whole, sizeof(whole)}, {(void *)(uintptr_t)payload, record->payload_size},
		{(void *)(uintptr_t)more, more_size},
	};
	int error_number = errno;
	size_t size = sizeof(whole) + whole.payload_size;
	if (real_writev(log_descriptor, parts, 3) != (ssize_t)size) {
		(void)fprintf(stderr, "shim: the log cannot be written\n");
		abort();
	}
	if (++records == kill_behind)
		(void)kill(getpid(), SIGKILL);
	errno = error_number;
}

void shim_log_path(enum shim_operation operation, const char *path, int descriptor, uint32_t flags)
{
	const struct shim_record record = {.operation = operation, .flags = flags, .descriptor = descriptor,
		.payload_size = (uint32_t)strlen(path)};
	shim_log(&record, path, NULL, 0);
}
