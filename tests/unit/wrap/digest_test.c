/* SPDX-License-Identifier: Apache-2.0 */
/* digest_test.c - the examples of FIPS 180 (NIST's "SHA Examples"), and files of many steps. */
#include "tests/support/check.h"

#include "base/file.h"
#include "wrap/digest.h"

#include <string.h>

static void standard_examples(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *hex;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_string_equal(digest_of(span_of(cases[i].text)).hex, cases[i].hex);
	assert_string_equal(digest_of((struct span){0}).hex, cases[0].hex);
}

static void file_has_the_digest_of_its_bytes(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path path = path_below(&folder, "file");
	struct err err = {0};
	struct buf content CLEANUP(buf_finish) = {0};
	buf_init(&content, 1000000);
	char *room = buf_reserve(&content, 1000000);
	memset(room, 'a', 1000000);
	buf_commit(&content, 1000000);
	struct digest digest = {0};
	int64_t size = -1;
	assert_true(file_write(path.text, buf_span(&content), &err));
	assert_true(digest_of_file(path.text, &digest, &size, &err));
	/* FIPS 180's third example: a million times "a". */
	assert_string_equal(
		digest.hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(size, 1000000);
	assert_true(file_write(path.text, span_of(""), &err));
	assert_true(digest_of_file(path.text, &digest, &size, &err));
	assert_string_equal(digest.hex, digest_of(span_of("")).hex);
	assert_int_equal(size, 0);
	temporary_folder_remove(&folder);
}

static void missing_file_is_told_from_unreadable_one(void **state)
{
	(void)state;
	struct check_path folder = temporary_folder_create();
	struct check_path missing = path_below(&folder, "missing");
	struct err err = {0};
	struct digest digest = {.hex = "untouched"};
	int64_t size = -1;
	assert_false(digest_of_file(missing.text, &digest, &size, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_false(digest_of_file(folder.text, &digest, &size, &err));
	assert_int_equal(err.kind, ERR_LOCAL);
	assert_string_equal(digest.hex, "untouched");
	assert_int_equal(size, -1);
	temporary_folder_remove(&folder);
}

static void pieces_have_the_digest_of_the_whole(void **state)
{
	(void)state;
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	struct digest_stream *stream = digest_stream_create();
	for (int round = 0; round < 2; round++) {
		assert_string_equal(digest_stream_get(stream).hex, digest_of(span_of("")).hex);
		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			digest_stream_add(stream, span_make(text + i, 1));
			/* To look does not disturb. */
			assert_string_equal(digest_stream_get(stream).hex, digest_of(span_make(text, i + 1)).hex);
		}
		digest_stream_add(stream, (struct span){0});
		assert_string_equal(digest_stream_get(stream).hex, digest_of(span_of(text)).hex);
		digest_stream_reset(stream);
	}
	digest_stream_destroy(&stream);
	assert_null(stream);
	digest_stream_destroy(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_examples),
		cmocka_unit_test(file_has_the_digest_of_its_bytes),
		cmocka_unit_test(missing_file_is_told_from_unreadable_one),
		cmocka_unit_test(pieces_have_the_digest_of_the_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
