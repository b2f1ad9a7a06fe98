/* SPDX-License-Identifier: Apache-2.0 */
/* size_text.h - numbers of bytes as people write them. */
#ifndef BASE_SIZE_TEXT_H
#define BASE_SIZE_TEXT_H

#include "base/span.h"

#include <stdint.h>

/* "4096", "512KiB", "64MiB", "10GiB", "2TiB", and KB, MB, GB, TB (powers of 1000). No blanks, no
 * fractions. False for anything else and beyond int64. */
bool size_parse(struct span s, int64_t *bytes_out);

#endif
