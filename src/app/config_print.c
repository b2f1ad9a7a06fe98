/* SPDX-License-Identifier: Apache-2.0 */
/* config_print.c - the settings in force, for people and for programs. */
#include "app/config.h"

#include "base/json_writer.h"
#include "base/mask.h"

static bool is_shown(const struct config *config, size_t option)
{
	return !config_definitions[option].only_flag || config_is_set(config, (enum config_option)option);
}

void config_append_values(const struct config *config, struct buf *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (!is_shown(config, i))
			continue;
		struct buf value CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
		const char *text = config_text(config, (enum config_option)i);
		mask_append_urls(&value, span_of(text ? text : "-"));
		buf_printf(out, "%-15s %-34s %s\n", config_definitions[i].name, value.data,
			   config_source(config, (enum config_option)i));
	}
	const char *origin = config_token_origin(config);
	buf_printf(out, "%-15s %-34s %s\n", "token", origin ? "(set, not shown)" : "-", origin ? origin : "not set");
}

void config_append_json(const struct config *config, struct buf *out)
{
	struct json_writer json;
	const char *origin = config_token_origin(config);
	json_writer_init(&json, out);
	json_begin_object(&json);
	json_put_key(&json, "settings");
	json_begin_array(&json);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		if (!is_shown(config, i))
			continue;
		struct buf value CLEANUP(buf_finish) = {.size_max = 1024 * 1024};
		const char *text = config_text(config, (enum config_option)i);
		mask_append_urls(&value, span_of(text ? text : ""));
		json_begin_object(&json);
		json_put_key_text(&json, "name", config_definitions[i].name);
		json_put_key_text(&json, "value", text ? value.data : NULL);
		json_put_key_text(&json, "source", config_source(config, (enum config_option)i));
		json_end_object(&json);
	}
	json_end_array(&json);
	json_put_key(&json, "token");
	json_begin_object(&json);
	json_put_key_boolean(&json, "set", origin != NULL);
	json_put_key_text(&json, "source", origin);
	json_end_object(&json);
	json_end_object(&json);
	buf_append_byte(out, '\n');
}
