/* SPDX-License-Identifier: Apache-2.0 */
/* log_test.c - what reaches stderr, read from a file put in its place. */
#include "tests/support/check.h"

#include "base/buf.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct capture {
	FILE *file;
	int kept;
	struct buf text;
};

static int set_up(void **state)
{
	static struct capture capture;
	capture = (struct capture){.file = tmpfile(), .kept = dup(STDERR_FILENO)};
	buf_init(&capture.text, 100000);
	*state = &capture;
	return !capture.file || dup2(fileno(capture.file), STDERR_FILENO) < 0;
}

static void restore(struct capture *c)
{
	if (c->kept >= 0) {
		(void)dup2(c->kept, STDERR_FILENO);
		(void)close(c->kept);
	}
	c->kept = -1;
}

static int tear_down(void **state)
{
	struct capture *c = *state;
	restore(c);
	(void)fclose(c->file);
	buf_finish(&c->text);
	return 0;
}

/* Ends the capture, so that failed checks can be read. */
static const char *captured(struct capture *c)
{
	restore(c);
	rewind(c->file);
	char *room = buf_reserve(&c->text, 50000);
	buf_commit(&c->text, fread(room, 1, 50000, c->file));
	return c->text.data;
}

static void json_lines_are_whole(void **state)
{
	struct capture *c = *state;
	char *longest = malloc(20000);
	assert_non_null(longest);
	memset(longest, 'x', 19999);
	longest[19999] = '\0';
	log_configure(LOG_INFO, LOG_FORMAT_JSON);
	LOG_EVENT(LOG_DEBUG, "not shown", log_int("n", 1));
	LOG_EVENT(LOG_INFO, "batch stored", log_int("events", 3), log_text("file", "a\"\n"),
		log_text("none", NULL), log_real("seconds", 0.5));
	LOG_EVENT(LOG_WARNING, "long", log_text("value", longest));
	struct err err = {0};
	(void)err_set(&err, ERR_INPUT, "bad");
	log_err(LOG_ERROR, "failed", &err);
	free(longest);
	const char *text = captured(c);
	assert_null(strstr(text, "not shown"));
	assert_non_null(
		strstr(text, "\"level\":\"info\",\"event\":\"batch stored\",\"events\":3,"
			     "\"file\":\"a\\\"\\n\",\"none\":null,\"seconds\":0.5}\n{\"at\":"));
	assert_non_null(
		strstr(text, "\"event\":\"long\",\"left_out\":\"values too long\"}\n{\"at\":"));
	assert_non_null(
		strstr(text, "\"event\":\"failed\",\"kind\":\"input\",\"error\":\"bad\"}\n"));
}

static void text_lines_cannot_be_faked(void **state)
{
	struct capture *c = *state;
	log_configure(LOG_INFO, LOG_FORMAT_TEXT);
	LOG_EVENT(LOG_INFO, "event",
		log_text("login", "a\nb\x1b[2J\xc2\x9b"
				  "c\xff\xc3\xa9"),
		log_text("none", NULL), log_int("n", -5), log_real("r", 0.25));
	const char *text = captured(c);
	assert_non_null(
		strstr(text, " info    event  login=a?b?[2J??c?\xc3\xa9  none=-  n=-5  r=0.250\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(json_lines_are_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_lines_cannot_be_faked, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
