/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - opening, transactions, settings, and the little tools that the other files share. */
#include "base/memory.h"
#include "base/failpoint.h"
#include "lake/catalog_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char CATALOG_NAME[] = "catalog.sqlite";

static bool is_in_the_way(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* What lies under SQLite's names and is no file: its logs are moved out of the way, the catalog itself is
 * as good as damaged. */
static bool check_places(const char *path, bool read_only, struct err *err)
{
	static const char *const logs[] = {"-wal", "-shm"};
	if (is_in_the_way(path))
		return err_set(err, ERR_INPUT, "%s: not a file", path);
	for (size_t i = 0; i < ARRAY_COUNT(logs) && !read_only; i++) {
		struct file_path log;
		struct file_path aside;
		if (!file_path_make(&log, err, "%s%s", path, logs[i])
		    || (is_in_the_way(log.text) && !file_set_aside(log.text, &aside, err)))
			return false;
	}
	return true;
}

/* *restored_out: there was none at `path`, and its backup took its place. */
static bool open_at(struct catalog *catalog, const char *path, bool *restored_out, struct err *err)
{
	FAILPOINT_SCOPE("catalog.open");
	bool is_new = !file_exists(path);
	if (!check_places(path, catalog->read_only, err))
		return false;
	if (is_new && !catalog->read_only && !catalog_restore(&catalog->layout, path, restored_out, err))
		return err_wrap(err, "catalog");
	if (!FAILPOINT("open", sqlite_open(path, catalog->read_only, &catalog->database, err)))
		return err_wrap(err, "catalog");
	if (!catalog_prepare_schema(catalog->database, catalog->read_only, err))
		return err_wrap(err, "%s", path);
	/* SQLite fsyncs the file; that the folder names it is left to us. */
	return !is_new || file_sync_folder(catalog->layout.root.text, err) || err_wrap(err, "catalog");
}

bool catalog_open(const struct layout *layout, bool read_only, struct catalog **catalog_out,
		  struct err *err)
{
	struct catalog *catalog CLEANUP(catalog_close) = memory_allocate(1, sizeof(*catalog));
	struct file_path path;
	struct file_path aside;
	bool restored = false;
	catalog->layout = *layout;
	catalog->read_only = read_only;
	catalog->disk_batch = -1;
	if (!layout_absolute(layout, CATALOG_NAME, &path, err))
		return false;
	if (!open_at(catalog, path.text, &restored, err)) {
		/* A backup that is damaged too: without it, from the files alone. */
		if (!restored || err->kind != ERR_INPUT)
			return false;
		if (catalog->database)
			sqlite_close(&catalog->database);
		if (!catalog_set_backup_aside(layout, err) || !catalog_set_aside(layout, &aside, err)
		    || !open_at(catalog, path.text, &restored, err))
			return false;
	}
	catalog->restored = restored;
	*catalog_out = catalog;
	catalog = NULL;
	return true;
}

void catalog_close(struct catalog **catalog)
{
	FAILPOINT_SCOPE("catalog.close");
	if (!*catalog)
		return;
	FAILPOINT_DO("close", sqlite_close(&(*catalog)->database));
	free(*catalog);
	*catalog = NULL;
}

bool catalog_set_aside(const struct layout *layout, struct file_path *aside_out, struct err *err)
{
	FAILPOINT_SCOPE("catalog.aside");
	struct file_path path;
	struct file_path log;
	struct file_path shared;
	struct file_path aside;
	if (!layout_absolute(layout, CATALOG_NAME, &path, err)
	    || !file_path_make(&log, err, "%s-wal", path.text)
	    || !file_path_make(&shared, err, "%s-shm", path.text))
		return false;
	/* The log first: left behind alone, it would be taken for the new catalog's. */
	if (file_exists(log.text) && !file_set_aside(log.text, &aside, err))
		return false;
	if (is_in_the_way(shared.text) ? !file_set_aside(shared.text, &aside, err) : !file_remove(shared.text, err))
		return false;
	return file_set_aside(path.text, aside_out, err);
}

bool catalog_begin(struct catalog *catalog, struct err *err)
{
	assert(!catalog->read_only);
	return sqlite_begin(catalog->database, err);
}

bool catalog_end(struct catalog *catalog, bool ok, struct err *err)
{
	if (ok && sqlite_commit(catalog->database, err))
		return true;
	sqlite_rollback(catalog->database);
	return false;
}

void catalog_bind_integers(struct sqlite_statement *statement, int position, const int64_t *values,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		sqlite_bind_integer(statement, position + (int)i, values[i]);
}

void catalog_bind_text(struct sqlite_statement *statement, int position, const char *text)
{
	sqlite_bind_text(statement, position, span_of(text ? text : ""));
}

bool catalog_take_text(struct sqlite_statement *statement, int column, char *text, size_t size,
		       struct err *err)
{
	struct span s = sqlite_column_text(statement, column);
	if (s.size >= size)
		return err_set(err, ERR_INPUT, "catalog: a text of %zu bytes, at most %zu", s.size,
			size - 1);
	if (s.size > 0)
		memcpy(text, s.data, s.size);
	text[s.size] = '\0';
	return true;
}

bool catalog_take_name(struct sqlite_statement *statement, int column, const char *const *names,
		       size_t count, int *index_out, struct err *err)
{
	struct span name = sqlite_column_text(statement, column);
	for (size_t i = 0; i < count; i++) {
		if (!span_equal_text(name, names[i]))
			continue;
		*index_out = (int)i;
		return true;
	}
	return err_set(err, ERR_INPUT, "catalog: unknown word in column %d", column);
}

static bool collect(struct sqlite_statement *statement, catalog_take_record *take,
		    size_t record_size, struct arena *arena, struct buf *records, struct err *err)
{
	bool row = false;
	while (sqlite_step(statement, &row, err)) {
		if (!row)
			return true;
		void *record = buf_reserve(records, record_size);
		if (!record)
			return err_set(err, ERR_LOCAL, "catalog: more rows than fit into %zu bytes",
				arena->size_max);
		memset(record, 0, record_size);
		if (!take(statement, arena, record, err))
			return false;
		buf_commit(records, record_size);
	}
	return false;
}

bool catalog_take_number(struct sqlite_statement *statement, struct arena *arena, void *record, struct err *err)
{
	(void)arena;
	(void)err;
	*(int64_t *)record = sqlite_column_integer(statement, 0);
	return true;
}

bool catalog_collect(struct sqlite_statement *statement, catalog_take_record *take,
		     size_t record_size, struct arena *arena, const void **records_out,
		     size_t *count_out, struct err *err)
{
	struct buf records CLEANUP(buf_finish) = {.size_max = arena->size_max};
	if (!collect(statement, take, record_size, arena, &records, err))
		return false;
	size_t count = records.size / record_size;
	void *kept = arena_allocate(arena, count, record_size);
	if (!kept)
		return err_set(err, ERR_LOCAL, "catalog: more rows than fit into %zu bytes",
			arena->size_max);
	if (records.size > 0)
		memcpy(kept, records.data, records.size);
	*records_out = kept;
	*count_out = count;
	return true;
}

bool catalog_ask(struct catalog *catalog, const char *sql, int64_t *value_out, struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err)
	    || !sqlite_step(statement, &row, err))
		return false;
	*value_out = row ? sqlite_column_integer(statement, 0) : 0;
	return true;
}

bool catalog_read_setting(struct catalog *catalog, const char *key, int64_t missing,
			  int64_t *value_out, struct err *err)
{
	static const char sql[] = "SELECT value FROM setting WHERE key = ?1";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, key);
	if (!sqlite_step(statement, &row, err))
		return false;
	*value_out = row ? sqlite_column_integer(statement, 0) : missing;
	return true;
}

bool catalog_write_setting(struct catalog *catalog, const char *key, int64_t value, struct err *err)
{
	static const char sql[] = "INSERT INTO setting (key, value) VALUES (?1, ?2)"
				  " ON CONFLICT (key) DO UPDATE SET value = excluded.value";
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	assert(!catalog->read_only);
	if (!sqlite_prepare(catalog->database, sql, &statement, err))
		return false;
	catalog_bind_text(statement, 1, key);
	sqlite_bind_integer(statement, 2, value);
	return sqlite_execute(statement, err);
}
