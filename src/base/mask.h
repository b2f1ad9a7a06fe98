/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h - texts from settings and the environment as they may be shown. */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include "base/buf.h"

/* Appends `text` with the user information of every URL in it as three asterisks, "http:" and
 * "//u:p@proxy:3128" becoming "//(asterisks)@proxy:3128". The form without a scheme that proxy variables
 * allow, "u:p@proxy", is masked too; paths that hold an "@" are left alone. */
void mask_append_urls(struct buf *out, struct span text);

#endif
