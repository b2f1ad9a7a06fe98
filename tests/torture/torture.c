/* SPDX-License-Identifier: Apache-2.0 */
/* torture.c - kills a lake at every failpoint, KILLS times each, and holds every life after it
 * against verify.c.
 *
 *   torture [--kills N] [--seed N] [--point PART-OF-A-NAME] [--parts N] [--folder DIR]
 *
 * First each scenario runs once in peace, which says how often it passes each point. A kill then
 * takes one of the scenarios that pass the point, and one of its passes by chance; the life after it
 * recovers, is verified, and goes on to the next kill. Leaves with 1 when something did not hold,
 * when a point was not reached, or could not be killed at often enough. A seed repeats a run. --parts 2 takes
 * half of the points, which half says the seed. SIGTERM
 * ends it with the table so far. */
#include "tests/torture/torture.h"

#include "base/failpoint.h"
#include "base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LIFE_SECONDS_MAX = 120,
	LIVES_PER_LAKE = 30,
	REBUILD_EVERY = 10,
	ATTEMPTS_PER_KILL = 6,
	UNVERIFIED_MAX = 8, /* kills in a row that no life survived long enough to be verified */
	SHOWN_VIOLATIONS_MAX = 20,
};

const char *const scenario_names[SCENARIO_COUNT] = {
	"new-lake", "poll", "compact", "import", "import-far", "import-fetched", "rebuild-silver", "rebuild-gold",
	"leftovers",
	"damaged-catalog", "damaged-gold", "lost-silver", "spoilt-silver", "other-views", "expired-gold",
	"retention", "import-drop", "lost-catalog", "archive",
};

struct point {
	int64_t passes[SCENARIO_COUNT]; /* in peace */
	int64_t kills;
	int64_t violations;
};

struct torture {
	char folder[256];
	char log[300]; /* of the children */
	char origin_url[64];
	struct ledger *ledger;
	struct random random;
	uint64_t seed;
	int64_t kills;
	int64_t parts; /* every so manieth point, which of them says the seed */
	const char *only;
	struct point points[TORTURE_POINTS_MAX];
	int64_t lives;
	int64_t lives_of_lake;
	int64_t verified;
	int64_t compared; /* with a rebuild */
	int64_t violations;
	bool views;
	size_t unverified[UNVERIFIED_MAX]; /* points killed at since the last life that was verified */
	size_t unverified_count;
};

enum ending { ENDED_BY_KILL, ENDED_IN_PEACE, ENDED_BADLY };

bool ledger_violate(struct ledger *ledger, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(ledger->violation, sizeof(ledger->violation), format, arguments);
	va_end(arguments);
	return false;
}

static _Noreturn void run_child(struct torture *torture, const struct life_options *options, size_t point,
				int64_t nth)
{
	int log = open(torture->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	(void)dup2(log, STDERR_FILENO);
	(void)signal(SIGTERM, SIG_DFL);
	(void)alarm(LIFE_SECONDS_MAX);
	if (chdir(torture->folder) != 0)
		_exit(3);
	log_configure(LOG_WARNING, LOG_FORMAT_JSON);
	failpoint_arm(point, nth);
	_exit(life_run(options, torture->ledger) ? 0 : 1);
}

static void show_log(const struct torture *torture)
{
	char line[400];
	FILE *log = fopen(torture->log, "r");
	if (!log)
		return;
	for (int i = 0; i < 12 && fgets(line, sizeof(line), log); i++)
		(void)printf("    | %s%s", line, strchr(line, '\n') ? "" : "\n");
	(void)fclose(log);
}

static void begin_lake(struct torture *torture)
{
	(void)damage_do(SCENARIO_NEW_LAKE, torture->folder, torture->ledger, &torture->random);
	torture->lives_of_lake = 0;
	torture->unverified_count = 0;
}

static void note_violation(struct torture *torture, enum scenario scenario, const char *what)
{
	torture->violations++;
	for (size_t i = 0; i < torture->unverified_count; i++)
		torture->points[torture->unverified[i]].violations++;
	if (torture->violations <= SHOWN_VIOLATIONS_MAX) {
		(void)printf("VIOLATION in life %" PRId64 " (%s, seed %" PRIu64 "): %s\n", torture->lives,
			scenario_names[scenario], torture->seed, what);
		for (size_t i = 0; i < torture->unverified_count; i++)
			(void)printf("    killed at %s\n", failpoint_name(torture->unverified[i]).text);
		show_log(torture);
		(void)fflush(stdout);
	}
	begin_lake(torture);
}

static enum ending judge(struct torture *torture, enum scenario scenario, int status)
{
	const struct ledger *ledger = torture->ledger;
	char what[TORTURE_WORDS_MAX + 64];
	torture->compared += ledger->compared;
	if (ledger->verified) {
		torture->verified++;
		torture->unverified_count = 0;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return ENDED_BY_KILL;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && ledger->finished)
		return ENDED_IN_PEACE;
	if (ledger->violation[0] != '\0')
		(void)snprintf(what, sizeof(what), "%s", ledger->violation);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		(void)snprintf(what, sizeof(what), "a life took longer than %d s", LIFE_SECONDS_MAX);
	else if (WIFSIGNALED(status))
		(void)snprintf(what, sizeof(what), "a life ended by signal %d", WTERMSIG(status));
	else
		(void)snprintf(what, sizeof(what), "a life ended with code %d", WEXITSTATUS(status));
	note_violation(torture, scenario, what);
	return ENDED_BADLY;
}

/* One life, killed at the `nth` pass of `point` unless it ends before; 0: left in peace. */
static enum ending live(struct torture *torture, enum scenario scenario, size_t point, int64_t nth)
{
	struct ledger *ledger = torture->ledger;
	if (scenario == SCENARIO_NEW_LAKE || torture->lives_of_lake >= LIVES_PER_LAKE)
		begin_lake(torture);
	if (scenario == SCENARIO_OTHER_VIEWS)
		torture->views = !torture->views;
	if (!damage_do(scenario, torture->folder, ledger, &torture->random)) {
		(void)fprintf(stderr, "could not prepare %s\n", scenario_names[scenario]);
		exit(2);
	}
	const struct life_options options = {
		.folder = torture->folder,
		.scenario = scenario,
		.defer_rebuild = random_below(&torture->random, 2) == 0,
		.other_views = torture->views,
		.rebuild = nth > 0 && torture->lives % REBUILD_EVERY == 0,
		.finish_first = random_below(&torture->random, 2) == 0,
		.origin_url = torture->origin_url,
	};
	ledger->verified = ledger->compared = ledger->finished = false;
	ledger->violation[0] = '\0';
	torture->lives++;
	torture->lives_of_lake++;
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		run_child(torture, &options, point, nth);
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fork");
		exit(2);
	}
	enum ending ending = judge(torture, scenario, status);
	if (ending == ENDED_BY_KILL) {
		torture->points[point].kills++;
		torture->unverified[torture->unverified_count++] = point;
		if (torture->unverified_count == UNVERIFIED_MAX)
			(void)live(torture, SCENARIO_POLL, 0, 0);
	}
	return ending;
}

/* Every scenario in peace, in a lake that has something in it. */
static void explore(struct torture *torture)
{
	for (int s = 0; s < SCENARIO_COUNT; s++) {
		enum scenario scenario = (enum scenario)s;
		if (live(torture, scenario, 0, 0) != ENDED_IN_PEACE)
			continue;
		for (size_t i = 0; i < failpoint_count(); i++)
			torture->points[i].passes[s] = torture->ledger->hits[i];
	}
}

/* The k-th of the scenarios that pass `point`. */
static bool choose_scenario(const struct torture *torture, size_t point, int64_t k, enum scenario *scenario_out)
{
	enum scenario passing[SCENARIO_COUNT];
	int64_t count = 0;
	for (int s = 0; s < SCENARIO_COUNT; s++)
		if (torture->points[point].passes[s] > 0)
			passing[count++] = (enum scenario)s;
	if (count == 0)
		return false;
	*scenario_out = passing[k % count];
	return true;
}

/* Points that not every lake passes get one that does: with a backup, or with all of its bronze. */
static void prepare_lake(struct torture *torture, size_t point)
{
	const char *name = failpoint_name(point).text;
	bool needs_backup = strstr(name, "catalog.restore");
	if (!needs_backup && !strstr(name, "lose-silver") && !strstr(name, "mend"))
		return;
	/* What the kills before it left is to be verified first. */
	if (torture->unverified_count > 0)
		(void)live(torture, SCENARIO_POLL, 0, 0);
	begin_lake(torture);
	(void)live(torture, SCENARIO_COMPACT, 0, 0);
	if (needs_backup)
		(void)live(torture, SCENARIO_RETENTION, 0, 0);
}

static void kill_once(struct torture *torture, size_t point, int64_t k)
{
	enum scenario scenario;
	for (int64_t attempt = 0; attempt < ATTEMPTS_PER_KILL; attempt++) {
		if (!choose_scenario(torture, point, k + attempt, &scenario))
			return;
		prepare_lake(torture, point);
		/* A life in which less happens than in peace passes less often: at last the first pass. */
		int64_t passes = torture->points[point].passes[scenario];
		int64_t nth = attempt < 2 ? 1 + random_below(&torture->random, passes) : 1;
		if (live(torture, scenario, point, nth) == ENDED_BY_KILL)
			return;
	}
}

static volatile sig_atomic_t interrupted;

static void note_signal(int number)
{
	interrupted = number;
}

static bool is_wanted(const struct torture *torture, size_t point)
{
	bool other_part = (int64_t)(point / 2 % (size_t)torture->parts) != (int64_t)(torture->seed % (uint64_t)torture->parts);
	return !other_part && (!torture->only || strstr(failpoint_name(point).text, torture->only));
}

/* Round by round, so that kills at different points follow one another. */
static void kill_all(struct torture *torture)
{
	for (int64_t k = 0; k < torture->kills && !interrupted; k++) {
		for (size_t i = 0; i < failpoint_count() && !interrupted; i++)
			if (is_wanted(torture, i))
				kill_once(torture, i, k + (int64_t)i);
		if (torture->kills > 1)
			(void)fprintf(stderr, "round %" PRId64 " of %" PRId64 ": %" PRId64 " lives, %" PRId64
					      " violations\n",
				k + 1, torture->kills, torture->lives, torture->violations);
	}
	(void)live(torture, SCENARIO_POLL, 0, 0);
}

static bool report(const struct torture *torture, int64_t milliseconds)
{
	int64_t kills = 0;
	int64_t short_of = 0;
	(void)printf("%-36s %8s %7s %10s\n", "point", "passes", "kills", "violations");
	for (size_t i = 0; i < failpoint_count(); i++) {
		const struct point *point = &torture->points[i];
		int64_t passes = 0;
		if (!is_wanted(torture, i))
			continue;
		for (int s = 0; s < SCENARIO_COUNT; s++)
			passes += point->passes[s];
		const char *remark = passes == 0                    ? "  NEVER REACHED"
				     : point->kills < torture->kills ? "  TOO FEW KILLS"
								     : "";
		short_of += remark[0] != '\0';
		kills += point->kills;
		(void)printf("%-36s %8" PRId64 " %7" PRId64 " %10" PRId64 "%s\n", failpoint_name(i).text, passes,
			point->kills, point->violations, remark);
	}
	(void)printf("\n%zu points, %" PRId64 " kills in %" PRId64 " lives, %" PRId64 " times verified, %" PRId64
		     " compared with a rebuild, %" PRId64 " violations, %.1f s, seed %" PRIu64 "\n",
		failpoint_count(), kills, torture->lives, torture->verified, torture->compared,
		torture->violations, (double)milliseconds / 1000, torture->seed);
	return torture->violations == 0 && short_of == 0;
}

static bool write_events(const struct torture *torture, const char *name, const char *types)
{
	struct file_path path;
	struct err err;
	return file_path_make(&path, &err, "%s/%s", torture->folder, name) && file_write(path.text, span_of(types), &err);
}

static bool prepare(struct torture *torture)
{
	struct err err;
	(void)snprintf(torture->log, sizeof(torture->log), "%s/last-life.log", torture->folder);
	torture->ledger = mmap(NULL, sizeof(*torture->ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		-1, 0);
	return torture->ledger != MAP_FAILED && failpoint_count() <= TORTURE_POINTS_MAX
	       && file_make_folder(torture->folder, &err)
	       && write_events(torture, "events-a.yaml",
		       "version: 2\ntypes: all\nfields:\n  PushEvent: [payload.one]\n"
		       "  WatchEvent: [payload.two]\n")
	       && write_events(torture, "events-b.yaml",
		       "version: 2\ntypes: all\nfields:\n  WatchEvent: [payload.one]\n"
		       "  PushEvent: [payload.two]\n");
}

static bool parse(struct torture *torture, int count, char **arguments)
{
	int64_t seed = (int64_t)(clock_wall_us(clock_system()) % 1000000);
	bool ok = count % 2 == 1;
	torture->kills = 50;
	torture->parts = 1;
	for (int i = 1; i + 1 < count && ok; i += 2) {
		if (strcmp(arguments[i], "--kills") == 0)
			ok = span_parse_int64(span_of(arguments[i + 1]), &torture->kills) && torture->kills >= 1;
		else if (strcmp(arguments[i], "--seed") == 0)
			ok = span_parse_int64(span_of(arguments[i + 1]), &seed);
		else if (strcmp(arguments[i], "--point") == 0)
			torture->only = arguments[i + 1];
		else if (strcmp(arguments[i], "--parts") == 0)
			ok = span_parse_int64(span_of(arguments[i + 1]), &torture->parts) && torture->parts >= 1;
		else if (strcmp(arguments[i], "--folder") == 0)
			(void)snprintf(torture->folder, sizeof(torture->folder), "%s", arguments[i + 1]);
		else
			ok = false;
	}
	torture->seed = (uint64_t)seed;
	torture->random.state = torture->seed;
	return ok;
}

int main(int count, char **arguments)
{
	static struct torture torture;
	static const char usage[] = "usage: torture [--kills N] [--seed N] [--point PART] [--parts N] [--folder DIR]\n";
	/* A life's gold is tried by the program that it runs in, as octolake's is. */
	if (count == 3 && strcmp(arguments[1], "try-gold") == 0)
		return stages_try_gold(arguments[2]);
	/* What a killed process wrote is there with or without a disk: memory is quicker. */
	const char *temporary = getenv("TMPDIR");
	if (!temporary || temporary[0] == '\0')
		temporary = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	(void)snprintf(torture.folder, sizeof(torture.folder), "%.200s/octolake-torture-%d", temporary, (int)getpid());
	if (!parse(&torture, count, arguments)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (!prepare(&torture)) {
		(void)fprintf(stderr, "could not prepare %s\n", torture.folder);
		return 2;
	}
	(void)setenv("XDG_CONFIG_HOME", torture.folder, 1);
	(void)signal(SIGTERM, note_signal);
	pid_t origin;
	if (!origin_start(torture.folder, torture.origin_url, &origin))
		return 2;
	int64_t started_ms = clock_monotonic_ms(clock_system());
	explore(&torture);
	kill_all(&torture);
	(void)kill(origin, SIGKILL);
	(void)waitpid(origin, NULL, 0);
	bool good = report(&torture, clock_monotonic_ms(clock_system()) - started_ms);
	struct err err;
	if (good && !file_remove_folder(torture.folder, &err))
		(void)fprintf(stderr, "%s\n", err.text);
	return good ? 0 : 1;
}
