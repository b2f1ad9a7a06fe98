/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_writer.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void json_writer_init(struct json_writer *json, struct buf *out)
{
	*json = (struct json_writer){.out = out};
}

static void begin_value(struct json_writer *json)
{
	if (json->comma && !json->after_key)
		buf_append_byte(json->out, ',');
	json->comma = true;
	json->after_key = false;
}

void json_begin_object(struct json_writer *json)
{
	begin_value(json);
	buf_append_byte(json->out, '{');
	json->comma = false;
}

void json_end_object(struct json_writer *json)
{
	buf_append_byte(json->out, '}');
	json->comma = true;
}

void json_begin_array(struct json_writer *json)
{
	begin_value(json);
	buf_append_byte(json->out, '[');
	json->comma = false;
}

void json_end_array(struct json_writer *json)
{
	buf_append_byte(json->out, ']');
	json->comma = true;
}

static bool needs_escape(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\' || byte == '<'
	       || byte == '>' || byte == '&';
}

static void append_escape(struct buf *out, unsigned char byte)
{
	static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	for (size_t i = 0; short_forms[i] != '\0'; i += 2) {
		if ((unsigned char)short_forms[i] == byte) {
			char escaped[2] = {'\\', short_forms[i + 1]};
			buf_append(out, escaped, 2);
			return;
		}
	}
	buf_printf(out, "\\u%04x", byte);
}

static void append_quoted(struct buf *out, struct span s)
{
	buf_append_byte(out, '"');
	size_t plain_start = 0;
	size_t i = 0;
	while (i < s.size) {
		unsigned char byte = (unsigned char)s.data[i];
		size_t size = span_utf8_size((struct span){s.data + i, s.size - i});
		bool separator = size == 3 && byte == 0xe2 && (unsigned char)s.data[i + 1] == 0x80
				 && ((unsigned char)s.data[i + 2] & 0xfe) == 0xa8;
		if (size > 0 && !separator && !needs_escape(byte)) {
			i += size;
			continue;
		}
		buf_append(out, s.data + plain_start, i - plain_start);
		if (separator)
			buf_printf(out, "\\u%04x", 0x2000 | (s.data[i + 2] & 0x3f));
		else if (size == 0)
			buf_append_text(out, "\\ufffd");
		else
			append_escape(out, byte);
		i += size ? size : 1;
		plain_start = i;
	}
	buf_append(out, s.data + plain_start, s.size - plain_start);
	buf_append_byte(out, '"');
}

void json_put_key_span(struct json_writer *json, struct span key)
{
	begin_value(json);
	append_quoted(json->out, key);
	buf_append_byte(json->out, ':');
	json->after_key = true;
}

void json_put_key(struct json_writer *json, const char *key)
{
	json_put_key_span(json, span_of(key));
}

void json_put_string(struct json_writer *json, struct span value)
{
	if (!value.data) {
		json_put_null(json);
		return;
	}
	begin_value(json);
	append_quoted(json->out, value);
}

void json_put_text(struct json_writer *json, const char *value)
{
	json_put_string(json, span_of(value));
}

void json_put_integer(struct json_writer *json, int64_t value)
{
	static const int64_t exact_max = INT64_C(1) << 53;
	begin_value(json);
	const char *quote = value > exact_max || value < -exact_max ? "\"" : "";
	buf_printf(json->out, "%s%lld%s", quote, (long long)value, quote);
}

void json_put_real(struct json_writer *json, double value)
{
	if (!isfinite(value)) {
		json_put_null(json);
		return;
	}
	begin_value(json);
	/* The shortest of the forms that reads back as the same number. */
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		double again;
		if (span_parse_double(span_of(text), &again) && again == value)
			break;
	}
	buf_append_text(json->out, text);
	if (!strpbrk(text, ".eE"))
		buf_append_text(json->out, ".0");
}

void json_put_boolean(struct json_writer *json, bool value)
{
	begin_value(json);
	buf_append_text(json->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *json)
{
	begin_value(json);
	buf_append_text(json->out, "null");
}

void json_put_time(struct json_writer *json, int64_t time_us)
{
	json_put_text(json, time_render(time_us).text);
}

void json_put_raw(struct json_writer *json, struct span value)
{
	begin_value(json);
	buf_append_span(json->out, value);
}

void json_put_key_text(struct json_writer *json, const char *key, const char *value)
{
	json_put_key(json, key);
	json_put_text(json, value);
}

void json_put_key_string(struct json_writer *json, const char *key, struct span value)
{
	json_put_key(json, key);
	json_put_string(json, value);
}

void json_put_key_integer(struct json_writer *json, const char *key, int64_t value)
{
	json_put_key(json, key);
	json_put_integer(json, value);
}

void json_put_key_real(struct json_writer *json, const char *key, double value)
{
	json_put_key(json, key);
	json_put_real(json, value);
}

void json_put_key_boolean(struct json_writer *json, const char *key, bool value)
{
	json_put_key(json, key);
	json_put_boolean(json, value);
}

void json_put_key_time(struct json_writer *json, const char *key, int64_t time_us)
{
	json_put_key(json, key);
	if (time_us > 0)
		json_put_time(json, time_us);
	else
		json_put_null(json);
}
