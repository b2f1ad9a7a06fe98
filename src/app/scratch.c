/* SPDX-License-Identifier: Apache-2.0 */
#include "app/scratch.h"

#include "app/stages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void scratch_finish(struct scratch *scratch)
{
	struct err err;
	gold_close(&scratch->gold);
	session_close(&scratch->session);
	if (scratch->folder.text[0] != '\0' && !file_remove_folder(scratch->folder.text, &err))
		(void)fprintf(stderr, "octolake: %s\n", err.text);
}

bool scratch_open(struct scratch *scratch, struct config *config, struct err *err)
{
	char folder[] = "/tmp/octolake-check-XXXXXX";
	struct session *session = &scratch->session;
	session->config = config;
	if (!mkdtemp(folder))
		return err_set_errno(err, ERR_LOCAL, errno, "make a folder in /tmp");
	return file_path_make(&scratch->folder, err, "%s", folder)
	       && session_load_fields(config, &session->fields, session->events_file, err)
	       && layout_init(&session->layout, folder, err)
	       && catalog_open(&session->layout, false, &session->catalog, err)
	       && stages_open_gold(session, false, NULL, &scratch->gold, err);
}
