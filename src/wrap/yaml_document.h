/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_document.h - one YAML document as a tree that knows where each node stood.
 *
 * Untrusted input: UTF-8 only, at most 1 MiB, 20 levels, 100,000 nodes; duplicate keys, several
 * documents, tags, non-scalar keys, anchors/aliases and line breaks other than CR and LF are
 * refused. Scalars keep their text; whether "yes" is a boolean is the reader's question (YAML 1.2
 * core: null, true/false, integers, floats; only plain scalars, a quoted one is always text). */
#ifndef WRAP_YAML_DOCUMENT_H
#define WRAP_YAML_DOCUMENT_H

#include "base/arena.h"
#include "base/err.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
	enum yaml_kind kind;
	int line;   /* from 1 */
	int column; /* from 1, in characters */
	/* scalar */
	struct span text;
	bool plain; /* not quoted, not a block */
	/* Where the text begins in the file. In a literal block ("|") each position can be told:
	 * line i of the text is line text_line + i of the file, its first byte stands at
	 * text_column. In folded (">") and quoted scalars that holds for the first line only. */
	int text_line;
	int text_column;
	/* mapping: keys[i] belongs to values[i]; sequence: values only */
	const struct yaml_node *const *keys;
	const struct yaml_node *const *values;
	size_t count;
};

/* Parses `text`. Everything lives in `arena`. ERR_INPUT with text "NAME:LINE:COLUMN: what"; also
 * when it needs more than the arena's maximum. An empty document gives *root_out NULL. */
MUST_CHECK bool yaml_parse(struct span text, const char *name, struct arena *arena,
			   const struct yaml_node **root_out, struct err *err);

/* The value of a key, or NULL; also when `mapping` is NULL or no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/* NULL is none of these. Words as the core schema has them: true, True, TRUE. */
bool yaml_is_null(const struct yaml_node *node); /* plain "", "~", "null" */
bool yaml_to_boolean(const struct yaml_node *node, bool *value_out); /* plain true/false */
bool yaml_to_integer(const struct yaml_node *node, int64_t *value_out); /* plain decimal */
bool yaml_to_real(const struct yaml_node *node, double *value_out); /* plain integer or float */

/* ERR_INPUT "NAME:LINE:COLUMN: …"; a NULL node stands at 1:1. Returns false. */
bool yaml_err(struct err *err, const char *name, const struct yaml_node *node, const char *format,
	      ...) PRINTF_LIKE(4, 5);

#endif
