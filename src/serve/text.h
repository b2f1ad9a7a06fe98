/* SPDX-License-Identifier: Apache-2.0 */
/* text.h - text of others made harmless for the place where it goes. */
#ifndef SERVE_TEXT_H
#define SERVE_TEXT_H

#include "base/buf.h"

/* For HTML text and quoted attributes; bytes that are no printable UTF-8 become U+FFFD, except for
 * tabs and line ends. */
void text_append_html(struct buf *out, struct span text);
/* Percent-encoded (RFC 3986): everything but letters, digits and "-_.~". */
void text_append_url(struct buf *out, struct span text);
/* As part of a file name: everything but letters, digits, "." and "_" becomes "-". */
void text_append_file_name(struct buf *out, struct span text);
/* An error's words for people elsewhere: of each absolute path only its last part stays. */
void text_append_public(struct buf *out, struct span text);
/* The part after the last "/". */
struct span text_base_name(struct span path);

#endif
