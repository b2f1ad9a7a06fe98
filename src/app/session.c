/* SPDX-License-Identifier: Apache-2.0 */
#include "app/session.h"

#include "base/disk.h"
#include "base/failpoint.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "wrap/json_document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	EVENTS_FILE_BYTES_MAX = 1024 * 1024,
	HOLDER_MEMORY_BYTES_MAX = 256 * 1024,
	BALLAST_BYTES = 512 * 1024,
};

static void describe_holder(struct buf *out, const char *command, const char *api_url)
{
	struct json_writer json;
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key_integer(&json, "pid", getpid());
	json_put_key_text(&json, "command", command);
	json_put_key_text(&json, "api", api_url);
	json_end_object(&json);
}

/* "octolake run (pid 12, http://127.0.0.1:9000)" */
static void render_holder(struct span holder, char *text, size_t size)
{
	struct arena arena CLEANUP(arena_finish) = {.size_max = HOLDER_MEMORY_BYTES_MAX};
	const struct json_node *root;
	struct err err;
	if (!json_parse(holder, &arena, &root, &err)) {
		(void)snprintf(text, size, "another process");
		return;
	}
	struct span command = json_get_text(root, "command");
	struct span api = json_get_text(root, "api");
	(void)snprintf(text, size, "octolake %.*s (pid %lld%s%.*s)", SPAN_ARGUMENTS(command),
		       (long long)json_get_integer(root, "pid", 0), api.data ? ", " : "", SPAN_ARGUMENTS(api));
}

static bool take_lock(struct session *session, const char *command, struct err *err)
{
	struct file_path path;
	struct buf holder CLEANUP(buf_finish) = {.size_max = FILE_LOCK_HOLDER_BYTES_MAX};
	struct buf own CLEANUP(buf_finish) = {.size_max = FILE_LOCK_HOLDER_BYTES_MAX};
	describe_holder(&own, command, NULL);
	if (!layout_absolute(&session->layout, "LOCK", &path, err))
		return false;
	if (file_lock_take(path.text, own.data, &session->lock, &holder, err))
		return true;
	if (err->exit_code == 6) {
		char text[256];
		render_holder(buf_span(&holder), text, sizeof(text));
		err_set(err, ERR_LOCAL, "data folder %s is in use by %s; stop it, or choose another with --data",
			config_text(session->config, OPTION_DATA), text);
		err->exit_code = 6;
	}
	return false;
}

bool session_announce(struct session *session, const char *command, const char *api_url, struct err *err)
{
	struct buf own CLEANUP(buf_finish) = {.size_max = FILE_LOCK_HOLDER_BYTES_MAX};
	describe_holder(&own, command, api_url);
	return file_lock_describe(session->lock, own.data, err);
}

bool session_find_holder(const char *folder, struct session_holder *holder_out)
{
	struct file_path path;
	struct err err;
	struct buf text CLEANUP(buf_finish) = {.size_max = FILE_LOCK_HOLDER_BYTES_MAX};
	struct arena arena CLEANUP(arena_finish) = {.size_max = HOLDER_MEMORY_BYTES_MAX};
	const struct json_node *root;
	struct session_holder holder = {0};
	if (!file_path_make(&path, &err, "%s/LOCK", folder) || !file_lock_is_held(path.text, &text))
		return false;
	if (json_parse(buf_span(&text), &arena, &root, &err)) {
		holder.pid = json_get_integer(root, "pid", 0);
		(void)snprintf(holder.command, sizeof(holder.command), "%.*s",
			       SPAN_ARGUMENTS(json_get_text(root, "command")));
		(void)snprintf(holder.api, sizeof(holder.api), "%.*s", SPAN_ARGUMENTS(json_get_text(root, "api")));
	}
	*holder_out = holder;
	return true;
}

bool session_find_server(struct config *config, struct buf *api_url_out)
{
	struct session_holder holder;
	if (!session_find_holder(config_text(config, OPTION_DATA), &holder))
		return false;
	buf_append_text(api_url_out, holder.api);
	return holder.api[0] != '\0';
}

bool session_load_fields(struct config *config, struct field_set **fields_out,
			 char events_file_out[FILE_PATH_BYTES_MAX], struct err *err)
{
	static const char *const found_by_itself[] = {"events.yaml", "filtered_events.yaml"};
	const char *path = config_text(config, OPTION_EVENTS);
	for (size_t i = 0; !path && i < ARRAY_COUNT(found_by_itself); i++)
		path = file_exists(found_by_itself[i]) ? found_by_itself[i] : NULL;
	struct field_set *fields CLEANUP(field_set_destroy) = NULL;
	struct buf text CLEANUP(buf_finish) = {.size_max = EVENTS_FILE_BYTES_MAX};
	bool ok = path ? file_read(path, &text, err) && field_set_create(buf_span(&text), path, &fields, err)
		       : field_set_create_default(&fields, err);
	const char *types = config_text(config, OPTION_TYPES);
	ok = ok && (!types || field_set_restrict(fields, span_of(types), err));
	if (!ok) {
		err->exit_code = 2;
		return false;
	}
	(void)snprintf(events_file_out, FILE_PATH_BYTES_MAX, "%s", path ? path : "");
	*fields_out = fields;
	fields = NULL;
	return true;
}

const char *const *session_metric_paths(struct config *config, size_t *count_out)
{
	static const char *const found_by_itself[] = {"metrics.yaml"};
	const char *const *paths = config_list(config, OPTION_METRICS, count_out);
	if (*count_out > 0 || !file_exists(found_by_itself[0]))
		return paths;
	*count_out = 1;
	return found_by_itself;
}

/* A damaged catalog is kept aside for those who want to look; all that it knew is made again from
 * the files (promise 3). */
static bool replace_catalog(struct session *session, struct err *err)
{
	struct file_path aside;
	log_err(LOG_ERROR, "catalog damaged: set aside, rebuilding it from the files", err);
	catalog_close(&session->catalog);
	return catalog_set_aside(&session->layout, &aside, err)
	       && catalog_open(&session->layout, false, &session->catalog, err);
}

static void log_recovery(const struct catalog_recovery *report)
{
	if (report->batches_adopted + report->files_adopted + report->files_removed > 0)
		LOG_EVENT(LOG_INFO, "recovered what a stop in the middle had left",
			  log_int("batches_adopted", report->batches_adopted),
			  log_int("files_adopted", report->files_adopted),
			  log_int("files_removed", report->files_removed));
	if (report->files_damaged + report->files_missing > 0)
		LOG_EVENT(LOG_ERROR, "files damaged or missing", log_int("bronze_set_aside", report->files_damaged),
			  log_int("silver_made_again", report->files_missing));
}

/* ---- room to start on a full disk ---- */

static bool ballast_path(const struct session *session, struct file_path *path_out, struct err *err)
{
	return layout_absolute(&session->layout, "BALLAST", path_out, err);
}

void session_keep_ballast(const struct session *session)
{
	static const char content[BALLAST_BYTES];
	struct file_path path;
	struct disk_room room;
	struct err ignored; /* without it the next start on a full disk says what to do */
	FAILPOINT_SCOPE("ballast");
	disk_measure(session->layout.root.text, DISK_RESERVE_AUTOMATIC, &room);
	if (ballast_path(session, &path, &ignored) && file_size(path.text) != BALLAST_BYTES && !disk_is_low(&room))
		(void)!file_write(path.text, (struct span){content, sizeof(content)}, &ignored);
}

/* The catalog cannot be opened without some pages of shared memory and log, which lie on the disk. */
static bool drop_ballast(const struct session *session, struct err *err)
{
	struct file_path path;
	struct err ignored;
	if (!err->no_space || !ballast_path(session, &path, &ignored))
		return false;
	if (file_size(path.text) <= 0 || !file_remove(path.text, &ignored)) {
		err->no_space = false;
		return err_wrap(err, "the disk is full, also for a start: free a megabyte and start again");
	}
	log_err(LOG_WARNING, "disk full: the ballast was given up to start all the same", err);
	return true;
}

/* ---- the catalog ---- */

static bool open_catalog(struct session *session, struct err *err)
{
	struct catalog_recovery report = {0};
	if (!catalog_open(&session->layout, false, &session->catalog, err)
	    && (err->kind != ERR_INPUT || !replace_catalog(session, err)))
		return false;
	if (!catalog_recover(session->catalog, &session->layout, &report, err)
	    && (err->kind != ERR_INPUT || !replace_catalog(session, err)
		|| !catalog_recover(session->catalog, &session->layout, &report, err)))
		return false;
	log_recovery(&report);
	return true;
}

/* A folder that is not ours to write is mostly one that somebody else made, a container's volume above all:
 * whose it is, and the one thing to do about it. */
static void explain_folder(const char *folder, struct err *err)
{
	struct stat status;
	if (err->exit_code != 0 || stat(folder, &status) != 0 || access(folder, W_OK) == 0 || errno != EACCES)
		return;
	err_set(err, ERR_LOCAL,
		"data folder %.300s belongs to user %u, and user %u may not write in it: as root, run `chown -R %u:%u` "
		"on it (in a container: on the folder of the host that is mounted there)",
		folder, (unsigned)status.st_uid, (unsigned)geteuid(), (unsigned)geteuid(), (unsigned)getegid());
}

static bool reopen_catalog(struct session *session, struct err *err)
{
	catalog_close(&session->catalog);
	return open_catalog(session, err);
}

bool session_open(struct session *session, struct config *config, const char *command, struct err *err)
{
	*session = (struct session){.config = config};
	bool ok = session_load_fields(config, &session->fields, session->events_file, err)
		  && layout_init(&session->layout, config_text(config, OPTION_DATA), err)
		  && take_lock(session, command, err)
		  && (open_catalog(session, err)
		      || (drop_ballast(session, err) && reopen_catalog(session, err)));
	if (ok) {
		session_keep_ballast(session);
	} else {
		explain_folder(config_text(config, OPTION_DATA), err);
		session_close(session);
	}
	return ok;
}

void session_close(struct session *session)
{
	catalog_close(&session->catalog);
	field_set_destroy(&session->fields);
	file_lock_release(&session->lock);
}
