/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/power_loss/lake_check.h"

#include "app/stages.h"
#include "base/memory.h"
#include "wrap/json_document.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SERVED_BYTES_MAX = 64 << 20, ANSWER_BYTES_MAX = 64 << 20, ROWS_MAX = 1000000 };

/* ---- what was served ---- */

static int compare_keys(const void *a, const void *b)
{
	return strcmp(((const struct served_event *)a)->key, ((const struct served_event *)b)->key);
}

bool served_read(const char *path, struct served *served_out, struct err *err)
{
	struct buf text CLEANUP(buf_finish) = {.size_max = SERVED_BYTES_MAX};
	struct served served = {0};
	if (!file_read(path, &text, err))
		return false;
	struct span rest = buf_span(&text);
	struct span line;
	while (span_split(rest, '\n', &line, &rest)) {
		struct span state;
		struct span key;
		struct served_event event = {.state = -1};
		if (!span_split(line, ' ', &state, &key) || !span_parse_int64(state, &event.state)
		    || key.size >= sizeof(event.key))
			return err_set(err, ERR_INPUT, "%s: not \"STATE KEY\"", path);
		memcpy(event.key, key.data, key.size);
		served.events = memory_resize(served.events, (served.count + 1) * sizeof(event));
		served.events[served.count++] = event;
	}
	qsort(served.events, served.count, sizeof(*served.events), compare_keys);
	*served_out = served;
	return true;
}

static struct served_event *find_event(const struct served *served, struct span key)
{
	struct served_event wanted = {.key = ""};
	if (key.size >= sizeof(wanted.key))
		return NULL;
	memcpy(wanted.key, key.data, key.size);
	return bsearch(&wanted, served->events, served->count, sizeof(wanted), compare_keys);
}

/* ---- a lake that is open ---- */

struct open_lake {
	struct config *config;
	struct session session;
	struct silver *silver;
	struct gold *gold;
};

static void close_lake(struct open_lake *lake)
{
	gold_close(&lake->gold);
	silver_close(&lake->silver);
	session_close(&lake->session);
	config_destroy(&lake->config);
}

static bool run_stages(struct open_lake *lake, int64_t *batches_out, struct err *err)
{
	struct silver_report silver_report = {0};
	struct gold_report gold_report = {0};
	bool rest = false;
	if (!stages_transform(lake->silver, NULL, &silver_report, &rest, err))
		return err_wrap(err, "transform");
	if (!stages_load(&lake->session, lake->silver, lake->gold, NULL, &gold_report, err))
		return err_wrap(err, "materialise");
	*batches_out = silver_report.batches + gold_report.batches;
	return true;
}

static bool open_lake(struct open_lake *lake, const char *folder, struct err *err)
{
	char *arguments[] = {"octolake", "--data", (char *)(uintptr_t)folder, "--types", "all", NULL};
	int64_t batches;
	return config_create(5, arguments, &lake->config, err)
	       && session_open(&lake->session, lake->config, "power-loss-check", err)
	       && stages_open_silver(&lake->session, &lake->silver, err)
	       && stages_open_gold(&lake->session, false, NULL, &lake->gold, err)
	       && run_stages(lake, &batches, err);
}

/* ---- what it holds ---- */

/* One flag for each served event: in gold, in bronze. What is in quarantine counts as in both. */
struct holdings {
	const struct served *served;
	bool *in_gold;
	bool *in_bronze;
	const char *root;
};

static void finish_holdings(struct holdings *holdings)
{
	free(holdings->in_gold);
	free(holdings->in_bronze);
}

static bool read_gold(struct open_lake *lake, struct holdings *holdings, struct err *err)
{
	static const char sql[] = "SELECT CAST(id AS VARCHAR) || '|' || type || '|' ||"
				  " strftime(created_at, '%Y-%m-%dT%H:%M:%SZ') FROM events";
	CLEANUP(arena_finish) struct arena arena = {.size_max = ANSWER_BYTES_MAX};
	const struct gold_query query = {.sql = sql, .row_count_max = ROWS_MAX};
	struct table table;
	if (!gold_run_query(lake->gold, &query, &arena, &table, NULL, err))
		return err_wrap(err, "reading gold");
	for (size_t i = 0; i < table.row_count; i++) {
		struct span key = table_value(&table, i, 0)->text;
		const struct served_event *event = find_event(holdings->served, key);
		if (!event)
			return err_set(err, ERR_INPUT, "%.*s is in gold and was never served", SPAN_ARGUMENTS(key));
		size_t index = (size_t)(event - holdings->served->events);
		if (holdings->in_gold[index])
			return err_set(err, ERR_INPUT, "%.*s is in gold twice", SPAN_ARGUMENTS(key));
		holdings->in_gold[index] = true;
	}
	return true;
}

/* `may_be_broken`: what is no event is silver's to set aside, and is looked for there. */
static bool note_line(struct holdings *holdings, struct span line, bool may_be_broken, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = ANSWER_BYTES_MAX};
	const struct json_node *root;
	char key[200];
	if (!json_parse(line, &arena, &root, err))
		return err_wrap(err, "a line of bronze");
	if (may_be_broken && !json_get(root, "created_at"))
		return true;
	int size = snprintf(key, sizeof(key), "%.*s|%.*s|%.*s", SPAN_ARGUMENTS(json_get_text(root, "id")),
		SPAN_ARGUMENTS(json_get_text(root, "type")), SPAN_ARGUMENTS(json_get_text(root, "created_at")));
	const struct served_event *event = find_event(holdings->served, (struct span){key, (size_t)size});
	if (!event)
		return err_set(err, ERR_INPUT, "%s is in bronze and was never served", key);
	holdings->in_bronze[event - holdings->served->events] = true;
	return true;
}

static bool read_archive(struct holdings *holdings, const char *path, struct err *err)
{
	CLEANUP(buf_finish) struct buf text = {.size_max = SERVED_BYTES_MAX};
	struct span line;
	if (!file_read(path, &text, err))
		return false;
	for (struct span rest = buf_span(&text); span_split(rest, '\n', &line, &rest);)
		if (!note_line(holdings, line, true, err))
			return false;
	return true;
}

static bool read_bronze_file(void *context, const char *relative_path, struct err *err)
{
	struct holdings *holdings = context;
	CLEANUP(bronze_reader_close) struct bronze_reader *reader = NULL;
	struct file_path path;
	struct span line;
	int64_t offset;
	bool end = false;
	if (!file_path_make(&path, err, "%s/bronze/%s", holdings->root, relative_path))
		return false;
	if (span_ends_with(span_of(relative_path), ".json"))
		return read_archive(holdings, path.text, err);
	if (!span_ends_with(span_of(relative_path), ".zst"))
		return true;
	if (!bronze_reader_open(path.text, &reader, err))
		return false;
	while (bronze_reader_next(reader, &line, &offset, &end, err)) {
		if (end)
			return true;
		if (!note_line(holdings, line, false, err))
			return false;
	}
	return false;
}

static bool read_quarantine(struct open_lake *lake, struct holdings *holdings, struct err *err)
{
	CLEANUP(arena_finish) struct arena arena = {.size_max = ANSWER_BYTES_MAX};
	const struct quarantine_entry *entries;
	size_t count;
	if (!catalog_list_quarantine(lake->session.catalog, ROWS_MAX, &arena, &entries, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct json_node *root;
		char key[100];
		if (!json_parse(entries[i].raw, &arena, &root, err))
			return err_set(err, ERR_INPUT, "in quarantine: %.*s %.*s %.*s %.*s", SPAN_ARGUMENTS(entries[i].stage),
				SPAN_ARGUMENTS(entries[i].reason), SPAN_ARGUMENTS(entries[i].path),
				SPAN_ARGUMENTS(entries[i].detail));
		int size = snprintf(key, sizeof(key), "!%.*s", SPAN_ARGUMENTS(json_get_text(root, "id")));
		const struct served_event *event = find_event(holdings->served, (struct span){key, (size_t)size});
		if (!event)
			return err_set(err, ERR_INPUT, "%s is in quarantine and was never served", key);
		size_t index = (size_t)(event - holdings->served->events);
		holdings->in_gold[index] = holdings->in_bronze[index] = true;
	}
	return true;
}

/* ---- verdicts ---- */

/* How many states lie up to the cursor: the feed will not show them again. */
static bool cursor_states(struct open_lake *lake, const struct served *served, size_t *states_out, struct err *err)
{
	struct cursor cursor;
	bool found;
	*states_out = 0;
	if (!catalog_read_cursor(lake->session.catalog, "/events", &cursor, &found, err))
		return false;
	for (size_t i = 0; found && i < served->tag_count; i++)
		if (strcmp(cursor.etags[0], served->tags[i]) == 0)
			*states_out = i + 1;
	return true;
}

static bool judge_events(const struct holdings *holdings, size_t acknowledged, size_t cursor, struct err *err)
{
	const struct served *served = holdings->served;
	for (size_t i = 0; i < served->count; i++) {
		const struct served_event *event = &served->events[i];
		if (holdings->in_gold[i] != holdings->in_bronze[i])
			return err_set(err, ERR_INPUT, "%s is in %s alone", event->key,
				holdings->in_gold[i] ? "gold" : "bronze");
		if (holdings->in_gold[i])
			continue;
		if (served->complete)
			return err_set(err, ERR_INPUT, "%s is missing", event->key);
		if ((size_t)event->state < acknowledged)
			return err_set(err, ERR_INPUT, "%s of state %" PRId64 " is lost: %zu were acknowledged",
				event->key, event->state, acknowledged);
		if ((size_t)event->state < cursor)
			return err_set(err, ERR_INPUT, "%s of state %" PRId64 " is lost: the cursor is at %zu",
				event->key, event->state, cursor);
	}
	return true;
}

static bool judge_sums(struct open_lake *lake, struct err *err)
{
	struct catalog_totals t;
	if (!catalog_read_totals(lake->session.catalog, &t, err))
		return false;
	bool good = t.batches_waiting_silver == 0 && t.batches_waiting_gold == 0
		    && t.received == t.bronze_rows + t.duplicates + t.filtered + t.quarantined
		    && t.bronze_rows == t.silver_rows + t.silver_duplicates + t.silver_quarantined
		    && t.silver_rows == t.gold_rows + t.gold_duplicates + t.gold_quarantined;
	return good || err_set(err, ERR_INPUT, "the counts do not add up");
}

static bool judge(struct open_lake *lake, const struct served *served, size_t acknowledged, struct err *err)
{
	CLEANUP(finish_holdings) struct holdings holdings = {
		.served = served,
		.in_gold = memory_allocate(served->count, sizeof(bool)),
		.in_bronze = memory_allocate(served->count, sizeof(bool)),
		.root = lake->session.layout.root.text,
	};
	struct file_path bronze;
	size_t cursor;
	int64_t again;
	return file_path_make(&bronze, err, "%s/bronze", holdings.root) && read_gold(lake, &holdings, err)
	       && file_walk(bronze.text, read_bronze_file, &holdings, err)
	       && read_quarantine(lake, &holdings, err)
	       && cursor_states(lake, served, &cursor, err)
	       && judge_events(&holdings, acknowledged, cursor, err) && judge_sums(lake, err)
	       && run_stages(lake, &again, err)
	       && (again == 0 || err_set(err, ERR_INPUT, "work was left behind the stages"));
}

bool lake_check(const char *folder, const struct served *served, size_t acknowledged, struct err *err)
{
	CLEANUP(close_lake) struct open_lake lake = {0};
	return open_lake(&lake, folder, err) && judge(&lake, served, acknowledged, err);
}
