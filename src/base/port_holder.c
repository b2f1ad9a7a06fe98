/* SPDX-License-Identifier: Apache-2.0 */
#include "base/port_holder.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 512, LINK_BYTES_MAX = FILE_PATH_BYTES_MAX, WORDS = 10, PATH_BYTES_MAX = 512 };

enum { WORD_LOCAL = 1, WORD_STATE = 3, WORD_USER = 7, WORD_INODE = 9 };

static const char LISTENING[] = "0A";

static void close_folder(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static void close_file(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* ---- net/tcp ---- */

static size_t split_words(struct span line, struct span words[WORDS])
{
	size_t count = 0;
	size_t at = 0;
	while (count < WORDS) {
		while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t'))
			at++;
		size_t start = at;
		while (at < line.size && !memchr(" \t\n", line.data[at], 3))
			at++;
		if (at == start)
			break;
		words[count++] = (struct span){line.data + start, at - start};
	}
	return count;
}

static bool parse_hex(struct span digits, uint32_t *value_out)
{
	uint32_t value = 0;
	if (digits.size == 0 || digits.size > 8)
		return false;
	for (size_t i = 0; i < digits.size; i++) {
		const char *all = "0123456789ABCDEF";
		const char *digit = digits.data[i] == '\0' ? NULL : strchr(all, digits.data[i]);
		if (!digit)
			return false;
		value = value << 4 | (uint32_t)(digit - all);
	}
	*value_out = value;
	return true;
}

/* Words of 32 bits in the byte order of this machine: as the kernel keeps them, printed as numbers. */
static bool parse_address(struct span digits, struct port_socket *socket)
{
	if (digits.size != 8 && digits.size != 32)
		return false;
	for (size_t at = 0; at < digits.size; at += 8) {
		uint32_t word;
		if (!parse_hex((struct span){digits.data + at, 8}, &word))
			return false;
		memcpy(socket->address + at / 2, &word, sizeof(word));
	}
	socket->address_size = digits.size / 2;
	return true;
}

bool port_parse_listener(struct span line, struct port_socket *socket_out)
{
	struct span words[WORDS];
	struct port_socket socket = {0};
	struct span address;
	struct span port_digits;
	uint32_t port;
	if (split_words(line, words) < WORDS || !span_equal_text(words[WORD_STATE], LISTENING)
	    || !span_split(words[WORD_LOCAL], ':', &address, &port_digits) || !parse_address(address, &socket)
	    || !parse_hex(port_digits, &port) || port > 65535 || !span_parse_int64(words[WORD_USER], &socket.user)
	    || !span_parse_int64(words[WORD_INODE], &socket.inode))
		return false;
	socket.port = (int)port;
	*socket_out = socket;
	return true;
}

static bool is_any_address(const unsigned char *address, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (address[i] != 0)
			return false;
	return true;
}

bool port_is_in_the_way(const struct port_socket *listener, const char *host)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const unsigned char *address = listener->address;
	size_t size = listener->address_size;
	unsigned char own[PORT_ADDRESS_BYTES_MAX];
	size_t own_size = inet_pton(AF_INET, host, own) == 1 ? 4 : inet_pton(AF_INET6, host, own) == 1 ? 16 : 0;
	if (size == 16 && memcmp(address, mapped, sizeof(mapped)) == 0) {
		address += sizeof(mapped);
		size = 4;
	}
	if (own_size == 0)
		return true;
	/* The any address of IPv6 stands for IPv4 too, as octolake itself binds it. */
	if (is_any_address(own, own_size))
		return own_size == 16 || size == 4 || is_any_address(address, size);
	if (is_any_address(address, size))
		return size == 16 || own_size == 4;
	return own_size == size && memcmp(own, address, size) == 0;
}

static bool find_listener(const char *proc, const char *name, const char *host, int port,
			  struct port_socket *socket_out)
{
	char path[PATH_BYTES_MAX];
	char line[LINE_BYTES_MAX];
	(void)snprintf(path, sizeof(path), "%s/net/%s", proc, name);
	FILE *file CLEANUP(close_file) = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		struct port_socket socket;
		if (port_parse_listener(span_of(line), &socket) && socket.port == port
		    && port_is_in_the_way(&socket, host)) {
			*socket_out = socket;
			return true;
		}
	}
	return false;
}

/* ---- PID/fd ---- */

static size_t read_link(const char *path, char target[LINK_BYTES_MAX])
{
	ssize_t size = readlink(path, target, LINK_BYTES_MAX - 1);
	target[size < 0 ? 0 : size] = '\0';
	return strlen(target);
}

/* Calls `fits` for the target of each descriptor until one does; its target is left in `target`. */
static bool find_descriptor(const char *folder_path, bool (*fits)(const char *target, const void *wanted),
			    const void *wanted, char target[LINK_BYTES_MAX], bool *hidden)
{
	DIR *folder CLEANUP(close_folder) = opendir(folder_path);
	const struct dirent *entry;
	if (!folder) {
		*hidden = *hidden || errno == EACCES || errno == EPERM;
		return false;
	}
	while ((entry = readdir(folder))) {
		char path[PATH_BYTES_MAX + sizeof(entry->d_name)];
		(void)snprintf(path, sizeof(path), "%s/%s", folder_path, entry->d_name);
		if (read_link(path, target) > 0 && fits(target, wanted))
			return true;
	}
	return false;
}

static bool is_socket(const char *target, const void *wanted)
{
	return strcmp(target, wanted) == 0;
}

static bool is_lock(const char *target, const void *wanted)
{
	(void)wanted;
	return target[0] == '/' && span_ends_with(span_of(target), "/LOCK");
}

static void describe_process(const char *proc, int64_t pid, struct port_holder *holder)
{
	char path[PATH_BYTES_MAX];
	char target[LINK_BYTES_MAX];
	bool hidden = false;
	holder->pid = pid;
	(void)snprintf(path, sizeof(path), "%s/%" PRId64 "/comm", proc, pid);
	FILE *file CLEANUP(close_file) = fopen(path, "re");
	if (file && fgets(holder->program, sizeof(holder->program), file))
		holder->program[strcspn(holder->program, "\n")] = '\0';
	/* A running octolake has its data folder's lock open. */
	(void)snprintf(path, sizeof(path), "%s/%" PRId64 "/fd", proc, pid);
	if (strncmp(holder->program, "octolake", 8) == 0 && find_descriptor(path, is_lock, NULL, target, &hidden))
		(void)snprintf(holder->data.text, sizeof(holder->data.text), "%.*s",
			       (int)(strlen(target) - strlen("/LOCK")), target);
}

static void find_process(const char *proc, int64_t inode, struct port_holder *holder)
{
	char wanted[64];
	DIR *folder CLEANUP(close_folder) = opendir(proc);
	const struct dirent *entry;
	(void)snprintf(wanted, sizeof(wanted), "socket:[%" PRId64 "]", inode);
	while (folder && (entry = readdir(folder))) {
		char path[PATH_BYTES_MAX];
		char target[LINK_BYTES_MAX];
		int64_t pid;
		if (!span_parse_int64(span_of(entry->d_name), &pid) || pid <= 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%" PRId64 "/fd", proc, pid);
		if (!find_descriptor(path, is_socket, wanted, target, &holder->hidden))
			continue;
		describe_process(proc, pid, holder);
		return;
	}
}

bool port_find_holder(const char *proc, const char *host, int port, struct port_holder *holder_out)
{
	struct port_socket socket;
	if (!find_listener(proc, "tcp", host, port, &socket) && !find_listener(proc, "tcp6", host, port, &socket))
		return false;
	struct port_holder holder = {.user = socket.user};
	find_process(proc, socket.inode, &holder);
	*holder_out = holder;
	return true;
}

static bool try_address(const struct addrinfo *address, const char *host, int port, struct err *err)
{
	int on = 1;
	int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (descriptor < 0)
		return err_set_errno(err, ERR_LOCAL, errno, "socket for %s", host);
	/* Two that are bound with this option are in nobody's way while neither listens (socket(7)). */
	bool bound = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
		     && bind(descriptor, address->ai_addr, address->ai_addrlen) == 0;
	if (!bound)
		(void)err_set_errno(err, ERR_LOCAL, errno, "port %d on %s", port, host);
	(void)close(descriptor);
	return bound;
}

bool port_try(const char *host, int port, struct err *err)
{
	char service[16];
	(void)snprintf(service, sizeof(service), "%d", port);
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *addresses = NULL;
	int failure = getaddrinfo(host, service, &hints, &addresses);
	if (failure != 0)
		return err_set(err, ERR_LOCAL, "host %s: %s", host, gai_strerror(failure));
	bool ok = try_address(addresses, host, port, err);
	freeaddrinfo(addresses);
	return ok;
}

static void append_user(int64_t user, struct buf *out)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char memory[4096];
	if (getpwuid_r((uid_t)user, &entry, memory, sizeof(memory), &found) == 0 && found)
		buf_printf(out, "user %s", found->pw_name);
	else
		buf_printf(out, "user %" PRId64, user);
}

void port_describe_holder(const struct port_holder *holder, struct buf *out)
{
	if (holder->pid == 0) {
		bool own = holder->user == (int64_t)getuid();
		buf_append_text(out, own ? "a process of another container or session of " : "a process of ");
		append_user(holder->user, out);
		return;
	}
	buf_printf(out, "%s (pid %" PRId64, holder->program[0] ? holder->program : "a process", holder->pid);
	if (holder->data.text[0])
		buf_printf(out, ", data folder %s", holder->data.text);
	buf_append_byte(out, ')');
}
