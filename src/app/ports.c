/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ports.h"

#include "base/port_holder.h"

#include <stdio.h>

void ports_explain_err(const struct config *config, struct err *err)
{
	static const enum config_option options[] = {OPTION_API_PORT, OPTION_UI_PORT};
	struct err cause = *err;
	bool found = false;
	int64_t api_port = config_integer(config, OPTION_API_PORT);
	if (api_port != 0 && api_port == config_integer(config, OPTION_UI_PORT)) {
		err_set(err, ERR_INPUT, "--api-port and --ui-port are both %lld: give the dashboard a port of its own",
			(long long)api_port);
		err->exit_code = 2;
		return;
	}
	for (size_t i = 0; !found && i < ARRAY_COUNT(options); i++) {
		struct buf who CLEANUP(buf_finish) = {.size_max = 4096};
		struct port_holder holder;
		int port = (int)config_integer(config, options[i]);
		found = port != 0 && port_find_holder("/proc", config_text(config, OPTION_LISTEN), port, &holder);
		if (!found)
			continue;
		port_describe_holder(&holder, &who);
		err_set(err, ERR_LOCAL,
			"port %d is in use by %.600s; stop it, or choose another with --%s N (0: any free one)", port,
			who.data, config_definitions[options[i]].name);
	}
	if (!found)
		err_set(err, ERR_LOCAL, "%.500s; choose others with --api-port and --ui-port (0: any free one)",
			cause.text);
	err->exit_code = cause.exit_code;
}
