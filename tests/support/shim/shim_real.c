/* SPDX-License-Identifier: Apache-2.0 */
/* shim_real.c - what stands behind the shim. */
#include "tests/support/shim/shim.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

void *shim_find_real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found) {
		(void)fprintf(stderr, "shim: no %s\n", name);
		abort();
	}
	return found;
}
