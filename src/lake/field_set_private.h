/* SPDX-License-Identifier: Apache-2.0 */
/* field_set_private.h - what the parts of field_set share: field_set_parse.c reads YAML into a new
 * field_set, field_set.c does everything else. */
#ifndef LAKE_FIELD_SET_PRIVATE_H
#define LAKE_FIELD_SET_PRIVATE_H

#include "lake/field_set.h"

/* Fills the zeroed `fields`, whose arena is initialised; all but the fingerprint. ERR_INPUT. */
MUST_CHECK bool field_set_parse(
	struct span text, const char *name, struct field_set *fields, struct err *err);

/* For qsort and bsearch over logins: ASCII case does not count, as on GitHub. */
int field_set_compare_logins(const void *left, const void *right);

#endif
