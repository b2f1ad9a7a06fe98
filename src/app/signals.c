/* SPDX-License-Identifier: Apache-2.0 */
#include "app/signals.h"

#include "base/log.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { DRAIN_SECONDS_MAX = 10 };

/* Signals belong to the process, so does what was received. */
static _Atomic int received;

/* A signal that was ignored when we were started (nohup, a shell's background job) stays ignored:
 * taken by sigwait it would not be. */
static void fill_set(sigset_t *set)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	(void)sigemptyset(set);
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
		struct sigaction action;
		if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			(void)sigaddset(set, numbers[i]);
	}
}

/* The second signal, or 0 when none came in the time that a clean end may take. Other signals, such
 * as a child's end, interrupt the wait and do not shorten it. */
static int wait_for_second(const sigset_t *set)
{
	int64_t deadline_ms = clock_monotonic_ms(clock_system()) + DRAIN_SECONDS_MAX * 1000;
	for (;;) {
		int64_t left_ms = deadline_ms - clock_monotonic_ms(clock_system());
		if (left_ms <= 0)
			return 0;
		struct timespec limit = {left_ms / 1000, (long)(left_ms % 1000) * 1000000};
		int second = sigtimedwait(set, NULL, &limit);
		if (second > 0)
			return second;
	}
}

static void *wait_for_signals(void *context)
{
	struct stop_flag *stop = context;
	sigset_t set;
	fill_set(&set);
	int signal_number = 0;
	while (sigwait(&set, &signal_number) != 0)
		continue;
	atomic_store(&received, signal_number);
	log_note(LOG_INFO, "stopping: finishing what is under way; again to leave at once");
	stop_flag_set(stop);
	int second = wait_for_second(&set);
	if (second == 0)
		LOG_EVENT(LOG_WARNING, "not drained in time, leaving; the next start goes on from here",
			  log_int("seconds", DRAIN_SECONDS_MAX));
	_exit(second > 0 ? 130 : 1);
}

void signals_start(struct stop_flag *stop)
{
	sigset_t set;
	fill_set(&set);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	pthread_t thread;
	if (pthread_create(&thread, NULL, wait_for_signals, stop) != 0)
		abort();
	(void)pthread_detach(thread);
}

int signals_received(void)
{
	return atomic_load(&received);
}
