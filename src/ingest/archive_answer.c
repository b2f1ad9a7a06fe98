/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/archive_answer.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static const int64_t DAY_MS = INT64_C(86400) * 1000;

/* The text of S3's <Code>, absent when it is not such a document. */
static struct span find_code(struct span start)
{
	static const char open[] = "<Code>";
	const char *found = start.size > 0 ? memmem(start.data, start.size, open, sizeof(open) - 1) : NULL;
	struct span code;
	struct span rest;
	if (!found)
		return (struct span){0};
	found += sizeof(open) - 1;
	rest = span_make(found, start.size - (size_t)(found - start.data));
	return span_split(rest, '<', &code, &rest) && code.size <= 40 ? code : (struct span){0};
}

enum archive_verdict archive_answer_judge(int status, struct span start)
{
	if (status == 200 || status == 206)
		return ARCHIVE_CONTENT;
	if (status == 404 || status == 410 || (status == 403 && span_equal_text(find_code(start), "NoSuchKey")))
		return ARCHIVE_GONE;
	if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
		return ARCHIVE_MOVED;
	if (status >= 500 || status == 408 || status == 425 || status == 429)
		return ARCHIVE_TRY_AGAIN;
	return status == 416 ? ARCHIVE_NO_RANGE : ARCHIVE_REFUSED;
}

static void copy_header(const struct http_client_response *response, const char *name, char *text, size_t size)
{
	const char *value = http_client_header_get(response, name);
	bool usable = value && strlen(value) < size;
	for (size_t i = 0; usable && value[i] != '\0'; i++)
		usable = value[i] >= ' ' && value[i] <= '~';
	(void)snprintf(text, size, "%s", usable ? value : "");
}

void archive_answer_origin(const struct http_client_response *response, struct archive_origin *origin_out)
{
	struct archive_origin origin = {.length = -1};
	const char *length = http_client_header_get(response, "Content-Length");
	const char *date = http_client_header_get(response, "Date");
	int64_t date_us;
	int64_t modified_us;
	copy_header(response, "ETag", origin.etag, sizeof(origin.etag));
	copy_header(response, "Last-Modified", origin.last_modified, sizeof(origin.last_modified));
	origin.date_is_strong = date && time_parse_http(span_of(date), &date_us)
				&& time_parse_http(span_of(origin.last_modified), &modified_us)
				&& date_us - modified_us > INT64_C(60) * 1000000;
	if (!length || !span_parse_int64(span_of(length), &origin.length) || origin.length < 0)
		origin.length = -1;
	*origin_out = origin;
}

bool archive_answer_range(const struct http_client_response *response, int64_t *first_out, int64_t *length_out)
{
	static const char unit[] = "bytes ";
	const char *text = http_client_header_get(response, "Content-Range");
	struct span range;
	struct span length;
	struct span first;
	struct span last;
	int64_t last_value;
	if (!text || strncmp(text, unit, sizeof(unit) - 1) != 0
	    || !span_split(span_of(text + sizeof(unit) - 1), '/', &range, &length)
	    || !span_split(range, '-', &first, &last))
		return false;
	int64_t length_value = -1;
	int64_t first_value;
	if (!span_parse_int64(first, &first_value) || !span_parse_int64(last, &last_value) || first_value < 0
	    || last_value < first_value)
		return false;
	if (!span_equal_text(length, "*") && (!span_parse_int64(length, &length_value) || length_value <= last_value))
		return false;
	*first_out = first_value;
	*length_out = length_value;
	return true;
}

int64_t archive_answer_retry_after_ms(const struct http_client_response *response, int64_t wall_us)
{
	const char *text = http_client_header_get(response, "Retry-After");
	const char *date = http_client_header_get(response, "Date");
	int64_t value;
	int64_t wait_ms = 0;
	if (!text)
		return 0;
	if (span_parse_int64(span_of(text), &value)) {
		wait_ms = value > DAY_MS / 1000 ? DAY_MS : value * 1000;
	} else if (time_parse_http(span_of(text), &value)) {
		/* By the server's clock where it says, for ours may be wrong. */
		if (date)
			(void)time_parse_http(span_of(date), &wall_us);
		wait_ms = (value - wall_us) / 1000;
	}
	return wait_ms < 0 ? 0 : wait_ms > DAY_MS ? DAY_MS : wait_ms;
}

bool archive_answer_is_gzip(struct span start)
{
	return start.size >= 2 && memcmp(start.data, "\x1f\x8b", 2) == 0;
}

bool archive_answer_is_json(struct span start)
{
	struct span text = span_trim(start);
	if (span_starts_with(text, "\xef\xbb\xbf"))
		text = span_make(text.data + 3, text.size - 3);
	return text.size > 0 && (text.data[0] == '{' || text.data[0] == '[');
}

void archive_answer_describe(struct span start, char text[ARCHIVE_KIND_BYTES])
{
	struct span trimmed = span_trim(start);
	struct span code = find_code(start);
	const char *what = "neither gzip nor JSON";
	if (start.size == 0)
		what = "nothing";
	else if (span_starts_with(trimmed, "<?xml") || code.data)
		what = "an XML document";
	else if (span_starts_with(trimmed, "<"))
		what = "an HTML page";
	else if (archive_answer_is_json(start))
		what = "JSON without gzip";
	bool is_word = code.size > 0;
	for (size_t i = 0; i < code.size; i++)
		is_word = is_word && code.data[i] > ' ' && code.data[i] <= '~';
	(void)snprintf(text, ARCHIVE_KIND_BYTES, "%s%s%.*s%s", what, is_word ? " (" : "",
		       is_word ? (int)code.size : 0, is_word ? code.data : "", is_word ? ")" : "");
}
