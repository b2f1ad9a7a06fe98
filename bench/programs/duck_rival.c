/* SPDX-License-Identifier: Apache-2.0 */
/* duck_rival THREADS SQL...: the engine that the import is held against, the same library as octolake's own, in
 * a process of its own, in memory, with 8 GiB and freedom to reorder rows. Runs the statements; one that
 * starts with SELECT gives one integer, which is printed. */
#include "wrap/duck.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool run(struct duck_connection *connection, const char *sql, struct err *err)
{
	if (strncmp(sql, "SELECT ", 7) != 0)
		return duck_run(connection, sql, err);
	int64_t value;
	if (!duck_query_integer(connection, sql, NULL, 0, -1, &value, err))
		return false;
	(void)printf("%" PRId64 "\n", value);
	return true;
}

int main(int count, char **arguments)
{
	struct duck_database *database CLEANUP(duck_close) = NULL;
	struct duck_connection *connection CLEANUP(duck_disconnect) = NULL;
	struct err err = {0};
	int64_t threads;
	if (count < 3 || !span_parse_int64(span_of(arguments[1]), &threads) || threads < 1 || threads > 64) {
		(void)fprintf(stderr, "duck_rival THREADS SQL...\n");
		return 2;
	}
	const struct duck_options options = {
		.memory_bytes_max = INT64_C(8) << 30,
		.threads = (int)threads,
		.allowed_folder = "/",
	};
	bool ok = duck_open(&options, &database, &err) && duck_connect(database, &connection, &err);
	for (int i = 2; ok && i < count; i++)
		ok = run(connection, arguments[i], &err);
	if (!ok)
		(void)fprintf(stderr, "duck_rival: %s\n", err.text);
	return ok ? 0 : 1;
}
