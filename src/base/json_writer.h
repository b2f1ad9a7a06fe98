/* SPDX-License-Identifier: Apache-2.0 */
/* json_writer.h - writes JSON (RFC 8259) into a buf as a stream: replies, logs, documents.
 *
 * Commas are its own business. Strings are escaped; bytes that are not UTF-8 become U+FFFD; "<",
 * ">", "&" and U+2028/9 are escaped too, so that a reply is harmless inside HTML. Integers beyond
 * 2^53 are written as strings (UX 3), NaN and infinity as null. The buf keeps the first failure. */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include "base/buf.h"

struct json_writer {
	struct buf *out; /* borrowed */
	bool comma;      /* a value was written on this level: the next one needs a comma */
	bool after_key;
};

void json_writer_init(struct json_writer *json, struct buf *out);

void json_begin_object(struct json_writer *json);
void json_end_object(struct json_writer *json);
void json_begin_array(struct json_writer *json);
void json_end_array(struct json_writer *json);
void json_put_key(struct json_writer *json, const char *key);
void json_put_key_span(struct json_writer *json, struct span key);

void json_put_string(struct json_writer *json, struct span value); /* absent span: null */
void json_put_text(struct json_writer *json, const char *value);   /* NULL: null */
void json_put_integer(struct json_writer *json, int64_t value);
void json_put_real(struct json_writer *json, double value);
void json_put_boolean(struct json_writer *json, bool value);
void json_put_null(struct json_writer *json);
void json_put_time(struct json_writer *json, int64_t time_us); /* RFC 3339, UTC */
/* `value` must be one complete JSON value already. */
void json_put_raw(struct json_writer *json, struct span value);

void json_put_key_text(struct json_writer *json, const char *key, const char *value);
void json_put_key_string(struct json_writer *json, const char *key, struct span value);
void json_put_key_integer(struct json_writer *json, const char *key, int64_t value);
void json_put_key_real(struct json_writer *json, const char *key, double value);
void json_put_key_boolean(struct json_writer *json, const char *key, bool value);
/* 0 or less stands for "none": null. */
void json_put_key_time(struct json_writer *json, const char *key, int64_t time_us);

#endif
