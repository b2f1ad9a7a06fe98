/* SPDX-License-Identifier: Apache-2.0 */
/* The first system's folder, made by the test, into a lake: every element is counted once, whatever the
 * form of its file and the damage to it, and comes once however often it is imported. */
#include "tests/support/check.h"
#include "tests/support/lake.h"

#include "ingest/import.h"
#include "wrap/duck.h"

#include <stdlib.h>
#include <unistd.h>

struct fixture {
	struct test_lake lake;
	struct check_path folder;
	struct stop_flag stop;
	struct import_report report;
};

static int set_up(void **state)
{
	static struct fixture f;
	f = (struct fixture){.folder = temporary_folder_create()};
	test_lake_open(&f.lake, "WatchEvent: {fields: [id]}\nPullRequestEvent: {fields: [payload.pull_request.state]}\n");
	stop_flag_init(&f.stop);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	test_lake_close(&f->lake);
	temporary_folder_remove(&f->folder);
	stop_flag_finish(&f->stop);
	return 0;
}

static void put(struct fixture *f, const char *name, struct span content)
{
	struct err err = {0};
	OR_FAIL(file_write(path_below(&f->folder, name).text, content, &err));
}

static void put_text(struct fixture *f, const char *name, const char *content)
{
	put(f, name, span_of(content));
}

static const struct import_report *import(struct fixture *f)
{
	struct err err = {0};
	struct file_path folder;
	const struct import_options options = {
		.layout = &f->lake.layout,
		.catalog = f->lake.catalog,
		.fields = f->lake.fields,
		.clock = clock_system(),
		.stop = &f->stop,
	};
	OR_FAIL(import_find_folder(f->folder.text, &folder, &err));
	OR_FAIL(import_run(&options, &folder, &f->report, &err));
	return &f->report;
}

/* received, stored, duplicates, filtered, quarantined. */
static void assert_counts(const struct import_report *report, enum import_kind kind, const int64_t expected[5])
{
	const struct import_counts *counts = &report->kinds[kind];
	assert_int_equal(counts->received,
		counts->stored + counts->duplicates + counts->filtered + counts->quarantined);
	const int64_t actual[5] = {counts->received, counts->stored, counts->duplicates, counts->filtered,
		counts->quarantined};
	for (size_t i = 0; i < 5; i++)
		if (actual[i] != expected[i])
			fail_msg("%" PRId64 " received, %" PRId64 " stored, %" PRId64 " duplicates, %" PRId64
				 " filtered, %" PRId64 " quarantined",
				actual[0], actual[1], actual[2], actual[3], actual[4]);
}

#define COUNTS(...) ((const int64_t[5]){__VA_ARGS__})

static int64_t bronze_lines(struct fixture *f)
{
	struct err err = {0};
	struct catalog_totals totals;
	OR_FAIL(catalog_read_totals(f->lake.catalog, &totals, &err));
	return totals.bronze_rows;
}

#define WATCH(id) "{\"id\":\"" #id "\",\"type\":\"WatchEvent\",\"created_at\":\"2024-05-01T10:00:00Z\"," \
		  "\"repo\":{\"id\":7,\"name\":\"o/r\"}}"
#define PUSH(id) "{\"id\":\"" #id "\",\"type\":\"PushEvent\",\"created_at\":\"2024-05-01T10:00:00Z\"}"

static void every_form_of_json_is_read(void **state)
{
	static const struct {
		const char *content;
		int64_t counts[5];
		int64_t damage;
	} cases[] = {
		{"[" WATCH(1) "," WATCH(2) "," WATCH(1) "]", {3, 2, 1, 0, 0}, 0},
		{"\xef\xbb\xbf [\n" WATCH(1) " ,\n" PUSH(2) "\n]\n", {2, 1, 0, 1, 0}, 0},
		{"[]", {0, 0, 0, 0, 0}, 0},
		{"", {0, 0, 0, 0, 0}, 0},
		{" \n", {0, 0, 0, 0, 0}, 0},
		{WATCH(1), {1, 1, 0, 0, 0}, 0},
		{WATCH(1) "\n" WATCH(2) "\r\n\n" WATCH(3), {3, 3, 0, 0, 0}, 0},
		/* A broken line ends with itself. */
		{WATCH(1) "\n{\"id\":\"2\n[nonsense\n" WATCH(3) "\n", {4, 2, 0, 0, 2}, 0},
		{"{\n\"id\":1,\n\"type\":\"WatchEvent\",\"created_at\":\"2024-05-01T10:00:00Z\"}\n" WATCH(2), {2, 2, 0, 0, 0}, 0},
		{WATCH(1) " " WATCH(2) WATCH(3), {3, 3, 0, 0, 0}, 0},
		{"[[" WATCH(1) "," WATCH(2) "],[" WATCH(3) "]]", {3, 3, 0, 0, 0}, 0},
		{"[" WATCH(1) "][" WATCH(2) "]", {2, 2, 0, 0, 0}, 0},
		/* One broken element does not take the others with it. */
		{"[" WATCH(1) ",{\"id\":\"x\"},{\"a\":tru}," WATCH(2) ",7,\"s\",null]", {7, 2, 0, 0, 5}, 0},
		{"[" WATCH(1) " " WATCH(2) ",,]", {2, 2, 0, 0, 0}, 0},
		{"[" WATCH(1) ":" WATCH(2) "}]", {4, 2, 0, 0, 2}, 0},
		{"[" WATCH(1) "] behind", {2, 1, 0, 0, 1}, 0},
		/* Cut anywhere. */
		{"[" WATCH(1) "," WATCH(2), {2, 2, 0, 0, 0}, 1},
		{"[" WATCH(1) ",{\"id\":\"2\"", {2, 1, 0, 0, 1}, 1},
		{"[" WATCH(1) ",", {1, 1, 0, 0, 0}, 1},
		{"{\"id\":\"2\"", {1, 0, 0, 0, 1}, 1},
		{"{\"message\":\"API rate limit exceeded\"}", {1, 0, 0, 0, 1}, 0},
		{"<html>", {0, 0, 0, 0, 0}, 1},
		{"\0\0\0", {0, 0, 0, 0, 0}, 0}, /* as a text: empty */
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		print_message("case %zu\n", i);
		(void)tear_down(state);
		(void)set_up(state);
		put_text(f, "bronze/PullRequestEvent/page.json", cases[i].content);
		assert_counts(import(f), IMPORT_JSON, cases[i].counts);
		assert_int_equal(f->report.damage_count, cases[i].damage);
		assert_int_equal(bronze_lines(f), cases[i].counts[1]);
		/* Again: nothing is new, and nothing is set aside twice. */
		const int64_t *counts = cases[i].counts;
		assert_counts(import(f), IMPORT_JSON,
			COUNTS(counts[0], 0, counts[0] - counts[3], counts[3], 0));
		assert_int_equal(bronze_lines(f), counts[1]);
	}
}

static void bytes_that_are_no_text_are_no_events(void **state)
{
	struct fixture *f = *state;
	static const char zeros[4096];
	put(f, "data/bronze/zeros.json", span_make(zeros, sizeof(zeros)));
	put(f, "data/bronze/array.json", (struct span)SPAN_LITERAL("[\0\0," WATCH(1) ",\xff]"));
	assert_counts(import(f), IMPORT_JSON, COUNTS(3, 1, 0, 0, 2));
	assert_int_equal(f->report.damage_count, 1);
}

/* Larger than an event may be: counted, its start kept, and what follows it read. */
static void a_huge_element_is_set_aside(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	CLEANUP(buf_finish) struct buf text = {.size_max = (size_t)40 * 1024 * 1024};
	CLEANUP(arena_finish) struct arena arena = {.size_max = 1024 * 1024};
	const struct quarantine_entry *entries;
	size_t count;
	buf_append_text(&text, "[" WATCH(1) ",{\"id\":\"2\",\"x\":\"");
	for (size_t i = 0; i < (size_t)20 * 1024 * 1024 / 16; i++)
		buf_append_text(&text, "0123456789]\\\"},[");
	buf_append_text(&text, "\"}," WATCH(3) "]");
	put(f, "bronze/huge.json", buf_span(&text));
	assert_counts(import(f), IMPORT_JSON, COUNTS(3, 2, 0, 0, 1));
	OR_FAIL(catalog_list_quarantine(f->lake.catalog, 10, &arena, &entries, &count, &err));
	assert_int_equal(count, 1);
	assert_true(span_equal_text(entries[0].reason, "too-large"));
	assert_true(span_equal_text(entries[0].path, "gh-events/bronze/huge.json"));
	assert_int_equal(entries[0].size_bytes, IMPORT_QUARANTINE_BYTES_MAX);
	assert_int_equal(entries[0].offset, sizeof("[" WATCH(1) ",") - 1);
}

/* ---- tables ---- */

static void run_sql(struct fixture *f, const char *database_name, const char *const *statements)
{
	struct err err = {0};
	struct check_path path = path_below(&f->folder, database_name ? database_name : "");
	CLEANUP(duck_close) struct duck_database *database = NULL;
	CLEANUP(duck_disconnect) struct duck_connection *connection = NULL;
	const struct duck_options options = {.path = database_name ? path.text : NULL, .allowed_folder = f->folder.text};
	OR_FAIL(duck_open(&options, &database, &err));
	OR_FAIL(duck_connect(database, &connection, &err));
	for (; *statements; statements++)
		OR_FAIL(duck_run(connection, *statements, &err));
}

static void make_folder(struct fixture *f, const char *name)
{
	struct err err = {0};
	OR_FAIL(file_make_folder(path_below(&f->folder, name).text, &err));
}

#define ROWS(from, to)                                                                                        \
	"SELECT CAST(i AS VARCHAR) AS id, TIMESTAMPTZ '2024-05-01 10:00:00+00' AS created_at, 'o/r' AS \"repo.name\"" \
	" FROM range(" #from ", " #to ") t(i)"

static void rows_bring_what_bronze_has_lost(void **state)
{
	struct fixture *f = *state;
	make_folder(f, "db");
	make_folder(f, "silver/WatchEvent");
	put_text(f, "bronze/a.json", "[" WATCH(1) "," WATCH(2) "]");
	char copy[8192];
	/* What has a meaning in a pattern is a name here. */
	(void)snprintf(copy, sizeof(copy), "COPY (" ROWS(2, 5) ") TO '%s/silver/WatchEvent/[a]*?.parquet' (FORMAT parquet)",
		f->folder.text);
	run_sql(f, NULL, (const char *const[]){copy, NULL});
	(void)snprintf(copy, sizeof(copy), "COPY (" ROWS(30, 31) ") TO '%s/silver/WatchEvent/abc.parquet' (FORMAT parquet)",
		f->folder.text);
	run_sql(f, NULL, (const char *const[]){copy, NULL});
	run_sql(f, "db/github_events.duckdb",
		(const char *const[]){
			"CREATE TABLE watchevent AS " ROWS(4, 8),
			"INSERT INTO watchevent VALUES (NULL, TIMESTAMPTZ '2024-05-01 10:00:00+00', 'no id')",
			"CREATE TABLE \"other \"\"events\" AS SELECT *, 'PushEvent' AS \"type\" FROM (" ROWS(20, 22) ")",
			"CREATE TABLE kpi(name VARCHAR)",
			"CREATE VIEW watchevent_view AS SELECT * FROM watchevent",
			NULL});
	const struct import_report *report = import(f);
	assert_counts(report, IMPORT_JSON, COUNTS(2, 2, 0, 0, 0));
	assert_counts(report, IMPORT_PARQUET, COUNTS(4, 3, 1, 0, 0));
	assert_counts(report, IMPORT_DUCKDB, COUNTS(7, 3, 1, 2, 1));
	assert_int_equal(report->damage_count, 0);
	assert_int_equal(report->left_out_count, 1); /* kpi; a view is no table at all */
	assert_string_equal(report->problems[0].path, "db/github_events.duckdb#kpi");
	assert_int_equal(report->batches, 4);
	assert_string_equal(test_lake_batch(&f->lake, 1).source, "gh-events");
	assert_string_equal(test_lake_batch(&f->lake, 4).source, "gh-events-row");
	report = import(f);
	assert_counts(report, IMPORT_PARQUET, COUNTS(4, 0, 4, 0, 0));
	assert_counts(report, IMPORT_DUCKDB, COUNTS(7, 0, 5, 2, 0));
	assert_int_equal(bronze_lines(f), 8);
}

/* What the lake has from elsewhere is a duplicate too, whichever way it came. */
static void what_was_polled_is_a_duplicate(void **state)
{
	struct fixture *f = *state;
	struct test_event polled = test_event(1, "WatchEvent", "2024-05-01T10:00:00Z", 7, "");
	test_lake_store(&f->lake, 0, (const char *const[]){polled.text}, 1);
	make_folder(f, "db");
	put_text(f, "bronze/a.json", "[" WATCH(1) "]");
	run_sql(f, "db/x.duckdb", (const char *const[]){"CREATE TABLE watchevent AS " ROWS(1, 2), NULL});
	assert_counts(import(f), IMPORT_JSON, COUNTS(1, 0, 1, 0, 0));
	assert_counts(&f->report, IMPORT_DUCKDB, COUNTS(1, 0, 1, 0, 0));
}

/* A key of two repositories is no duplicate: both are stored, once, and silver sets the second aside. */
static void a_conflict_is_stored_once(void **state)
{
	struct fixture *f = *state;
	struct test_event a = test_event(1, "WatchEvent", "2024-05-01T10:00:00Z", 7, "");
	struct test_event b = test_event(1, "WatchEvent", "2024-05-01T10:00:00Z", 8, "");
	char text[4 * sizeof(a.text) + 8];
	(void)snprintf(text, sizeof(text), "[%s,%s,%s,%s]", a.text, b.text, a.text, b.text);
	put_text(f, "bronze/a.json", text);
	assert_counts(import(f), IMPORT_JSON, COUNTS(4, 2, 2, 0, 0));
	assert_counts(import(f), IMPORT_JSON, COUNTS(4, 0, 4, 0, 0));
}

/* Expressions of the file are not run: neither its generated columns nor a macro that is called like a
 * function of ours. */
static void content_of_a_database_is_no_code(void **state)
{
	struct fixture *f = *state;
	make_folder(f, "db");
	run_sql(f, "db/x.duckdb",
		(const char *const[]){
			"CREATE MACRO to_json(x) AS '\"run\"'",
			"CREATE MACRO duckdb_tables() AS TABLE SELECT 'run' AS table_name",
			"CREATE TABLE watchevent(id BIGINT, created_at TIMESTAMP, payload STRUCT(action VARCHAR),"
			" computed VARCHAR GENERATED ALWAYS AS (repeat('run', 2)))",
			"INSERT INTO watchevent VALUES (1, '2024-05-01 10:00:00', {'action': 'started'})",
			NULL});
	assert_counts(import(f), IMPORT_DUCKDB, COUNTS(1, 1, 0, 0, 0));
	struct err err = {0};
	struct span line;
	int64_t offset;
	bool end;
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	struct check_path path = test_lake_path(&f->lake, "bronze/WatchEvent/date=2024-05-01/000000000001.ndjson.zst");
	OR_FAIL(bronze_reader_open(path.text, &reader, &err));
	OR_FAIL(bronze_reader_next(reader, &line, &offset, &end, &err));
	assert_true(span_equal_text(line, "{\"created_at\":\"2024-05-01T10:00:00Z\",\"id\":\"1\","
					  "\"payload\":{\"action\":\"started\"},\"type\":\"WatchEvent\"}"));
}

/* Flips, cuts and zeros at many places: never an end of the process, never a wrong sum, and the rest of
 * the folder is imported. */
static void damaged_tables_cost_only_themselves(void **state)
{
	static const char *const names[] = {"silver/watchevent.parquet", "db/x.duckdb"};
	enum { DAMAGES = 6 };
	struct fixture *f = *state;
	struct err err = {0};
	char copy[8192];
	make_folder(f, "db");
	make_folder(f, "silver");
	(void)snprintf(copy, sizeof(copy), "COPY (" ROWS(0, 3000) ") TO '%s/silver/watchevent.parquet' (FORMAT parquet)",
		f->folder.text);
	run_sql(f, NULL, (const char *const[]){copy, NULL});
	run_sql(f, "db/x.duckdb", (const char *const[]){"CREATE TABLE watchevent AS " ROWS(5000, 8000), NULL});
	struct buf whole[2] = {{.size_max = 1 << 24}, {.size_max = 1 << 24}};
	for (size_t n = 0; n < 2; n++)
		OR_FAIL(file_read(path_below(&f->folder, names[n]).text, &whole[n], &err));
	put_text(f, "bronze/a.json", "[" WATCH(9000) "]");
	int64_t damaged = 0;
	for (size_t i = 0; i < 2 * DAMAGES; i++) {
		struct buf *buf = &whole[i % 2];
		size_t at = buf->size * (i / 2) / DAMAGES;
		size_t run = buf->size - at < 64 ? buf->size - at : 64;
		char kept[64];
		memcpy(kept, buf->data + at, run);
		for (size_t b = 0; b < run; b++)
			buf->data[at + b] = i % 3 == 0 ? (char)(kept[b] ^ 0x41) : '\0';
		put(f, names[i % 2], span_make(buf->data, i % 3 == 1 ? at : buf->size));
		const struct import_report *report = import(f);
		for (enum import_kind kind = 0; kind < IMPORT_KIND_COUNT; kind++)
			assert_int_equal(report->kinds[kind].received,
				report->kinds[kind].stored + report->kinds[kind].duplicates
					+ report->kinds[kind].quarantined);
		assert_int_equal(report->kinds[IMPORT_JSON].received, 1);
		damaged += report->damage_count > 0;
		memcpy(buf->data + at, kept, run);
		put(f, names[i % 2], buf_span(buf));
	}
	for (size_t n = 0; n < 2; n++)
		buf_finish(&whole[n]);
	print_message("%" PRId64 " of %d damages were noticed\n", damaged, 2 * DAMAGES);
	assert_true(damaged >= DAMAGES);
	const struct import_report *report = import(f);
	assert_int_equal(report->damage_count, 0);
	assert_int_equal(report->kinds[IMPORT_PARQUET].received + report->kinds[IMPORT_DUCKDB].received, 6000);
}

static void a_stop_keeps_what_was_read(void **state)
{
	struct fixture *f = *state;
	put_text(f, "bronze/a.json", "[" WATCH(1) "," WATCH(2) "]");
	stop_flag_set(&f->stop);
	const struct import_report *report = import(f);
	assert_true(report->stopped);
	stop_flag_finish(&f->stop);
	stop_flag_init(&f->stop);
	report = import(f);
	assert_false(report->stopped);
	assert_int_equal(report->kinds[IMPORT_JSON].stored, 2);
}

static void a_folder_without_data_is_refused(void **state)
{
	struct fixture *f = *state;
	struct file_path folder;
	struct err err = {0};
	assert_false(import_find_folder(f->folder.text, &folder, &err));
	assert_int_equal(err.exit_code, 2);
	make_folder(f, "data/silver");
	OR_FAIL(import_find_folder(f->folder.text, &folder, &err));
	assert_true(span_ends_with(span_of(folder.text), "/data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_form_of_json_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text_are_no_events, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_huge_element_is_set_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_bring_what_bronze_has_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_polled_is_a_duplicate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_conflict_is_stored_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(content_of_a_database_is_no_code, set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_tables_cost_only_themselves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_stop_keeps_what_was_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_without_data_is_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
