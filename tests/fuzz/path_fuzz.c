/* SPDX-License-Identifier: Apache-2.0 */
/* path_fuzz.c - libFuzzer target: paths as a catalog (which may be damaged, or somebody else's) and a
 * folder give them. What is accepted is exactly what this program would have written, lies below the
 * data folder, and comes from one name only. The first byte chooses: a path to be read, or an event
 * type, a date and a batch to be made into paths. */
#include "base/clock.h"
#include "lake/event.h"
#include "lake/layout.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_below(const char *path)
{
	assert(path[0] != '/' && !strstr(path, "..") && !strstr(path, "//"));
	for (const char *c = path; *c; c++)
		assert((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f && *c != '\'' && *c != '"' && *c != '\\');
}

static void check_read(const char *path)
{
	struct file_path made;
	struct err err = {0};
	struct span type;
	int64_t date_us;
	int64_t batch;
	int64_t generation;
	if (layout_parse_bronze(path, &type, &date_us, &batch)) {
		check_below(path);
		bool ok = layout_bronze(type, date_us, batch, &made, &err);
		assert(ok && strcmp(made.text, path) == 0);
		int64_t again;
		assert(layout_parse_batch(path, &again) && again == batch);
	} else if (layout_parse_batch(path, &batch)) {
		check_below(path);
		bool ok = layout_silver_live(batch, &made, &err);
		assert(ok && strcmp(made.text, path) == 0);
	}
	if (layout_parse_gold(path, &generation)) {
		check_below(path);
		bool ok = layout_gold(generation, &made, &err);
		assert(ok && strcmp(made.text, path) == 0);
	}
}

static void check_made(const uint8_t *data, size_t size)
{
	enum { BATCHES = 1000000 };
	uint64_t number = 0;
	struct file_path made;
	struct err err = {0};
	if (size < sizeof(number))
		return;
	memcpy(&number, data, sizeof(number));
	struct span type = span_make((const char *)data + sizeof(number), size - sizeof(number));
	int64_t batch = 1 + (int64_t)(number % BATCHES);
	int64_t day_us = INT64_C(86400) * 1000000;
	/* Years 1 to 9999. */
	int64_t date_us = ((int64_t)(number / BATCHES % 3651000) - 719162) * day_us;
	if (!layout_bronze(type, date_us, batch, &made, &err)) {
		assert(err.kind == ERR_INPUT);
		assert(!event_type_is_plain(type));
		return;
	}
	check_below(made.text);
	struct span type_read;
	int64_t date_read;
	int64_t batch_read;
	assert(layout_parse_bronze(made.text, &type_read, &date_read, &batch_read));
	assert(span_equal(type_read, type) && date_read == date_us && batch_read == batch);
	bool ok = layout_silver(type, date_us, batch, batch + 5, &made, &err);
	assert(ok);
	check_below(made.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > FILE_PATH_BYTES_MAX)
		return 0;
	if (data[0] % 2 == 1) {
		check_made(data + 1, size - 1);
		return 0;
	}
	char *path = malloc(size); /* of its exact size, so that a read beyond shows */
	assert(path);
	memcpy(path, data + 1, size - 1);
	path[size - 1] = '\0';
	check_read(path);
	free(path);
	return 0;
}
