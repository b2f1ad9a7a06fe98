/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what every C test includes, first: cmocka with what it needs, recorded real data,
 * temporary folders. Failures end the test in progress, as cmocka's own checks do. */
#ifndef TESTS_SUPPORT_CHECK_H
#define TESTS_SUPPORT_CHECK_H

/* cmocka.h needs these four before it, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct check_path {
	char text[4096];
};

/* The path of `name` below the folder of recorded events that OCTOLAKE_REAL_DATA names. Skips the
 * test in progress, saying so on stderr, when the variable is unset or the folder does not exist;
 * fails it when the folder is there and `name` is not. */
struct check_path real_data_path_or_skip(const char *name);

/* Creates an empty folder of its own below TMPDIR or /tmp. Remove it with temporary_folder_remove. */
struct check_path temporary_folder_create(void);

/* Removes the folder and everything below it, without following symbolic links. Only accepts what
 * temporary_folder_create gave. */
void temporary_folder_remove(const struct check_path *folder);

/* `folder`/`name` as one path. */
struct check_path path_below(const struct check_path *folder, const char *name);

#endif
