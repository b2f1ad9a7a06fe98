/* SPDX-License-Identifier: Apache-2.0 */
/* duck.c - databases, connections, transactions, and what DuckDB's errors mean to us.
 *
 * Statements with values are in duck_query.c, results in duck_result.c and duck_cell.c, rows from C
 * in duck_source.c. */
#include "base/memory.h"
#include "base/failpoint.h"
#include "wrap/duck_private.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_SETTING_BYTES_MAX = 16 * 1024, ROLLBACK_TRIES_MAX = 1000, BEGIN_TRIES_MAX = 3 };

static const char interrupted_text[] = "interrupted";

#define MEMORY_BYTES_DEFAULT (INT64_C(256) << 20)
#define TEMPORARY_BYTES_DEFAULT (INT64_C(4) << 30)

/* Errors of preparing and opening come as text alone; its first words are DuckDB's own. */
static duckdb_error_type error_type_of_text(const char *text)
{
	static const struct {
		const char *prefix;
		duckdb_error_type type;
	} prefixes[] = {
		{"INTERRUPT Error", DUCKDB_ERROR_INTERRUPT},
		{"Out of Memory Error", DUCKDB_ERROR_OUT_OF_MEMORY},
		{"TransactionContext Error", DUCKDB_ERROR_TRANSACTION},
		{"IO Error", DUCKDB_ERROR_IO},
		{"FATAL Error", DUCKDB_ERROR_FATAL},
		{"INTERNAL Error", DUCKDB_ERROR_INTERNAL},
	};
	for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++)
		if (span_starts_with(span_of(text), prefixes[i].prefix))
			return prefixes[i].type;
	return DUCKDB_ERROR_INVALID;
}

/* DuckDB gives the system's error as text only. */
static bool text_is_no_space(const char *text)
{
	return strstr(text, "No space left on device") || strstr(text, "Disk quota exceeded");
}

bool duck_fail_noted(struct duck_connection *connection, struct err *err)
{
	if (connection->in_transaction && connection->transaction_failure.kind == ERR_NONE)
		connection->transaction_failure = *err;
	return false;
}

bool duck_fail(struct duck_connection *connection, duckdb_error_type type, const char *text,
	       struct err *err)
{
	if (!text)
		text = "unknown error";
	if (type == DUCKDB_ERROR_INVALID)
		type = error_type_of_text(text);
	switch (type) {
	case DUCKDB_ERROR_INTERRUPT:
		err_set(err, ERR_RETRY, "%s", interrupted_text);
		break;
	case DUCKDB_ERROR_OUT_OF_MEMORY:
		/* The lines behind the first advise on settings that are not the reader's. */
		err_set(err, ERR_RETRY, "%.*s", (int)strcspn(text, "\n"), text);
		break;
	case DUCKDB_ERROR_TRANSACTION:
		/* A conflict goes away; a change inside of duck_begin_read_only never becomes right. */
		err_set(err, strstr(text, "read-only mode") ? ERR_INPUT : ERR_RETRY, "%s", text);
		break;
	case DUCKDB_ERROR_FATAL:
	case DUCKDB_ERROR_INTERNAL:
		atomic_store(&connection->database->broken, true);
		err_set(err, ERR_LOCAL, "fatal: %s", text);
		break;
	case DUCKDB_ERROR_IO:
		if (span_starts_with(span_of(text), "IO Error: Corrupt database file")) {
			atomic_store(&connection->database->broken, true);
			err_set(err, ERR_LOCAL, "fatal: %s", text);
			break;
		}
		err_set(err, ERR_LOCAL, "%s", text);
		break;
	default:
		err_set(err, ERR_INPUT, "%s", text);
		break;
	}
	err->no_space = text_is_no_space(text);
	return duck_fail_noted(connection, err);
}

/* What DuckDB says about a file that no later attempt will open either. */
static bool open_error_is_damage(const char *text)
{
	static const char *const signs[] = {
		"not a valid DuckDB database file", "Corrupt", "corrupt", "checksum",
		"Could not read enough bytes",      "WAL",     "version",
	};
	/* Texts of the system's errors, which name the file first, could hold a sign in its path. */
	if (span_starts_with(span_of(text), "IO Error: Cannot open file")
	    || span_starts_with(span_of(text), "IO Error: Could not set lock"))
		return false;
	duckdb_error_type type = error_type_of_text(text);
	if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL
	    || span_starts_with(span_of(text), "Serialization Error"))
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
		if (strstr(text, signs[i]))
			return true;
	return false;
}

static bool make_config(const struct duck_options *options, duckdb_config *config_out,
			struct err *err)
{
	char memory[32];
	char threads[16];
	char temporary[32];
	(void)snprintf(memory, sizeof(memory), "%" PRId64 "B",
		       options->memory_bytes_max ? options->memory_bytes_max : MEMORY_BYTES_DEFAULT);
	(void)snprintf(threads, sizeof(threads), "%d", options->threads ? options->threads : 1);
	(void)snprintf(temporary, sizeof(temporary), "%" PRId64 "B",
		       options->temporary_bytes_max ? options->temporary_bytes_max
						    : TEMPORARY_BYTES_DEFAULT);
	const char *const settings[][2] = {
		{"access_mode", options->read_only ? "READ_ONLY" : "AUTOMATIC"},
		{"memory_limit", memory},
		{"threads", threads},
		{"temp_directory", options->temporary_folder ? options->temporary_folder : ""},
		{"max_temp_directory_size", temporary},
		{"preserve_insertion_order", options->preserve_insertion_order ? "true" : "false"},
		/* Files are read once: their cache only grew, up to the limit (6 MiB in 60 loads). */
		{"enable_external_file_cache", "false"},
		{"autoinstall_known_extensions", "false"},
		{"autoload_known_extensions", "false"},
		{"allow_community_extensions", "false"},
		{"allow_unsigned_extensions", "false"},
		{"allow_persistent_secrets", "false"},
	};
	duckdb_config config = NULL;
	if (duckdb_create_config(&config) != DuckDBSuccess)
		return err_set(err, ERR_LOCAL, "no configuration for the database");
	for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
		if (duckdb_set_config(config, settings[i][0], settings[i][1]) == DuckDBSuccess)
			continue;
		duckdb_destroy_config(&config);
		return err_set(err, ERR_LOCAL, "the database refuses %s = '%s'", settings[i][0],
			       settings[i][1]);
	}
	*config_out = config;
	return true;
}

static bool attach(struct duck_connection *connection, const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SQL_SETTING_BYTES_MAX};
	buf_append_text(&sql, "ATTACH ");
	if (!duck_quote_text(&sql, span_of(path)))
		return err_set(err, ERR_INPUT, "the file's path is too long, or not UTF-8");
	/* Told its type, so that no sniffing asks for another engine's extension. */
	buf_append_text(&sql, " AS foreign_file (TYPE duckdb, READ_ONLY)");
	if (duck_run(connection, sql.data, err))
		return true;
	bool in_use = strstr(err->text, "Could not set lock") != NULL;
	err->kind = in_use ? ERR_LOCAL : ERR_INPUT;
	return false;
}

/* The order matters: folders cannot be allowed once access is off, nothing be set once locked. */
static bool lock_down(struct duck_connection *connection, const struct duck_options *options, struct err *err)
{
	CLEANUP(buf_finish) struct buf sql = {.size_max = SQL_SETTING_BYTES_MAX};
	if (options->partition_rows_max > 0)
		buf_printf(&sql, "SET GLOBAL partitioned_write_flush_threshold=%" PRId64 ";",
			   options->partition_rows_max);
	if (options->allowed_folder) {
		buf_append_text(&sql, "SET allowed_directories=[");
		if (!duck_quote_text(&sql, span_of(options->allowed_folder)))
			return err_set(err, ERR_LOCAL, "the folder's path is not UTF-8");
		buf_append_text(&sql, "];");
	}
	buf_append_text(&sql, "SET enable_external_access=false;"
			      "SET GLOBAL TimeZone='UTC';"
			      "SET lock_configuration=true");
	if (sql.failed)
		return err_set(err, ERR_LOCAL, "the folder's path is too long");
	if (!duck_run(connection, sql.data, err)) {
		err->kind = ERR_LOCAL;
		return err_wrap(err, "locking the configuration");
	}
	return true;
}

bool duck_open(const struct duck_options *options, struct duck_database **database_out,
	       struct err *err)
{
	duckdb_config config = NULL;
	if (!make_config(options, &config, err))
		return false;
	CLEANUP(duck_close) struct duck_database *database = memory_allocate(1, sizeof(*database));
	pthread_mutex_init(&database->sources_mutex, NULL);
	char *text = NULL;
	duckdb_state state = duckdb_open_ext(options->path, &database->handle, config, &text);
	duckdb_destroy_config(&config);
	if (state != DuckDBSuccess) {
		database->handle = NULL;
		bool no_space = text && text_is_no_space(text);
		enum err_kind kind = text && !no_space && open_error_is_damage(text) ? ERR_INPUT : ERR_LOCAL;
		err_set(err, kind, "opening %s: %s", options->path ? options->path : "in memory",
			text ? text : "unknown error");
		err->no_space = no_space;
		duckdb_free(text);
		return false;
	}
	/* Declared last, so it ends before the database does. */
	CLEANUP(duck_disconnect) struct duck_connection *connection = NULL;
	if (options->attached_path
	    && (!duck_connect(database, &connection, err) || !attach(connection, options->attached_path, err)))
		return false; /* its text names that file */
	if ((!connection && !duck_connect(database, &connection, err)) || !duck_source_register(connection, err)
	    || !lock_down(connection, options, err))
		return err_wrap(err, "opening %s", options->path ? options->path : "in memory");
	*database_out = database;
	database = NULL;
	return true;
}

void duck_close(struct duck_database **database)
{
	if (!*database)
		return;
	assert(atomic_load(&(*database)->connection_count) == 0);
	duckdb_close(&(*database)->handle);
	pthread_mutex_destroy(&(*database)->sources_mutex);
	free(*database);
	*database = NULL;
}

bool duck_err_is_memory(const struct err *err)
{
	return strstr(err->text, "Out of Memory Error") != NULL;
}

bool duck_database_is_broken(const struct duck_database *database)
{
	return atomic_load(&database->broken);
}

bool duck_connect(struct duck_database *database, struct duck_connection **connection_out,
		  struct err *err)
{
	duckdb_connection handle = NULL;
	if (duckdb_connect(database->handle, &handle) != DuckDBSuccess)
		return err_set(err, ERR_LOCAL, "no connection to the database");
	struct duck_connection *connection = memory_allocate(1, sizeof(*connection));
	connection->handle = handle;
	connection->database = database;
	atomic_fetch_add(&database->connection_count, 1);
	*connection_out = connection;
	return true;
}

void duck_disconnect(struct duck_connection **connection)
{
	if (!*connection)
		return;
	duckdb_disconnect(&(*connection)->handle);
	atomic_fetch_sub(&(*connection)->database->connection_count, 1);
	free(*connection);
	*connection = NULL;
}

void duck_interrupt(struct duck_connection *connection)
{
	duckdb_interrupt(connection->handle);
}

bool duck_run(struct duck_connection *connection, const char *sql, struct err *err)
{
	duckdb_result result = {0};
	bool ran = duckdb_query(connection->handle, sql, &result) == DuckDBSuccess;
	if (!ran)
		duck_fail(connection, duckdb_result_error_type(&result),
			  duckdb_result_error(&result), err);
	duckdb_destroy_result(&result);
	return ran;
}

/* An interrupt that is meant for a query, but comes while its transaction ends, makes ROLLBACK fail; the
 * connection would then be of no use for ever. Any other failure means that there is no transaction:
 * DuckDB has rolled back by itself, or is broken. */
static void end_transaction(struct duck_connection *connection)
{
	for (int tries = 0; tries < ROLLBACK_TRIES_MAX; tries++) {
		struct err err;
		if (duck_run(connection, "ROLLBACK", &err) || strcmp(err.text, interrupted_text) != 0)
			return;
	}
}

static bool begin(struct duck_connection *connection, const char *sql, struct err *err)
{
	assert(!connection->in_transaction);
	for (int tries = 0; !duck_run(connection, sql, err); tries++) {
		/* Each ROLLBACK of the one before may have met an interrupt, on a machine that is slow enough. */
		bool is_of_before = strstr(err->text, "please ROLLBACK") != NULL;
		end_transaction(connection);
		if (!is_of_before || tries == BEGIN_TRIES_MAX)
			return err_wrap(err, "begin");
	}
	connection->in_transaction = true;
	connection->transaction_failure = (struct err){0};
	return true;
}

bool duck_begin(struct duck_connection *connection, struct err *err)
{
	return begin(connection, "BEGIN", err);
}

bool duck_begin_read_only(struct duck_connection *connection, struct err *err)
{
	return begin(connection, "BEGIN TRANSACTION READ ONLY", err);
}

bool duck_commit(struct duck_connection *connection, struct err *err)
{
	assert(connection->in_transaction);
	if (connection->transaction_failure.kind == ERR_NONE) {
		if (FAILPOINT("commit", duck_run(connection, "COMMIT", err))) {
			connection->in_transaction = false;
			return true;
		}
		err_wrap(err, "commit");
	} else {
		*err = connection->transaction_failure;
		err_wrap(err, "rolled back, because a statement failed before");
	}
	duck_rollback(connection);
	return false;
}

void duck_rollback(struct duck_connection *connection)
{
	if (!connection->in_transaction)
		return;
	connection->in_transaction = false;
	end_transaction(connection);
}

bool duck_quote_text(struct buf *out, struct span text)
{
	if (!span_is_utf8(text) || (text.size > 0 && memchr(text.data, '\0', text.size)))
		return false;
	CLEANUP(buf_finish) struct buf quoted = {.size_max = out->size_max};
	buf_append_byte(&quoted, '\'');
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '\'')
			buf_append_byte(&quoted, '\'');
		buf_append_byte(&quoted, text.data[i]);
	}
	buf_append_byte(&quoted, '\'');
	if (quoted.failed)
		return false;
	buf_append_span(out, buf_span(&quoted));
	return !out->failed;
}

const char *duck_version(void)
{
	return duckdb_library_version();
}
