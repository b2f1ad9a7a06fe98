/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic_prose.h - titles, comments and commit messages made up word by word, so that no two are
 * alike and a compressor finds in them about what it finds in real ones. English words by a skewed
 * draw, with code, links, lists and names of files between them; one text in fifteen is one of the
 * hostile ones of synthetic_text.h. It means nothing. */
#ifndef FAKE_GITHUB_SYNTHETIC_PROSE_H
#define FAKE_GITHUB_SYNTHETIC_PROSE_H

#include "fake_github/synthetic_world.h"

#include "base/buf.h"

/* Each appends one JSON string with its quotes: a line of up to some 80 bytes, */
void prose_append_title(struct buf *out, struct world_random *random);
/* paragraphs of some 20 to 3,000 bytes, */
void prose_append_body(struct buf *out, struct world_random *random);
/* a commit's message: mostly a line, sometimes with paragraphs below. */
void prose_append_message(struct buf *out, struct world_random *random);

/* Appends the name of a branch, without quotes; safe in URLs and JSON. */
void prose_append_branch(struct buf *out, struct world_random *random);

#endif
