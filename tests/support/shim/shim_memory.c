/* SPDX-License-Identifier: Apache-2.0 */
/* shim_memory.c - a library of its own (liboctolake_shim_memory.so) that fails the n-th allocation
 * which one object asks for: OCTOLAKE_SHIM_FAULT=memory:ENOMEM:N, and OCTOLAKE_SHIM_OBJECT, a part of
 * a library's name, or "" (the default) for the program itself. Counted are malloc, calloc, realloc and
 * the aligned ones by the address that they return to. Not for sanitizers, which have an own malloc. */
#include "tests/support/shim/shim.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_uintptr_t object_begin, object_end;
static _Atomic(uint64_t) *counts;
static struct shim_fault fault = {.class = -1};

static int find_object(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *wanted = context;
	(void)size;
	if (wanted[0] == '\0' ? info->dlpi_name[0] != '\0' : !strstr(info->dlpi_name, wanted))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
			continue;
		uintptr_t begin = info->dlpi_addr + header->p_vaddr;
		atomic_store(&object_end, begin + header->p_memsz);
		atomic_store(&object_begin, begin);
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *object = getenv("OCTOLAKE_SHIM_OBJECT");
	counts = (_Atomic(uint64_t) *)shim_map_counts();
	fault = shim_parse_fault();
	(void)dl_iterate_phdr(find_object, (void *)(uintptr_t)(object ? object : ""));
}

static bool fails(uintptr_t caller)
{
	if (caller < atomic_load(&object_begin) || caller >= atomic_load(&object_end))
		return false;
	uint64_t count = atomic_fetch_add(&counts[SHIM_CLASS_MEMORY], 1) + 1;
	bool due = fault.class == SHIM_CLASS_MEMORY && (count == fault.nth || (fault.lasting && count > fault.nth));
	if (due)
		errno = ENOMEM;
	return due;
}

#define CALLER ((uintptr_t)__builtin_return_address(0))

SHIM_EXPORT void *malloc(size_t size)
{
	return fails(CALLER) ? NULL : __libc_malloc(size);
}

SHIM_EXPORT void *calloc(size_t count, size_t size)
{
	return fails(CALLER) ? NULL : __libc_calloc(count, size);
}

SHIM_EXPORT void *realloc(void *memory, size_t size)
{
	return fails(CALLER) ? NULL : __libc_realloc(memory, size);
}

SHIM_EXPORT int posix_memalign(void **memory_out, size_t alignment, size_t size)
{
	void *memory = fails(CALLER) ? NULL : __libc_memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*memory_out = memory;
	return 0;
}

SHIM_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}
