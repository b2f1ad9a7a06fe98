/* SPDX-License-Identifier: Apache-2.0 */
/* scan_fuzz.c - libFuzzer target: any bytes as an event and as a page. An event must mean the same
 * to the scanner and to a full parser, and to all variants of the scanner; every page is walked to its
 * end. */
#include "tests/fuzz/scan_oracle.c"
#include "tests/fuzz/scan_variants.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct oracle *oracle, struct span json)
{
	const char *difference = variants_differ(oracle->plan, json);
	if (!difference && oracle_agrees(oracle, json))
		return;
	fprintf(stderr, "%s\n%.*s\n", difference ? difference : oracle->complaint, (int)json.size, json.data);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct oracle
		oracle; /* for the life of the process: building a plan costs more than a scan */
	if (!oracle.plan)
		oracle_init(&oracle);
	struct span input = {(const char *)data, size};
	check(&oracle, input);
	struct scan_array array;
	struct span element = {0};
	struct scan_problem problem;
	bool ended = false;
	scan_array_init(&array, input);
	while (scan_array_next(&array, &element, &ended, &problem) && !ended)
		check(&oracle, element);
	return 0;
}
