/* SPDX-License-Identifier: Apache-2.0 */
/* retention_ledger.c - retention of what is rows of the catalog: the poll ledger and the quarantine. */
#include "lake/retention.h"

#include "base/failpoint.h"
#include "lake/catalog_private.h"

#include <string.h>

enum { INTERVALS_BYTES_MAX = 256 * 1024 * 1024 };

/* ---- the poll ledger ---- */

static bool take_interval(struct sqlite_statement *statement, struct arena *arena, void *record, struct err *err)
{
	(void)arena;
	(void)err;
	struct retention_interval *interval = record;
	*interval = (struct retention_interval){
		.from_us = sqlite_column_integer(statement, 0),
		.to_us = sqlite_column_integer(statement, 1),
	};
	return true;
}

bool retention_list_covered(struct catalog *catalog, struct arena *arena,
			    const struct retention_interval **intervals_out, size_t *count_out, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, "SELECT from_us, to_us FROM covered ORDER BY from_us", &statement, err)
	    || !catalog_collect(statement, take_interval, sizeof(struct retention_interval), arena, &kept, count_out,
		    err))
		return false;
	*intervals_out = kept;
	return true;
}

#define OLD_SWEEPS                                                                                 \
	"SELECT id FROM sweep WHERE id <= ?1 AND finished_at_us < ?2 ORDER BY id LIMIT ?3"

/* Whole minutes, which is all that gold asks of them; so the intervals of a poller that looks once a
 * minute are joined too, and this table stays small. */
static bool list_intervals(struct catalog *catalog, const int64_t *bounds, struct arena *arena,
			   const struct retention_interval **intervals_out, size_t *count_out, struct err *err)
{
	static const char sql[] =
		"SELECT covered_from_us - covered_from_us % 60000000,"
		" covered_to_us - covered_to_us % 60000000 + 60000000 FROM sweep"
		" WHERE id IN (" OLD_SWEEPS ") AND covered_from_us > 0 AND covered_to_us >= covered_from_us"
		" UNION ALL SELECT from_us, to_us FROM covered ORDER BY 1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	const void *kept = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_integers(statement, 1, bounds, 3);
	if (!catalog_collect(statement, take_interval, sizeof(struct retention_interval), arena, &kept, count_out,
		    err))
		return false;
	*intervals_out = kept;
	return true;
}

static bool write_covered(struct catalog *catalog, const struct retention_interval *interval, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, "INSERT INTO covered (from_us, to_us) VALUES (?1, ?2)", &statement,
		    err))
		return false;
	sqlite_bind_integer(statement, 1, interval->from_us);
	sqlite_bind_integer(statement, 2, interval->to_us);
	return sqlite_execute(statement, err);
}

static bool keep_covered(struct catalog *catalog, const int64_t *bounds, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = INTERVALS_BYTES_MAX};
	const struct retention_interval *intervals;
	size_t count;
	if (!list_intervals(catalog, bounds, &arena, &intervals, &count, err)
	    || !sqlite_run(catalog->database, "DELETE FROM covered", err))
		return false;
	struct retention_interval joined = {0};
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && intervals[i].from_us <= joined.to_us) {
			if (intervals[i].to_us > joined.to_us)
				joined.to_us = intervals[i].to_us;
			continue;
		}
		if (i > 0 && !write_covered(catalog, &joined, err))
			return false;
		joined = intervals[i];
	}
	return count == 0 || write_covered(catalog, &joined, err);
}

/* Runs `sql` with three values; *count_out: rows changed. */
static bool change(struct catalog *catalog, const char *sql, const int64_t *values, int64_t *count_out,
		   struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_integers(statement, 1, values, 3);
	if (!sqlite_execute(statement, err))
		return false;
	*count_out = sqlite_changes(catalog->database);
	return true;
}

static bool count_rows(struct catalog *catalog, const char *sql, const int64_t *values, int64_t *count_out,
		       int64_t *bytes_out, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_integers(statement, 1, values, 3);
	if (!sqlite_step(statement, &row, err))
		return false;
	*count_out = row ? sqlite_column_integer(statement, 0) : 0;
	*bytes_out = row ? sqlite_column_integer(statement, 1) : 0;
	return true;
}

bool retention_remove_sweeps(struct catalog *catalog, int64_t before_us, int64_t id_max, size_t count_max,
			     bool dry_run, int64_t *count_out, struct err *err)
{
	FAILPOINT_SCOPE("retention");
	int64_t newest = 0;
	int64_t oldest_us = 0;
	int64_t count = 0;
	int64_t none = 0;
	/* The oldest one first: mostly it says that there is nothing to do, without a look at the others. */
	if (!catalog_ask(catalog, "SELECT max(id) FROM sweep", &newest, err)
	    || !catalog_ask(catalog, "SELECT finished_at_us FROM sweep ORDER BY id LIMIT 1", &oldest_us, err))
		return false;
	if (id_max > newest - RETENTION_SWEEPS_KEPT_MIN)
		id_max = newest - RETENTION_SWEEPS_KEPT_MIN;
	*count_out = 0;
	if (oldest_us >= before_us || id_max < 1)
		return true;
	const int64_t bounds[] = {id_max, before_us, (int64_t)count_max};
	if (dry_run)
		return count_rows(catalog, "SELECT count(*), 0 FROM (" OLD_SWEEPS ")", bounds, count_out, &none, err);
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = keep_covered(catalog, bounds, err)
		  && change(catalog, "DELETE FROM sweep WHERE id IN (" OLD_SWEEPS ")", bounds, &count, err)
		  && catalog_count_removed(catalog, RETENTION_SWEEPS, count, 0, 0, err);
	if (!catalog_end(catalog, ok, err))
		return err_wrap(err, "retention of the poll ledger");
	*count_out = count;
	return true;
}

/* ---- the quarantine ---- */

/* ?1: before; ?2: how many bytes too many; ?3: how many rows at most. The running sum is that of the
 * entries before the one at hand. */
#define OLD_ENTRIES                                                                                \
	"SELECT id, size_bytes FROM (SELECT id, at_us, size_bytes,"                                \
	" sum(size_bytes + 256) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - size_bytes - 256 AS before_bytes" \
	" FROM (SELECT id, at_us, size_bytes FROM quarantine ORDER BY id LIMIT ?3))"               \
	" WHERE at_us < ?1 OR before_bytes < ?2"

bool retention_remove_quarantined(struct catalog *catalog, int64_t before_us, int64_t bytes_max, size_t count_max,
				  bool dry_run, int64_t *count_out, struct err *err)
{
	static const char used[] = "SELECT quarantine_bytes + quarantine_entries * 256 FROM totals";
	_Static_assert(CATALOG_QUARANTINE_ENTRY_BYTES == 256, "as in the SQL above");
	FAILPOINT_SCOPE("retention");
	int64_t held_bytes = 0;
	int64_t oldest_us = 0;
	int64_t count = 0;
	int64_t bytes = 0;
	*count_out = 0;
	if (!catalog_ask(catalog, used, &held_bytes, err)
	    || !catalog_ask(catalog, "SELECT at_us FROM quarantine ORDER BY id LIMIT 1", &oldest_us, err))
		return false;
	int64_t over_bytes = held_bytes > bytes_max ? held_bytes - bytes_max : 0;
	if (held_bytes == 0 || (over_bytes == 0 && oldest_us >= before_us))
		return true;
	const int64_t bounds[] = {before_us, over_bytes, (int64_t)count_max};
	if (!count_rows(catalog, "SELECT count(*), sum(size_bytes) FROM (" OLD_ENTRIES ")", bounds, &count, &bytes,
		    err))
		return false;
	if (dry_run || count == 0) {
		*count_out = count;
		return true;
	}
	if (!catalog_begin(catalog, err))
		return false;
	bool ok = change(catalog, "DELETE FROM quarantine WHERE id IN (SELECT id FROM (" OLD_ENTRIES "))", bounds,
			  &count, err)
		  && catalog_count_removed(catalog, RETENTION_QUARANTINE, count, 0, bytes, err);
	if (!catalog_end(catalog, ok, err))
		return err_wrap(err, "retention of the quarantine");
	*count_out = count;
	return true;
}
