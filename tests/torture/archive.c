/* SPDX-License-Identifier: Apache-2.0 */
/* archive.c - files of an archive, in pieces and from a person's folder, killed in between: what has its final name
 * is whole, and the next life goes on. Without a server: what one sends is a matter of unit tests. */
#include "tests/torture/torture.h"

#include "ingest/archive_part.h"
#include "ingest/archive_take.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CONTENT_BYTES = 200 * 1000, PIECE_BYTES = 50 * 1000 };

static const char URL[] = "https://archive.example/2026-09-20-7.json.gz";

struct places {
	char content[CONTENT_BYTES];
	struct digest sum;
	struct file_path parts; /* folders */
	struct file_path takes;
	struct file_path hour; /* files */
	struct file_path other;
	struct file_path from; /* the person's */
	struct file_path taken;
};

static bool name_places(struct places *places, const char *folder, struct err *err)
{
	for (size_t i = 0; i < CONTENT_BYTES; i++)
		places->content[i] = (char)(i * 7 % 251);
	places->sum = digest_of(span_make(places->content, CONTENT_BYTES));
	return file_path_make(&places->parts, err, "%s/parts", folder)
	       && file_path_make(&places->takes, err, "%s/takes", folder)
	       && file_path_make(&places->hour, err, "%s/hour", places->parts.text)
	       && file_path_make(&places->other, err, "%s/other", places->parts.text)
	       && file_path_make(&places->from, err, "%s/from", folder)
	       && file_path_make(&places->taken, err, "%s/taken", places->takes.text);
}

static bool is_whole(const struct places *places, const char *path, struct err *err)
{
	struct digest sum;
	int64_t size;
	if (!file_exists(path))
		return true;
	if (!digest_of_file(path, &sum, &size, err))
		return false;
	return (size == CONTENT_BYTES && strcmp(sum.hex, places->sum.hex) == 0)
	       || err_set(err, ERR_LOCAL, "%s is published and not whole: %lld bytes", path, (long long)size);
}

static bool add_piece(struct archive_part *part, const struct places *places, struct err *err)
{
	int64_t left = CONTENT_BYTES - part->bytes;
	size_t size = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
	return archive_part_add(part, span_make(places->content + part->bytes, size), err)
	       && archive_part_pause(part, err);
}

/* What an earlier life left is kept, and is what it should be. */
static bool fetch_hour(const struct places *places, struct err *err)
{
	struct archive_part part CLEANUP(archive_part_finish) = {0};
	struct archive_origin origin = {.etag = "\"1\"", .length = CONTENT_BYTES};
	memcpy(origin.url, URL, sizeof(URL));
	if (!archive_part_load(&part, places->hour.text, URL, err))
		return false;
	struct digest sum = digest_of(span_make(places->content, (size_t)part.bytes));
	if (part.bytes > CONTENT_BYTES || strcmp(digest_stream_get(part.digest).hex, sum.hex) != 0)
		return err_set(err, ERR_LOCAL, "%lld bytes of another file are kept", (long long)part.bytes);
	if (part.bytes == 0 && (!archive_part_restart(&part, &origin, err) || !add_piece(&part, places, err)))
		return false;
	while (part.bytes < CONTENT_BYTES)
		if (!archive_part_continue(&part, err) || !add_piece(&part, places, err))
			return false;
	return archive_part_publish(&part, err)
	       && (file_exists(places->hour.text) || err_set(err, ERR_LOCAL, "published and not there"));
}

static bool give_up_other(const struct places *places, struct err *err)
{
	struct archive_part part CLEANUP(archive_part_finish) = {0};
	struct archive_origin origin = {.etag = "\"1\"", .length = -1};
	memcpy(origin.url, URL, sizeof(URL));
	return archive_part_load(&part, places->other.text, URL, err) && archive_part_restart(&part, &origin, err)
	       && add_piece(&part, places, err) && archive_part_discard(&part, err);
}

static bool take(const struct places *places, enum archive_keep keep, struct err *err)
{
	struct archive_taken taken;
	return archive_take_file(places->from.text, keep, places->taken.text, CONTENT_BYTES, NULL, &taken, err)
	       && (strcmp(taken.sha256.hex, places->sum.hex) == 0 || err_set(err, ERR_LOCAL, "another sum is told"));
}

/* So that the next life makes all of it again, folders too. */
static void clear_away(const struct places *places)
{
	(void)unlink(places->hour.text);
	(void)unlink(places->taken.text);
	(void)rmdir(places->parts.text);
	(void)rmdir(places->takes.text);
}

/* The person's own: not through file.h, whose points are not to be hit here. What an earlier life did to it shows. */
static bool write_from(const struct places *places, struct err *err)
{
	if (file_exists(places->from.text))
		return file_size(places->from.text) == CONTENT_BYTES ? is_whole(places, places->from.text, err)
								     : err_set(err, ERR_LOCAL, "a person's file is cut");
	FILE *file = fopen(places->from.text, "we");
	bool ok = file && fwrite(places->content, CONTENT_BYTES, 1, file) == 1;
	if (file && fclose(file) != 0)
		ok = false;
	return ok || err_set(err, ERR_LOCAL, "cannot write %s", places->from.text);
}

bool archive_live(const char *folder, struct err *err)
{
	static struct places places;
	if (!name_places(&places, folder, err) || !is_whole(&places, places.hour.text, err)
	    || !is_whole(&places, places.taken.text, err))
		return false;
	/* A copy first: what a killed link left must not be written through. */
	if (!write_from(&places, err) || !fetch_hour(&places, err) || !give_up_other(&places, err)
	    || !take(&places, ARCHIVE_KEEP, err) || !take(&places, ARCHIVE_LINK, err) || !is_whole(&places, places.hour.text, err)
	    || !is_whole(&places, places.taken.text, err))
		return false;
	clear_away(&places);
	return true;
}
