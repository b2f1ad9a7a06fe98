/* SPDX-License-Identifier: Apache-2.0 */
/* failpoint_table.h - every failpoint there is. For failpoint*.c only. */
#ifndef BASE_FAILPOINT_TABLE_H
#define BASE_FAILPOINT_TABLE_H

enum { FAILPOINT_OPERATION_COUNT_MAX = 8 };

struct failpoint_scope {
	const char *name;
	const char *operations[FAILPOINT_OPERATION_COUNT_MAX + 1]; /* up to NULL */
};

extern const struct failpoint_scope failpoint_scopes[]; /* up to a NULL name */

#endif
