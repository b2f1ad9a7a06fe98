/* SPDX-License-Identifier: Apache-2.0 */
/* failpoint.h - places at which a test ends this process: before and after every write, fsync,
 * rename, removal, commit and checkpoint. Not in builds for users: without the CMake option
 * OCTOLAKE_FAILPOINTS (presets debug, asan, tsan, release-failpoints) the macros are nothing.
 *
 * A point is called SCOPE.OPERATION.before or SCOPE.OPERATION.after: "bronze.fsync.before". The
 * operation comes from the call (base/file.c, sqlite_commit and duck_commit have theirs), the scope
 * from whoever knows what is being written. To add points:
 *   1. the first line of the block that knows:  FAILPOINT_SCOPE("bronze");
 *   2. around each call that has none yet:      if (FAILPOINT("fsync", fsync(descriptor)) != 0)
 *   3. the scope and its operations in the one table, failpoint_table.c.
 * tests/torture reaches and kills at every point of that table, and fails for one that its workload
 * does not reach and for a write without a scope: step 4 is a scenario there, when none fits. */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

#ifdef OCTOLAKE_FAILPOINTS

/* Until the end of this block the operations below are those of `scope` (the innermost wins). At most
 * one in a function. */
#define FAILPOINT_SCOPE(scope)                                                                     \
	CLEANUP(failpoint_scope_end) __attribute__((unused)) /* clang: a cleanup alone is no use */ \
	const char *failpoint_outer_scope = failpoint_scope_begin(scope)
/* The value of `call` (an integer or bool), with the two points of `operation` around it. */
#define FAILPOINT(operation, call)                                                                 \
	(failpoint_hit(operation, 0, 0), failpoint_hit(operation, 1, (call)))
/* The same for a call without a value, as a statement. */
#define FAILPOINT_DO(operation, call)                                                              \
	do {                                                                                       \
		(void)failpoint_hit(operation, 0, 0);                                              \
		call;                                                                              \
		(void)failpoint_hit(operation, 1, 0);                                              \
	} while (0)

const char *failpoint_scope_begin(const char *scope);
void failpoint_scope_end(const char **outer_scope);
/* Returns `value`; leaves errno as it is. */
int64_t failpoint_hit(const char *operation, int is_after, int64_t value);

/* "bronze.fsync.after:3" kills this process (SIGKILL) at the third time that it gets there,
 * "bronze.fsync.after:3:sleep=500" waits there for 500 ms. ERR_INPUT for any other text. */
MUST_CHECK bool failpoint_configure(const char *text, struct err *err);

/* ---- for tests; from one thread, before or after the work ---- */
struct failpoint_name {
	char text[96];
};
size_t failpoint_count(void);
struct failpoint_name failpoint_name(size_t point);
/* Kill at the `nth` hit from now; 0: never. Hits and strays count from here on. */
void failpoint_arm(size_t point, int64_t nth);
int64_t failpoint_hits(size_t point);
/* What was hit without a scope, or is not in the table: the first such, or NULL. */
const char *failpoint_stray(void);

#else

/* A declaration, so that a block may go on with others after it. */
#define FAILPOINT_SCOPE(scope) _Static_assert(1, "a semicolon follows")
#define FAILPOINT(operation, call) (call)
#define FAILPOINT_DO(operation, call)                                                              \
	do {                                                                                       \
		call;                                                                              \
	} while (0)

static inline bool failpoint_configure(const char *text, struct err *err)
{
	return err_set(err, ERR_INPUT, "no failpoint \"%.100s\": this build has none", text);
}

#endif
#endif
