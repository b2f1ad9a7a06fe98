/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_environment.c - the machine: libraries, limits, and the place where the lake is to lie. */
#include "app/doctor.h"

#include "base/disk.h"
#include "base/file_system.h"
#include "base/memory.h"
#include "wrap/duck.h"
#include "wrap/http_client.h"
#include "wrap/http_server.h"
#include "wrap/sqlite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	DESCRIPTORS_MIN = 128,  /* sockets, gold's and silver's files, the catalog of each worker */
	DESCRIPTORS_GOOD = 1024,
	ROOM_FACTOR_GOOD = 2, /* times the reserve: less is soon used up */
};

static void check_descriptors(struct doctor *doctor)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	bool unlimited = limit.rlim_cur == RLIM_INFINITY;
	long long count = unlimited ? -1 : (long long)limit.rlim_cur;
	enum doctor_status status = unlimited || count >= DESCRIPTORS_GOOD ? DOCTOR_OK
				    : count >= DESCRIPTORS_MIN              ? DOCTOR_WARN
									    : DOCTOR_FAIL;
	if (unlimited)
		doctor_say(doctor, "descriptors", status, NULL, "open files are not limited");
	else
		doctor_say(doctor, "descriptors", status, "ulimit -n 4096 (systemd: LimitNOFILE=4096)",
			   "%lld open files are allowed", count);
}

/* The data folder, or of a missing one the folder above it that is there. */
static const char *find_place(struct doctor *doctor, const char *folder)
{
	char *path = arena_copy_text(&doctor->arena, span_of(folder));
	while (!file_exists(path)) {
		char *slash = strrchr(path, '/');
		if (!slash)
			return ".";
		if (slash == path)
			return "/";
		*slash = '\0';
	}
	return path;
}

static void check_folder(struct doctor *doctor, const char *folder, const char *place)
{
	const char *fix = doctor_text(doctor, "choose another with --data DIR, or: sudo chown -R \"$(id -un)\" %s",
				      place);
	bool writable = access(place, W_OK | X_OK) == 0;
	int error_number = errno;
	if (doctor->has_folder && writable)
		doctor_say(doctor, "folder", DOCTOR_OK, NULL, "%s, writable", doctor->layout.root.text);
	else if (writable)
		doctor_say(doctor, "folder", DOCTOR_OK, NULL, "%s, to be made at the first start", folder);
	else
		doctor_say(doctor, "folder", DOCTOR_FAIL, fix, "%s: %s", place, strerror(error_number));
}

static void check_space(struct doctor *doctor, const char *place)
{
	struct disk_room room;
	disk_measure(place, config_size_bytes(doctor->config, OPTION_DISK_RESERVE, DISK_RESERVE_AUTOMATIC), &room);
	bool low = disk_is_low(&room);
	bool scarce = room.free_bytes / ROOM_FACTOR_GOOD < room.reserve_bytes;
	if (room.total_bytes == 0)
		doctor_say(doctor, "space", DOCTOR_WARN, "look yourself: df .", "free space of %s is not to be had",
			   place);
	else
		doctor_say(doctor, "space", low ? DOCTOR_FAIL : scarce ? DOCTOR_WARN : DOCTOR_OK,
			   "make room, or move the data folder (stop, mv, start with --data DIR)",
			   "%s free; polling %s below %s (--disk-reserve)", doctor_bytes(doctor, room.free_bytes),
			   low ? "is paused" : "pauses", doctor_bytes(doctor, room.reserve_bytes));
}

static void check_file_system(struct doctor *doctor, const char *place)
{
	struct file_system system;
	if (!file_system_of(place, &system))
		doctor_say(doctor, "file-system", DOCTOR_WARN, NULL, "%s: the file system is not to be had", place);
	else if (system.read_only)
		doctor_say(doctor, "file-system", DOCTOR_FAIL, "choose another with --data DIR",
			   "%s is mounted read-only",
			   system.name);
	else if (system.concern)
		doctor_say(doctor, "file-system", DOCTOR_WARN, "choose a local disk with --data DIR", "%s: %s",
			   system.name, system.concern);
	else
		doctor_say(doctor, "file-system", DOCTOR_OK, NULL, "%s", system.name);
}

void doctor_check_environment(struct doctor *doctor)
{
	const char *folder = config_text(doctor->config, OPTION_DATA);
	char *absolute CLEANUP(memory_free_text) = realpath(folder, NULL);
	char client[128];
	struct err err;
	http_client_library(client, sizeof(client));
	doctor->has_folder = absolute && file_path_make(&doctor->layout.root, &err, "%s", absolute);
	doctor_say(doctor, "version", DOCTOR_OK, NULL, "octolake %s, DuckDB %s, SQLite %s, libmicrohttpd %s, %s",
		   OCTOLAKE_VERSION, duck_version(), sqlite_library(), http_server_library(), client);
	check_descriptors(doctor);
	const char *place = find_place(doctor, folder);
	check_folder(doctor, folder, place);
	check_space(doctor, place);
	check_file_system(doctor, place);
}
