/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_github/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 256 };

/* Binds a new socket to the listener's address; on success it replaces the old descriptor. */
static bool bind_socket(struct listener *listener, struct err *err)
{
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "socket");
	int on = 1;
	(void)setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	struct sockaddr_in *address = &listener->address;
	socklen_t size = sizeof(*address);
	if (bind(descriptor, (const struct sockaddr *)address, size) != 0
	    || getsockname(descriptor, (struct sockaddr *)address, &size) != 0) {
		int reason = errno;
		(void)close(descriptor);
		return err_set_errno(err, ERR_LOCAL, reason, "bind to port %u",
				     ntohs(address->sin_port));
	}
	listener->descriptor = descriptor;
	return true;
}

bool listener_open(struct listener *listener, const char *host, uint16_t port, struct err *err)
{
	*listener = (struct listener){
		.descriptor = -1,
		.address = {.sin_family = AF_INET, .sin_port = htons(port)},
	};
	if (inet_pton(AF_INET, host, &listener->address.sin_addr) != 1)
		return err_set(err, ERR_INPUT, "%s is no IPv4 address", host);
	if (!bind_socket(listener, err))
		return false;
	if (listener_resume(listener, err))
		return true;
	listener_close(listener);
	return false;
}

bool listener_pause(struct listener *listener, struct err *err)
{
	listener_close(listener);
	return bind_socket(listener, err);
}

bool listener_resume(struct listener *listener, struct err *err)
{
	if (listen(listener->descriptor, BACKLOG) != 0)
		return err_set_errno(err, ERR_LOCAL, errno, "listen on port %u",
				     listener_port(listener));
	return true;
}

uint16_t listener_port(const struct listener *listener)
{
	return ntohs(listener->address.sin_port);
}

void listener_close(struct listener *listener)
{
	if (listener->descriptor >= 0)
		(void)close(listener->descriptor);
	listener->descriptor = -1;
}
