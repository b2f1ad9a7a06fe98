/* SPDX-License-Identifier: Apache-2.0 */
/* attributes.h - the three compiler attributes the tree is written with. */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

/* The caller must look at the result: errors are never dropped by accident. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* A local that owns something: `fn(&local)` runs when it goes out of scope. Initialise it on the
 * same line. To hand ownership out, move the pointer away and leave NULL behind. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define PRINTF_LIKE(format_index, first_argument_index)                                            \
	__attribute__((format(printf, format_index, first_argument_index)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
