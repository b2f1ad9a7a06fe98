/* SPDX-License-Identifier: Apache-2.0 */
/* derived_id.h - the id of events that came without one: GH Archive's hours until the end of 2014.
 *
 * Two editions of an hour are to agree about an event, so the id is a hash of its canonical text:
 *   - JSON without blanks, as UTF-8; the members of each object in the order of their keys' bytes as
 *     this text writes them; of duplicate keys the last; arrays in their order
 *   - strings with the fewest escapes: \" \\ \b \f \n \r \t, \u00xx (lower case) for the other control
 *     characters, all else as itself
 *   - integers as received, -0 as 0; numbers with a fraction or an exponent as the nearest double,
 *     printed by "%.17g" (so 1.0 is 1), without the sign of a zero; "inf" beyond the range
 *   - without members that are null: null and absent are the same
 *   - without e-mail addresses, which GH Archive dropped, then hashed, in what it had published
 *     (crawler/obfuscate.rb of github.com/igrigorik/gharchive.org): members with the key "email",
 *     wherever they stand and whatever they hold, and the second element of each array in
 *     payload.shas. Addresses inside other texts stay: the archive left them too.
 * Id: minus the upper 63 bits of the text's XXH64 (seed 0); minus 1 where they are 0. So it is negative,
 * never 0, and no id of GitHub's. Events with the same text are one event: the archive's clock has
 * seconds, and nothing tells them apart.
 *
 * The definition is part of every lake that holds such an event: it never changes. */
#ifndef LAKE_DERIVED_ID_H
#define LAKE_DERIVED_ID_H

#include "base/buf.h"

/* `json` must be one object that the scanner validated (scan_walk): UTF-8, well-formed, at most
 * SCAN_DEPTH_MAX deep and SCAN_EVENT_BYTES_MAX large. Where it is not, it asserts or gives some id, and
 * reads nothing outside. Takes for the call about four times json.size of memory; at worst (nothing but
 * numbers such as 0.1, or nothing but members) some twenty times, at most DERIVED_ID_TEXT_BYTES_MAX and
 * 96 MiB, and some seconds. Any thread. */
int64_t derived_id(struct span json);

/* Replaces the content of `text_out`, whose maximum must be DERIVED_ID_TEXT_BYTES_MAX, by the
 * canonical text. */
void derived_id_write_text(struct span json, struct buf *text_out);

/* XXH64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md); the same on every machine. */
uint64_t derived_id_hash(struct span text);

/* Room for the text, which is sorted beside itself, of the largest event. "0.1" becomes 19 characters. */
enum { DERIVED_ID_TEXT_BYTES_MAX = 256 * 1024 * 1024 };

#endif
