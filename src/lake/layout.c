/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - makes and reads the names of layout.h. What reads accepts exactly what makes writes:
 * a name that could be written in a second way would hide a file from its owner. */
#include "lake/layout.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "lake/event.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_DIGITS = 12, DATE_BYTES = 10 };
static const int64_t BATCH_MAX = INT64_C(999999999999);

bool layout_init(struct layout *layout, const char *folder, struct err *err)
{
	FAILPOINT_SCOPE("lake");
	static const char *const below[] = {"bronze/archive", "silver/_live", "staging", "gold", "tmp"};
	if (!file_make_folder(folder, err))
		return false;
	char *absolute CLEANUP(memory_free_text) = realpath(folder, NULL);
	if (!absolute)
		return err_set_errno(err, ERR_LOCAL, errno, "data folder %s", folder);
	struct layout made;
	if (!file_path_make(&made.root, err, "%s", absolute))
		return err_wrap(err, "data folder");
	for (size_t i = 0; i < ARRAY_COUNT(below); i++) {
		struct file_path path;
		if (!layout_absolute(&made, below[i], &path, err)
		    || !file_make_folder(path.text, err))
			return err_wrap(err, "data folder");
	}
	*layout = made;
	return true;
}

bool layout_absolute(const struct layout *layout, const char *relative, struct file_path *path_out,
		     struct err *err)
{
	assert(relative[0] != '/');
	return file_path_make(path_out, err, "%s/%s", layout->root.text, relative);
}

static bool is_type(struct span type)
{
	return span_equal_text(type, "_other") || event_type_is_plain(type);
}

/* Types come from outside; batch numbers are ours. */
static bool check_type(struct span type, struct err *err)
{
	return is_type(type) || err_set(err, ERR_INPUT, "not the name of an event type");
}

static bool is_batch(int64_t batch)
{
	return batch >= 1 && batch <= BATCH_MAX;
}

bool layout_bronze(struct span type, int64_t date_us, int64_t batch, struct file_path *relative_out,
		   struct err *err)
{
	assert(is_batch(batch));
	return check_type(type, err)
	       && file_path_make(relative_out, err, "bronze/%.*s/date=%s/%012" PRId64 ".ndjson.zst",
		       SPAN_ARGUMENTS(type), time_render_date(date_us).text, batch);
}

bool layout_silver_live(int64_t batch, struct file_path *relative_out, struct err *err)
{
	assert(is_batch(batch));
	return file_path_make(relative_out, err, "silver/_live/%012" PRId64 ".parquet", batch);
}

bool layout_silver(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
		   struct file_path *relative_out, struct err *err)
{
	assert(is_batch(batch_first) && is_batch(batch_last) && batch_first <= batch_last);
	return check_type(type, err)
	       && file_path_make(relative_out, err,
		       "silver/type=%.*s/date=%s/%012" PRId64 "-%012" PRId64 ".parquet",
		       SPAN_ARGUMENTS(type), time_render_date(date_us).text, batch_first,
		       batch_last);
}

bool layout_archive(int64_t hour_us, int64_t batch, bool is_gzip, struct file_path *relative_out, struct err *err)
{
	static const int64_t hour_length_us = INT64_C(3600) * 1000000;
	const char *suffix = is_gzip ? ".gz" : "";
	assert(is_batch(batch));
	if (hour_us == INT64_MIN)
		return file_path_make(relative_out, err, "bronze/archive/file.%012" PRId64 ".json%s", batch, suffix);
	int64_t hour = (hour_us / hour_length_us) % 24;
	assert(hour_us >= 0);
	return file_path_make(relative_out, err, "bronze/archive/%s-%" PRId64 ".%012" PRId64 ".json%s",
		time_render_date(hour_us).text, hour, batch, suffix);
}

/* <first>-<mark><number>-<last>: those batches again, in fewer rows than before. */
static bool make_again(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last, char mark,
		       int64_t number, struct file_path *relative_out, struct err *err)
{
	assert(is_batch(batch_first) && is_batch(batch_last) && batch_first <= batch_last && number >= 1);
	return check_type(type, err)
	       && file_path_make(relative_out, err,
		       "silver/type=%.*s/date=%s/%012" PRId64 "-%c%" PRId64 "-%012" PRId64 ".parquet",
		       SPAN_ARGUMENTS(type), time_render_date(date_us).text, batch_first, mark, number, batch_last);
}

bool layout_silver_kept(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
			int64_t rebuild, struct file_path *relative_out, struct err *err)
{
	return make_again(type, date_us, batch_first, batch_last, 'r', rebuild, relative_out, err);
}

bool layout_silver_merged(struct span type, int64_t date_us, int64_t batch_first, int64_t batch_last,
			  int64_t merge, struct file_path *relative_out, struct err *err)
{
	return make_again(type, date_us, batch_first, batch_last, 'm', merge, relative_out, err);
}

bool layout_gold(int64_t generation, struct file_path *relative_out, struct err *err)
{
	assert(generation >= 1);
	return file_path_make(relative_out, err, "gold/gold-%" PRId64 ".duckdb", generation);
}

static struct span after(struct span s, size_t size)
{
	return (struct span){s.data + size, s.size - size};
}

static bool take_text(struct span *s, const char *text)
{
	if (!span_starts_with(*s, text))
		return false;
	*s = after(*s, strlen(text));
	return true;
}

static bool take_batch(struct span *s, int64_t *batch_out)
{
	int64_t batch;
	if (s->size < BATCH_DIGITS || s->data[0] == '-'
	    || !span_parse_int64((struct span){s->data, BATCH_DIGITS}, &batch) || !is_batch(batch))
		return false;
	*s = after(*s, BATCH_DIGITS);
	*batch_out = batch;
	return true;
}

static bool take_date(struct span *s, int64_t *date_us_out)
{
	char midnight[TIME_TEXT_BYTES];
	if (s->size < DATE_BYTES || s->data[4] != '-' || s->data[7] != '-')
		return false;
	(void)snprintf(midnight, sizeof(midnight), "%.10sT00:00:00Z", s->data);
	*s = after(*s, DATE_BYTES);
	return time_parse(span_of(midnight), date_us_out);
}

bool layout_parse_bronze(const char *relative, struct span *type_out, int64_t *date_us_out,
			 int64_t *batch_out)
{
	struct span rest = span_of(relative);
	struct span type;
	int64_t date_us;
	int64_t batch;
	if (!take_text(&rest, "bronze/") || !span_split(rest, '/', &type, &rest) || !is_type(type)
	    || !take_text(&rest, "date=") || !take_date(&rest, &date_us) || !take_text(&rest, "/")
	    || !take_batch(&rest, &batch) || !span_equal_text(rest, ".ndjson.zst"))
		return false;
	*type_out = type;
	*date_us_out = date_us;
	*batch_out = batch;
	return true;
}

/* "-7" to "-23", as layout_archive writes it. */
static bool take_hour(struct span *s, int64_t *hour_out)
{
	size_t digits = s->size > 2 && s->data[2] >= '0' && s->data[2] <= '9' ? 2 : 1;
	int64_t hour;
	if (!take_text(s, "-") || s->size < digits || !span_parse_int64((struct span){s->data, digits}, &hour)
	    || hour < 0 || hour > 23 || (digits == 2 && hour < 10))
		return false;
	*s = after(*s, digits);
	*hour_out = hour;
	return true;
}

bool layout_parse_archive(const char *relative, int64_t *hour_us_out, int64_t *batch_out)
{
	static const int64_t hour_length_us = INT64_C(3600) * 1000000;
	struct span rest = span_of(relative);
	int64_t hour_us = INT64_MIN;
	int64_t hour;
	int64_t batch;
	if (!take_text(&rest, "bronze/archive/"))
		return false;
	if (!take_text(&rest, "file")) {
		if (!take_date(&rest, &hour_us) || hour_us < 0 || !take_hour(&rest, &hour))
			return false;
		hour_us += hour * hour_length_us;
	}
	if (!take_text(&rest, ".") || !take_batch(&rest, &batch)
	    || (!span_equal_text(rest, ".json") && !span_equal_text(rest, ".json.gz")))
		return false;
	*hour_us_out = hour_us;
	*batch_out = batch;
	return true;
}

bool layout_parse_batch(const char *relative, int64_t *batch_out)
{
	struct span type;
	int64_t date_us;
	int64_t hour_us;
	if (layout_parse_bronze(relative, &type, &date_us, batch_out)
	    || layout_parse_archive(relative, &hour_us, batch_out))
		return true;
	struct span rest = span_of(relative);
	int64_t batch;
	if (!take_text(&rest, "silver/_live/") || !take_batch(&rest, &batch)
	    || !span_equal_text(rest, ".parquet"))
		return false;
	*batch_out = batch;
	return true;
}

/* "r3-" of layout_silver_kept, "m3-" of layout_silver_merged, or nothing. */
static bool take_rebuild(struct span *s)
{
	struct span number;
	struct span rest;
	int64_t rebuild;
	if (!take_text(s, "r") && !take_text(s, "m"))
		return true;
	if (!span_split(*s, '-', &number, &rest) || !span_parse_int64(number, &rebuild) || rebuild < 1
	    || number.data[0] == '0')
		return false;
	*s = rest;
	return true;
}

bool layout_is_silver(const char *relative)
{
	struct span rest = span_of(relative);
	struct span type;
	int64_t date_us;
	int64_t first;
	int64_t last;
	if (take_text(&rest, "silver/_live/"))
		return take_batch(&rest, &first) && span_equal_text(rest, ".parquet");
	return take_text(&rest, "silver/type=") && span_split(rest, '/', &type, &rest) && is_type(type)
	       && take_text(&rest, "date=") && take_date(&rest, &date_us) && take_text(&rest, "/")
	       && take_batch(&rest, &first) && take_text(&rest, "-") && take_rebuild(&rest)
	       && take_batch(&rest, &last) && span_equal_text(rest, ".parquet");
}

bool layout_parse_gold(const char *relative, int64_t *generation_out)
{
	struct span rest = span_of(relative);
	int64_t generation;
	if (!take_text(&rest, "gold/gold-") || !span_ends_with(rest, ".duckdb"))
		return false;
	rest.size -= strlen(".duckdb");
	if (!span_parse_int64(rest, &generation) || generation < 1 || rest.data[0] == '0')
		return false;
	*generation_out = generation;
	return true;
}
