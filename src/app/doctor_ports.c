/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_ports.c - whether the two ports can be had, or who has them. */
#include "app/doctor.h"

#include "base/port_holder.h"

#include <inttypes.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* The next port above that nobody listens on; 0 when there is none. */
static int find_free_port(const char *host, int port)
{
	struct port_holder holder;
	for (int next = port + 1; next <= PORT_MAX && next < port + 100; next++)
		if (!port_find_holder("/proc", host, next, &holder))
			return next;
	return 0;
}

static void say_taken(struct doctor *doctor, enum config_option option, int port, const struct port_holder *holder)
{
	struct buf who CLEANUP(buf_finish) = {.size_max = 4096};
	const char *name = config_definitions[option].name;
	const char *host = config_text(doctor->config, OPTION_LISTEN);
	port_describe_holder(holder, &who);
	if (doctor->held && doctor->holder.pid > 0 && holder->pid == doctor->holder.pid) {
		doctor_say(doctor, name, DOCTOR_OK, NULL, "%d is this lake's own server", port);
		return;
	}
	/* A server that runs already has ports of its own: these matter at its next start. */
	doctor_say(doctor, name, doctor->held ? DOCTOR_WARN : DOCTOR_FAIL,
		   doctor_text(doctor, "octolake --%s %d, or stop that process", name, find_free_port(host, port)),
		   "%d is in use by %s", port, who.data);
}

static void check_port(struct doctor *doctor, enum config_option option)
{
	const char *name = config_definitions[option].name;
	const char *host = config_text(doctor->config, OPTION_LISTEN);
	int port = (int)config_integer(doctor->config, option);
	struct port_holder holder;
	struct err err;
	if (port == 0)
		doctor_say(doctor, name, DOCTOR_OK, NULL, "any free one");
	else if (port_find_holder("/proc", host, port, &holder))
		say_taken(doctor, option, port, &holder);
	else if (port_try(host, port, &err))
		doctor_say(doctor, name, DOCTOR_OK, NULL, "%d on %s is free", port, host);
	else
		doctor_say(doctor, name, DOCTOR_FAIL,
			   doctor_text(doctor, "octolake --%s %d, or another --listen ADDR", name,
				       find_free_port(host, port < 1024 ? 8999 : port)),
			   "%s", err.text);
}

void doctor_check_ports(struct doctor *doctor)
{
	int64_t api_port = config_integer(doctor->config, OPTION_API_PORT);
	check_port(doctor, OPTION_API_PORT);
	if (api_port != 0 && api_port == config_integer(doctor->config, OPTION_UI_PORT))
		doctor_say(doctor, "ui-port", DOCTOR_FAIL, "give the dashboard another: --ui-port N",
			   "%" PRId64 " is the API's port too", api_port);
	else
		check_port(doctor, OPTION_UI_PORT);
}
