/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_text.h - words that people write, hostile ones among them: quotes, backslashes, many
 * scripts, emoji, SQL and HTML. */
#ifndef FAKE_GITHUB_SYNTHETIC_TEXT_H
#define FAKE_GITHUB_SYNTHETIC_TEXT_H

#include "fake_github/synthetic_world.h"

#include "base/buf.h"

const char *text_pick_title(struct world_random *random);
const char *text_pick_body(struct world_random *random);
const char *text_pick_branch(struct world_random *random); /* safe in URLs and JSON */

/* Appends `text` as a JSON string with its quotes; NULL as null. */
void text_append(struct buf *out, const char *text);

/* Appends 40 hexadecimal digits, without quotes. */
void text_append_sha(struct buf *out, struct world_random *random);

#endif
