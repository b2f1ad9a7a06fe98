/* SPDX-License-Identifier: Apache-2.0 */
/* well_known_fields.h - the types of GitHub's fields, for paths that events.yaml lists without one.
 * For field_set.c only. */
#ifndef LAKE_WELL_KNOWN_FIELDS_H
#define LAKE_WELL_KNOWN_FIELDS_H

#include "base/table.h"

/* The type that GitHub's description of its API gives the field at `path`; VALUE_TEXT for all
 * others (names, texts, objects, arrays, what we do not know). */
enum value_type well_known_field_type(struct span path);

#endif
