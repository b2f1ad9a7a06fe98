/* SPDX-License-Identifier: Apache-2.0 */
/* etag.h - weak entity tags as GitHub sends them: W/"<64 hexadecimal digits>". */
#ifndef FAKE_GITHUB_ETAG_H
#define FAKE_GITHUB_ETAG_H

#include "base/span.h"

enum { ETAG_BYTES_MAX = 72 };

struct etag {
	char text[ETAG_BYTES_MAX]; /* with W/ and quotes */
};

/* A tag of the body and of a salt that tells equal bodies apart (the state's number, the page). */
struct etag etag_make(struct span body, uint64_t salt);

/* True when the value of an If-None-Match header names the tag. Comparison is weak (RFC 9110
 * 13.1.2), but the quotes are part of a tag: without them nothing matches. "*" matches nothing
 * here, because no event client may send it. */
bool etag_matches(struct span if_none_match, const struct etag *etag);

#endif
