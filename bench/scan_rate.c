/* SPDX-License-Identifier: Apache-2.0 */
/* scan_rate.c - how fast the scanner reads events, in each of its variants.
 *
 *   scan_rate [--passes N] [--variant portable|sse2|avx2]... FILE...   lines of JSON; "-" is stdin
 *   scan_rate --synthetic EVENTS …                                     the generator's, always the same
 *
 * Prints a line for each variant that this processor has: median and best MB/s over the passes. The bytes
 * are read before the clock starts. bench/scan-instructions runs it under callgrind, which
 * counts what happens inside scan_pass. */
#include "base/clock.h"
#include "base/file.h"
#include "fake_github/synthetic_event.h"
#include "lake/scan_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUT_BYTES_MAX = 1024 * 1024 * 1024, ARENA_BYTES_MAX = 64 * 1024 * 1024, PASS_COUNT_MAX = 1000 };

struct options {
	size_t pass_count;
	bool all_variants;
	bool wanted[SCAN_VARIANT_COUNT];
};

struct totals {
	size_t events;
	size_t refused;
	uint64_t digest; /* over what every event gave: the same in every variant */
};

/* Processor time, so that other work on the machine counts less. */
static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void add_to_digest(struct totals *totals, const struct event *event)
{
	totals->digest = totals->digest * 31 + (uint64_t)event->id + (uint64_t)event->number
			 + event->repo_name.size + event->actor_login.size + (uint64_t)event->created_at_us;
}

struct totals scan_pass(const struct scan_plan *plan, struct span text, struct arena *arena);

/* callgrind finds it by its name. */
__attribute__((noinline)) struct totals scan_pass(
	const struct scan_plan *plan, struct span text, struct arena *arena)
{
	struct totals totals = {0};
	struct span line;
	while (span_split(text, '\n', &line, &text)) {
		struct event event;
		struct scan_problem problem;
		arena_reset(arena);
		if (scan_event(plan, line, arena, &event, &problem))
			add_to_digest(&totals, &event);
		else
			totals.refused++;
		totals.events++;
	}
	return totals;
}

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;
	return (a > b) - (a < b);
}

static bool measure(enum scan_variant variant, size_t pass_count, struct span text, struct err *err)
{
	CLEANUP(field_set_destroy) struct field_set *fields = NULL;
	CLEANUP(scan_plan_destroy) struct scan_plan *plan = NULL;
	CLEANUP(arena_finish) struct arena arena = {0};
	double seconds[PASS_COUNT_MAX];
	struct totals totals = {0};
	if (!field_set_create_default(&fields, err))
		return false;
	plan = scan_plan_create(fields);
	arena_init(&arena, ARENA_BYTES_MAX);
	if (!scan_plan_set_variant(plan, variant)) {
		printf("%-8s not on this processor\n", scan_variant_name(variant));
		return true;
	}
	for (size_t i = 0; i < pass_count; i++) {
		double start = cpu_seconds();
		totals = scan_pass(plan, text, &arena);
		seconds[i] = cpu_seconds() - start;
	}
	qsort(seconds, pass_count, sizeof(seconds[0]), compare_doubles);
	double megabytes = (double)text.size / 1e6;
	printf("%-8s %7.0f MB/s, best %7.0f; %zu bytes, %zu events, %zu refused, digest %016llx\n",
		scan_variant_name(variant), megabytes / seconds[pass_count / 2], megabytes / seconds[0],
		text.size, totals.events, totals.refused, (unsigned long long)totals.digest);
	return true;
}

static void generate(size_t event_count, struct buf *out)
{
	struct world *world = world_create(&(struct world_shape){
		.seed = 1, .repositories = WORLD_REPOSITORIES, .people = WORLD_PEOPLE});
	struct world_random random = {7};
	struct event_sequences sequences = {12000000000, 6000000000};
	for (size_t i = 0; i < event_count; i++) {
		struct event_plan plan = event_plan_next(world, &sequences, &random,
			INT64_C(1790000000000000) + (int64_t)i * 20000);
		event_render(world, &plan, out);
		buf_append_byte(out, '\n');
	}
	world_destroy(&world);
}

static bool read_input(const char *name, struct buf *out, struct err *err)
{
	if (strcmp(name, "-") != 0)
		return file_read(name, out, err);
	char chunk[65536];
	size_t size;
	while ((size = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		buf_append(out, chunk, size);
	return true;
}

static bool want_variant(struct options *options, const char *name)
{
	for (size_t i = 0; i < SCAN_VARIANT_COUNT; i++)
		if (strcmp(name, scan_variant_name((enum scan_variant)i)) == 0)
			return options->wanted[i] = true;
	return false;
}

/* Reads the arguments; what they name is appended to `text`. */
static bool read_arguments(
	int argc, char **argv, struct options *options, struct buf *text, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		bool has_value = i + 1 < argc;
		if (has_value && strcmp(argv[i], "--passes") == 0) {
			options->pass_count = strtoul(argv[++i], NULL, 10);
		} else if (has_value && strcmp(argv[i], "--synthetic") == 0) {
			generate(strtoul(argv[++i], NULL, 10), text);
		} else if (has_value && strcmp(argv[i], "--variant") == 0) {
			options->all_variants = false;
			if (!want_variant(options, argv[++i]))
				return err_set(err, ERR_INPUT, "no variant %s", argv[i]);
		} else if (!read_input(argv[i], text, err)) {
			return false;
		}
	}
	bool usable = !text->failed && text->size > 0 && options->pass_count > 0
		      && options->pass_count <= PASS_COUNT_MAX;
	return usable || err_set(err, ERR_INPUT, "nothing to read, too much, or too many passes");
}

int main(int argc, char **argv)
{
	struct options options = {.pass_count = 5, .all_variants = true};
	CLEANUP(buf_finish) struct buf text = {0};
	struct err err = {0};
	buf_init(&text, INPUT_BYTES_MAX);
	bool ok = read_arguments(argc, argv, &options, &text, &err);
	for (size_t i = 0; ok && i < SCAN_VARIANT_COUNT; i++)
		if (options.all_variants || options.wanted[i])
			ok = measure((enum scan_variant)i, options.pass_count, buf_span(&text), &err);
	if (!ok)
		fprintf(stderr, "scan_rate: %s\n", err.text);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
