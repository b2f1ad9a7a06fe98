/* SPDX-License-Identifier: Apache-2.0 */
/* port_holder.h - who listens on a TCP port of this machine, as Linux's /proc tells it: the sockets
 * in net/tcp and net/tcp6, the process in PID/fd.
 *
 * What cannot be seen is said, not guessed: another user's descriptors are closed to us (then only
 * the user is known), and without /proc nobody is found. */
#ifndef BASE_PORT_HOLDER_H
#define BASE_PORT_HOLDER_H

#include "base/buf.h"
#include "base/file.h"

enum { PORT_ADDRESS_BYTES_MAX = 16, PORT_PROGRAM_BYTES_MAX = 64 };

/* One line of net/tcp or net/tcp6. */
struct port_socket {
	unsigned char address[PORT_ADDRESS_BYTES_MAX]; /* in network order */
	size_t address_size;                           /* 4 or 16 */
	int port;
	int64_t user; /* uid */
	int64_t inode;
};

/* False when the line is none of a listening socket: the heading, another state, or damaged. */
bool port_parse_listener(struct span line, struct port_socket *socket_out);
/* Whether a listener there keeps another from binding `host` (an address, or a name, which is taken
 * to mean any) on the same port. */
bool port_is_in_the_way(const struct port_socket *listener, const char *host);

struct port_holder {
	int64_t user;
	int64_t pid;                          /* 0: not to be seen */
	bool hidden;                          /* the descriptors of some processes may not be read */
	char program[PORT_PROGRAM_BYTES_MAX]; /* "" : not known */
	struct file_path data;                /* octolake: the data folder that it holds; "" : none */
};

/* True when someone listens on `port` so that `host` cannot be bound. `proc` is "/proc" but for
 * tests. */
bool port_find_holder(const char *proc, const char *host, int port, struct port_holder *holder_out);
/* Whether `host` and `port` could be listened on now. Binds for a moment, without listening and so that one
 * who starts in that moment is not kept out. ERR_LOCAL says why not. */
MUST_CHECK bool port_try(const char *host, int port, struct err *err);
/* "python3 (pid 12)"; "octolake (pid 12, data folder /srv/lake)"; "a process of user root". */
void port_describe_holder(const struct port_holder *holder, struct buf *out);

#endif
