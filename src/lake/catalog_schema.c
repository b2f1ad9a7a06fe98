/* SPDX-License-Identifier: Apache-2.0 */
/* catalog_schema.c - the catalog's tables and how older ones become them. docs/formats/catalog.md
 * explains each column.
 *
 * The sums of `batch` are constraints, so that a stage that lost an event cannot commit. `totals`
 * is kept by triggers: whoever changes a table, the totals follow in the same transaction. */
#include "lake/catalog_private.h"

#include <assert.h>
#include <inttypes.h>

enum { EXIT_CODE_NEWER_FORMAT = 4, APPLICATION_ID = 0x4f43544c /* "OCTL" */ };

static const char *const version_1[] = {
	"CREATE TABLE setting (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",

	"CREATE TABLE batch ("
	" seq INTEGER PRIMARY KEY CHECK (seq >= 1),"
	" state TEXT NOT NULL CHECK (state IN ('bronze', 'silver', 'gold')),"
	" source TEXT NOT NULL,"
	" received_at_us INTEGER NOT NULL,"
	" received INTEGER NOT NULL CHECK (received >= 0),"
	" duplicates INTEGER NOT NULL CHECK (duplicates >= 0),"
	" filtered INTEGER NOT NULL CHECK (filtered >= 0),"
	" quarantined INTEGER NOT NULL CHECK (quarantined >= 0),"
	" bronze_rows INTEGER NOT NULL CHECK (bronze_rows >= 0),"
	" silver_rows INTEGER NOT NULL DEFAULT 0 CHECK (silver_rows >= 0),"
	" silver_duplicates INTEGER NOT NULL DEFAULT 0 CHECK (silver_duplicates >= 0),"
	" silver_quarantined INTEGER NOT NULL DEFAULT 0 CHECK (silver_quarantined >= 0),"
	" gold_rows INTEGER NOT NULL DEFAULT 0 CHECK (gold_rows >= 0),"
	" gold_duplicates INTEGER NOT NULL DEFAULT 0 CHECK (gold_duplicates >= 0),"
	" gold_quarantined INTEGER NOT NULL DEFAULT 0 CHECK (gold_quarantined >= 0),"
	" CONSTRAINT ingest_adds_up"
	"  CHECK (received = bronze_rows + duplicates + filtered + quarantined),"
	" CONSTRAINT silver_adds_up CHECK (state = 'bronze'"
	"  OR bronze_rows = silver_rows + silver_duplicates + silver_quarantined),"
	" CONSTRAINT gold_adds_up CHECK (state <> 'gold'"
	"  OR silver_rows = gold_rows + gold_duplicates + gold_quarantined)) STRICT",
	"CREATE INDEX batch_by_state ON batch (state, seq)",

	"CREATE TABLE file ("
	" path TEXT PRIMARY KEY,"
	" layer TEXT NOT NULL CHECK (layer IN ('bronze', 'live', 'silver')),"
	" type TEXT NOT NULL,"
	" date_us INTEGER NOT NULL,"
	" batch_first INTEGER NOT NULL REFERENCES batch (seq),"
	" batch_last INTEGER NOT NULL REFERENCES batch (seq),"
	" rows INTEGER NOT NULL CHECK (rows >= 0),"
	" size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),"
	" created_at_us INTEGER NOT NULL,"
	" time_min_us INTEGER NOT NULL,"
	" time_max_us INTEGER NOT NULL,"
	" sha256 TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL,"
	" CHECK (batch_first <= batch_last),"
	" CHECK (layer = 'silver' OR batch_first = batch_last)) STRICT",
	"CREATE INDEX file_by_layer ON file (layer, batch_first)",

	"CREATE TABLE cursor ("
	" stream TEXT PRIMARY KEY,"
	" etag_1 TEXT NOT NULL,"
	" etag_2 TEXT NOT NULL,"
	" etag_3 TEXT NOT NULL,"
	" keys BLOB NOT NULL,"
	" newest_us INTEGER NOT NULL,"
	" covered_to_us INTEGER NOT NULL,"
	" poll_interval_s INTEGER NOT NULL) STRICT",

	"CREATE TABLE sweep ("
	" id INTEGER PRIMARY KEY,"
	" stream TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status IN ('ok', 'not-modified', 'limited', 'failed')),"
	" started_at_us INTEGER NOT NULL,"
	" finished_at_us INTEGER NOT NULL,"
	" requests INTEGER NOT NULL,"
	" pages INTEGER NOT NULL,"
	" received INTEGER NOT NULL,"
	" fresh INTEGER NOT NULL,"
	" overlap REAL,"
	" gap INTEGER NOT NULL CHECK (gap IN (0, 1)),"
	" gap_from_us INTEGER,"
	" gap_to_us INTEGER,"
	" covered_from_us INTEGER,"
	" covered_to_us INTEGER,"
	" quota_limit INTEGER,"
	" quota_remaining INTEGER,"
	" quota_reset_us INTEGER,"
	" poll_interval_s INTEGER,"
	" next_poll_us INTEGER,"
	" batch INTEGER REFERENCES batch (seq),"
	" error TEXT NOT NULL) STRICT",

	"CREATE TABLE quarantine ("
	" id INTEGER PRIMARY KEY,"
	" at_us INTEGER NOT NULL,"
	" batch INTEGER REFERENCES batch (seq),"
	" stage TEXT NOT NULL CHECK (stage IN ('ingest', 'silver', 'gold')),"
	" reason TEXT NOT NULL,"
	" detail TEXT NOT NULL,"
	" path TEXT NOT NULL,"
	" offset INTEGER NOT NULL,"
	" size_bytes INTEGER NOT NULL,"
	" raw BLOB NOT NULL) STRICT",
	"CREATE INDEX quarantine_by_batch ON quarantine (batch, stage)",

	"CREATE TABLE totals ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" batches INTEGER NOT NULL DEFAULT 0,"
	" batches_waiting_silver INTEGER NOT NULL DEFAULT 0,"
	" batches_waiting_gold INTEGER NOT NULL DEFAULT 0,"
	" received INTEGER NOT NULL DEFAULT 0,"
	" duplicates INTEGER NOT NULL DEFAULT 0,"
	" filtered INTEGER NOT NULL DEFAULT 0,"
	" quarantined INTEGER NOT NULL DEFAULT 0,"
	" bronze_rows INTEGER NOT NULL DEFAULT 0,"
	" silver_rows INTEGER NOT NULL DEFAULT 0,"
	" silver_duplicates INTEGER NOT NULL DEFAULT 0,"
	" silver_quarantined INTEGER NOT NULL DEFAULT 0,"
	" gold_rows INTEGER NOT NULL DEFAULT 0,"
	" gold_duplicates INTEGER NOT NULL DEFAULT 0,"
	" gold_quarantined INTEGER NOT NULL DEFAULT 0,"
	" bronze_files INTEGER NOT NULL DEFAULT 0,"
	" bronze_bytes INTEGER NOT NULL DEFAULT 0,"
	" silver_files INTEGER NOT NULL DEFAULT 0,"
	" silver_bytes INTEGER NOT NULL DEFAULT 0,"
	" live_files INTEGER NOT NULL DEFAULT 0,"
	" quarantine_entries INTEGER NOT NULL DEFAULT 0,"
	" quarantine_bytes INTEGER NOT NULL DEFAULT 0,"
	" sweeps INTEGER NOT NULL DEFAULT 0,"
	" gaps INTEGER NOT NULL DEFAULT 0,"
	" newest_event_us INTEGER NOT NULL DEFAULT 0,"
	" last_batch_at_us INTEGER NOT NULL DEFAULT 0) STRICT",
	"INSERT INTO totals (one) VALUES (1)",

	"CREATE TRIGGER batch_inserted AFTER INSERT ON batch BEGIN"
	" UPDATE totals SET batches = batches + 1,"
	"  batches_waiting_silver = batches_waiting_silver + (new.state = 'bronze'),"
	"  batches_waiting_gold = batches_waiting_gold + (new.state = 'silver'),"
	"  received = received + new.received,"
	"  duplicates = duplicates + new.duplicates,"
	"  filtered = filtered + new.filtered,"
	"  quarantined = quarantined + new.quarantined,"
	"  bronze_rows = bronze_rows + new.bronze_rows,"
	"  silver_rows = silver_rows + new.silver_rows,"
	"  silver_duplicates = silver_duplicates + new.silver_duplicates,"
	"  silver_quarantined = silver_quarantined + new.silver_quarantined,"
	"  gold_rows = gold_rows + new.gold_rows,"
	"  gold_duplicates = gold_duplicates + new.gold_duplicates,"
	"  gold_quarantined = gold_quarantined + new.gold_quarantined,"
	"  last_batch_at_us = max(last_batch_at_us, new.received_at_us);"
	" END",
	"CREATE TRIGGER batch_updated AFTER UPDATE ON batch BEGIN"
	" UPDATE totals SET"
	"  batches_waiting_silver = batches_waiting_silver"
	"   + (new.state = 'bronze') - (old.state = 'bronze'),"
	"  batches_waiting_gold = batches_waiting_gold"
	"   + (new.state = 'silver') - (old.state = 'silver'),"
	"  received = received + new.received - old.received,"
	"  duplicates = duplicates + new.duplicates - old.duplicates,"
	"  filtered = filtered + new.filtered - old.filtered,"
	"  quarantined = quarantined + new.quarantined - old.quarantined,"
	"  bronze_rows = bronze_rows + new.bronze_rows - old.bronze_rows,"
	"  silver_rows = silver_rows + new.silver_rows - old.silver_rows,"
	"  silver_duplicates = silver_duplicates + new.silver_duplicates - old.silver_duplicates,"
	"  silver_quarantined = silver_quarantined"
	"   + new.silver_quarantined - old.silver_quarantined,"
	"  gold_rows = gold_rows + new.gold_rows - old.gold_rows,"
	"  gold_duplicates = gold_duplicates + new.gold_duplicates - old.gold_duplicates,"
	"  gold_quarantined = gold_quarantined + new.gold_quarantined - old.gold_quarantined;"
	" END",
	"CREATE TRIGGER file_inserted AFTER INSERT ON file BEGIN"
	" UPDATE totals SET"
	"  bronze_files = bronze_files + (new.layer = 'bronze'),"
	"  bronze_bytes = bronze_bytes + iif(new.layer = 'bronze', new.size_bytes, 0),"
	"  silver_files = silver_files + (new.layer <> 'bronze'),"
	"  silver_bytes = silver_bytes + iif(new.layer <> 'bronze', new.size_bytes, 0),"
	"  live_files = live_files + (new.layer = 'live'),"
	"  newest_event_us = max(newest_event_us, new.time_max_us);"
	" END",
	"CREATE TRIGGER file_deleted AFTER DELETE ON file BEGIN"
	" UPDATE totals SET"
	"  bronze_files = bronze_files - (old.layer = 'bronze'),"
	"  bronze_bytes = bronze_bytes - iif(old.layer = 'bronze', old.size_bytes, 0),"
	"  silver_files = silver_files - (old.layer <> 'bronze'),"
	"  silver_bytes = silver_bytes - iif(old.layer <> 'bronze', old.size_bytes, 0),"
	"  live_files = live_files - (old.layer = 'live');"
	" END",
	"CREATE TRIGGER sweep_inserted AFTER INSERT ON sweep BEGIN"
	" UPDATE totals SET sweeps = sweeps + 1, gaps = gaps + new.gap;"
	" END",
	"CREATE TRIGGER quarantine_inserted AFTER INSERT ON quarantine BEGIN"
	" UPDATE totals SET quarantine_entries = quarantine_entries + 1,"
	"  quarantine_bytes = quarantine_bytes + new.size_bytes;"
	" END",
	"CREATE TRIGGER quarantine_deleted AFTER DELETE ON quarantine BEGIN"
	" UPDATE totals SET quarantine_entries = quarantine_entries - 1,"
	"  quarantine_bytes = quarantine_bytes - old.size_bytes;"
	" END",
	/* 1329812556 is APPLICATION_ID: "OCTL" for `file`. */
	"PRAGMA application_id = 1329812556",
	"PRAGMA user_version = 1",
	NULL,
};

/* Retention: what is no longer kept. Sums in `batch` and `totals` stay those of all that ever came. */
static const char *const version_2[] = {
	"CREATE TABLE removal (path TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
	"CREATE TABLE retention ("
	" layer TEXT PRIMARY KEY"
	"  CHECK (layer IN ('bronze', 'silver', 'gold', 'quarantine', 'sweeps')),"
	" kept_from_us INTEGER NOT NULL DEFAULT 0,"
	" rows INTEGER NOT NULL DEFAULT 0,"
	" files INTEGER NOT NULL DEFAULT 0,"
	" bytes INTEGER NOT NULL DEFAULT 0,"
	" at_us INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID",
	"INSERT INTO retention (layer)"
	" VALUES ('bronze'), ('silver'), ('gold'), ('quarantine'), ('sweeps')",
	"CREATE TABLE covered ("
	" from_us INTEGER PRIMARY KEY,"
	" to_us INTEGER NOT NULL CHECK (to_us > from_us)) STRICT",
	"CREATE INDEX file_by_time ON file (layer, time_max_us)",
	"PRAGMA user_version = 2",
	NULL,
};

/* Imported hours: which there are, where they came from, what is missing. */
static const char *const version_3[] = {
	"CREATE TABLE archive ("
	" name TEXT NOT NULL,"
	" origin TEXT NOT NULL,"
	" state TEXT NOT NULL CHECK (state IN ('stored', 'missing', 'unavailable', 'damaged')),"
	" batch INTEGER REFERENCES batch (seq),"
	" size_bytes INTEGER NOT NULL CHECK (size_bytes >= 0),"
	" sha256 TEXT NOT NULL,"
	" lines INTEGER NOT NULL CHECK (lines >= 0),"
	" bad_lines INTEGER NOT NULL CHECK (bad_lines >= 0),"
	" time_min_us INTEGER NOT NULL,"
	" time_max_us INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" at_us INTEGER NOT NULL,"
	" PRIMARY KEY (name, origin),"
	" CHECK ((state = 'stored') = (batch IS NOT NULL))) STRICT, WITHOUT ROWID",
	"CREATE INDEX archive_by_batch ON archive (batch)",
	"CREATE INDEX archive_by_content ON archive (sha256)",
	"PRAGMA user_version = 3",
	NULL,
};

/* The statements that lead from version N to N + 1. */
static const char *const *const steps[CATALOG_VERSION] = {version_1, version_2, version_3};

static bool ask_pragma(struct sqlite_database *database, const char *sql, int64_t *value_out,
		       struct err *err)
{
	struct sqlite_statement *statement CLEANUP(sqlite_finish) = NULL;
	bool row = false;
	if (!sqlite_prepare(database, sql, &statement, err) || !sqlite_step(statement, &row, err))
		return false;
	*value_out = row ? sqlite_column_integer(statement, 0) : 0;
	return true;
}

static bool read_version(struct sqlite_database *database, int64_t *version_out, struct err *err)
{
	int64_t version;
	int64_t application;
	int64_t tables;
	if (!ask_pragma(database, "PRAGMA user_version", &version, err)
	    || !ask_pragma(database, "PRAGMA application_id", &application, err)
	    || !ask_pragma(database, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	if (application != APPLICATION_ID && (version != 0 || tables != 0))
		return err_set(err, ERR_INPUT, "the catalog is a database of something else");
	if (version > CATALOG_VERSION) {
		(void)err_set(err, ERR_LOCAL,
			"catalog format %" PRId64 " is newer than this program's %d: use a newer octolake, or move"
			" catalog.sqlite* away, and all but the poll ledger is made again from the files",
			version, CATALOG_VERSION);
		err->exit_code = EXIT_CODE_NEWER_FORMAT;
		return false;
	}
	*version_out = version;
	return true;
}

/* Reads the version again: another thread may have been quicker. */
static bool upgrade(struct sqlite_database *database, struct err *err)
{
	int64_t version = 0;
	if (!read_version(database, &version, err))
		return false;
	for (; version < CATALOG_VERSION; version++)
		for (const char *const *sql = steps[version]; *sql; sql++)
			if (!sqlite_run(database, *sql, err))
				return false;
	return true;
}

bool catalog_prepare_schema(struct sqlite_database *database, bool read_only, struct err *err)
{
	int64_t version = 0;
	if (!read_version(database, &version, err))
		return false;
	if (version == CATALOG_VERSION)
		return true;
	if (read_only)
		return err_set(err, ERR_RETRY,
			"the catalog has format %" PRId64 ", not yet brought up to %d", version,
			CATALOG_VERSION);
	if (!sqlite_begin(database, err))
		return false;
	if (upgrade(database, err) && sqlite_commit(database, err))
		return true;
	sqlite_rollback(database);
	return false;
}
