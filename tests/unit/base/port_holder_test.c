/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include "base/port_holder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADING "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define LISTENER_4                                                                                          \
	"   0: 0100007F:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 24680 1 " \
	"0000000000000000 100 0 0 10 0\n"
#define CONNECTED_4                                                                                         \
	"   1: 0100007F:2328 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 24681 1 " \
	"0000000000000000 20 4 30 10 -1\n"
#define LISTENER_6_ANY                                                                                      \
	"   0: 00000000000000000000000000000000:2135 00000000000000000000000000000000:0000 0A "             \
	"00000000:00000000 00:00000000 00000000     0        0 13579 1 0000000000000000 100 0 0 10 0\n"

static struct port_socket parsed(const char *line)
{
	struct port_socket socket = {0};
	assert_true(port_parse_listener(span_of(line), &socket));
	return socket;
}

static void a_listener_is_read(void **state)
{
	(void)state;
	struct port_socket socket = parsed(LISTENER_4);
	assert_int_equal(socket.port, 9000);
	assert_int_equal(socket.address_size, 4);
	assert_int_equal(socket.user, 1000);
	assert_int_equal(socket.inode, 24680);
	/* The machine's own byte order, whatever it is. */
	if (htonl(1) != 1)
		assert_memory_equal(socket.address, "\x7f\0\0\x01", 4);
	socket = parsed(LISTENER_6_ANY);
	assert_int_equal(socket.port, 8501);
	assert_int_equal(socket.address_size, 16);
	assert_int_equal(socket.user, 0);
}

static void other_lines_are_none(void **state)
{
	(void)state;
	static const char *const lines[] = {
		HEADING, CONNECTED_4, "", "\n", "   0: 0100007F:2328",
		"   0: 0100007G:2328 00000000:0000 0A 0:0 0:0 0 1000 0 24680 1\n",
		"   0: 0100007F:123456789 00000000:0000 0A 0:0 0:0 0 1000 0 24680 1\n",
		"   0: 0100007F:2328 00000000:0000 0A 0:0 0:0 0 x 0 24680 1\n",
		"   0: 0100007F 00000000:0000 0A 0:0 0:0 0 1000 0 24680 1\n",
	};
	struct port_socket socket;
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		if (port_parse_listener(span_of(lines[i]), &socket))
			fail_msg("taken for a listener: %s", lines[i]);
	/* Cut anywhere, it is never read past its end. */
	for (size_t size = 0; size < sizeof(LISTENER_4) - 60; size++) {
		char cut[sizeof(LISTENER_4)];
		memcpy(cut, LISTENER_4, size);
		(void)port_parse_listener((struct span){cut, size}, &socket);
	}
}

static void only_what_conflicts_is_in_the_way(void **state)
{
	(void)state;
	struct port_socket loopback = {.address = {127, 0, 0, 1}, .address_size = 4};
	struct port_socket any = {.address_size = 4};
	struct port_socket any_6 = {.address_size = 16};
	struct port_socket mapped = {.address = {[10] = 0xff, 0xff, 127, 0, 0, 1}, .address_size = 16};
	assert_true(port_is_in_the_way(&loopback, "127.0.0.1"));
	assert_true(port_is_in_the_way(&mapped, "127.0.0.1"));
	assert_true(port_is_in_the_way(&loopback, "0.0.0.0"));
	assert_true(port_is_in_the_way(&loopback, "::"));
	assert_true(port_is_in_the_way(&loopback, "localhost"));
	assert_false(port_is_in_the_way(&loopback, "127.0.0.2"));
	assert_false(port_is_in_the_way(&loopback, "::1"));
	assert_true(port_is_in_the_way(&any, "10.1.2.3"));
	assert_false(port_is_in_the_way(&any, "::1"));
	assert_true(port_is_in_the_way(&any_6, "127.0.0.1"));
	assert_true(port_is_in_the_way(&any_6, "::1"));
}

static void write_text(const struct check_path *path, const char *text)
{
	struct err err;
	assert_true(file_write(path->text, span_of(text), &err));
}

/* A /proc of our own: a listener's process with a lock, beside one without the socket. */
static void the_holder_is_found_with_its_data_folder(void **state)
{
	(void)state;
	struct check_path proc = temporary_folder_create();
	struct check_path path = path_below(&proc, "net/tcp");
	struct port_holder holder;
	struct err err;
	write_text(&path, HEADING CONNECTED_4 LISTENER_4);
	path = path_below(&proc, "net/tcp6");
	write_text(&path, HEADING LISTENER_6_ANY);
	path = path_below(&proc, "41/comm");
	write_text(&path, "bystander\n");
	path = path_below(&proc, "41/fd");
	assert_true(file_make_folder(path.text, &err));
	path = path_below(&proc, "42/comm");
	write_text(&path, "octolake\n");
	path = path_below(&proc, "42/fd");
	assert_true(file_make_folder(path.text, &err));
	path = path_below(&proc, "42/fd/3");
	assert_int_equal(symlink("/srv/my lake/LOCK", path.text), 0);
	path = path_below(&proc, "42/fd/7");
	assert_int_equal(symlink("socket:[24680]", path.text), 0);

	assert_true(port_find_holder(proc.text, "127.0.0.1", 9000, &holder));
	assert_int_equal(holder.pid, 42);
	struct buf text CLEANUP(buf_finish) = {.size_max = 4096};
	port_describe_holder(&holder, &text);
	assert_string_equal(text.data, "octolake (pid 42, data folder /srv/my lake)");

	/* Its process is not to be seen: only the user is known. */
	assert_true(port_find_holder(proc.text, "127.0.0.1", 8501, &holder));
	assert_int_equal(holder.pid, 0);
	buf_clear(&text);
	port_describe_holder(&holder, &text);
	assert_non_null(strstr(text.data, "user root"));

	assert_false(port_find_holder(proc.text, "127.0.0.1", 9001, &holder));
	path = path_below(&proc, "nothing here");
	assert_false(port_find_holder(path.text, "127.0.0.1", 9000, &holder));
	temporary_folder_remove(&proc);
}

static void the_real_proc_knows_this_test(void **state)
{
	(void)state;
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct port_holder holder;
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
	int port = ntohs(address.sin_port);
	if (!file_exists("/proc/net/tcp"))
		skip();
	assert_true(port_find_holder("/proc", "127.0.0.1", port, &holder));
	assert_int_equal(holder.pid, getpid());
	assert_int_equal(holder.user, getuid());
	struct err err;
	assert_false(port_try("127.0.0.1", port, &err));
	assert_non_null(strstr(err.text, "in use"));
	assert_int_equal(close(listening), 0);
	assert_true(port_try("127.0.0.1", port, &err));
	assert_true(port_try("127.0.0.1", port, &err));
	assert_false(port_try("192.0.2.1", port, &err));
	assert_false(port_find_holder("/proc", "127.0.0.1", port, &holder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_is_read),
		cmocka_unit_test(other_lines_are_none),
		cmocka_unit_test(only_what_conflicts_is_in_the_way),
		cmocka_unit_test(the_holder_is_found_with_its_data_folder),
		cmocka_unit_test(the_real_proc_knows_this_test),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
