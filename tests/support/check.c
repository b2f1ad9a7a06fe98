/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - recorded real data and temporary folders for C tests. */
#include "tests/support/check.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { walk_descriptors_max = 16 };

static const char folder_prefix[] = "octolake-test-";

struct check_path path_below(const struct check_path *folder, const char *name)
{
	struct check_path path;
	int length = snprintf(path.text, sizeof path.text, "%s/%s", folder->text, name);
	if (length < 0 || (size_t)length >= sizeof path.text)
		fail_msg("path too long: %s/%s", folder->text, name);
	return path;
}

struct check_path real_data_path_or_skip(const char *name)
{
	const char *root = getenv("OCTOLAKE_REAL_DATA");
	if (!root || !*root || access(root, R_OK) != 0) {
		fprintf(stderr, "skipped: OCTOLAKE_REAL_DATA names no folder of recorded events\n");
		skip();
	}
	struct check_path folder;
	(void)snprintf(folder.text, sizeof folder.text, "%s", root);
	struct check_path path = path_below(&folder, name);
	if (access(path.text, R_OK) != 0)
		fail_msg("%s: %s", path.text, strerror(errno));
	return path;
}

struct check_path temporary_folder_create(void)
{
	const char *root = getenv("TMPDIR");
	struct check_path folder;
	int length = snprintf(folder.text, sizeof folder.text, "%s/%sXXXXXX",
			      root && *root ? root : "/tmp", folder_prefix);
	if (length < 0 || (size_t)length >= sizeof folder.text || !mkdtemp(folder.text))
		fail_msg("no temporary folder: %s", strerror(errno));
	return folder;
}

static int entry_remove(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	return remove(path);
}

void temporary_folder_remove(const struct check_path *folder)
{
	if (!strstr(folder->text, folder_prefix))
		fail_msg("not a temporary folder: %s", folder->text);
	if (nftw(folder->text, entry_remove, walk_descriptors_max, FTW_DEPTH | FTW_PHYS) != 0)
		fail_msg("%s is not removed: %s", folder->text, strerror(errno));
}
