/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/archive_take.h"

#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_BYTES = 128 * 1024, STOPPED_POLL_MS = 100 };

struct taking {
	int descriptor;
	struct file_draft *draft; /* NULL: only summed */
	struct digest_stream *digest;
	int64_t bytes;
	int64_t bytes_max;
	struct stop_flag *stop;
};

const char *archive_way_name(enum archive_way way)
{
	static const char *const names[] = {"copied", "shared", "linked"};
	return names[way];
}

static void close_descriptor(const int *descriptor)
{
	if (*descriptor >= 0)
		(void)close(*descriptor);
}

static void finish(struct taking *taking)
{
	file_draft_discard(&taking->draft);
	digest_stream_destroy(&taking->digest);
}

/* False with err when stopped. A regular file is always ready. */
static bool wait_for_bytes(const struct taking *taking, struct err *err)
{
	struct pollfd waiting = {.fd = taking->descriptor, .events = POLLIN};
	for (;;) {
		if (taking->stop && stop_flag_is_set(taking->stop))
			return err_set(err, ERR_RETRY, "stopped");
		int ready = poll(&waiting, 1, STOPPED_POLL_MS);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return err_set_errno(err, ERR_LOCAL, errno, "wait for input");
	}
}

static bool take_all(struct taking *taking, struct err *err)
{
	char step[STEP_BYTES];
	for (;;) {
		if (!wait_for_bytes(taking, err))
			return false;
		ssize_t got = read(taking->descriptor, step, sizeof(step));
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return err_set_errno(err, errno == EISDIR ? ERR_INPUT : ERR_LOCAL, errno, "read");
		if (got == 0)
			return true;
		if (got > taking->bytes_max - taking->bytes)
			return err_set(err, ERR_INPUT, "larger than %lld bytes", (long long)taking->bytes_max);
		taking->bytes += got;
		digest_stream_add(taking->digest, span_make(step, (size_t)got));
		if (taking->draft && !file_draft_write(taking->draft, step, (size_t)got, err))
			return false;
	}
}

static void fill_in(const struct taking *taking, enum archive_way way, struct archive_taken *taken_out)
{
	*taken_out = (struct archive_taken){way, taking->bytes, digest_stream_get(taking->digest)};
}

bool archive_take_stream(int descriptor, const char *path, int64_t bytes_max, struct stop_flag *stop,
			 struct archive_taken *taken_out, struct err *err)
{
	FAILPOINT_SCOPE("archive.take");
	struct taking taking CLEANUP(finish) = {descriptor, NULL, digest_stream_create(), 0, bytes_max, stop};
	if (!file_draft_create(path, &taking.draft, err) || !take_all(&taking, err)
	    || !file_draft_publish(&taking.draft, true, err))
		return false;
	fill_in(&taking, ARCHIVE_COPIED, taken_out);
	return true;
}

/* By shared blocks: nothing is written, so the sum is made of what is read. False when it cannot be. */
static bool share(int descriptor, const char *path, int64_t bytes_max, struct stop_flag *stop, bool *shared_out,
		  struct archive_taken *taken_out, struct err *err)
{
	FAILPOINT_SCOPE("archive.take");
	struct file_draft *draft CLEANUP(file_draft_discard) = NULL;
	if (!file_draft_create(path, &draft, err))
		return false;
	*shared_out = file_draft_clone(draft, descriptor);
	if (!*shared_out)
		return true;
	struct taking taking CLEANUP(finish) = {descriptor, NULL, digest_stream_create(), 0, bytes_max, stop};
	if (!take_all(&taking, err) || !file_draft_publish(&draft, true, err))
		return false;
	fill_in(&taking, ARCHIVE_SHARED, taken_out);
	return true;
}

static bool link_to(int descriptor, const char *from, const char *path, int64_t bytes_max, struct stop_flag *stop,
		    bool *linked_out, struct archive_taken *taken_out, struct err *err)
{
	FAILPOINT_SCOPE("archive.take");
	struct taking taking CLEANUP(finish) = {descriptor, NULL, digest_stream_create(), 0, bytes_max, stop};
	if (!take_all(&taking, err) || !file_link(from, path, linked_out, err))
		return false;
	fill_in(&taking, ARCHIVE_LINKED, taken_out);
	return *linked_out || lseek(descriptor, 0, SEEK_SET) == 0
	       || err_set_errno(err, ERR_LOCAL, errno, "read %s again", from);
}

bool archive_take_file(const char *from, enum archive_keep keep, const char *path, int64_t bytes_max,
		       struct stop_flag *stop, struct archive_taken *taken_out, struct err *err)
{
	struct archive_taken taken;
	struct stat status;
	bool done = false;
	int descriptor CLEANUP(close_descriptor) = open(from, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		enum err_kind kind = errno == ENOENT || errno == ENOTDIR ? ERR_INPUT : ERR_LOCAL;
		return err_set_errno(err, kind, errno, "%s", from);
	}
	if (fstat(descriptor, &status) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "%s", from);
	bool is_file = S_ISREG(status.st_mode);
	if (is_file && status.st_size > bytes_max)
		return err_set(err, ERR_INPUT, "%s: larger than %lld bytes", from, (long long)bytes_max);
	if (is_file && keep == ARCHIVE_LINK
	    && !link_to(descriptor, from, path, bytes_max, stop, &done, &taken, err))
		return err_wrap(err, "%s", from);
	if (is_file && !done && !share(descriptor, path, bytes_max, stop, &done, &taken, err))
		return err_wrap(err, "%s", from);
	if (!done && !archive_take_stream(descriptor, path, bytes_max, stop, &taken, err))
		return err_wrap(err, "%s", from);
	*taken_out = taken;
	return true;
}
