/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - one metric to stdout: through the running server when one holds the data folder, else
 * on the folder itself. Both ways end in the same JSON document, which is then printed. */
#include "app/commands.h"
#include "app/session.h"
#include "app/stages.h"
#include "base/json_writer.h"
#include "metrics/metrics.h"
#include "serve/serve.h"
#include "wrap/http_client.h"
#include "wrap/json_document.h"

#include <stdio.h>
#include <string.h>

enum {
	DOCUMENT_BYTES_MAX = 256 * 1024 * 1024,
	MEMORY_BYTES_MAX = 1024 * 1024 * 1024,
	ARGUMENT_COUNT_MAX = 64,
	REQUEST_WAIT_MS_MAX = 60 * 1000,
	CELL_WIDTH_MAX = 60,
};

static bool split_arguments(const char *const *words, size_t word_count,
			    struct metric_argument arguments[ARGUMENT_COUNT_MAX], struct err *err)
{
	if (word_count > ARGUMENT_COUNT_MAX)
		return command_usage_err(err, "more than %d arguments", ARGUMENT_COUNT_MAX);
	for (size_t i = 0; i < word_count; i++)
		if (!span_split(span_of(words[i]), '=', &arguments[i].name, &arguments[i].value))
			return command_usage_err(err, "\"%.100s\" is no argument: write name=value", words[i]);
	return true;
}

/* ---- through the server ---- */

static void append_encoded(struct buf *url, struct span text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
			     || (c != '\0' && strchr("-_.~", c));
		if (plain)
			buf_append_byte(url, (char)c);
		else
			buf_printf(url, "%%%02X", c);
	}
}

static bool ask_server(const char *api_url, const char *id, const struct metric_argument *arguments, size_t count,
		       struct arena *arena, struct span *document_out, struct err *err)
{
	struct http_client *client CLEANUP(http_client_destroy) = NULL;
	struct buf url CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
	buf_printf(&url, "%s/api/v1/metrics/", api_url);
	append_encoded(&url, span_of(id));
	buf_append_text(&url, "/data");
	for (size_t i = 0; i < count; i++) {
		buf_append_byte(&url, i == 0 ? '?' : '&');
		append_encoded(&url, arguments[i].name);
		buf_append_byte(&url, '=');
		append_encoded(&url, arguments[i].value);
	}
	struct http_client_request request = {
		.url = url.data,
		.body_bytes_max = DOCUMENT_BYTES_MAX,
		.connect_wait_ms_max = 5000,
		.total_wait_ms_max = REQUEST_WAIT_MS_MAX,
	};
	struct http_client_response response;
	if (!http_client_create(&client, err) || !http_client_send(client, &request, arena, &response, err))
		return err_wrap(err, "ask the running server at %s", api_url);
	*document_out = response.body;
	if (response.status == 200)
		return true;
	const struct json_node *problem;
	struct err ignored;
	struct span detail = {0};
	if (json_parse(response.body, arena, &problem, &ignored))
		detail = json_get_text(problem, "detail");
	err_set(err, ERR_INPUT, "%.*s (status %d)", SPAN_ARGUMENTS(detail), response.status);
	err->exit_code = response.status == 422 || response.status == 404 ? 2 : 1;
	return false;
}

/* ---- without one ---- */

static bool evaluate(struct metrics *metrics, const char *id, const struct metric_argument *arguments, size_t count,
		     struct arena *arena, struct buf *document, struct err *err)
{
	const struct metric_catalogue *catalogue = metrics_acquire(metrics);
	const struct metric *metric = metric_find(catalogue, span_of(id));
	struct metric_request request = {.metric = metric, .arguments = arguments, .argument_count = count};
	struct metric_result result;
	const struct argument_fault *faults = NULL;
	size_t fault_count = 0;
	bool ok = false;
	if (!metric) {
		(void)command_usage_err(err, "no metric \"%.100s\"", id);
	} else {
		enum metric_outcome outcome =
			metric_evaluate(metrics, &request, arena, &result, &faults, &fault_count, err);
		ok = outcome == METRIC_OK;
		if (ok)
			serve_render_data(metric, &result, document);
		else if (outcome == METRIC_BAD_ARGUMENTS)
			(void)command_usage_err(err, "%.*s", SPAN_ARGUMENTS(faults[0].detail));
	}
	metrics_release(metrics, catalogue);
	return ok;
}

static bool ask_folder(struct config *config, const char *id, const struct metric_argument *arguments, size_t count,
		       struct arena *arena, struct buf *document, struct err *err)
{
	struct session session CLEANUP(session_close) = {0};
	struct silver *silver CLEANUP(silver_close) = NULL;
	struct gold *gold CLEANUP(gold_close) = NULL;
	struct metrics *metrics CLEANUP(metrics_destroy) = NULL;
	struct silver_report silver_report;
	struct gold_report report;
	bool rest;
	/* What a stop left waiting belongs to the answer: a total without it would be wrong. */
	if (!session_open(&session, config, "query", err) || !stages_open_silver(&session, &silver, err)
	    || !stages_transform(silver, NULL, &silver_report, &rest, err)
	    || !stages_open_gold(&session, true, NULL, &gold, err)
	    || !stages_load(&session, silver, gold, NULL, &report, err))
		return false;
	struct metrics_options options = {.gold = gold, .clock = clock_system()};
	options.paths = session_metric_paths(config, &options.path_count);
	metrics = metrics_create(&options);
	return evaluate(metrics, id, arguments, count, arena, document, err);
}

/* ---- printing ---- */

static void append_cell(struct buf *out, const struct json_node *node)
{
	switch (node->kind) {
	case JSON_NODE_NULL:
		break;
	case JSON_NODE_BOOLEAN:
		buf_append_text(out, node->boolean ? "true" : "false");
		break;
	case JSON_NODE_INTEGER:
		buf_printf(out, "%lld", (long long)node->integer);
		break;
	case JSON_NODE_REAL:
		buf_printf(out, "%.15g", node->real);
		break;
	case JSON_NODE_STRING:
		buf_append_span(out, node->text);
		break;
	case JSON_NODE_ARRAY:
	case JSON_NODE_OBJECT:
		for (size_t i = 0; i < node->count; i++) {
			buf_append_text(out, i ? " " : "");
			append_cell(out, node->values[i]);
		}
		break;
	}
}

static void write_node(struct json_writer *json, const struct json_node *node)
{
	switch (node->kind) {
	case JSON_NODE_NULL:
		json_put_null(json);
		break;
	case JSON_NODE_BOOLEAN:
		json_put_boolean(json, node->boolean);
		break;
	case JSON_NODE_INTEGER:
		json_put_integer(json, node->integer);
		break;
	case JSON_NODE_REAL:
		json_put_real(json, node->real);
		break;
	case JSON_NODE_STRING:
		json_put_string(json, node->text);
		break;
	case JSON_NODE_ARRAY:
		json_begin_array(json);
		for (size_t i = 0; i < node->count; i++)
			write_node(json, node->values[i]);
		json_end_array(json);
		break;
	case JSON_NODE_OBJECT:
		json_begin_object(json);
		for (size_t i = 0; i < node->count; i++) {
			json_put_key_span(json, node->keys[i]);
			write_node(json, node->values[i]);
		}
		json_end_object(json);
		break;
	}
}

static void append_csv_field(struct buf *out, struct span text)
{
	bool quote = false;
	for (size_t i = 0; i < text.size; i++)
		quote = quote || strchr(",\"\r\n", text.data[i]);
	if (!quote) {
		buf_append_span(out, text);
		return;
	}
	buf_append_byte(out, '"');
	for (size_t i = 0; i < text.size; i++) {
		buf_append_text(out, text.data[i] == '"' ? "\"" : "");
		buf_append_byte(out, text.data[i]);
	}
	buf_append_byte(out, '"');
}

static void append_csv(struct buf *out, const struct json_node *columns, const struct json_node *rows)
{
	for (size_t c = 0; c < columns->count; c++) {
		buf_append_text(out, c ? "," : "");
		append_csv_field(out, json_get_text(columns->values[c], "name"));
	}
	buf_append_text(out, "\r\n");
	for (size_t r = 0; r < rows->count; r++) {
		for (size_t c = 0; c < rows->values[r]->count; c++) {
			struct buf cell CLEANUP(buf_finish) = {.size_max = DOCUMENT_BYTES_MAX};
			append_cell(&cell, rows->values[r]->values[c]);
			buf_append_text(out, c ? "," : "");
			append_csv_field(out, buf_span(&cell));
		}
		buf_append_text(out, "\r\n");
	}
}

/* Characters, not bytes: continuation bytes of UTF-8 do not count. */
static size_t width_of(struct span text)
{
	size_t width = 0;
	for (size_t i = 0; i < text.size; i++)
		width += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return width < CELL_WIDTH_MAX ? width : CELL_WIDTH_MAX;
}

/* Control bytes become "?": a repository name must not move the cursor. */
static void append_padded(struct buf *out, struct span text, size_t width)
{
	size_t written = 0;
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool starts = (c & 0xc0) != 0x80;
		if (starts && written == CELL_WIDTH_MAX)
			break;
		written += starts;
		buf_append_byte(out, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	for (; written < width; written++)
		buf_append_byte(out, ' ');
}

static void append_table(struct buf *out, const struct json_node *columns, const struct json_node *rows,
			 struct arena *arena)
{
	size_t count = columns->count;
	size_t *widths = arena_allocate(arena, count + 1, sizeof(*widths));
	struct span *cells = arena_allocate(arena, (rows->count + 1) * (count + 1), sizeof(*cells));
	if (!widths || !cells) {
		out->failed = true;
		return;
	}
	for (size_t r = 0; r <= rows->count; r++)
		for (size_t c = 0; c < count; c++) {
			struct buf cell CLEANUP(buf_finish) = {.size_max = DOCUMENT_BYTES_MAX};
			if (r == 0)
				buf_append_span(&cell, json_get_text(columns->values[c], "name"));
			else if (c < rows->values[r - 1]->count)
				append_cell(&cell, rows->values[r - 1]->values[c]);
			cells[r * count + c] = arena_copy(arena, buf_span(&cell));
			size_t width = width_of(cells[r * count + c]);
			widths[c] = width > widths[c] ? width : widths[c];
		}
	for (size_t r = 0; r <= rows->count; r++) {
		for (size_t c = 0; c < count; c++) {
			buf_append_text(out, c ? "  " : "");
			append_padded(out, cells[r * count + c], c + 1 < count ? widths[c] : 0);
		}
		buf_append_byte(out, '\n');
	}
}

static bool print_document(struct config *config, struct span document, struct arena *arena, struct err *err)
{
	const struct json_node *root;
	if (!json_parse(document, arena, &root, err))
		return err_wrap(err, "answer of the server");
	const struct json_node *rows = json_get(root, "data");
	const struct json_node *columns = json_get(json_get(root, "meta"), "columns");
	if (!rows || !columns || rows->kind != JSON_NODE_ARRAY || columns->kind != JSON_NODE_ARRAY)
		return err_set(err, ERR_INPUT, "answer without data and columns");
	struct buf out CLEANUP(buf_finish) = {.size_max = DOCUMENT_BYTES_MAX};
	const char *format = config_text(config, OPTION_OUTPUT);
	if (strcmp(format, "json") == 0) {
		struct json_writer json;
		json_writer_init(&json, &out);
		write_node(&json, rows);
		buf_append_byte(&out, '\n');
	} else if (strcmp(format, "csv") == 0) {
		append_csv(&out, columns, rows);
	} else {
		append_table(&out, columns, rows, arena);
	}
	if (out.failed)
		return err_set(err, ERR_INPUT, "result too large to print");
	(void)fwrite(out.data, 1, out.size, stdout);
	struct span hint = json_get_text(json_get(root, "meta"), "hint");
	if (rows->count == 0 && hint.data)
		(void)fprintf(stderr, "no rows: %.*s\n", SPAN_ARGUMENTS(hint));
	return true;
}

bool command_query(struct config *config, const char *const *words, size_t word_count, struct err *err)
{
	struct metric_argument arguments[ARGUMENT_COUNT_MAX];
	struct arena arena CLEANUP(arena_finish) = {.size_max = MEMORY_BYTES_MAX};
	struct buf document CLEANUP(buf_finish) = {.size_max = DOCUMENT_BYTES_MAX};
	struct buf api_url CLEANUP(buf_finish) = {.size_max = 512};
	if (word_count == 0)
		return command_usage_err(err, "query needs a metric: octolake query event_count_offset offset=30");
	if (!split_arguments(words + 1, word_count - 1, arguments, err))
		return false;
	struct span answer;
	if (session_find_server(config, &api_url)) {
		if (!ask_server(api_url.data, words[0], arguments, word_count - 1, &arena, &answer, err))
			return false;
	} else {
		if (!ask_folder(config, words[0], arguments, word_count - 1, &arena, &document, err))
			return false;
		answer = buf_span(&document);
	}
	return print_document(config, answer, &arena, err);
}
