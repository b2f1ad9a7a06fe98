/* SPDX-License-Identifier: Apache-2.0 */
/* shim_fault.c - which call is to fail, and the counts that others read. Part of both libraries. */
#include "tests/support/shim/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const class_names[SHIM_CLASS_COUNT] = {
	"open", "write", "truncate", "sync", "rename", "unlink", "mkdir", "memory",
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EMFILE", EMFILE}, {"EACCES", EACCES}, {"ENOMEM", ENOMEM},
	{"EDQUOT", EDQUOT}, {"SHORT", SHIM_SHORT_WRITE},
};

int shim_parse_error(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strlen(errors[i].name) == size && strncmp(errors[i].name, name, size) == 0)
			return errors[i].number;
	return 0;
}

static int parse_class(const char *name, size_t size)
{
	for (int i = 0; i < SHIM_CLASS_COUNT; i++)
		if (strlen(class_names[i]) == size && strncmp(class_names[i], name, size) == 0)
			return i;
	return -1;
}

struct shim_fault shim_parse_fault(void)
{
	struct shim_fault fault = {.class = -1};
	const char *text = getenv("OCTOLAKE_SHIM_FAULT");
	if (!text)
		return fault;
	const char *error = strchr(text, ':');
	const char *nth = error ? strchr(error + 1, ':') : NULL;
	char *rest = NULL;
	if (nth) {
		fault.class = parse_class(text, (size_t)(error - text));
		fault.error = shim_parse_error(error + 1, (size_t)(nth - error - 1));
		fault.nth = strtoull(nth + 1, &rest, 10);
		fault.lasting = rest && *rest == '+';
	}
	if (fault.class < 0 || fault.error == 0 || fault.nth == 0) {
		(void)fprintf(stderr, "shim: no fault: %s\n", text);
		abort();
	}
	return fault;
}

uint64_t *shim_map_counts(void)
{
	const char *path = getenv("OCTOLAKE_SHIM_COUNTS");
	const size_t size = SHIM_CLASS_COUNT * sizeof(uint64_t);
	void *(*real_mmap)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	int descriptor = path ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
	if (path && descriptor < 0) {
		(void)fprintf(stderr, "shim: %s: %s\n", path, strerror(errno));
		abort();
	}
	int flags = path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	void *mapped = real_mmap(NULL, size, PROT_READ | PROT_WRITE, flags, descriptor, 0);
	if (mapped == MAP_FAILED)
		abort();
	if (descriptor >= 0)
		(void)close(descriptor);
	return mapped;
}
