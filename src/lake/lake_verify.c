/* SPDX-License-Identifier: Apache-2.0 */
#include "lake/lake_verify.h"

#include "base/log.h"
#include "wrap/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool lake_verify_file(const struct layout *layout, const struct lake_file *file,
		      enum lake_verdict *verdict_out, struct err *err)
{
	struct file_path path;
	struct digest digest;
	struct stat status;
	int64_t size_bytes;
	if (!layout_absolute(layout, file->path.text, &path, err))
		return false;
	if (lstat(path.text, &status) != 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return err_set_errno(err, ERR_LOCAL, errno, "%s", path.text);
		*verdict_out = LAKE_FILE_MISSING;
		return true;
	}
	*verdict_out = LAKE_FILE_DAMAGED;
	if (!S_ISREG(status.st_mode) || (int64_t)status.st_size != file->size_bytes)
		return true;
	if (!digest_of_file(path.text, &digest, &size_bytes, err))
		return false;
	if (strcmp(digest.hex, file->sha256) == 0)
		*verdict_out = LAKE_FILE_INTACT;
	return true;
}

bool lake_verify_silver(struct catalog *catalog, const struct layout *layout,
			const struct lake_file *files, size_t file_count, struct err *err)
{
	const char *first = NULL;
	for (size_t i = 0; i < file_count; i++) {
		enum lake_verdict verdict = LAKE_FILE_DAMAGED;
		bool is_known = files[i].sha256[0] == '\0';
		if (!is_known && !lake_verify_file(layout, &files[i], &verdict, err))
			return false;
		if (verdict == LAKE_FILE_INTACT)
			continue;
		if (!first)
			first = files[i].path.text;
		if (is_known)
			continue;
		if (!catalog_lose_silver(catalog, &files[i], err))
			return err_wrap(err, "damaged silver");
		LOG_EVENT(LOG_ERROR, "silver damaged: making it again from bronze",
			  log_text("file", files[i].path.text),
			  log_text("is", verdict == LAKE_FILE_MISSING ? "missing" : "not what was written"));
	}
	return !first || err_set(err, ERR_RETRY, "silver file %.200s is damaged and is made again from bronze", first);
}
