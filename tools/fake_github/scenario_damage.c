/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_damage.c - pages that are spoiled on their way: nothing of them counts as served. */
#include "fake_github/scenario.h"

#include <string.h>

enum {
	PAGE_BYTES = 100 * 1024 * 1024,
	BOMB_MEMBER_BYTES = 1024 * 1024, /* of blanks: a kilobyte when packed */
	BOMB_MEMBERS = 512,
	HEADER_BYTES = 1024 * 1024,
	HEADER_COUNT = 5000,
};

void scenario_damage_truncate(struct scenario_call *call)
{
	call->response->body_bytes_cut = call->response->body.size / 2 + 1;
}

void scenario_damage_reset_in_body(struct scenario_call *call)
{
	call->response->reset = HTTP_RESET_IN_BODY;
}

void scenario_damage_short_length(struct scenario_call *call)
{
	call->response->length_offset = -(int64_t)(call->response->body.size / 2);
	call->response->close = true;
}

void scenario_damage_gzip(struct scenario_call *call)
{
	if (!call->response->encoded)
		http_response_gzip(call->response);
	struct buf *body = &call->response->body;
	for (size_t i = body->size / 2; i < body->size; i++)
		body->data[i] = (char)(body->data[i] ^ 0x5a);
}

void scenario_damage_json_cut(struct scenario_call *call)
{
	call->response->body.size -= call->response->body.size / 3 + 1;
}

/* Every byte becomes two, as a program that takes UTF-16 for the web's encoding would send it. */
void scenario_damage_utf16(struct scenario_call *call)
{
	struct buf wide;
	buf_init(&wide, HTTP_BODY_BYTES_MAX);
	buf_append(&wide, "\xff\xfe", 2);
	for (size_t i = 0; i < call->response->body.size; i++) {
		buf_append_byte(&wide, call->response->body.data[i]);
		buf_append_byte(&wide, '\0');
	}
	buf_finish(&call->response->body);
	call->response->body = wide;
}

void scenario_damage_bom(struct scenario_call *call)
{
	struct buf marked;
	buf_init(&marked, HTTP_BODY_BYTES_MAX);
	buf_append(&marked, "\xef\xbb\xbf", 3);
	buf_append_span(&marked, buf_span(&call->response->body));
	buf_finish(&call->response->body);
	call->response->body = marked;
}

void scenario_damage_garbage_behind(struct scenario_call *call)
{
	buf_append_text(&call->response->body, "\n<!-- served by cache 7 -->\n");
}

void scenario_damage_two_arrays(struct scenario_call *call)
{
	buf_append_text(&call->response->body, "[]");
}

/* Grows the page by blanks, which JSON allows. Not packed: there is a scenario for that. */
void scenario_damage_page_100mb(struct scenario_call *call)
{
	struct buf *body = &call->response->body;
	size_t more = PAGE_BYTES - body->size;
	char *room = buf_reserve(body, more);
	memset(room, ' ', more);
	buf_commit(body, more);
	call->response->encoded = true;
}

void scenario_damage_gzip_cut(struct scenario_call *call)
{
	if (!call->response->encoded)
		http_response_gzip(call->response);
	call->response->body.size -= call->response->body.size / 3 + 1;
}

/* A gzip stream may have many members: one of blanks, over and over. */
void scenario_damage_gzip_bomb(struct scenario_call *call)
{
	struct buf *body = &call->response->body;
	buf_clear(body);
	char *room = buf_reserve(body, BOMB_MEMBER_BYTES);
	memset(room, ' ', BOMB_MEMBER_BYTES);
	buf_commit(body, BOMB_MEMBER_BYTES);
	http_response_gzip(call->response);
	size_t size = call->response->body.size;
	char *rest = buf_reserve(&call->response->body, size * (BOMB_MEMBERS - 1));
	for (size_t i = 0; i + 1 < BOMB_MEMBERS; i++)
		memcpy(rest + i * size, call->response->body.data, size);
	buf_commit(&call->response->body, size * (BOMB_MEMBERS - 1));
}

void scenario_damage_unknown_coding(struct scenario_call *call)
{
	http_response_header(call->response, "Content-Encoding", "br");
	call->response->encoded = true;
}

void scenario_damage_bad_chunk(struct scenario_call *call)
{
	call->response->framing = HTTP_FRAMING_BAD_CHUNK;
}

void scenario_damage_length_text(struct scenario_call *call)
{
	call->response->length_text = "many";
	call->response->close = true;
}

void scenario_damage_slow_head(struct scenario_call *call)
{
	call->response->pace = HTTP_PACE_SLOW_HEAD;
}

void scenario_damage_slow_body(struct scenario_call *call)
{
	call->response->pace = HTTP_PACE_SLOW_BODY;
}

void scenario_damage_stall(struct scenario_call *call)
{
	call->response->pace = HTTP_PACE_STALL;
}

void scenario_damage_huge_header(struct scenario_call *call)
{
	struct buf *headers = &call->response->headers;
	buf_append_text(headers, "X-Cookie: ");
	char *room = buf_reserve(headers, HEADER_BYTES);
	memset(room, 'c', HEADER_BYTES);
	buf_commit(headers, HEADER_BYTES);
	buf_append_text(headers, "\r\n");
}

void scenario_damage_many_headers(struct scenario_call *call)
{
	for (int i = 0; i < HEADER_COUNT; i++)
		buf_printf(&call->response->headers, "X-Crumb-%d: a little of everything\r\n", i);
}
