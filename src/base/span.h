/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - borrowed bytes with a length. A span never owns, need not end in NUL, and may hold any
 * byte. The empty span may have data NULL; a span whose data is NULL also stands for "absent". */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include "base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *data;
	size_t size;
};

/* A literal as a constant initialiser. */
#define SPAN_LITERAL(text) {(text), sizeof(text) - 1}

/* For printf's "%.*s". */
#define SPAN_ARGUMENTS(s) ((int)((s).size > 4096 ? 4096 : (s).size)), ((s).data ? (s).data : "")

struct span span_of(const char *text); /* NULL gives the absent span */
struct span span_make(const char *data, size_t size);
bool span_equal(struct span a, struct span b);
bool span_equal_text(struct span a, const char *text);
bool span_equal_ignore_case(struct span a, struct span b); /* ASCII letters only */
bool span_starts_with(struct span s, const char *prefix);
bool span_ends_with(struct span s, const char *suffix);
struct span span_trim(struct span s); /* without spaces and tabs, CR, LF at both ends */

/* Memcmp order, the shorter first. */
int span_compare(struct span a, struct span b);

/* Splits at the first `separator`: head_out before it, rest_out after it. False when there is none
 * (outputs untouched). */
bool span_split(struct span s, char separator, struct span *head_out, struct span *rest_out);

/* Decimal, the whole span, no sign but '-'; false on anything else or overflow. */
bool span_parse_int64(struct span s, int64_t *value_out);
/* As strtod in the C locale, the whole span, finite only. */
bool span_parse_double(struct span s, double *value_out);

/* True when the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). */
bool span_is_utf8(struct span s);
/* Bytes of the well-formed UTF-8 character at the front, 0 when there is none. */
size_t span_utf8_size(struct span s);
/* The same, but 0 for control characters (C0, DEL, C1): what a terminal may be shown. */
size_t span_printable_size(struct span s);

/* FNV-1a, 64 bits; `seed` 0 starts, an earlier result continues. Not for hostile keys in tables
 * without a bound. */
uint64_t span_hash(struct span s, uint64_t seed);

#endif
