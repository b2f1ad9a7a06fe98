/* SPDX-License-Identifier: Apache-2.0 */
/* gold_trial.c - a file that may crash the engine, opened in a child first.
 *
 * A process that died while it opened gold would die again at each start. So a file is opened in this
 * process only when it was closed by us and is as we left it (its time of change and its size are
 * settings of the catalog, cleared before it is opened), or when a child has opened it before. */
#include "gold/gold_private.h"

#include "base/child.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <inttypes.h>
#include <sys/stat.h>

enum { TRIAL_WAIT_MS_MAX = 120 * 1000, EXIT_CODE_DAMAGED = 4 };

#define CLOSED_TIME_SETTING "gold_closed_at_us"
#define CLOSED_BYTES_SETTING "gold_closed_bytes"

bool gold_try(const char *path, struct err *err)
{
	const struct duck_options engine = {.path = path, .read_only = true};
	CLEANUP(duck_close) struct duck_database *database = NULL;
	CLEANUP(duck_disconnect) struct duck_connection *connection = NULL;
	struct gold_meta meta;
	if (!duck_open(&engine, &database, err) || !duck_connect(database, &connection, err))
		return false;
	if (gold_schema_read_meta(connection, &meta, err)
	    && duck_run(connection,
		    "SELECT count(*), max(batch) FROM loaded_batches; SELECT max(created_at) FROM events", err))
		return true;
	if (duck_database_is_broken(database))
		err->kind = ERR_INPUT;
	return false;
}

static bool is_as_closed(const struct gold *gold, const char *path, bool *closed_out, struct err *err)
{
	struct catalog *catalog = gold->options.catalog;
	struct file_path log;
	int64_t time_us;
	int64_t size_bytes;
	if (!file_path_make(&log, err, "%s.wal", path)
	    || !catalog_read_setting(catalog, CLOSED_TIME_SETTING, 0, &time_us, err)
	    || !catalog_read_setting(catalog, CLOSED_BYTES_SETTING, 0, &size_bytes, err))
		return false;
	*closed_out = time_us != 0 && time_us == file_modified_us(path) && size_bytes == file_size(path)
		      && !file_exists(log.text);
	return time_us == 0 || catalog_write_setting(catalog, CLOSED_TIME_SETTING, 0, err);
}

static bool is_file(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISREG(status.st_mode);
}

bool gold_trial_run(const struct gold *gold, const char *path, bool *damaged_out, struct err *err)
{
	const char *const arguments[] = {gold->options.opener, "try-gold", path, NULL};
	struct child_end end;
	struct err run_err = {0};
	bool closed;
	*damaged_out = !is_file(path);
	if (*damaged_out)
		return true;
	if (!is_as_closed(gold, path, &closed, err))
		return false;
	if (closed || !gold->options.opener)
		return true;
	if (!child_run(arguments, TRIAL_WAIT_MS_MAX, &end, &run_err)) {
		/* No reason not to start: most files harm nobody. */
		log_err(LOG_WARNING, "gold is opened without a trial", &run_err);
		return true;
	}
	*damaged_out = end.timed_out || end.signal != 0 || end.exit_code == EXIT_CODE_DAMAGED;
	if (*damaged_out)
		LOG_EVENT(LOG_ERROR, "gold will not open", log_int("signal", end.signal),
			log_int("exit_code", end.exit_code), log_int("timed_out", end.timed_out));
	/* For any other reason the opening that follows fails too, and can say why. */
	return true;
}

void gold_trial_note_closed(const struct gold *gold, const char *path)
{
	struct err ignored; /* without it the next start tries the file in a child */
	struct catalog *catalog = gold->options.catalog;
	struct file_path log;
	if (!file_path_make(&log, &ignored, "%s.wal", path) || file_exists(log.text))
		return;
	(void)!(catalog_write_setting(catalog, CLOSED_BYTES_SETTING, file_size(path), &ignored)
		&& catalog_write_setting(catalog, CLOSED_TIME_SETTING, file_modified_us(path), &ignored));
}
