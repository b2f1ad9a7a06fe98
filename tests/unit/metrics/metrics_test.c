/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_test.c - the catalogue: built-in and user's files, replaced ids, reload, last good
 * version. */
#include "duck_engine.h"

#include "base/file.h"

#include <pthread.h>
#include <stdio.h>

struct fixture {
	struct duck_engine duck;
	struct metric_engine engine;
	struct check_path folder;
	struct metrics *metrics;
	struct err err;
};

static void write_file(struct fixture *f, const char *name, const char *text)
{
	if (!file_write(path_below(&f->folder, name).text, span_of(text), &f->err))
		fail_msg("%s", f->err.text);
}

static void create(struct fixture *f, const char *const *paths, size_t path_count)
{
	struct metrics_options options = {
		.paths = paths, .path_count = path_count, .clock = clock_system()};
	f->metrics = metrics_create_on(&options, &f->engine);
}

static void create_on_folder(struct fixture *f)
{
	create(f, (const char *const[]){f->folder.text}, 1);
}

#define ONE(id, sql) "kpis:\n  - {id: " id ", name: N, sql: '" sql "'}\n"

/* The SQL of a metric now, or "" when there is none. */
static const char *sql_of(struct fixture *f, const char *id)
{
	static char text[4096];
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	const struct metric *metric = metric_find(catalogue, span_of(id));
	(void)snprintf(
		text, sizeof(text), "%.*s", SPAN_ARGUMENTS(metric ? metric->sql : span_of("")));
	metrics_release(f->metrics, catalogue);
	return text;
}

/* Problems as "FILE NAME:LINE:COLUMN text\n". */
static const char *problems_of(struct fixture *f)
{
	static char text[4096];
	text[0] = '\0';
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	for (size_t i = 0; i < catalogue->problem_count; i++) {
		const struct metric_problem *problem = &catalogue->problems[i];
		const char *slash = strrchr(problem->file.data, '/');
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, "%s:%d:%d %.*s\n",
			slash ? slash + 1 : problem->file.data, problem->line, problem->column,
			SPAN_ARGUMENTS(problem->text));
	}
	metrics_release(f->metrics, catalogue);
	return text;
}

static size_t count_of(struct fixture *f)
{
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	size_t count = catalogue->metric_count;
	metrics_release(f->metrics, catalogue);
	return count;
}

static void built_in_ones_are_sound(void **state)
{
	struct fixture *f = *state;
	static const char *const ids[] = {"events_per_minute", "event_count_offset", "busiest_orgs",
		"top_repos_by_stars", "avg_pr_time", "pr_merge_rate"};
	create(f, NULL, 0);
	assert_string_equal(problems_of(f), "");
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	assert_int_equal(catalogue->metric_count, ARRAY_COUNT(ids));
	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		const struct metric *metric = &catalogue->metrics[i];
		assert_true(span_equal_text(metric->id, ids[i]));
		assert_true(metric->built_in);
		assert_int_equal(metric->version, 2);
		assert_non_null(metric->description.data);
		assert_true(metric->chart.kind != CHART_NONE);
		assert_true(metric->column_count > 0);
		assert_true(span_equal_text(metric->file, "built-in"));
	}
	const struct metric *pulls = metric_find(catalogue, span_of("avg_pr_time"));
	assert_true(span_equal_text(pulls->columns[0].name, "repo.name"));
	assert_true(span_equal_text(pulls->columns[1].name, "avg_minutes"));
	assert_int_equal(pulls->columns[1].type, VALUE_REAL);
	assert_int_equal(pulls->columns[1].decimals, 1);
	assert_int_equal(pulls->columns[2].type, VALUE_INTEGER);
	assert_true(span_equal_text(pulls->rollup, "pull_request_gaps"));
	assert_true(pulls->uses_limit && pulls->uses_as_of);
	assert_int_equal(pulls->limit_default, 50);
	assert_int_equal(pulls->limit_max, 10000);
	const struct metric *counts = metric_find(catalogue, span_of("event_count_offset"));
	assert_null(counts->visualisation.data);
	assert_true(span_equal_text(counts->parameters[0].default_text, "60"));
	assert_true(span_equal_text(counts->parameters[0].maximum, "43200"));
	assert_false(counts->uses_limit);
	const struct metric *rate = metric_find(catalogue, span_of("events_per_minute"));
	assert_int_equal(rate->columns[0].type, VALUE_TIME);
	assert_true(rate->parameters[1].cast_interval && rate->parameters[2].multiple);
	assert_true(span_equal_text(rate->parameters[1].default_text, "1m"));
	assert_null(metric_find(catalogue, span_of("nothing")));
	metrics_release(f->metrics, catalogue);
}

static void users_metrics_replace_in_place(void **state)
{
	struct fixture *f = *state;
	write_file(f, "notes.txt", "not read");
	write_file(f, "a.yaml",
		ONE("event_count_offset",
			"SELECT ${offset} AS a, ${other} AS b") "  - {id: mine, name: M, sql: "
								"SELECT 2}\n");
	create_on_folder(f);
	assert_string_equal(problems_of(f), "");
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	assert_int_equal(catalogue->metric_count, 7);
	const struct metric *replaced = &catalogue->metrics[1];
	assert_true(span_equal_text(replaced->id, "event_count_offset"));
	assert_false(replaced->built_in);
	assert_int_equal(replaced->version, 1);
	assert_int_equal(replaced->line, 2);
	assert_int_equal(replaced->parameter_count, 2);
	assert_int_equal(replaced->parameters[0].type, PARAMETER_INTEGER);
	assert_true(span_equal_text(replaced->parameters[0].default_text, "60"));
	assert_int_equal(replaced->parameters[1].type, PARAMETER_STRING);
	assert_true(replaced->parameters[1].required);
	assert_int_equal(replaced->columns[0].type, VALUE_INTEGER);
	assert_int_equal(replaced->columns[1].type, VALUE_TEXT);
	assert_true(span_equal_text(catalogue->metrics[6].id, "mine"));
	metrics_release(f->metrics, catalogue);
}

static void an_id_counts_once(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 1"));
	write_file(f, "b.yml", ONE("one", "SELECT 2") "  - {id: two, name: N, sql: SELECT 3}\n");
	create_on_folder(f);
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	assert_string_equal(sql_of(f, "two"), "SELECT 3");
	char wanted[8192];
	(void)snprintf(wanted, sizeof(wanted),
		"b.yml:2:1 the id \"one\" stands in %s:2 already; that one counts\n",
		path_below(&f->folder, "a.yaml").text);
	assert_string_equal(problems_of(f), wanted);
}

static void files_are_read_again(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 1"));
	create_on_folder(f);
	const struct metric_catalogue *held = metrics_acquire(f->metrics);
	int64_t revision = held->revision;
	assert_false(metrics_reload(f->metrics, false));
	write_file(f, "a.yaml", ONE("one", "SELECT 10"));
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(sql_of(f, "one"), "SELECT 10");
	write_file(f, "b.yaml", ONE("two", "SELECT 2"));
	assert_true(metrics_reload(f->metrics, false));
	assert_int_equal(count_of(f), 8);
	if (!file_remove(path_below(&f->folder, "b.yaml").text, &f->err))
		fail_msg("%s", f->err.text);
	assert_true(metrics_reload(f->metrics, false));
	assert_int_equal(count_of(f), 7);
	assert_true(metrics_reload(f->metrics, true));
	/* What is held stays as it was. */
	assert_true(span_equal_text(metric_find(held, span_of("one"))->sql, "SELECT 1"));
	assert_true(metric_find(held, span_of("event_count_offset"))->parameter_count == 1);
	assert_int_equal(held->revision, revision);
	metrics_release(f->metrics, held);
	held = metrics_acquire(f->metrics);
	assert_true(held->revision > revision);
	metrics_release(f->metrics, held);
}

static void a_faulty_edit_keeps_the_last_good_version(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 1"));
	create_on_folder(f);
	write_file(f, "a.yaml", ONE("one", "SELECT 10") "  - {id: two, name: N}\n");
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	assert_string_equal(sql_of(f, "two"), "");
	assert_string_equal(problems_of(f), "a.yaml:3:5 a metric needs the key \"sql\"\n");
	assert_true(metrics_reload(f->metrics, true));
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	write_file(f, "a.yaml", "kpis: [");
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	write_file(f, "a.yaml", ONE("one", "SELECT 10") "  - {id: two, name: N, sql: SELECT 2}\n");
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(sql_of(f, "one"), "SELECT 10");
	assert_string_equal(sql_of(f, "two"), "SELECT 2");
	assert_string_equal(problems_of(f), "");
}

static void a_file_faulty_from_the_start_gives_its_sound_metrics(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 1") "  - {id: two, name: N}\n");
	create_on_folder(f);
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	assert_int_equal(count_of(f), 7);
	assert_string_equal(problems_of(f), "a.yaml:3:5 a metric needs the key \"sql\"\n");
}

static void a_missing_file_is_a_problem(void **state)
{
	struct fixture *f = *state;
	struct check_path path = path_below(&f->folder, "mine.yaml");
	create(f, (const char *const[]){path.text, path.text}, 2);
	assert_int_equal(count_of(f), 6);
	assert_true(strncmp(problems_of(f), "mine.yaml:1:1 ", 14) == 0);
	assert_non_null(strstr(problems_of(f), "No such file"));
	assert_false(metrics_reload(f->metrics, false));
	write_file(f, "mine.yaml", ONE("one", "SELECT 1"));
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(problems_of(f), "");
	if (!file_remove(path.text, &f->err))
		fail_msg("%s", f->err.text);
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(sql_of(f, "one"), "SELECT 1");
	assert_non_null(strstr(problems_of(f), "No such file"));
}

static void refused_sql_is_asked_again_after_a_load(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT * FROM forkevent"));
	create_on_folder(f);
	assert_string_equal(sql_of(f, "one"), "");
	assert_non_null(strstr(problems_of(f), "forkevent"));
	duck_engine_sql(&f->duck, "CREATE VIEW forkevent AS SELECT 1 AS a");
	assert_false(metrics_reload(f->metrics, false));
	f->duck.stamp.loads++;
	assert_true(metrics_reload(f->metrics, false));
	assert_string_equal(problems_of(f), "");
	assert_string_equal(sql_of(f, "one"), "SELECT * FROM forkevent");
	assert_false(metrics_reload(f->metrics, false));
}

static void an_engine_that_rebuilds_is_asked_later(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 5 AS five"));
	f->duck.is_busy = true;
	f->duck.stamp.state = GOLD_REBUILDING;
	create_on_folder(f);
	assert_string_equal(problems_of(f), "");
	assert_int_equal(count_of(f), 7);
	assert_false(metrics_reload(f->metrics, false));
	f->duck.is_busy = false;
	f->duck.stamp.state = GOLD_READY;
	assert_true(metrics_reload(f->metrics, false));
	const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
	assert_int_equal(metric_find(catalogue, span_of("one"))->column_count, 1);
	metrics_release(f->metrics, catalogue);
	assert_false(metrics_reload(f->metrics, false));
}

static void files_and_metrics_are_bounded(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < METRIC_FILE_COUNT_MAX + 2; i++) {
		char name[64];
		char text[200];
		(void)snprintf(name, sizeof(name), "f%03d.yaml", i);
		(void)snprintf(text, sizeof(text), ONE("m%d", "SELECT 1"), i);
		write_file(f, name, text);
	}
	create_on_folder(f);
	assert_int_equal(count_of(f), 6 + METRIC_FILE_COUNT_MAX);
	assert_non_null(strstr(problems_of(f), "too many files"));
}

static void *look_up(void *context)
{
	struct fixture *f = context;
	for (int i = 0; i < 2000; i++) {
		const struct metric_catalogue *catalogue = metrics_acquire(f->metrics);
		const struct metric *metric = metric_find(catalogue, span_of("one"));
		bool is_whole = metric && span_starts_with(metric->sql, "SELECT 1")
				&& catalogue->metric_count == 7;
		metrics_release(f->metrics, catalogue);
		if (!is_whole)
			return f;
	}
	return NULL;
}

static void readers_always_see_a_whole_catalogue(void **state)
{
	struct fixture *f = *state;
	write_file(f, "a.yaml", ONE("one", "SELECT 1"));
	create_on_folder(f);
	pthread_t threads[3];
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look_up, f), 0);
	for (int i = 0; i < 10; i++) {
		write_file(f, "a.yaml", i % 2 ? ONE("one", "SELECT 1") : ONE("one", "SELECT 100"));
		(void)metrics_reload(f->metrics, i % 3 == 0);
	}
	void *wrong = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

static int set_up(void **state)
{
	static struct fixture fixture;
	fixture = (struct fixture){0};
	duck_engine_open(&fixture.duck);
	fixture.engine = duck_engine_face(&fixture.duck);
	fixture.folder = temporary_folder_create();
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	metrics_destroy(&f->metrics);
	temporary_folder_remove(&f->folder);
	duck_engine_close(&f->duck);
	return 0;
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(built_in_ones_are_sound),
		WITH_FOLDER(users_metrics_replace_in_place),
		WITH_FOLDER(an_id_counts_once),
		WITH_FOLDER(files_are_read_again),
		WITH_FOLDER(a_faulty_edit_keeps_the_last_good_version),
		WITH_FOLDER(a_file_faulty_from_the_start_gives_its_sound_metrics),
		WITH_FOLDER(a_missing_file_is_a_problem),
		WITH_FOLDER(refused_sql_is_asked_again_after_a_load),
		WITH_FOLDER(an_engine_that_rebuilds_is_asked_later),
		WITH_FOLDER(files_and_metrics_are_bounded),
		WITH_FOLDER(readers_always_see_a_whole_catalogue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
