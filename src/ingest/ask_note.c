/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/ask_note.h"

#include "base/failpoint.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Always as long, so that a shorter number leaves nothing of a longer one. */
enum { LINE_BYTES = 21, LINE_TEXT_BYTES = 32 };

static int64_t read_line(int descriptor)
{
	char line[LINE_BYTES];
	int64_t not_before_us;
	if (pread(descriptor, line, sizeof(line), 0) != (ssize_t)sizeof(line)
	    || !span_parse_int64(span_trim(span_make(line, sizeof(line))), &not_before_us))
		return 0;
	return not_before_us;
}

void ask_note_open(struct ask_note *note, const struct layout *layout, int64_t *not_before_us_out)
{
	struct file_path path;
	struct err err = {0};
	*note = (struct ask_note){.descriptor = -1};
	*not_before_us_out = 0;
	if (!layout_absolute(layout, "ASKED", &path, &err)) {
		log_err(LOG_WARNING, "poll times are not kept over a kill", &err);
		return;
	}
	note->descriptor = open(path.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (note->descriptor < 0) {
		(void)err_set_errno(&err, ERR_LOCAL, errno, "%s", path.text);
		log_err(LOG_WARNING, "poll times are not kept over a kill", &err);
		return;
	}
	*not_before_us_out = read_line(note->descriptor);
}

void ask_note_close(struct ask_note *note)
{
	if (note->descriptor >= 0)
		(void)close(note->descriptor);
	note->descriptor = -1;
}

void ask_note_write(struct ask_note *note, int64_t not_before_us)
{
	FAILPOINT_SCOPE("asked");
	char line[LINE_TEXT_BYTES];
	if (note->descriptor < 0 || not_before_us <= note->not_before_us)
		return;
	note->not_before_us = not_before_us;
	(void)snprintf(line, sizeof(line), "%20" PRId64 "\n", not_before_us);
	if (FAILPOINT("write", pwrite(note->descriptor, line, LINE_BYTES, 0)) != LINE_BYTES)
		return; /* the ledger will say it, unless we are killed */
}
