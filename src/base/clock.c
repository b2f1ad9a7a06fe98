/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t system_wall_us(const struct clock *clock)
{
	(void)clock;
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_monotonic_ms(const struct clock *clock)
{
	(void)clock;
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct clock *clock_system(void)
{
	static const struct clock system = {system_wall_us, system_monotonic_ms, NULL};
	return &system;
}

int64_t clock_wall_us(const struct clock *clock)
{
	return clock->wall_us(clock);
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ms(clock);
}

void clock_sleep_ms(int64_t duration_ms)
{
	struct timespec left = {duration_ms / 1000, (long)(duration_ms % 1000) * 1000000};
	while (duration_ms > 0 && clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
}

void stop_flag_init(struct stop_flag *flag)
{
	*flag = (struct stop_flag){0};
	(void)pthread_mutex_init(&flag->mutex, NULL);
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&flag->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
}

void stop_flag_finish(struct stop_flag *flag)
{
	(void)pthread_cond_destroy(&flag->changed);
	(void)pthread_mutex_destroy(&flag->mutex);
}

void stop_flag_set(struct stop_flag *flag)
{
	(void)pthread_mutex_lock(&flag->mutex);
	flag->stopped = true;
	(void)pthread_cond_broadcast(&flag->changed);
	(void)pthread_mutex_unlock(&flag->mutex);
}

bool stop_flag_is_set(struct stop_flag *flag)
{
	(void)pthread_mutex_lock(&flag->mutex);
	bool stopped = flag->stopped;
	(void)pthread_mutex_unlock(&flag->mutex);
	return stopped;
}

void stop_flag_nudge(struct stop_flag *flag)
{
	(void)pthread_mutex_lock(&flag->mutex);
	flag->nudged = true;
	(void)pthread_cond_broadcast(&flag->changed);
	(void)pthread_mutex_unlock(&flag->mutex);
}

bool stop_flag_wait(struct stop_flag *flag, int64_t wait_ms)
{
	struct timespec deadline;
	(void)clock_gettime(CLOCK_MONOTONIC, &deadline);
	if (wait_ms < 0)
		wait_ms = 0;
	deadline.tv_sec += wait_ms / 1000;
	deadline.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	(void)pthread_mutex_lock(&flag->mutex);
	while (!flag->stopped && !flag->nudged)
		if (pthread_cond_timedwait(&flag->changed, &flag->mutex, &deadline) == ETIMEDOUT)
			break;
	flag->nudged = false;
	bool stopped = flag->stopped;
	(void)pthread_mutex_unlock(&flag->mutex);
	return stopped;
}
