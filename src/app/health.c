/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - asks the server that holds the data folder whether it answers: for the health check of a
 * container, a service manager or a script, which then need no other program. */
#include "app/commands.h"
#include "app/session.h"
#include "wrap/http_client.h"

#include <stdio.h>

enum { ANSWER_BYTES_MAX = 64 * 1024, MEMORY_BYTES_MAX = 1024 * 1024, WAIT_MS_MAX = 4000 };

bool command_health(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	CLEANUP(buf_finish) struct buf url = {.size_max = 1024};
	CLEANUP(http_client_destroy) struct http_client *client = NULL;
	CLEANUP(arena_finish) struct arena arena = {.size_max = MEMORY_BYTES_MAX};
	if (word_count > 0)
		return command_usage_err(err, "health takes no word \"%.100s\"", words[0]);
	if (!session_find_server(config, &url))
		return err_set(err, ERR_LOCAL, "no octolake serves the data folder %.400s",
			config_text(config, OPTION_DATA));
	buf_append_text(&url, "/healthz");
	const struct http_client_request request = {
		.url = url.data,
		.body_bytes_max = ANSWER_BYTES_MAX,
		.connect_wait_ms_max = WAIT_MS_MAX,
		.total_wait_ms_max = WAIT_MS_MAX,
	};
	struct http_client_response response;
	if (!http_client_create(&client, err) || !http_client_send(client, &request, &arena, &response, err))
		return err_wrap(err, "%s", url.data);
	if (response.status != 200)
		return err_set(err, ERR_RETRY, "%s answers with status %d", url.data, response.status);
	(void)printf("%s ok\n", url.data);
	return true;
}
