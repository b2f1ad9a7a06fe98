/* SPDX-License-Identifier: Apache-2.0 */
/* zstd_stream_test.c - frames there and back, our header in front, damage at every byte. */
#include "tests/support/check.h"

#include "wrap/zstd_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append_lines(struct buf *buf, int count)
{
	for (int i = 0; i < count; i++)
		buf_printf(buf, "{\"id\":\"%d\",\"type\":\"WatchEvent\",\"public\":true}\n",
			1000 + i * 7919);
}

static void compress(struct span content, struct buf *out)
{
	struct err err = {0};
	if (!zstd_compress(content, 3, out, &err))
		fail_msg("%s", err.text);
}

/* Reads all in pieces of `size_wanted`. */
static bool read_all(struct span compressed, size_t size_wanted, struct buf *out, struct err *err)
{
	struct zstd_reader *reader CLEANUP(zstd_reader_close) = NULL;
	assert_true(zstd_reader_open(compressed, &reader, err));
	bool end = false;
	while (!end) {
		size_t before = out->size;
		if (!zstd_reader_read(reader, out, size_wanted, &end, err))
			return false;
		assert_true(out->size - before <= size_wanted);
		assert_true(end || out->size - before == size_wanted);
	}
	return true;
}

static void content_comes_back_in_pieces_of_any_size(void **state)
{
	(void)state;
	static const size_t sizes[] = {1, 7, 4096, 131072, 131073, (size_t)64 * 1024 * 1024};
	struct buf content CLEANUP(buf_finish) = {0};
	struct buf compressed CLEANUP(buf_finish) = {0};
	struct err err = {0};
	buf_init(&content, (size_t)8 * 1024 * 1024);
	buf_init(&compressed, (size_t)8 * 1024 * 1024);
	append_lines(&content, 6000);
	assert_true(content.size > 2 * 131072);
	compress(buf_span(&content), &compressed);
	assert_true(compressed.size < content.size / 3);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct buf out CLEANUP(buf_finish) = {0};
		buf_init(&out, content.size); /* exactly enough */
		if (!read_all(buf_span(&compressed), sizes[i], &out, &err))
			fail_msg("%zu: %s", sizes[i], err.text);
		assert_true(span_equal(buf_span(&out), buf_span(&content)));
	}
}

static void empty_and_incompressible_content(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	struct buf compressed CLEANUP(buf_finish) = {0};
	buf_init(&out, 100000);
	buf_init(&compressed, 200000);
	compress((struct span){0}, &compressed);
	assert_true(compressed.size > 0);
	assert_true(read_all(buf_span(&compressed), 10, &out, &err));
	assert_int_equal(out.size, 0);
	assert_true(read_all((struct span){0}, 10, &out, &err));

	char noise[60000];
	uint64_t random = 88172645463325252;
	for (size_t i = 0; i < sizeof(noise); i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		noise[i] = (char)(random >> 32);
	}
	buf_clear(&compressed);
	compress((struct span){noise, sizeof(noise)}, &compressed);
	assert_true(read_all(buf_span(&compressed), 1000, &out, &err));
	assert_true(span_equal(buf_span(&out), (struct span){noise, sizeof(noise)}));
}

static void skippable_header_is_read_and_passed_over(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf file CLEANUP(buf_finish) = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	buf_init(&file, 10000);
	buf_init(&out, 10000);
	zstd_append_skippable(&file, span_of("{\"v\":1}"));
	assert_true(span_equal(
		buf_span(&file), (struct span){"\x50\x2a\x4d\x18\x07\x00\x00\x00{\"v\":1}", 15}));
	compress(span_of("one,"), &file);
	compress(span_of("two"), &file);
	struct span header = {0};
	size_t frame_size = 0;
	assert_true(zstd_read_skippable(buf_span(&file), &header, &frame_size));
	assert_true(span_equal_text(header, "{\"v\":1}"));
	assert_int_equal(frame_size, 15);
	assert_true(read_all(buf_span(&file), 2, &out, &err));
	assert_true(span_equal_text(buf_span(&out), "one,two"));

	struct span frames = {file.data + frame_size, file.size - frame_size};
	assert_false(zstd_read_skippable(frames, &header, &frame_size));
	for (size_t size = 0; size < 15; size++) {
		struct span cut = {file.data, size};
		assert_false(zstd_read_skippable(cut, &header, &frame_size));
	}
	assert_true(span_equal_text(header, "{\"v\":1}"));
	file.data[4] = '\x7f';
	file.data[7] = '\x7f';
	assert_false(zstd_read_skippable(buf_span(&file), &header, &frame_size));
}

static void every_cut_is_noticed_and_keeps_what_came_before(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf file CLEANUP(buf_finish) = {0};
	buf_init(&file, 100000);
	zstd_append_skippable(&file, span_of("head"));
	size_t first_start = file.size;
	compress(span_of("first frame"), &file);
	size_t first_end = file.size;
	compress(span_of("second frame"), &file);
	for (size_t size = 1; size < file.size; size++) {
		struct buf out CLEANUP(buf_finish) = {0};
		buf_init(&out, 1000);
		char *exact = malloc(size);
		assert_non_null(exact);
		memcpy(exact, file.data, size);
		bool ok = read_all((struct span){exact, size}, 100, &out, &err);
		free(exact);
		assert_int_equal(ok, size == first_start || size == first_end);
		if (!ok)
			assert_int_equal(err.kind, ERR_INPUT);
		if (size >= first_end)
			assert_true(span_starts_with(buf_span(&out), "first frame"));
	}
}

static void changed_bytes_do_not_pass(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf content CLEANUP(buf_finish) = {0};
	struct buf file CLEANUP(buf_finish) = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	buf_init(&content, 100000);
	buf_init(&file, 100000);
	buf_init(&out, 1000000);
	append_lines(&content, 20);
	compress(buf_span(&content), &file);
	for (size_t i = 0; i < file.size; i++) {
		file.data[i] ^= 0x10;
		buf_clear(&out);
		/* Some bits of the frame's head mean nothing; then the content is the same. */
		if (read_all(buf_span(&file), 1000, &out, &err))
			assert_true(span_equal(buf_span(&out), buf_span(&content)));
		else
			assert_int_equal(err.kind, ERR_INPUT);
		file.data[i] ^= 0x10;
	}
	assert_false(read_all(span_of("this is no zstd"), 10, &out, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static void damage_stays(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	buf_init(&out, 100);
	struct zstd_reader *reader CLEANUP(zstd_reader_close) = NULL;
	bool end = false;
	assert_true(zstd_reader_open(span_of("this is no zstd"), &reader, &err));
	for (int i = 0; i < 3; i++) {
		err = (struct err){0};
		assert_false(zstd_reader_read(reader, &out, 10, &end, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		assert_false(end);
	}
}

static void bomb_stops_at_the_maximum(void **state)
{
	(void)state;
	enum { BOMB_BYTES = 32 * 1024 * 1024 };
	struct err err = {0};
	struct buf file CLEANUP(buf_finish) = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	char *zeros = calloc(1, BOMB_BYTES);
	assert_non_null(zeros);
	buf_init(&file, 100000);
	buf_init(&out, 100000);
	/* A buffer that is smaller than zstd's worst case, yet large enough. */
	compress((struct span){zeros, BOMB_BYTES}, &file);
	free(zeros);
	assert_false(read_all(buf_span(&file), BOMB_BYTES, &out, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "100000 bytes"));
	assert_int_equal(out.size, 100000);
}

static void output_without_room_appends_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	struct buf out CLEANUP(buf_finish) = {0};
	buf_init(&out, 20);
	buf_append_text(&out, "before");
	struct span content = span_of("0123456789abcdefghijklmnopqrstuvwxyz");
	assert_false(zstd_compress(content, 19, &out, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_true(span_equal_text(buf_span(&out), "before"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_comes_back_in_pieces_of_any_size),
		cmocka_unit_test(empty_and_incompressible_content),
		cmocka_unit_test(skippable_header_is_read_and_passed_over),
		cmocka_unit_test(every_cut_is_noticed_and_keeps_what_came_before),
		cmocka_unit_test(changed_bytes_do_not_pass),
		cmocka_unit_test(damage_stays),
		cmocka_unit_test(bomb_stops_at_the_maximum),
		cmocka_unit_test(output_without_room_appends_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
