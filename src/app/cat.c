/* SPDX-License-Identifier: Apache-2.0 */
/* cat.c - prints bronze: the events exactly as received, one JSON line each. Works beside a running
 * pipeline, because published files never change. */
#include "app/commands.h"
#include "lake/archive_reader.h"
#include "lake/bronze.h"

#include <errno.h>
#include <stdio.h>

static bool print_line(struct span line, struct err *err)
{
	if (fwrite(line.data, 1, line.size, stdout) != line.size || fputc('\n', stdout) == EOF)
		return err_set_errno(err, ERR_LOCAL, errno, "write to stdout");
	return true;
}

/* An imported hour: its lines, good or not; of places that are damaged there is no line. */
static bool print_archive(const char *path, struct err *err)
{
	struct archive_reader *reader CLEANUP(archive_reader_close) = NULL;
	const struct archive_reader_options options = {0};
	struct err damage = {0};
	if (!archive_reader_open(path, &options, &reader, err))
		return false;
	for (;;) {
		struct archive_item item;
		if (!archive_reader_next(reader, &item, err))
			return false;
		if (item.kind == ARCHIVE_END)
			break;
		if (item.kind == ARCHIVE_LINE && !print_line(item.bytes, err))
			return false;
		if (item.kind == ARCHIVE_DAMAGE && damage.kind == ERR_NONE)
			(void)err_set(&damage, ERR_INPUT, "%s: %s", item.reason, item.detail);
	}
	if (damage.kind == ERR_NONE)
		return true;
	*err = damage;
	return err_wrap(err, "%s", path);
}

static bool is_archive(const char *path)
{
	return span_ends_with(span_of(path), ".json.gz") || span_ends_with(span_of(path), ".json");
}

static bool print_file(const char *path, struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	if (is_archive(path))
		return print_archive(path, err);
	if (!bronze_reader_open(path, &reader, err))
		return err_wrap(err, "%s", path);
	for (;;) {
		struct span line;
		int64_t offset;
		bool end;
		if (!bronze_reader_next(reader, &line, &offset, &end, err))
			return err_wrap(err, "%s", path);
		if (end)
			return true;
		if (!print_line(line, err))
			return false;
	}
}

struct tree {
	const char *folder;
	struct err first_err; /* of a damaged file: the others are printed all the same */
	bool damaged;
};

static bool print_below(void *context, const char *relative_path, struct err *err)
{
	struct tree *tree = context;
	struct file_path path;
	if (!span_ends_with(span_of(relative_path), ".ndjson.zst") && !is_archive(relative_path))
		return true;
	if (!file_path_make(&path, err, "%s/%s", tree->folder, relative_path))
		return false;
	if (print_file(path.text, err))
		return true;
	if (err->kind != ERR_INPUT)
		return false;
	if (!tree->damaged)
		tree->first_err = *err;
	tree->damaged = true;
	return true;
}

static bool print_tree(const char *folder, struct err *err)
{
	struct tree tree = {.folder = folder};
	if (!file_walk(folder, print_below, &tree, err))
		return false;
	if (!tree.damaged)
		return true;
	*err = tree.first_err;
	err->exit_code = 4;
	return false;
}

bool command_cat(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	const char *data = config_text(config, OPTION_DATA);
	struct file_path folder;
	if (!file_path_make(&folder, err, "%s/bronze", data))
		return false;
	if (word_count == 0)
		return print_tree(folder.text, err);
	for (size_t i = 0; i < word_count; i++) {
		bool is_type = event_type_is_plain(span_of(words[i]));
		if (is_type && !file_path_make(&folder, err, "%s/bronze/%s", data, words[i]))
			return false;
		bool is_folder = is_type && file_exists(folder.text);
		if (!is_folder && !file_exists(words[i]))
			return command_usage_err(err, "%.200s is neither a file nor an event type in %.200s", words[i],
						 data);
		if (!(is_folder ? print_tree(folder.text, err) : print_file(words[i], err)))
			return false;
	}
	return true;
}
