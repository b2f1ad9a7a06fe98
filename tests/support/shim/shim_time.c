/* SPDX-License-Identifier: Apache-2.0 */
/* shim_time.c - a library of its own (liboctolake_shim_time.so) that moves a program's clocks while it
 * runs. OCTOLAKE_SHIM_CLOCK names a file of two int64: nanoseconds that the wall clock (CLOCK_REALTIME)
 * and the monotonic ones (MONOTONIC, BOOTTIME and their kin) are ahead of the machine's. Whoever writes
 * there moves them at once; a machine that slept moves the first alone, a stopped process both.
 *
 * Waits until an instant (pthread_cond_timedwait, pthread_cond_clockwait, clock_nanosleep) and poll's
 * end when the moved clock says so: they wait in short steps, and the first two then wake without
 * cause, which every caller expects. Not moved: what the kernel stamps on files, epoll, and waits
 * of the C library's own. Decision 0013 says why not libfaketime. */
#include "tests/support/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 20 };

#define SECOND_NS INT64_C(1000000000)

struct offsets {
	_Atomic(int64_t) wall_ns;
	_Atomic(int64_t) monotonic_ns;
};

static struct offsets none;
static struct offsets *offsets = &none;
static int (*real_clock_gettime)(clockid_t, struct timespec *);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("OCTOLAKE_SHIM_CLOCK");
	int descriptor = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (!path)
		return;
	void *mapped = mmap(NULL, sizeof(none), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (descriptor < 0 || mapped == MAP_FAILED) {
		(void)fprintf(stderr, "shim: %s: %s\n", path, strerror(errno));
		abort();
	}
	(void)close(descriptor);
	offsets = mapped;
}

static int64_t real_now_ns(clockid_t clock)
{
	struct timespec now;
	if (!real_clock_gettime)
		real_clock_gettime = shim_find_real("clock_gettime");
	(void)real_clock_gettime(clock, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

static int64_t offset_of(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return atomic_load(&offsets->wall_ns);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return atomic_load(&offsets->monotonic_ns);
	default:
		return 0; /* CPU time */
	}
}

static int64_t now_ns(clockid_t clock)
{
	return real_now_ns(clock) + offset_of(clock);
}

static struct timespec timespec_of(int64_t ns)
{
	int64_t seconds = ns / SECOND_NS - (ns % SECOND_NS < 0);
	return (struct timespec){seconds, ns - seconds * SECOND_NS};
}

static int64_t ns_of(const struct timespec *time)
{
	return time->tv_sec * SECOND_NS + time->tv_nsec;
}

/* ---- reading ---- */

SHIM_EXPORT int clock_gettime(clockid_t clock, struct timespec *now_out)
{
	if (!real_clock_gettime)
		real_clock_gettime = shim_find_real("clock_gettime");
	int result = real_clock_gettime(clock, now_out);
	if (result == 0 && offset_of(clock) != 0)
		*now_out = timespec_of(ns_of(now_out) + offset_of(clock));
	return result;
}

SHIM_EXPORT int gettimeofday(struct timeval *restrict now_out, void *restrict zone)
{
	(void)zone;
	struct timespec now = timespec_of(now_ns(CLOCK_REALTIME));
	*now_out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

SHIM_EXPORT time_t time(time_t *now_out)
{
	time_t now = timespec_of(now_ns(CLOCK_REALTIME)).tv_sec;
	if (now_out)
		*now_out = now;
	return now;
}

/* ---- waiting ---- */

SHIM_EXPORT int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t clock,
	const struct timespec *until)
{
	static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
	if (!real)
		real = shim_find_real("pthread_cond_clockwait");
	int64_t left_ns = ns_of(until) - now_ns(clock);
	int64_t step_ns = left_ns < STEP_MS * INT64_C(1000000) ? left_ns : STEP_MS * INT64_C(1000000);
	struct timespec step_end = timespec_of(real_now_ns(CLOCK_MONOTONIC) + step_ns);
	int result = real(condition, mutex, CLOCK_MONOTONIC, &step_end);
	return result == ETIMEDOUT && now_ns(clock) < ns_of(until) ? 0 : result;
}

/* glibc keeps the clock of a condition in its second bit. */
SHIM_EXPORT int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
	const struct timespec *restrict until)
{
	clockid_t clock = condition->__data.__wrefs & 2 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	return pthread_cond_clockwait(condition, mutex, clock, until);
}

SHIM_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
	struct timespec *left_out)
{
	static int (*real)(clockid_t, int, const struct timespec *, struct timespec *);
	if (!real)
		real = shim_find_real("clock_nanosleep");
	int64_t until_ns = ns_of(request) + (flags & TIMER_ABSTIME ? 0 : now_ns(clock));
	for (;;) {
		int64_t left_ns = until_ns - now_ns(clock);
		if (left_ns <= 0)
			return 0;
		struct timespec step = {0, STEP_MS * 1000000L};
		if (left_ns < STEP_MS * INT64_C(1000000))
			step = timespec_of(left_ns);
		int result = real(CLOCK_MONOTONIC, 0, &step, NULL);
		if (result != 0) {
			if (left_out)
				*left_out = timespec_of(until_ns - now_ns(clock));
			return result;
		}
	}
}

SHIM_EXPORT int poll(struct pollfd *descriptors, nfds_t count, int wait_ms)
{
	static int (*real)(struct pollfd *, nfds_t, int);
	if (!real)
		real = shim_find_real("poll");
	int64_t until_ns = now_ns(CLOCK_MONOTONIC) + wait_ms * INT64_C(1000000);
	while (wait_ms > STEP_MS) {
		int result = real(descriptors, count, STEP_MS);
		if (result != 0)
			return result;
		int64_t left_ms = (until_ns - now_ns(CLOCK_MONOTONIC)) / 1000000;
		wait_ms = left_ms > 0 ? (int)left_ms : 0;
	}
	return real(descriptors, count, wait_ms);
}
