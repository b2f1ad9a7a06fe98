/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/memory.h"
#include "wrap/gzip.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { PLAIN_BYTES = 200000, COMPRESSED_BYTES_MAX = 1024 * 1024 };

/* Appends one member that holds `plain`. */
static void compress_member(struct buf *out, struct span plain)
{
	z_stream stream = {0};
	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	stream.next_in = (const unsigned char *)plain.data;
	stream.avail_in = (unsigned)plain.size;
	unsigned char *room = (unsigned char *)buf_reserve(out, COMPRESSED_BYTES_MAX / 4);
	stream.next_out = room;
	stream.avail_out = COMPRESSED_BYTES_MAX / 4;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_commit(out, (size_t)(stream.next_out - room));
	assert_int_equal(deflateEnd(&stream), Z_OK);
}

struct fixture {
	char plain[PLAIN_BYTES];
	struct buf compressed;
	struct buf out;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = memory_allocate(1, sizeof(*f));
	for (size_t i = 0; i < PLAIN_BYTES; i++)
		f->plain[i] = (char)((i * i / 7) % 61 + 32);
	buf_init(&f->compressed, COMPRESSED_BYTES_MAX);
	buf_init(&f->out, COMPRESSED_BYTES_MAX);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	buf_finish(&f->compressed);
	buf_finish(&f->out);
	free(f);
	return 0;
}

static void check_refused(struct fixture *f, struct span compressed)
{
	buf_clear(&f->out);
	assert_false(gzip_decompress(compressed, &f->out, &f->err));
	assert_int_equal(f->err.kind, ERR_INPUT);
}

static void test_members_are_joined(void **state)
{
	struct fixture *f = *state;
	compress_member(&f->compressed, span_make(f->plain, 150000));
	compress_member(&f->compressed, span_make("", 0));
	compress_member(&f->compressed, span_make(f->plain + 150000, 50000));
	if (!gzip_decompress(buf_span(&f->compressed), &f->out, &f->err))
		fail_msg("%s", f->err.text);
	assert_int_equal(f->out.size, PLAIN_BYTES);
	assert_memory_equal(f->out.data, f->plain, PLAIN_BYTES);
}

static void test_cut_input_is_refused(void **state)
{
	struct fixture *f = *state;
	compress_member(&f->compressed, span_make(f->plain, 100));
	for (size_t size = 0; size < f->compressed.size; size++)
		check_refused(f, span_make(f->compressed.data, size));
	buf_clear(&f->out);
	assert_true(gzip_decompress(buf_span(&f->compressed), &f->out, &f->err));
}

static void test_damage_is_refused(void **state)
{
	struct fixture *f = *state;
	compress_member(&f->compressed, span_make(f->plain, 100));
	f->compressed.data[f->compressed.size - 5] ^= 1; /* checksum */
	check_refused(f, buf_span(&f->compressed));
	f->compressed.data[f->compressed.size - 5] ^= 1;
	buf_append_text(&f->compressed, "more");
	check_refused(f, buf_span(&f->compressed));
	check_refused(f, span_of("this is not gzip"));
}

static void test_maximum_holds(void **state)
{
	struct fixture *f = *state;
	compress_member(&f->compressed, span_make(f->plain, PLAIN_BYTES));
	buf_finish(&f->out);
	buf_init(&f->out, PLAIN_BYTES - 1);
	check_refused(f, buf_span(&f->compressed));
	assert_true(f->out.failed);
	buf_finish(&f->out);
	buf_init(&f->out, PLAIN_BYTES);
	assert_true(gzip_decompress(buf_span(&f->compressed), &f->out, &f->err));
}

#define GZIP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GZIP_TEST(test_members_are_joined),
		GZIP_TEST(test_cut_input_is_refused),
		GZIP_TEST(test_damage_is_refused),
		GZIP_TEST(test_maximum_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
