/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_identity.c - whose catalog it is. A lake has a number, in the catalog and in the file LAKE_ID;
 * a catalog that was copied here from another lake would give numbers for events that are not here. */
#include "lake/catalog_private.h"

#include "base/clock.h"
#include "base/failpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LAKE_ID_SETTING "lake_id"
#define LAKE_ID_NAME "LAKE_ID"

enum { LAKE_ID_BYTES_MAX = 256 };

static void render(int64_t id, char text[LAKE_ID_BYTES_MAX])
{
	/* Twice, so that damage to the file is no other lake's number. */
	(void)snprintf(text, LAKE_ID_BYTES_MAX, "octolake lake %016" PRIx64 " %016" PRIx64 "\n", (uint64_t)id,
		       ~(uint64_t)id);
}

/* 0: there is none, or it is damaged. */
static bool read_file(const char *path, int64_t *id_out, struct err *err)
{
	struct buf text CLEANUP(buf_finish) = {.size_max = LAKE_ID_BYTES_MAX};
	struct err read_err = {0};
	char expected[LAKE_ID_BYTES_MAX];
	*id_out = 0;
	if (!file_read(path, &text, &read_err)) {
		if (read_err.kind == ERR_INPUT)
			return true;
		*err = read_err;
		return false;
	}
	const char *digits = strchr(text.data ? text.data : "", ' ');
	digits = digits ? strchr(digits + 1, ' ') : NULL;
	if (!digits)
		return true;
	int64_t id = (int64_t)strtoull(digits + 1, NULL, 16);
	render(id, expected);
	if (span_equal_text(buf_span(&text), expected))
		*id_out = id;
	return true;
}

/* Of a new lake when there is none. */
static bool take_id(struct catalog *catalog, int64_t *id, struct err *err)
{
	while (*id <= 0) {
		if (getrandom(id, sizeof(*id), 0) != (ssize_t)sizeof(*id))
			*id = clock_wall_us(clock_system());
		*id &= INT64_MAX;
	}
	return catalog_write_setting(catalog, LAKE_ID_SETTING, *id, err);
}

static bool write_file(const char *path, int64_t id, struct err *err)
{
	char text[LAKE_ID_BYTES_MAX];
	render(id, text);
	return file_write(path, span_of(text), err);
}

bool catalog_check_identity(struct catalog *catalog, struct err *err)
{
	FAILPOINT_SCOPE("recover.identity");
	struct file_path path;
	int64_t own;
	int64_t of_lake;
	if (!layout_absolute(&catalog->layout, LAKE_ID_NAME, &path, err)
	    || !catalog_read_setting(catalog, LAKE_ID_SETTING, 0, &own, err) || !read_file(path.text, &of_lake, err))
		return false;
	if (own != 0 && of_lake != 0 && own != of_lake)
		return err_set(err, ERR_INPUT, "the catalog is another lake's");
	if (own == 0) {
		own = of_lake;
		if (!take_id(catalog, &own, err))
			return false;
	}
	return of_lake != 0 || write_file(path.text, own, err);
}
