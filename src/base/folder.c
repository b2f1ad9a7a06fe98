/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - the part of file.h that walks and removes trees. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WALK_DEPTH_MAX = 10 };

typedef bool visit_function(void *context, const char *relative_path, struct err *err);

struct walk {
	const char *folder;
	bool drafts; /* show drafts only, or everything but drafts */
	visit_function *visit;
	void *context;
};

static void free_names(struct dirent **names, int count)
{
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static bool is_draft(const char *name)
{
	size_t size = strlen(name);
	return name[0] == '.' && size > 5 && strcmp(name + size - 4, ".tmp") == 0;
}

static bool walk_folder(const struct walk *walk, const char *relative, int depth, struct err *err);

static bool walk_entry(const struct walk *walk, const char *relative, const char *name, int depth, struct err *err)
{
	struct file_path path;
	struct file_path below;
	if (!file_path_make(&below, err, "%s%s%s", relative, relative[0] ? "/" : "", name)
	    || !file_path_make(&path, err, "%s/%s", walk->folder, below.text))
		return false;
	struct stat status;
	if (lstat(path.text, &status) != 0)
		return errno == ENOENT || err_set_errno(err, ERR_LOCAL, errno, "%s", path.text);
	if (S_ISDIR(status.st_mode))
		return walk_folder(walk, below.text, depth + 1, err);
	if (!S_ISREG(status.st_mode) || is_draft(name) != walk->drafts)
		return true;
	return walk->visit(walk->context, below.text, err);
}

static bool walk_folder(const struct walk *walk, const char *relative, int depth, struct err *err)
{
	if (depth > WALK_DEPTH_MAX)
		return err_set(err, ERR_LOCAL, "%s: folders more than %d deep", walk->folder, WALK_DEPTH_MAX);
	struct file_path path;
	if (!file_path_make(&path, err, "%s/%s", walk->folder, relative))
		return false;
	struct dirent **names = NULL;
	int count = scandir(path.text, &names, NULL, alphasort);
	if (count < 0)
		return errno == ENOENT || err_set_errno(err, ERR_LOCAL, errno, "list %s", path.text);
	bool ok = true;
	for (int i = 0; i < count && ok; i++)
		if (strcmp(names[i]->d_name, ".") != 0 && strcmp(names[i]->d_name, "..") != 0)
			ok = walk_entry(walk, relative, names[i]->d_name, depth, err);
	free_names(names, count);
	return ok;
}

bool file_walk(const char *folder, visit_function *visit, void *context, struct err *err)
{
	struct walk walk = {folder, false, visit, context};
	return walk_folder(&walk, "", 0, err);
}

static int is_shown_folder(const struct dirent *entry)
{
	bool is_folder = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
	return is_folder && entry->d_name[0] != '.';
}

bool file_list_folders(const char *folder, visit_function *visit, void *context, struct err *err)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_shown_folder, alphasort);
	if (count < 0)
		return errno == ENOENT || err_set_errno(err, ERR_LOCAL, errno, "list %s", folder);
	bool ok = true;
	for (int i = 0; i < count && ok; i++)
		ok = visit(context, names[i]->d_name, err);
	free_names(names, count);
	return ok;
}

struct sweep {
	const char *folder;
	int64_t removed;
};

static bool remove_draft(void *context, const char *relative_path, struct err *err)
{
	struct sweep *sweep = context;
	struct file_path path;
	if (!file_path_make(&path, err, "%s/%s", sweep->folder, relative_path) || !file_remove(path.text, err))
		return false;
	sweep->removed++;
	return true;
}

bool file_sweep_drafts(const char *folder, int64_t *removed_out, struct err *err)
{
	struct sweep sweep = {folder, 0};
	struct walk walk = {folder, true, remove_draft, &sweep};
	if (!walk_folder(&walk, "", 0, err))
		return false;
	*removed_out = sweep.removed;
	return true;
}

static bool remove_tree(const char *path, int depth, struct err *err)
{
	struct stat status;
	if (lstat(path, &status) != 0)
		return errno == ENOENT || err_set_errno(err, ERR_LOCAL, errno, "%s", path);
	if (!S_ISDIR(status.st_mode))
		return file_remove(path, err);
	if (depth > WALK_DEPTH_MAX)
		return err_set(err, ERR_LOCAL, "%s: folders more than %d deep", path, WALK_DEPTH_MAX);
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, NULL);
	if (count < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "list %s", path);
	bool ok = true;
	for (int i = 0; i < count && ok; i++) {
		struct file_path below;
		if (strcmp(names[i]->d_name, ".") == 0 || strcmp(names[i]->d_name, "..") == 0)
			continue;
		ok = file_path_make(&below, err, "%s/%s", path, names[i]->d_name)
		     && remove_tree(below.text, depth + 1, err);
	}
	free_names(names, count);
	if (ok && rmdir(path) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "remove folder %s", path);
	return ok;
}

bool file_remove_folder(const char *path, struct err *err)
{
	return remove_tree(path, 0, err);
}

/* *empty_out: nothing but "." and ".." is in it. */
static bool sync_parents_below(const char *path, int depth, bool *empty_out, struct err *err)
{
	if (depth > WALK_DEPTH_MAX)
		return err_set(err, ERR_LOCAL, "%s: folders more than %d deep", path, WALK_DEPTH_MAX);
	struct dirent **names = NULL;
	int count = scandir(path, &names, NULL, NULL);
	if (count < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "list %s", path);
	bool ok = true;
	bool has_empty = false;
	for (int i = 0; i < count && ok; i++) {
		struct file_path below;
		struct stat status;
		bool empty = false;
		if (!is_shown_folder(names[i]))
			continue;
		ok = file_path_make(&below, err, "%s/%s", path, names[i]->d_name);
		if (ok && lstat(below.text, &status) == 0 && S_ISDIR(status.st_mode))
			ok = sync_parents_below(below.text, depth + 1, &empty, err);
		has_empty = has_empty || empty;
	}
	free_names(names, count);
	*empty_out = count == 2;
	return ok && (!has_empty || file_sync_folder(path, err));
}

bool file_sync_empty_folders(const char *folder, struct err *err)
{
	bool empty;
	return !file_exists(folder) || sync_parents_below(folder, 0, &empty, err);
}
