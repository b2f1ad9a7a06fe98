/* SPDX-License-Identifier: Apache-2.0 */
/* inflate_stream_test.c - content in windows of every size, with and without a thread; damage at every
 * byte, which is always noticed and costs nothing that stands before it. */
#include "tests/support/check.h"

#include "tests/support/gzip_make.h"
#include "wrap/inflate_stream.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { DAMAGES_KEPT = 20 };

/* All that a stream gave. */
struct reading {
	struct buf content;
	struct inflate_piece damages[DAMAGES_KEPT];
	size_t damage_count;
	struct buf skipped; /* bytes of all damages */
	struct inflate_totals totals;
	bool is_gzip;
};

static void finish_reading(struct reading *reading)
{
	buf_finish(&reading->content);
	buf_finish(&reading->skipped);
}

static void check_piece(struct reading *reading, const struct inflate_piece *piece, size_t window_bytes)
{
	if (piece->kind == INFLATE_WINDOW) {
		assert_in_range(piece->bytes.size, 1, window_bytes);
		buf_append_span(&reading->content, piece->bytes);
	} else if (piece->kind == INFLATE_DAMAGE) {
		assert_true(reading->damage_count < DAMAGES_KEPT);
		assert_true((int64_t)piece->bytes.size <= piece->file_bytes);
		assert_non_null(piece->words);
		buf_append_span(&reading->skipped, piece->bytes);
		reading->damages[reading->damage_count++] = *piece;
	}
	assert_true(piece->totals.compressed_bytes >= reading->totals.compressed_bytes);
	reading->totals = piece->totals;
	assert_int_equal(piece->totals.bytes, reading->content.size);
}

static void read_file(struct span file, struct inflate_options options, struct reading *reading)
{
	struct err err = {0};
	CLEANUP(memory_file_close) int descriptor = memory_file_open(file);
	CLEANUP(inflate_stream_close) struct inflate_stream *stream = NULL;
	*reading = (struct reading){0};
	buf_init(&reading->content, (size_t)256 * 1024 * 1024);
	buf_init(&reading->skipped, (size_t)1024 * 1024);
	if (!inflate_stream_open(descriptor, &options, &stream, &err))
		fail_msg("%s", err.text);
	size_t window_bytes = options.window_bytes ? options.window_bytes : INFLATE_WINDOW_BYTES_MAX;
	struct inflate_piece piece;
	do {
		if (!inflate_stream_next(stream, &piece, &err))
			fail_msg("%s", err.text);
		check_piece(reading, &piece, window_bytes);
	} while (piece.kind != INFLATE_END);
	reading->is_gzip = inflate_stream_is_gzip(stream);
	assert_true(inflate_stream_next(stream, &piece, &err)); /* the end again */
	assert_int_equal(piece.kind, INFLATE_END);
}

static void append_lines(struct buf *buf, int count)
{
	unsigned random = 1;
	for (int i = 0; i < count; i++) {
		random = random * 1103515245 + 12345;
		buf_printf(buf, "{\"id\":\"%d\",\"type\":\"WatchEvent\",\"sha\":\"%08x\"}\n", 1000 + i * 7919, random);
	}
}

static void windows_of_any_size_give_the_content(void **state)
{
	(void)state;
	static const size_t window_sizes[] = {1, 7, 100, 4096, 32767, 32768, 65537, 200000, 0};
	static const int line_counts[] = {1, 40, 4000, 30000};
	CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)4 * 1024 * 1024};
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)16 * 1024 * 1024};
	for (size_t lines = 0; lines < ARRAY_COUNT(line_counts); lines++)
		for (int level = 0; level <= 9; level += 3) {
			buf_clear(&content);
			buf_clear(&file);
			append_lines(&content, line_counts[lines]);
			gzip_append(&file, span_make(content.data, content.size / 3), level, NULL);
			gzip_append(&file, (struct span){0}, level, NULL);
			gzip_append(&file, span_make(content.data + content.size / 3, content.size - content.size / 3),
				level, NULL);
			for (size_t w = 0; w < ARRAY_COUNT(window_sizes) * 2; w++) {
				size_t window_bytes = window_sizes[w / 2];
				if (window_bytes > 0 && window_bytes < 4096 && line_counts[lines] > 100)
					continue;
				CLEANUP(finish_reading) struct reading reading;
				read_file(buf_span(&file), (struct inflate_options){w % 2 != 0, window_bytes}, &reading);
				assert_true(span_equal(buf_span(&reading.content), buf_span(&content)));
				assert_int_equal(reading.damage_count, 0);
				assert_int_equal(reading.totals.members, 3);
				assert_int_equal(reading.totals.compressed_bytes, file.size);
				assert_true(reading.is_gzip);
			}
		}
}

static void heads_with_everything_in_them(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)1024 * 1024};
	char *name = malloc(300000);
	assert_non_null(name);
	memset(name, 'n', 300000);
	name[299999] = '\0'; /* longer than what is read at once */
	char comment[] = "a comment";
	unsigned char extra[] = "extra\0bytes";
	gz_header head = {.text = 1, .time = 7, .extra = extra, .extra_len = sizeof(extra),
		.name = (unsigned char *)name, .comment = (unsigned char *)comment, .hcrc = 1};
	gzip_append(&file, span_of("{}\n"), 6, NULL);
	buf_reserve(&file, 400000);
	gz_header small = head;
	small.name = (unsigned char *)comment;
	gzip_append(&file, span_of("[]\n"), 6, &small);
	size_t big_at = file.size;
	for (int i = 0; i < 2; i++) {
		CLEANUP(finish_reading) struct reading reading;
		read_file(buf_span(&file), (struct inflate_options){0}, &reading);
		assert_true(span_equal_text(buf_span(&reading.content), i ? "{}\n[]\n1\n" : "{}\n[]\n"));
		assert_int_equal(reading.damage_count, 0);
		/* zlib's own bound knows nothing of a name: by hand. */
		static const char start[] = "\x1f\x8b\x08\x08\0\0\0\0\0\3";
		buf_append(&file, start, 10);
		buf_append(&file, name, 300000);
		CLEANUP(buf_finish) struct buf plain = {.size_max = 200000};
		gzip_append(&plain, span_of("1\n"), 6, NULL);
		buf_append(&file, plain.data + 10, plain.size - 10);
	}
	CLEANUP(finish_reading) struct reading wrong;
	size_t small_checksum = big_at - 8 - 5 - 2;
	while (memcmp(file.data + small_checksum - 9, comment, 9) != 0)
		small_checksum--;
	file.data[small_checksum + 1] ^= 1;
	read_file(buf_span(&file), (struct inflate_options){0}, &wrong);
	assert_int_equal(wrong.damage_count, 1);
	assert_string_equal(wrong.damages[0].words, "the checksum of the head does not agree");
	file.data[small_checksum + 1] ^= 1;
	file.data[big_at + 3] = (char)0x80; /* flags that do not exist: no member begins there */
	CLEANUP(finish_reading) struct reading reading;
	read_file(buf_span(&file), (struct inflate_options){0}, &reading);
	assert_int_equal(reading.damages[0].damage, INFLATE_BAD_DATA);
	assert_int_equal(reading.damages[0].file_offset, big_at);
	assert_true(span_equal_text(buf_span(&reading.content), "{}\n[]\n1\n")); /* the last one is found */
	free(name);
}

static void a_file_cut_at_any_byte(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf content = {.size_max = 65536};
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	append_lines(&content, 30);
	gzip_append(&file, span_make(content.data, 500), 6, NULL);
	size_t second = file.size;
	gzip_append(&file, span_make(content.data + 500, content.size - 500), 6, NULL);
	for (size_t cut = 0; cut <= file.size; cut++) {
		CLEANUP(finish_reading) struct reading reading;
		read_file(span_make(file.data, cut), (struct inflate_options){cut % 2 != 0, 64 + cut % 64}, &reading);
		assert_int_equal(reading.totals.compressed_bytes, cut);
		if (cut < 2) { /* no magic: the byte itself */
			assert_int_equal(reading.content.size, cut);
			assert_false(reading.is_gzip);
			continue;
		}
		assert_memory_equal(content.data, reading.content.data, reading.content.size);
		if (cut >= second)
			assert_true(reading.content.size >= 500);
		if (cut == second || cut == file.size) {
			assert_int_equal(reading.damage_count, 0);
		} else {
			assert_int_equal(reading.damage_count, 1);
			bool one_byte_more = cut == second + 1;
			assert_int_equal(reading.damages[0].damage, one_byte_more ? INFLATE_TRAILING : INFLATE_TRUNCATED);
		}
		if (cut == file.size - 1)
			assert_int_equal(reading.content.size, content.size);
	}
}

static void a_changed_bit_is_noticed(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf content = {.size_max = 65536};
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	append_lines(&content, 20);
	gzip_append(&file, buf_span(&content), 6, NULL);
	size_t second = file.size;
	gzip_append(&file, span_of("{\"second\":1}\n"), 6, NULL);
	buf_append_text(&content, "{\"second\":1}\n");
	size_t second_read = 0;
	for (size_t bit = 0; bit < file.size * 8; bit++) {
		CLEANUP(finish_reading) struct reading reading;
		file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
		read_file(buf_span(&file), (struct inflate_options){0}, &reading);
		file.data[bit / 8] = (char)(file.data[bit / 8] ^ 1 << bit % 8);
		bool equal = span_equal(buf_span(&reading.content), buf_span(&content));
		if (reading.damage_count == 0 && !equal)
			assert_false(reading.is_gzip); /* the first two bytes: another kind of file */
		assert_int_equal(reading.totals.compressed_bytes, file.size);
		second_read += bit / 8 >= 10 && bit / 8 < second - 8
			       && span_ends_with(buf_span(&reading.content), "{\"second\":1}\n");
	}
	/* What stands behind the damage comes nevertheless, but where the damage runs on into it. */
	assert_true(second_read > (second - 18) * 8 * 9 / 10);
}

static void a_wrong_checksum_or_size(void **state)
{
	(void)state;
	for (size_t at = 1; at <= 8; at++) {
		CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
		gzip_append(&file, span_of("{\"a\":1}\n"), 6, NULL);
		file.data[file.size - at] ^= 1;
		size_t first = file.size;
		gzip_append(&file, span_of("{\"b\":1}\n"), 6, NULL);
		CLEANUP(finish_reading) struct reading reading;
		read_file(buf_span(&file), (struct inflate_options){0}, &reading);
		assert_true(span_equal_text(buf_span(&reading.content), "{\"a\":1}\n{\"b\":1}\n"));
		assert_int_equal(reading.damage_count, 1);
		assert_int_equal(reading.damages[0].damage, INFLATE_BAD_CHECKSUM);
		assert_int_equal(reading.damages[0].file_offset, first);
		assert_int_equal(reading.damages[0].file_bytes, 0);
		assert_int_equal(reading.totals.members, 1);
	}
}

static void bytes_behind_a_member(void **state)
{
	(void)state;
	static const struct span rubbish[] = {SPAN_LITERAL("x"), SPAN_LITERAL("\x1f"), SPAN_LITERAL("\0\0\0\0\0\0\0"),
		SPAN_LITERAL("{\"plain\":1}\n"), SPAN_LITERAL("\x1f\x1f\x1f\x8b\x07 no head"),
		SPAN_LITERAL("x\x1f\x8b\x08\xff no head either")};
	for (size_t i = 0; i < ARRAY_COUNT(rubbish) * 2; i++) {
		CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
		bool more = i % 2 != 0;
		gzip_append(&file, span_of("1\n"), 6, NULL);
		size_t size = file.size;
		buf_append_span(&file, rubbish[i / 2]);
		if (more)
			gzip_append(&file, span_of("2\n"), 6, NULL);
		CLEANUP(finish_reading) struct reading reading;
		read_file(buf_span(&file), (struct inflate_options){more, 0}, &reading);
		assert_true(span_equal_text(buf_span(&reading.content), more ? "1\n2\n" : "1\n"));
		assert_int_equal(reading.damage_count, 1);
		assert_int_equal(reading.damages[0].damage, INFLATE_TRAILING);
		assert_int_equal(reading.damages[0].file_offset, size);
		assert_int_equal(reading.damages[0].file_bytes, rubbish[i / 2].size);
		assert_true(span_equal(buf_span(&reading.skipped), rubbish[i / 2]));
	}
}

/* A member that breaks with its first bits, and another one right behind them: ISA-L has read on into it. */
static void a_member_right_behind_damage(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf file = {.size_max = 1000000};
	CLEANUP(finish_reading) struct reading reading;
	buf_append(&file, "\x1f\x8b\x08\0\0\0\0\0\0\3\7", 11);
	gzip_append(&file, span_of("1\n"), 6, NULL);
	read_file(buf_span(&file), (struct inflate_options){0}, &reading);
	assert_true(span_equal_text(buf_span(&reading.content), "1\n"));
	assert_int_equal(reading.damage_count, 1);
	assert_int_equal(reading.damages[0].damage, INFLATE_BAD_DATA);
	assert_int_equal(reading.totals.members, 1);
}

static void much_rubbish_is_kept_in_part_and_passed_over(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf file = {.size_max = 4000000};
	CLEANUP(finish_reading) struct reading reading;
	gzip_append(&file, span_of("1\n"), 6, NULL);
	for (int i = 0; i < 1000000; i++)
		buf_append_byte(&file, i % 3 ? '\x1f' : 'x');
	gzip_append(&file, span_of("2\n"), 6, NULL);
	read_file(buf_span(&file), (struct inflate_options){0}, &reading);
	assert_true(span_equal_text(buf_span(&reading.content), "1\n2\n"));
	assert_int_equal(reading.damages[0].file_bytes, 1000000);
	assert_int_equal(reading.skipped.size, INFLATE_DAMAGE_BYTES_MAX);
}

static void too_many_damages_end_the_reading(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)16 * 1024 * 1024};
	CLEANUP(finish_reading) struct reading reading;
	for (int i = 0; i < 40; i++) {
		gzip_append(&file, span_of("1\n"), 6, NULL);
		buf_append_text(&file, "rubbish");
	}
	read_file(buf_span(&file), (struct inflate_options){0}, &reading);
	assert_int_equal(reading.damage_count, INFLATE_DAMAGE_COUNT_MAX);
	assert_int_equal(reading.content.size, INFLATE_DAMAGE_COUNT_MAX * 2);
}

static void files_that_are_empty_or_plain(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf nothing = {.size_max = 1000000};
	CLEANUP(buf_finish) struct buf plain = {.size_max = 4000000};
	gzip_append(&nothing, (struct span){0}, 6, NULL);
	assert_int_equal(nothing.size, 20);
	append_lines(&plain, 40000);
	const struct span files[] = {{0}, buf_span(&nothing), buf_span(&plain), SPAN_LITERAL("<Error>NoSuchKey</Error>")};
	for (size_t i = 0; i < ARRAY_COUNT(files) * 2; i++) {
		struct span file = files[i / 2];
		CLEANUP(finish_reading) struct reading reading;
		read_file(file, (struct inflate_options){i % 2 != 0, i % 2 ? 1000 : 0}, &reading);
		assert_int_equal(reading.damage_count, 0);
		assert_int_equal(reading.totals.compressed_bytes, file.size);
		assert_int_equal(reading.is_gzip, i / 2 == 1);
		assert_int_equal(reading.totals.members, i / 2 == 1);
		if (i / 2 >= 2)
			assert_true(span_equal(buf_span(&reading.content), file));
		else
			assert_int_equal(reading.content.size, 0);
	}
}

static void a_bomb_is_not_inflated_to_its_end(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)160 * 1024 * 1024};
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)320 * 1024 * 1024};
	CLEANUP(finish_reading) struct reading reading;
	size_t size = (size_t)150 * 1024 * 1024;
	memset(buf_reserve(&content, size), ' ', size);
	buf_commit(&content, size);
	gzip_append(&file, buf_span(&content), 1, NULL);
	read_file(buf_span(&file), (struct inflate_options){0}, &reading);
	assert_int_equal(reading.damage_count, 1);
	assert_int_equal(reading.damages[0].damage, INFLATE_BOMB);
	assert_in_range(reading.content.size, INFLATE_RATIO_FREE_BYTES,
		INFLATE_RATIO_FREE_BYTES + INFLATE_WINDOW_BYTES_MAX);
}

static void closed_at_any_time(void **state)
{
	(void)state;
	CLEANUP(buf_finish) struct buf content = {.size_max = (size_t)4 * 1024 * 1024};
	CLEANUP(buf_finish) struct buf file = {.size_max = (size_t)8 * 1024 * 1024};
	append_lines(&content, 20000);
	gzip_append(&file, buf_span(&content), 6, NULL);
	for (int pieces = 0; pieces < 40; pieces++) {
		struct err err = {0};
		CLEANUP(memory_file_close) int descriptor = memory_file_open(buf_span(&file));
		CLEANUP(inflate_stream_close) struct inflate_stream *stream = NULL;
		const struct inflate_options options = {true, 65536};
		assert_true(inflate_stream_open(descriptor, &options, &stream, &err));
		for (int i = 0; i < pieces; i++) {
			struct inflate_piece piece;
			assert_true(inflate_stream_next(stream, &piece, &err));
		}
	}
}

/* A pipe whose other side says nothing more. */
static void closed_while_it_waits(void **state)
{
	(void)state;
	struct err err = {0};
	int ends[2];
	struct inflate_stream *stream = NULL;
	struct inflate_piece piece;
	const struct inflate_options options = {true, 16};
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "{\"a\":1}\n{\"b\":2}\n....", 20), 20);
	assert_true(inflate_stream_open(ends[0], &options, &stream, &err));
	assert_true(inflate_stream_next(stream, &piece, &err));
	assert_true(span_equal_text(piece.bytes, "{\"a\":1}\n{\"b\":2}\n"));
	inflate_stream_close(&stream);
	assert_null(stream);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void what_cannot_be_read_is_an_error_each_time(void **state)
{
	(void)state;
	for (int ahead = 0; ahead <= 1; ahead++) {
		struct err err = {0};
		struct inflate_piece piece;
		CLEANUP(memory_file_close) int descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		CLEANUP(inflate_stream_close) struct inflate_stream *stream = NULL;
		const struct inflate_options options = {ahead != 0, 0};
		assert_true(inflate_stream_open(descriptor, &options, &stream, &err));
		for (int i = 0; i < 3; i++) {
			err = (struct err){0};
			assert_false(inflate_stream_next(stream, &piece, &err));
			assert_int_equal(err.kind, ERR_LOCAL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_any_size_give_the_content),
		cmocka_unit_test(heads_with_everything_in_them),
		cmocka_unit_test(a_file_cut_at_any_byte),
		cmocka_unit_test(a_changed_bit_is_noticed),
		cmocka_unit_test(a_wrong_checksum_or_size),
		cmocka_unit_test(bytes_behind_a_member),
		cmocka_unit_test(a_member_right_behind_damage),
		cmocka_unit_test(much_rubbish_is_kept_in_part_and_passed_over),
		cmocka_unit_test(too_many_damages_end_the_reading),
		cmocka_unit_test(files_that_are_empty_or_plain),
		cmocka_unit_test(a_bomb_is_not_inflated_to_its_end),
		cmocka_unit_test(closed_at_any_time),
		cmocka_unit_test(closed_while_it_waits),
		cmocka_unit_test(what_cannot_be_read_is_an_error_each_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
