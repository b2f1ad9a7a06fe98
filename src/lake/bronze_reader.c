/* SPDX-License-Identifier: Apache-2.0 */
/* bronze_reader.c - a bronze file's header and lines.
 *
 * The compressed file is in memory (at most BRONZE_FILE_BYTES_MAX), its lines pass through a window
 * that holds one line and a step. Unless its digest is the one that the catalog has, only frames that
 * agree with their checksums are read. Nothing in a file is believed: sizes have maxima, the
 * header is checked field by field, its number of events against the lines. */
#include "base/clock.h"
#include "base/memory.h"
#include "lake/bronze_format.h"
#include "lake/scan.h"
#include "wrap/digest.h"
#include "wrap/json_document.h"
#include "wrap/zstd_stream.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STEP_BYTES = 256 * 1024, EXIT_CODE_NEWER_FORMAT = 4 };

struct bronze_reader {
	struct file_path path; /* absolute, for messages */
	struct buf compressed;
	struct bronze_file header;
	struct zstd_reader *zstd;
	struct buf window;     /* decompressed bytes that were not all handed out */
	size_t at;             /* in the window: where the next line starts */
	size_t searched;       /* in the window: no line feed between `at` and here */
	int64_t window_offset; /* of the window in the decompressed bytes */
	int64_t lines;
	bool ended;            /* no more bytes are to come: the end, or damage */
	bool damaged;
	struct err damage;
	bool found_damage; /* before the first line: some frames are not sound, and left out */
	int64_t lost_at;   /* in the file: where the first such frame is */
};

bool bronze_source_is_plain(struct span source)
{
	for (size_t i = 0; i < source.size; i++)
		if ((source.data[i] < 'a' || source.data[i] > 'z') && source.data[i] != '-')
			return false;
	return source.size >= 1 && source.size <= BRONZE_SOURCE_BYTES_MAX;
}

void bronze_reader_close(struct bronze_reader **reader)
{
	if (!*reader)
		return;
	zstd_reader_close(&(*reader)->zstd);
	buf_finish(&(*reader)->compressed);
	buf_finish(&(*reader)->window);
	free(*reader);
	*reader = NULL;
}

static bool get_time(const struct json_node *root, const char *key, int64_t *time_us_out)
{
	return time_parse(json_get_text(root, key), time_us_out);
}

static bool get_date(const struct json_node *root, int64_t *date_us_out)
{
	struct span date = json_get_text(root, "date");
	char midnight[] = "YYYY-MM-DDT00:00:00Z";
	if (date.size != 10)
		return false;
	memcpy(midnight, date.data, date.size);
	return time_parse(span_of(midnight), date_us_out)
	       && span_equal_text(date, time_render_date(*date_us_out).text);
}

static bool read_fields(const struct json_node *root, struct bronze_file *header)
{
	struct span type = json_get_text(root, "type");
	struct span source = json_get_text(root, "source");
	header->batch = json_get_integer(root, "batch", 0);
	header->events = json_get_integer(root, "events", 0);
	if (!(event_type_is_plain(type) || span_equal_text(type, "_other"))
	    || !bronze_source_is_plain(source) || header->batch < 1 || header->events < 1
	    || !get_date(root, &header->date_us)
	    || !get_time(root, "received_at", &header->received_at_us)
	    || !get_time(root, "time_min", &header->time_min_us)
	    || !get_time(root, "time_max", &header->time_max_us))
		return false;
	memcpy(header->type, type.data, type.size);
	memcpy(header->source, source.data, source.size);
	return true;
}

static bool read_header(struct bronze_reader *reader, struct err *err)
{
	struct arena arena CLEANUP(arena_finish) = {0};
	const struct json_node *root = NULL;
	struct span content;
	size_t frame_size;
	arena_init(&arena, (size_t)64 * BRONZE_HEADER_BYTES_MAX);
	if (!zstd_read_skippable(buf_span(&reader->compressed), &content, &frame_size)
	    || content.size > BRONZE_HEADER_BYTES_MAX || !json_parse(content, &arena, &root, err)
	    || !span_equal_text(json_get_text(root, "format"), BRONZE_FORMAT_NAME))
		return err_set(err, ERR_INPUT, "no bronze header");
	int64_t version = json_get_integer(root, "version", 0);
	if (version > BRONZE_FORMAT_VERSION) {
		(void)err_set(err, ERR_LOCAL,
			"bronze format %" PRId64 " is newer than this program's %d: use a newer octolake, or move"
			" the file out of the data folder", version, BRONZE_FORMAT_VERSION);
		err->exit_code = EXIT_CODE_NEWER_FORMAT;
		return false;
	}
	if (version != BRONZE_FORMAT_VERSION || !read_fields(root, &reader->header))
		return err_set(err, ERR_INPUT, "damaged bronze header");
	reader->header.size_bytes = (int64_t)reader->compressed.size;
	return true;
}

static bool load(const char *path, struct bronze_reader **reader_out, struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) =
		memory_allocate(1, sizeof(*reader));
	struct stat status;
	buf_init(&reader->compressed, BRONZE_FILE_BYTES_MAX);
	buf_init(&reader->window, SCAN_EVENT_BYTES_MAX + STEP_BYTES);
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
		return err_set(err, ERR_INPUT, "%s: not a file", path);
	if (!file_path_make(&reader->path, err, "%s", path)
	    || !file_read(path, &reader->compressed, err))
		return false;
	*reader_out = reader;
	reader = NULL;
	return true;
}

/* Keeps the frames that agree with their checksums, and nothing else: a byte that is wrong in another
 * one may be wrong in any of its lines, however good they look. */
static bool keep_sound_frames(struct bronze_reader *reader, struct err *err)
{
	struct buf sound CLEANUP(buf_finish) = {.size_max = BRONZE_FILE_BYTES_MAX};
	struct span file = buf_span(&reader->compressed);
	struct span content;
	size_t at = 0;
	if (!zstd_read_skippable(file, &content, &at) || content.size > BRONZE_HEADER_BYTES_MAX)
		at = zstd_find_frame(file, 0);
	while (at < file.size) {
		size_t size;
		char last;
		struct span rest = {file.data + at, file.size - at};
		bool is_sound = zstd_frame_is_sound(rest, &size, &last) && last == '\n';
		if (is_sound) {
			buf_append(&sound, rest.data, size);
			at += size;
			continue;
		}
		if (!reader->found_damage)
			reader->lost_at = (int64_t)at;
		reader->found_damage = true;
		at = zstd_find_frame(file, at + 1);
	}
	if (sound.failed)
		return err_set(err, ERR_LOCAL, "%s: too large", reader->path.text);
	buf_finish(&reader->compressed);
	reader->compressed = sound;
	sound = (struct buf){0};
	return true;
}

static bool begin(struct bronze_reader **reader, struct bronze_reader **reader_out, struct err *err)
{
	if (!zstd_reader_open(buf_span(&(*reader)->compressed), &(*reader)->zstd, err))
		return false;
	*reader_out = *reader;
	*reader = NULL;
	return true;
}

bool bronze_reader_open(const char *path, struct bronze_reader **reader_out, struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	if (!load(path, &reader, err))
		return false;
	if (!read_header(reader, err) || !keep_sound_frames(reader, err) || !begin(&reader, reader_out, err))
		return err_wrap(err, "%s", path);
	return true;
}

/* A header that can be read must name the file's own place: two files may have changed places. One that
 * cannot is not needed: its frames speak for themselves. */
static bool judge_header(struct bronze_reader *reader, const char *relative, struct err *err)
{
	struct span type;
	int64_t date_us;
	int64_t batch;
	struct err header_err = {0};
	if (!read_header(reader, &header_err)) {
		/* Not what was written, so no newer format either. */
		reader->header = (struct bronze_file){.events = -1};
		reader->found_damage = true;
		return true;
	}
	if (!layout_parse_bronze(relative, &type, &date_us, &batch) || !span_equal_text(type, reader->header.type)
	    || date_us != reader->header.date_us || batch != reader->header.batch)
		return err_set(err, ERR_INPUT, "its header names another place");
	return true;
}

bool bronze_reader_open_known(const struct layout *layout, const char *relative, const char *sha256,
			      struct bronze_reader **reader_out, struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct file_path path;
	if (!layout_absolute(layout, relative, &path, err) || !load(path.text, &reader, err))
		return false;
	struct digest digest = digest_of(buf_span(&reader->compressed));
	if (strcmp(digest.hex, sha256) == 0) {
		if (!read_header(reader, err) || !begin(&reader, reader_out, err))
			return err_wrap(err, "%s", path.text);
		return true;
	}
	if (!judge_header(reader, relative, err) || !keep_sound_frames(reader, err))
		return err_wrap(err, "%s", path.text);
	reader->found_damage = true;
	return begin(&reader, reader_out, err);
}

const struct bronze_file *bronze_reader_header(const struct bronze_reader *reader)
{
	return &reader->header;
}

/* More bytes into the window, which has no whole line left. */
static bool fill(struct bronze_reader *reader, struct err *err)
{
	buf_consume(&reader->window, reader->at);
	reader->window_offset += (int64_t)reader->at;
	reader->searched -= reader->at;
	reader->at = 0;
	if (reader->window.size > SCAN_EVENT_BYTES_MAX)
		return err_set(err, ERR_INPUT, "%s: a line of more than %d bytes",
			reader->path.text, SCAN_EVENT_BYTES_MAX);
	struct err damage = {0};
	if (zstd_reader_read(reader->zstd, &reader->window, STEP_BYTES, &reader->ended, &damage))
		return true;
	if (damage.kind != ERR_INPUT) {
		*err = damage;
		return err_wrap(err, "%s", reader->path.text);
	}
	reader->ended = true;
	reader->damaged = true;
	reader->damage = damage;
	return true;
}

/* After the last whole line. */
static bool check_end(const struct bronze_reader *reader, struct err *err)
{
	if (reader->damaged) {
		*err = reader->damage;
		return err_wrap(err, "%s", reader->path.text);
	}
	if (reader->found_damage && reader->lines != reader->header.events)
		return err_set(err, ERR_INPUT, "%s: damaged from byte %" PRId64 " of the file on", reader->path.text,
			reader->lost_at);
	if (reader->at != reader->window.size)
		return err_set(err, ERR_INPUT, "%s: the last line is cut", reader->path.text);
	if (reader->lines != reader->header.events)
		return err_set(err, ERR_INPUT, "%s: %" PRId64 " lines, its header says %" PRId64,
			reader->path.text, reader->lines, reader->header.events);
	return true;
}

bool bronze_reader_next(struct bronze_reader *reader, struct span *line_out, int64_t *offset_out,
			bool *end_out, struct err *err)
{
	for (;;) {
		struct span window = buf_span(&reader->window);
		size_t left = window.size - reader->searched;
		const char *feed = left ? memchr(window.data + reader->searched, '\n', left) : NULL;
		if (feed) {
			size_t end = (size_t)(feed - window.data);
			*line_out = (struct span){window.data + reader->at, end - reader->at};
			*offset_out = reader->window_offset + (int64_t)reader->at;
			*end_out = false;
			reader->at = end + 1;
			reader->searched = end + 1;
			reader->lines++;
			return true;
		}
		reader->searched = window.size;
		if (reader->ended) {
			if (!check_end(reader, err))
				return false;
			*end_out = true;
			return true;
		}
		if (!fill(reader, err))
			return false;
	}
}

static bool read_to_end(struct bronze_reader *reader, struct err *err)
{
	struct span line;
	int64_t offset;
	bool end = false;
	while (!end)
		if (!bronze_reader_next(reader, &line, &offset, &end, err))
			return false;
	return true;
}

bool bronze_inspect(const struct layout *layout, const char *relative, struct bronze_file *file_out,
		    struct err *err)
{
	struct bronze_reader *reader CLEANUP(bronze_reader_close) = NULL;
	struct file_path path;
	struct digest digest;
	struct span type;
	int64_t size_bytes;
	int64_t date_us;
	int64_t batch;
	if (!layout_parse_bronze(relative, &type, &date_us, &batch))
		return err_set(err, ERR_INPUT, "%s: not the name of a bronze file", relative);
	if (!layout_absolute(layout, relative, &path, err)
	    || !digest_of_file(path.text, &digest, &size_bytes, err) || !bronze_reader_open(path.text, &reader, err))
		return false;
	bool is_whole = read_to_end(reader, err);
	if (!is_whole && err->kind != ERR_INPUT)
		return false;
	struct bronze_file file = reader->header;
	/* More lines than the header says: then it is the header that is damaged. */
	if (reader->lines > file.events)
		file.events = reader->lines;
	if (!span_equal_text(type, file.type) || date_us != file.date_us || batch != file.batch)
		return err_set(err, ERR_INPUT, "%s: its header names another place", path.text);
	if (!file_path_make(&file.path, err, "%s", relative))
		return false;
	if (reader->lines == 0)
		return err_set(err, ERR_INPUT, "%s: no line of it can be read", path.text);
	if (is_whole && !reader->found_damage)
		memcpy(file.sha256, digest.hex, sizeof(file.sha256));
	*file_out = file;
	return true;
}
